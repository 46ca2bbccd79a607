// Group event: receipts and presence on their way to the host.
#include <set>

#include "sdk/check/test.hpp"

namespace godwit::check {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// How many events twenty messages make, when the host refuses the first few.
size_t events_of_twenty(Subject& s, uint32_t refusals) {
  auto instance = s.ready();
  instance->host().refuse_events(refusals);
  for (int i = 0; i < 20; ++i) {
    instance->submit({{.message_id = "message-" + std::to_string(i)}});
    instance->wait_settled();
  }
  instance->host().run_for(60 * kSecond);
  return instance->host().events().size();
}

void backpressure(Subject& s) {
  size_t calm = events_of_twenty(s, 0);
  if (calm == 0) skip("it sends no events for its messages");
  size_t busy = events_of_twenty(s, 3);
  require(busy >= calm, "when the host answered BUSY three times, only " + std::to_string(busy) + " of " +
                            std::to_string(calm) + " events arrived: keep them until on_event_room (EventQueue does)");
}

void presence_reset(Subject& s) {
  if (!(s.caps().flags & GW_CAP_PRESENCE)) skip("it does not report presence");
  auto instance = s.ready();
  instance->host().run_for(kSecond);
  auto events = instance->host().events();
  require(!events.empty() && events[0].kind == GW_EVENT_PRESENCE_RESET,
          "the first event after start must be PRESENCE_RESET: the host may remember devices of before a crash");
}

void unique_ids(Subject& s) {
  std::set<std::string> seen;
  size_t count = 0;
  for (int life = 0; life < 2; ++life) {  // ids must not repeat after a restart either
    auto instance = s.instance();
    instance->host().jump_wall_ms(life * 3'600'000);
    require(instance->create(s.config()) == GW_OK && instance->start() == GW_OK, "create or start refused");
    require(instance->wait_ready(), "not READY within 30 s");
    for (int i = 0; i < 50; ++i) instance->submit({{.message_id = std::to_string(life) + "-" + std::to_string(i)}});
    instance->wait_settled();
    instance->host().run_for(60 * kSecond);
    for (const auto& event : instance->host().events()) {
      if (event.kind != GW_EVENT_RECEIPT && event.kind != GW_EVENT_INBOUND) continue;
      ++count;
      require(!event.event_id.empty(), "an event has no event_id: a replay of it would count twice");
      require(seen.insert(event.event_id).second, "event_id \"" + event.event_id + "\" came twice" +
                                                      (life ? ", the second time after a restart" : "") +
                                                      ": the host would drop the second event");
    }
  }
  if (count == 0) skip("it sends no receipts for its messages");
}

}  // namespace

void add_event_tests(Tests& tests) {
  tests.insert(tests.end(), {{"event-backpressure", "No receipt is lost when the host is busy.", backpressure, 60},
                             {"event-presence-reset", "Presence begins with a reset.", presence_reset},
                             {"event-unique-ids", "Event ids never repeat, not even after a restart.", unique_ids}});
}

}  // namespace godwit::check
