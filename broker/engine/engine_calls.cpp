// Engine as the Broker that front ends call: each question becomes a command for the engine's thread.
#include "broker/engine/engine_impl.hpp"
#include "broker/engine/no_such_channel.hpp"

namespace godwit {

using engine::Core;

void Engine::put_device(Device device, Done<DeviceAnswer> done) {
  impl_->ask(std::move(done), [device = std::move(device)](Core& core, Done<DeviceAnswer> d) mutable {
    core.put_device(std::move(device), std::move(d));
  });
}
void Engine::patch_device(std::string app, std::string id, Callback<Result<void>(Device&)> edit,
                          Done<DeviceAnswer> done) {
  impl_->ask(std::move(done), [app = std::move(app), id = std::move(id), edit = std::move(edit)](
                                  Core& core, Done<DeviceAnswer> d) mutable {
    core.patch_device(std::move(app), std::move(id), std::move(edit), std::move(d));
  });
}
void Engine::get_device(std::string app, std::string id, Done<Device> done) {
  impl_->ask(std::move(done), [app = std::move(app), id = std::move(id)](Core& core, Done<Device> d) {
    core.get_device(app, id, std::move(d));
  });
}
void Engine::delete_device(std::string app, std::string id, Done<Device> done) {
  impl_->ask(std::move(done), [app = std::move(app), id = std::move(id)](Core& core, Done<Device> d) mutable {
    core.delete_device(std::move(app), std::move(id), std::move(d));
  });
}
void Engine::user_devices(std::string app, std::string user, Done<std::vector<Device>> done) {
  impl_->ask(std::move(done), [app = std::move(app), user = std::move(user)](Core& core, Done<std::vector<Device>> d) {
    core.user_devices(app, user, std::move(d));
  });
}
void Engine::list_devices(std::string app, std::string page, unsigned limit, Done<DeviceList> done) {
  impl_->ask(std::move(done), [app = std::move(app), page = std::move(page), limit](Core& core, Done<DeviceList> d) {
    core.list_devices(app, page, limit, std::move(d));
  });
}
void Engine::set_topic(std::string app, std::string topic, std::string id, bool subscribed, Done<void> done) {
  impl_->ask(std::move(done), [app = std::move(app), topic = std::move(topic), id = std::move(id), subscribed](
                                  Core& core, Done<void> d) mutable {
    core.set_topic(std::move(app), std::move(topic), std::move(id), subscribed, std::move(d));
  });
}
void Engine::list_topics(std::string app, Done<std::vector<TopicInfo>> done) {
  impl_->ask(std::move(done), [app = std::move(app)](Core& core, Done<std::vector<TopicInfo>> d) {
    core.list_topics(app, std::move(d));
  });
}
void Engine::topic_devices(std::string app, std::string topic, std::string page, Done<TopicPage> done) {
  impl_->ask(std::move(done),
             [app = std::move(app), topic = std::move(topic), page = std::move(page)](Core& core, Done<TopicPage> d) {
               core.topic_devices(app, topic, page, std::move(d));
             });
}
void Engine::accept(std::vector<MessageDraft> drafts, Callback<void(std::vector<Result<AcceptAnswer>>)> done) {
  impl_->intake.accept(std::move(drafts), std::move(done));
}
void Engine::get_message(std::string app, MessageId id, Done<MessageView> done) {
  impl_->ask(std::move(done),
             [app = std::move(app), id](Core& core, Done<MessageView> d) { core.get_message(app, id, std::move(d)); });
}
void Engine::get_deliveries(std::string app, MessageId id, std::string device, std::string page,
                            Done<DeliveryPage> done) {
  impl_->ask(std::move(done),
             [app = std::move(app), id, device = std::move(device), page = std::move(page)](
                 Core& core, Done<DeliveryPage> d) { core.get_deliveries(app, id, device, page, std::move(d)); });
}
void Engine::cancel_message(std::string app, MessageId id, Done<CancelAnswer> done) {
  impl_->ask(std::move(done), [app = std::move(app), id](Core& core, Done<CancelAnswer> d) {
    core.cancel_message(app, id, std::move(d));
  });
}
void Engine::dry_run(MessageDraft draft, Done<DryRun> done) {
  impl_->ask(std::move(done), [draft = std::move(draft)](Core& core, Done<DryRun> d) mutable {
    core.dry_run(std::move(draft), std::move(d));
  });
}
void Engine::report_receipts(std::string app, std::vector<ReceiptReport> reports, Done<ReceiptAnswer> done) {
  impl_->ask(std::move(done),
             [app = std::move(app), reports = std::move(reports)](Core& core, Done<ReceiptAnswer> d) mutable {
               core.report_receipts(app, std::move(reports), std::move(d));
             });
}
void Engine::inbox(std::string app, std::string id, std::string after, int64_t wait_ms, unsigned limit,
                   Done<InboxPage> done) {
  impl_->ask(std::move(done),
             [app = std::move(app), id = std::move(id), after = std::move(after), wait_ms, limit](
                 Core& core, Done<InboxPage> d) { core.inbox(app, id, after, wait_ms, limit, std::move(d)); });
}
void Engine::list_channels(Done<std::vector<ChannelView>> done) {
  impl_->ask(std::move(done), [](Core& core, Done<std::vector<ChannelView>> d) { core.list_channels(std::move(d)); });
}
void Engine::set_channel(std::string name, std::string state, Done<ChannelView> done) {
  impl_->ask(std::move(done), [name = std::move(name), state = std::move(state)](Core& core, Done<ChannelView> d) {
    core.set_channel(name, state, std::move(d));
  });
}
// The channels' own business: the engine goes on sending meanwhile.
void Engine::reload_channel(std::string name, Done<ReloadReport> done) {
  ChannelSet* channels = impl_->channels;
  const auto no = channels == nullptr ? std::nullopt : channels->find(name);
  if (!no) return done(engine::no_such_channel(channels, name));
  channels->reload(*no, [done = std::move(done)](ReloadReport report) mutable {
    if (report.switched) return done(std::move(report));
    done(Error{Code::conflict,
               "the running instance goes on; step " + report.step + " of the reload failed: " + report.text,
               report.pointer});
  });
}
void Engine::route(std::string app, std::string id, Priority priority, Done<RouteView> done) {
  impl_->ask(std::move(done), [app = std::move(app), id = std::move(id), priority](Core& core, Done<RouteView> d) {
    core.route(app, id, priority, std::move(d));
  });
}
void Engine::rates(routing::RateQuery query, Done<RateView> done) {
  impl_->ask(std::move(done), [query](Core& core, Done<RateView> d) { core.rates(query, std::move(d)); });
}

// The plugin parses on the caller's thread (parse is pure); what it found goes to the engine.
void Engine::vendor_callback(VendorCall call, Done<CallbackAnswer> done) {
  ChannelSet* channels = impl_->channels;
  const auto no = channels == nullptr ? std::nullopt : channels->find(call.channel);
  if (!no) return done(Error{Code::not_found, "no such channel", call.channel});
  WebhookRequest request{std::move(call.method), std::move(call.tail), std::move(call.query), std::move(call.body),
                         std::move(call.headers)};
  Result<WebhookReply> reply = channels->parse_webhook(*no, request);
  if (!reply) return done(std::move(reply).error());
  for (ChannelEvent& event : reply->events) event.channel = *no;
  impl_->ask(std::move(done), [reply = std::move(*reply)](Core& core, Done<CallbackAnswer> d) mutable {
    core.on_webhook(std::move(reply), std::move(d));
  });
}

// `unsubscribe` promises that the sink is not called any more when it returns, so a gate stands before it.
uint64_t Engine::subscribe(std::string app, LifeEventSink sink) {
  const uint64_t id = impl_->next_subscription++;
  auto gate = std::make_shared<Impl::Gate>();
  {
    std::lock_guard lock(impl_->gates_mutex);
    impl_->gates[id] = gate;
  }
  impl_->post([id, app = std::move(app), gate, sink = std::move(sink)](Core& core) mutable {
    core.life_feed().subscribe(id, std::move(app), [gate, sink = std::move(sink)](const LifeEvent& event) {
      std::lock_guard lock(gate->mutex);
      if (gate->open) sink(event);
    });
  });
  return id;
}

void Engine::unsubscribe(uint64_t id) {
  std::shared_ptr<Impl::Gate> gate;
  {
    std::lock_guard lock(impl_->gates_mutex);
    const auto it = impl_->gates.find(id);
    if (it == impl_->gates.end()) return;
    gate = std::move(it->second);
    impl_->gates.erase(it);
  }
  {
    std::lock_guard lock(gate->mutex);
    gate->open = false;
  }
  impl_->post([id](Core& core) { core.life_feed().unsubscribe(id); });
}

}  // namespace godwit
