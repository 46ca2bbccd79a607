// The APNs channel: a push a request, over one pool of HTTP/2 connections per environment, with the team's token or a
// client certificate.
//
// The straight path: submit -> send -> (host's HTTP client) -> ended -> settle. What Apple says decides in `ended`; the
// table stands in answer.cpp, what a message becomes in push.cpp. Everything runs on the lane but `preview`.
#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <string>

#include <godwit/channel.hpp>
#include <godwit/json.hpp>
#include <godwit/services/http.hpp>
#include <godwit/services/metrics.hpp>
#include <godwit/services/secret.hpp>

#include "answer.hpp"
#include "apns_embedded.hpp"
#include "broadcasts.hpp"
#include "certificate.hpp"
#include "provider_token.hpp"
#include "push.hpp"
#include "rendering.hpp"

namespace apns {

using godwit::Host;
using godwit::HttpReply;
using godwit::Message;
using godwit::Outcome;
using godwit::Pending;
using godwit::Result;

namespace {

// So many devices refused in a row are our fault and not theirs, as long as we have reached none.
constexpr size_t kTooManyInARow = 20;
constexpr uint64_t kDay = UINT64_C(86'400'000);
constexpr uint64_t kSlowTokenMs =
    60'000;                             // TooManyRequests: Apple gives no figure; a minute is a guess on the safe side
constexpr uint32_t kFirstWindow = 200;  // until the first SETTINGS tell how many streams there are
constexpr int64_t kWarnDays = 30;
constexpr uint64_t kPauseNs = 500'000'000;
constexpr uint64_t kBlipNs = 3'000'000'000;  // messages wait so long for a connection; then they may take another way

uint64_t retry_after_ms(const HttpReply& reply) {
  const std::string_view text = reply.header("retry-after");
  uint64_t seconds = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || seconds > 86'400) return 0;
    seconds = seconds * 10 + static_cast<uint64_t>(c - '0');
  }
  return seconds * 1000;
}

}  // namespace

class Apns final : public godwit::Channel {
 public:
  static constexpr auto describe() {
    return godwit::type("apns")
        .name("Apple Push Notification service")
        .vendor("Apple")
        .version("1.0.0")
        .license("Apache-2.0")
        .docs("docs/channels/apns.md")
        .schema(embedded::schema_json)
        .example(embedded::example_json)
        .caps({.receipt_kinds = GW_RECEIPT_ACCEPTED,
               .flags = GW_CAP_TTL | GW_CAP_COLLAPSE | GW_CAP_PRIORITY | GW_CAP_OFFLINE_HOLD | GW_CAP_TOKEN_FEEDBACK |
                        GW_CAP_SILENT | GW_CAP_RAW_CONTENT,
               .max_payload_bytes = 4096,
               .max_batch = 256,
               .max_window = 8000,
               .max_ttl_ms = 30 * kDay,
               .offline_hold_ms = 30 * kDay,
               .priority_levels = 4});
  }

  static void check(godwit::Json json, godwit::Report& report) {
    if (auto config = Config::parse(json); !config) report.error(config.error().where, config.error().message);
  }
  static void check_address(std::string_view address, godwit::Report& report) {
    if (auto parsed = parse_address(address, Environment::production); !parsed)
      report.error("", parsed.error().message);
  }

  static Result<std::unique_ptr<Apns>> create(Host host, godwit::Json json) {
    auto config = Config::parse(json);
    if (!config) return std::move(config).error();
    auto channel = std::make_unique<Apns>(host, std::move(*config));
    if (auto line = channel->open_line(channel->config_.environment); !line) return std::move(line).error();
    return channel;
  }
  Apns(Host host, Config config)
      : host_(host),
        config_(std::move(config)),
        broadcasts_(host, config_),
        token_(config_.team_id, config_.key_id),
        tokens_made_(godwit::Metrics(host).gauge(
            "provider_tokens", "Provider tokens used since the start; instances with the same key share them.")),
        certificate_days_(
            godwit::Metrics(host).gauge("certificate_days_left", "Days until the client certificate ends.")) {}

  void start() override {
    const std::string& name = config_.uses_certificate() ? config_.certificate_name : config_.key_name;
    auto watch = godwit::Secrets(host_).watch(name, [this](godwit::SecretValue value) { credential_changed(value); });
    if (!watch) return host_.set_state(GW_STATE_FAILED, watch.error().message);
    secret_ = std::move(*watch);
  }

  void submit(godwit::Batch batch) override {
    for (Pending m : batch) send(std::move(m), 0);
  }

  void cancel(uint64_t ticket) override {
    for (const auto& line : lines_)
      if (line) line->pool->cancel(ticket);
    broadcasts_.cancel(ticket);
  }

  Result<void> preview(Message message, godwit::PreviewSink& sink) const {
    auto address = parse_address(message.target().address(), config_.environment);
    if (!address) return std::move(address).error();
    auto order = parse_order(message, *address);
    if (!order) return std::move(order).error();
    if (*order) {
      godwit::HttpRequest request = request_of(config_, **order, *address, message);
      if (!config_.uses_certificate()) request.headers.insert(request.headers.begin(), {"authorization", "***"});
      sink.request(config_.manage_origins[size_t(address->environment)], request);
      return {};
    }
    auto rendered = render(config_, message, host_.now_wall_ms());
    if (!rendered) return std::move(rendered).error();
    Push push;
    write_push(config_, *rendered, *address, message, host_.now_wall_ms(), push);
    if (!config_.uses_certificate()) push.headers.insert(push.headers.begin(), {"authorization", "***"});
    sink.request(config_.origins[size_t(address->environment)],
                 {.path = push.path, .headers = {push.headers.begin(), push.headers.end()}, .body = rendered->body});
    return {};
  }

 private:
  // One pool, and what must be known of it. Replaced as a whole when a connection is spoilt (by an expired token or
  // another key); the old one ends when its last push has come back.
  struct Line {
    std::optional<godwit::HttpPool> pool;
    uint32_t capacity = 0;
  };
  using LinePtr = std::shared_ptr<Line>;

  // ---- credentials

  void credential_changed(const godwit::SecretValue& value) {
    if (!value) return fail("the credential cannot be read: " + value.error().message);
    if (config_.uses_certificate()) {
      auto days = days_left(*value, host_.now_wall_ms());
      if (!days) return fail(days.error().message);
      certificate_days_.set(*days);
      if (*days < 0) return fail("certificate_file: the certificate has ended; get a new one from Apple");
      if (*days < kWarnDays) host_.warn("the client certificate ends soon", {{"days_left", std::to_string(*days)}});
    } else {
      if (auto set = token_.set_key(*value); !set) return fail(set.error().message);
      // The connections so far are bound to the old key.
      if (was_ready_)
        for (size_t e = 0; e < lines_.size(); ++e)
          if (lines_[e]) replace(Environment(e), lines_[e]);
    }
    was_ready_ = true;
    row_ = {};
    is_proven_ = {};
    update_window();
    host_.set_state(GW_STATE_READY);
  }

  void fail(const std::string& why) {
    host_.error("this channel needs an operator", {{"why", why}});
    host_.set_state(GW_STATE_FAILED, why);
  }

  // ---- connections

  Result<LinePtr> open_line(Environment environment) {
    auto line = std::make_shared<Line>();
    auto pool = godwit::HttpPool::open(host_,
                                       {.origin = config_.origins[size_t(environment)],
                                        .versions = GW_HTTP_V2,
                                        .tls_certificate = config_.certificate_name,
                                        .tls_key = config_.certificate_key_name,
                                        .ca_file = config_.ca_file,
                                        .max_connections = config_.connections,
                                        .max_streams = config_.max_streams,
                                        .connect_timeout_ms = config_.connect_timeout_ms,
                                        .request_timeout_ms = config_.request_timeout_ms,
                                        .idle_timeout_ms = config_.idle_timeout_ms,
                                        .ping_interval_ms = config_.ping_interval_ms,
                                        .max_response_bytes = 16 << 10},
                                       [this, weak = std::weak_ptr(line)](uint32_t streams) {
                                         const LinePtr line = weak.lock();
                                         if (!line) return;
                                         line->capacity = streams;
                                         update_window();
                                       });
    if (!pool) return std::move(pool).error();
    line->pool.emplace(std::move(*pool));
    lines_[size_t(environment)] = line;
    return line;
  }

  Result<LinePtr> line_to(Environment environment) {
    if (const LinePtr& line = lines_[size_t(environment)]) return line;
    return open_line(environment);
  }

  // Whoever comes second finds the new line there already.
  void replace(Environment environment, const LinePtr& spoilt) {
    if (lines_[size_t(environment)] == spoilt) lines_[size_t(environment)] = nullptr;
  }

  // Twice the streams: while they are out, the next are here already.
  void update_window() {
    if (!was_ready_) return;
    uint32_t streams = 0;
    for (const auto& line : lines_)
      if (line) streams += line->capacity;
    const uint32_t wanted = streams == 0 ? kFirstWindow : 2 * streams;
    host_.set_window(std::clamp<uint32_t>(wanted, 1, config_.window));
  }

  // ---- the path of a push

  static Outcome rejected(const godwit::Error& why) {
    const size_t colon = why.message.find(": ");
    const std::string text = why.message.substr(colon + 2);
    return Outcome::rejected(why.message.substr(0, colon), why.where.empty() ? text : why.where + ": " + text);
  }

  void send(Pending m, unsigned repeats) {
    const Message message = m.message();
    const auto address = parse_address(message.target().address(), config_.environment);
    if (!address) {
      Outcome malformed = Outcome::target_invalid("BadDeviceToken");
      malformed.detail = address.error().message;
      return m.settle(malformed);
    }
    const uint64_t wall_ms = host_.now_wall_ms();
    auto order = parse_order(message, *address);
    if (!order) return m.settle(rejected(order.error()));
    if (*order) return broadcasts_.carry_out(std::move(m), **order, *address, authorization(wall_ms));
    const auto found = rendering_.of(config_, message, wall_ms);
    if (!found) return m.settle(rejected(found.error()));
    const Rendered& rendered = **found;
    auto line = line_to(address->environment);
    if (!line) return m.settle(Outcome::config("no_connection", line.error().message));

    write_push(config_, rendered, *address, message, wall_ms, push_);
    if (const std::string_view proof = authorization(wall_ms); !proof.empty())
      push_.headers.emplace_back("authorization", proof);
    const uint64_t generation = token_.generation();
    const godwit::HttpRequestView request{.path = push_.path,
                                          .headers = push_.headers,
                                          .body = rendered.body,
                                          .deadline_mono_ns = message.deadline_mono_ns(),
                                          .cookie = message.ticket()};
    const LinePtr used = *line;
    used->pool->send(request, [this, m = std::move(m), line = used, environment = address->environment, generation,
                               repeats, own_topic = rendered.own_topic](const HttpReply& reply) mutable {
      ended(std::move(m), reply, {line, environment, generation, repeats, own_topic});
    });
  }

  // Empty with a client certificate. Valid until the next call.
  std::string_view authorization(uint64_t wall_ms) {
    if (config_.uses_certificate()) return {};
    const std::string& proof = token_.authorization(host_.now_mono_ns(), wall_ms);
    if (token_.generation() != tokens_told_) tokens_made_.set(static_cast<int64_t>(tokens_told_ = token_.generation()));
    return proof;
  }

  struct Sent {
    LinePtr line;
    Environment environment;
    uint64_t generation;
    unsigned repeats;
    bool own_topic;
  };

  void ended(Pending m, const HttpReply& reply, const Sent& sent) {
    if (!reply.is_answered()) {
      if (!reply.is_not_sent()) return m.settle(Outcome::unknown(std::string(reply.error())));
      if (reply.status() == GW_E_CLOSED) return m.settle(Outcome::cancelled());
      if (reply.status() == GW_E_INVALID)  // the host does not send such a thing, and will not later
        return m.settle(Outcome::rejected("invalid_request", std::string(reply.error())));
      return m.settle(not_sent(reply));
    }
    out_since_ = 0;
    const Answer answer = read_answer(reply.http_status(), reply.body());
    if (answer.verdict == Verdict::accepted) {
      row_ = {};
      if (!sent.own_topic) is_proven_[size_t(sent.environment)] = true;
      const std::string_view id =
          reply.header("apns-id").empty() ? reply.header("apns-request-id") : reply.header("apns-id");
      return m.settle(Outcome::accepted(std::string(id)).with_http_status(200));
    }
    if (may_go_again(answer.verdict, sent)) return send(std::move(m), sent.repeats + 1);
    Outcome outcome = outcome_of(answer, reply, sent, m.message().target().address());
    outcome.http_status = reply.http_status();
    m.settle(outcome);
  }

  // Apple cannot be reached: a short pause for all. A blip is nobody's failure: thousands that were queued for one
  // connection would use up the retries of all.
  Outcome not_sent(const HttpReply& reply) {
    const uint64_t now = host_.now_mono_ns();
    if (out_since_ == 0) out_since_ = now;
    if (now >= paused_until_) {
      paused_until_ = now + kPauseNs;
      host_.hold(paused_until_, reply.error());
    }
    const bool is_blip = reply.status() == GW_E_IO && now - out_since_ < kBlipNs;
    Outcome outcome = is_blip ? Outcome::throttled(kPauseNs / 1'000'000, "not_sent") : Outcome::retry("not_sent");
    outcome.detail = reply.error();
    return outcome;
  }

  // Refused for a reason that lies in the connection or the token and is gone with a new one: once more, at once.
  bool may_go_again(Verdict verdict, const Sent& sent) {
    switch (verdict) {
      case Verdict::renew_token:
        if (config_.uses_certificate() ||
            !token_.renew_expired(sent.generation, host_.now_mono_ns(), host_.now_wall_ms()))
          return false;
        break;
      case Verdict::new_connection:
        break;
      case Verdict::again:
        return sent.repeats == 0;
      default:
        return false;
    }
    replace(sent.environment, sent.line);
    return sent.repeats == 0;
  }

  Outcome outcome_of(const Answer& a, const HttpReply& reply, const Sent& sent, std::string_view address) {
    switch (a.verdict) {
      case Verdict::drop_token:
        return Outcome::target_invalid(a.reason, a.since_ms);
      case Verdict::wrong_token:  // where a push was accepted, topic and environment are right
        return !is_proven_[size_t(sent.environment)] && is_one_of_many(a.reason, address)
                   ? alarm(a)
                   : Outcome::target_invalid(a.reason);
      case Verdict::forbidden:
        return is_one_of_many(a.reason, address) ? alarm(a) : Outcome::rejected(a.reason);
      case Verdict::retry:
      case Verdict::again:
      case Verdict::new_connection: {
        const uint64_t wait = retry_after_ms(reply);
        return wait ? Outcome::throttled(wait, a.reason) : Outcome::retry(a.reason);
      }
      case Verdict::slow_token: {
        Outcome later = Outcome::retry(a.reason, "too many in a row to this device");
        later.retry_after_ms = std::max(kSlowTokenMs, retry_after_ms(reply));
        return later;
      }
      case Verdict::renew_token:
        // Again with a token that has just been made, or with one that is too young: it is not the token.
        return config_.uses_certificate() || sent.repeats == 0 || sent.generation == token_.generation()
                   ? alarm(a)
                   : Outcome::retry(a.reason);
      case Verdict::config:
        return alarm(a);
      case Verdict::wrong_topic:
        return sent.own_topic ? Outcome::rejected(a.reason, "the message's own apns-topic") : alarm(a);
      case Verdict::defect:
        host_.error("Apple does not understand a request of ours; please report it", {{"reason", a.reason}});
        return Outcome::rejected(a.reason);
      case Verdict::too_large:
      case Verdict::fail:
      case Verdict::accepted:
        break;
    }
    return Outcome::rejected(a.reason);
  }

  // An operator is needed: nothing more is sent until the credential changes or the channel is opened anew.
  Outcome alarm(const Answer& a) {
    const std::string advice(remedy(a.reason));
    fail("Apple says " + a.reason + (advice.empty() ? "" : ": " + advice));
    return Outcome::config(a.reason, advice);
  }

  // Different ones: whoever sends to one bad token again and again must not stop the channel for the others.
  bool is_one_of_many(const std::string& reason, std::string_view address) {
    if (row_.reason != reason) row_ = {reason, {}};
    row_.addresses.emplace(address);
    return row_.addresses.size() > kTooManyInARow;
  }

  Host host_;
  const Config config_;
  Broadcasts broadcasts_;
  ProviderToken token_;
  const godwit::Metric tokens_made_, certificate_days_;
  std::array<LinePtr, 2> lines_;  // by Environment; null: not needed yet
  godwit::SecretWatch secret_;
  bool was_ready_ = false;
  uint64_t paused_until_ = 0, tokens_told_ = 0;
  uint64_t out_since_ = 0;  // Apple could not be reached since then; 0: it was, when last asked

  std::array<bool, 2> is_proven_{};  // by Environment: a push was accepted since the credential came
  struct Row {
    std::string reason;
    std::set<std::string, std::less<>> addresses;  // few: one more than kTooManyInARow stops the channel
  } row_;                                          // refusals in a row

  Rendering rendering_;
  Push push_;  // of the message that is being sent
};

}  // namespace apns

GW_EXPORT_CHANNEL(apns::Apns)
