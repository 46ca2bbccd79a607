#include "broker/app/metrics_export.hpp"

#include <future>
#include <set>

namespace godwit {
namespace {

constexpr std::string_view kMessagesHelp =
    "Messages accepted, and deliveries (a message to a device) that reached each further state.";
constexpr std::string_view kQueueHelp = "What waits, by stage.";

void collect_channel(MetricSink& sink, const EngineStats::Channel& channel) {
  for (size_t d = 0; d < channel.attempts.size(); ++d)
    sink.counter("godwit_attempts_total", "Attempts by what became of them.",
                 {{"channel", channel.name}, {"result", std::string(to_string(static_cast<Disposition>(d)))}},
                 double(channel.attempts[d].value()));
  for (size_t kind = 0; kind < channel.receipts.size(); ++kind)
    for (size_t event = 0; event < channel.receipts[kind].size(); ++event)
      if (const uint64_t n = channel.receipts[kind][event].value())
        sink.counter("godwit_receipts_total", "Receipts by whose word they are and what they say.",
                     {{"channel", channel.name},
                      {"kind", std::string(to_string(static_cast<ReceiptSource>(kind)))},
                      {"event", std::string(to_string(static_cast<ReceiptEvent>(event)))}},
                     double(n));
  std::array<uint64_t, EngineStats::kDelayBounds.size() + 1> delays;
  for (size_t i = 0; i < delays.size(); ++i) delays[i] = channel.delays[i].value();
  sink.histogram("godwit_delivery_seconds", "From acceptance to the receipt.", {{"channel", channel.name}},
                 EngineStats::kDelayBounds, delays, double(channel.delay_sum_ms.value()) / 1000);
  sink.gauge("godwit_queue_depth", kQueueHelp, {{"stage", "channel:" + channel.name}}, double(channel.queued.value()));
  sink.gauge("godwit_connections", "Devices connected now, of channels that know presence.",
             {{"channel", channel.name}}, double(channel.connections.value()));
}

void collect_engine(MetricSink& sink, const EngineStats& stats) {
  stats.each_app([&](const EngineStats::App& app) {
    sink.counter("godwit_messages_total", kMessagesHelp, {{"app", app.id}, {"state", "accepted"}},
                 double(app.accepted.value()));
    for (size_t state = 0; state < app.states.size(); ++state)
      sink.counter("godwit_messages_total", kMessagesHelp,
                   {{"app", app.id}, {"state", std::string(to_string(static_cast<DeliveryState>(state)))}},
                   double(app.states[state].value()));
  });
  stats.each_channel([&](const EngineStats::Channel& channel) { collect_channel(sink, channel); });
  const std::pair<const char*, const Counter*> stages[] = {{"accept", &stats.accepts_on_their_way},
                                                           {"open_messages", &stats.open_messages},
                                                           {"open_deliveries", &stats.open_deliveries},
                                                           {"scheduled", &stats.scheduled_messages},
                                                           {"fanouts", &stats.fanouts}};
  for (const auto& [stage, gauge] : stages)
    sink.gauge("godwit_queue_depth", kQueueHelp, {{"stage", stage}}, double(gauge->value()));
  for (size_t p = 0; p < stats.shed.size(); ++p)
    sink.counter("godwit_overload_shed_total", "Messages refused because of our load.",
                 {{"priority", std::string(to_string(static_cast<Priority>(p)))}}, double(stats.shed[p].value()));
  sink.counter("godwit_final_system_failures_total", "Deliveries that failed after every retry and every channel.", {},
               double(stats.final_system_failures.value()));
  sink.counter("godwit_retries_total", "Attempts repeated on the same channel.", {}, double(stats.retries.value()));
  sink.counter("godwit_repeated_accepts_total", "Requests answered by an earlier one with the same idempotency key.",
               {}, double(stats.repeated_accepts.value()));
  sink.gauge("godwit_content_bytes", "Bytes of message bodies held.", {}, double(stats.content_bytes.value()));
}

}  // namespace

void export_rates(MetricSink& sink, const RateView& view) {
  std::set<std::pair<routing::ChannelNo, std::string>> shown;
  for (const auto kind : {routing::ReceiptKind::device, routing::ReceiptKind::vendor})
    for (const routing::RateRow& row : view.rows)
      if (row.kind == kind && row.settled > 0 && row.channel < view.channel_names.size() &&
          shown.emplace(row.channel, row.manufacturer).second)
        sink.gauge("godwit_delivery_rate", "Share of messages with a receipt, as measured over the last day.",
                   {{"channel", view.channel_names[row.channel]}, {"manufacturer", row.manufacturer}}, row.rate);
}

namespace {

// Rates live in the engine's thread; a scrape asks for them as a front end would.
void collect_rates(MetricSink& sink, Engine& engine) {
  std::promise<Result<RateView>> answer;
  std::future<Result<RateView>> future = answer.get_future();
  routing::RateQuery query;
  query.by_manufacturer = true;
  engine.rates(query, [&](Result<RateView> view) { answer.set_value(std::move(view)); });
  const Result<RateView> view = future.get();  // comes always, also while stopping
  if (view) export_rates(sink, *view);
}

}  // namespace

void export_engine(Metrics& metrics, Engine& engine) {
  metrics.add([&engine](MetricSink& sink) {
    collect_engine(sink, engine.stats());
    collect_rates(sink, engine);
  });
}

void export_channels(Metrics& metrics, const channels::PluginHost& host) {
  metrics.add([&host](MetricSink& sink) {
    for (size_t i = 0; i < host.size(); ++i) {
      const ChannelStatus status = host.status(static_cast<ChannelNo>(i));
      for (int state = 0; state <= static_cast<int>(ChannelState::stopped); ++state)
        sink.gauge("godwit_channel_state", "1 for the state that the channel is in.",
                   {{"channel", status.name}, {"state", std::string(to_string(static_cast<ChannelState>(state)))}},
                   static_cast<int>(status.state) == state ? 1 : 0);
      sink.gauge("godwit_channel_in_flight", "Messages with the channel now.", {{"channel", status.name}},
                 status.in_flight);
      sink.gauge("godwit_channel_window", "Messages that the channel takes at once.", {{"channel", status.name}},
                 status.window);
    }
    host.collect_metrics([&](const channels::MetricSample& sample) {
      const std::string name = "godwit_" + sample.name;
      switch (sample.kind) {
        case channels::MetricSample::Kind::counter:
          sink.counter(name, sample.help, sample.labels, sample.value);
          break;
        case channels::MetricSample::Kind::gauge:
          sink.gauge(name, sample.help, sample.labels, sample.value);
          break;
        case channels::MetricSample::Kind::histogram: {
          std::vector<double> bounds;
          std::vector<uint64_t> counts;
          uint64_t before = 0;
          for (const auto& [bound, cumulated] : sample.buckets) {
            bounds.push_back(bound);
            counts.push_back(cumulated - before);
            before = cumulated;
          }
          counts.push_back(sample.count - before);
          sink.histogram(name, sample.help, sample.labels, bounds, counts, sample.value);
        }
      }
    });
  });
}

void export_api(Metrics& metrics, const ApiServer& api) {
  metrics.add([&api](MetricSink& sink) {
    const ApiStats s = api.stats();
    sink.gauge("godwit_http_connections", "HTTP connections open now.", {}, double(s.connections));
    sink.counter("godwit_http_requests_total", "HTTP answers by class.", {{"status", "2xx"}}, double(s.answers_2xx));
    sink.counter("godwit_http_requests_total", "HTTP answers by class.", {{"status", "4xx"}}, double(s.answers_4xx));
    sink.counter("godwit_http_requests_total", "HTTP answers by class.", {{"status", "5xx"}}, double(s.answers_5xx));
  });
}

void export_commits(Metrics& metrics, const SecondsHistogram& commits, const GroupCommit& group_commit) {
  metrics.add([&](MetricSink& sink) {
    commits.collect(sink, "godwit_storage_commit_seconds", "Time of one durable commit of the journal.", {});
    sink.gauge("godwit_storage_queued_bytes", "What waits for the journal.", {}, double(group_commit.queued_bytes()));
  });
}

}  // namespace godwit
