// Group send: batches, windows, and that every message ends exactly once.
#include <signal.h>

#include <algorithm>

#include <godwit/text.hpp>

#include "sdk/check/child.hpp"
#include "sdk/check/test.hpp"
#include "sdk/check/utf8.hpp"

namespace godwit::check {
namespace {

using testhost::Guard;
using testhost::Instance;
using testhost::ParcelSpec;
using testhost::Settled;

constexpr uint64_t kSecond = 1'000'000'000;

std::vector<ParcelSpec> letters(size_t count) {
  std::vector<ParcelSpec> specs(count);
  for (size_t i = 0; i < count; ++i) {
    specs[i].message_id = "message-" + std::to_string(i);
    specs[i].addresses = {"token-" + std::to_string(i)};
  }
  return specs;
}

std::string number(uint64_t n) {
  return std::to_string(n);
}

void send_one(Subject& s) {
  auto instance = s.ready();
  require(instance->submit({{}}) == GW_OK, "submit of one message was refused");
  require(instance->wait_settled(), "it was not settled within 120 s, its deadline was 30 s");
  std::vector<Settled> all = instance->host().settled();
  require(!all.empty(), "it was not settled");
  const Settled& end = all.front();
  require(end.disposition < GW_DISPOSITION_COUNT, "disposition " + number(end.disposition) + " does not exist");
  require(is_utf8(end.vendor_id) && is_utf8(end.vendor_code) && is_utf8(end.detail), "an outcome's text is not UTF-8");
  if (end.disposition == GW_UNKNOWN && end.detail.find("forgotten by plugin") != std::string::npos)
    warn("the message was dropped unsettled (\"forgotten by plugin\")");
}

void max_batch(Subject& s) {
  constexpr uint32_t kEnough = 10'000;
  auto instance = s.ready();
  uint32_t count = std::min({instance->caps().max_batch, instance->caps().max_window, kEnough});
  require(instance->submit(letters(count)) == GW_OK, "a batch of max_batch (" + number(count) + ") was refused");
  instance->wait_settled();
  require(instance->host().open_targets() == 0,
          number(instance->host().open_targets()) + " of " + number(count) + " messages were never settled");
}

void all_or_none(Subject& s) {
  auto instance = s.ready();
  std::vector<ParcelSpec> specs = letters(std::min<uint32_t>(instance->caps().max_batch, 6));
  // One that no vendor can carry, in the middle.
  ParcelSpec& broken = specs[specs.size() / 2];
  broken.content = "{\"notification\": {\"title\": ";
  broken.vendor_options = "[1, 2";
  uint64_t before = instance->host().settle_count();
  int32_t status = instance->submit(specs);
  if (status != GW_OK) {
    instance->host().run_for(60 * kSecond);
    require(instance->host().settle_count() == before,
            "submit refused a batch (" + std::to_string(status) + ") but settled " +
                number(instance->host().settle_count() - before) + " messages of it");
    warn("one malformed message makes it refuse the whole batch: take it and settle that one REJECTED");
  }
  require(instance->wait_settled(), "submit took a batch with one malformed message, but " +
                                        number(instance->host().open_targets()) + " of it were never settled");
}

void exactly_once(Subject& s) {
  auto instance = s.ready();
  for (int round = 0; round < 5; ++round) {
    std::vector<ParcelSpec> specs = letters(std::min<uint32_t>(instance->caps().max_batch, 4));
    uint32_t targets = std::min<uint32_t>(instance->caps().max_targets, 3);
    for (ParcelSpec& spec : specs)
      while (spec.addresses.size() < targets)
        spec.addresses.push_back(spec.addresses[0] + "-" + number(spec.addresses.size()));
    require(instance->submit(specs) == GW_OK, "a batch of " + number(specs.size()) + " was refused");
  }
  instance->wait_settled();
  instance->host().run_for(120 * kSecond);  // long after every deadline: the second settle may come late
  auto faults = instance->host().misbehaviours();
  require(faults.empty(), faults.empty() ? "" : "it " + faults[0]);
  require(instance->host().open_targets() == 0,
          number(instance->host().open_targets()) + " targets were never settled");
}

// A read of a message after its end becomes a fault; the handler turns it into words.
void catch_late_reads(const char* text) {
  static const char* words;
  words = text;
  struct sigaction action {};
  action.sa_handler = [](int) { fail_from_signal(words); };
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

void inline_settle(Subject& s) {
  auto instance = s.ready();
  instance->guard_memory(Guard::at_settle);
  catch_late_reads(
      "it read a message after it had settled it, still inside submit: copy what you need before the settle");
  require(instance->submit(letters(std::min<uint32_t>(instance->caps().max_batch, 3))) == GW_OK, "submit was refused");
}

void no_late_read(Subject& s) {
  auto instance = s.ready();
  instance->guard_memory(Guard::after_submit);
  catch_late_reads("it read a message after its end: nothing of a message may be touched once it is settled");
  for (int round = 0; round < 3; ++round) {
    require(instance->submit(letters(std::min<uint32_t>(instance->caps().max_batch, 4))) == GW_OK,
            "submit was refused");
    instance->wait_settled();
    instance->host().run_for(10 * kSecond);
  }
  instance->cancel(1);
  instance->drain();
  instance->stop();
}

void window_kept(Subject& s) {
  constexpr uint32_t kEnough = 5'000;
  auto instance = s.ready();
  instance->host().run_for(kSecond);
  uint32_t window = instance->host().window(), limit = instance->caps().max_window;
  require(instance->host().widest_window() <= limit, "it set a window of " + number(instance->host().widest_window()) +
                                                         ", its own max_window is " + number(limit));
  uint32_t left = std::min({window, limit, kEnough});
  if (left == 0) skip("the window is 0: see send-window-zero");
  while (left > 0) {  // without waiting for any outcome
    uint32_t count = std::min({left, instance->caps().max_batch, 32u});
    require(instance->submit(letters(count)) == GW_OK,
            "it refused a batch although its window of " + number(window) + " was not full");
    left -= count;
  }
  require(instance->wait_settled(),
          number(instance->host().open_targets()) + " messages of a full window were never settled");
  require(instance->host().widest_window() <= limit, "under load it set a window above its own max_window");
}

void window_zero(Subject& s) {
  auto instance = s.ready();
  require(instance->host().run_until([&] { return instance->host().window() > 0; }, 30 * kSecond),
          "it is READY with a window of 0 for 30 s: without set_window the host sends nothing");
  for (int round = 0; round < 10; ++round) {
    instance->submit(letters(1));
    instance->wait_settled();
  }
  require(instance->host().run_until([&] { return instance->host().window() > 0; }, 600 * kSecond),
          "it closed its window and did not open it again within 10 minutes");
}

void payload_edge(Subject& s) {
  auto instance = s.ready();
  const gw_caps& caps = instance->caps();
  std::vector<ParcelSpec> specs;
  auto with_body = [&](const std::string& body) {
    ParcelSpec spec;
    spec.content = R"({"notification":{"title":"t","body":")" + body + R"("}})";
    specs.push_back(std::move(spec));
    return specs.back().content.size() - body.size();
  };
  size_t frame = with_body("");
  with_body("\xF0\x9F\xA6\x85 \xE5\x96\x9C\xE9\xB9\x8A \\u0000 \\\" \\n \xE2\x80\xAE");
  size_t limit = caps.max_payload_bytes ? caps.max_payload_bytes : 64 * 1024;
  if (limit > frame) {
    with_body(std::string(limit - frame, 'x'));
    with_body(std::string(limit - frame - 1, 'x'));
  }
  specs.push_back({.content = "{}"});
  specs.push_back({.flags = GW_MSG_SILENT});
  if (caps.max_collapse_key) specs.push_back({.collapse_key = std::string(caps.max_collapse_key, 'k')});
  if (caps.priority_levels) specs.push_back({.priority = caps.priority_levels - 1});
  if (caps.flags & GW_CAP_RAW_CONTENT) specs.push_back({.content_kind = GW_CONTENT_RAW, .content = "{\"raw\":true}"});
  specs.push_back(
      {.message_id = std::string(128, 'm'), .addresses = {std::string(4096, 't')}, .user_id = "", .extra = ""});
  specs.push_back({.ttl_ms = 0});
  if (caps.flags & GW_CAP_TTL) specs.push_back({.ttl_ms = caps.max_ttl_ms});
  for (const ParcelSpec& spec : specs) require(instance->submit({spec}) == GW_OK, "submit was refused");
  require(instance->wait_settled(),
          number(instance->host().open_targets()) + " messages at the edge of what is allowed were never settled");
}

void cancel(Subject& s) {
  auto instance = s.ready();
  if (!instance->ops().cancel) skip("it has no cancel");
  std::vector<ParcelSpec> specs = letters(std::min<uint32_t>(instance->caps().max_batch, 4));
  require(instance->submit(specs) == GW_OK, "submit was refused");
  instance->cancel(1);
  instance->cancel(1);
  instance->cancel(999'999);  // nobody's
  instance->wait_settled();
  instance->cancel(specs.size());  // too late
  instance->host().run_for(60 * kSecond);
  auto faults = instance->host().misbehaviours();
  require(faults.empty(), faults.empty() ? "" : "after cancel it " + faults[0]);
  require(instance->host().open_targets() == 0,
          "a cancelled message must still be settled; " + number(instance->host().open_targets()) + " were not");
}

void drain(Subject& s) {
  auto instance = s.ready();
  require(instance->submit(letters(std::min<uint32_t>(instance->caps().max_batch, 5))) == GW_OK, "submit was refused");
  bool drained = instance->drain();
  require(instance->host().open_targets() == 0, (drained ? "it said drained with " : "30 s after drain there were ") +
                                                    number(instance->host().open_targets()) + " messages open");
  require(drained, "everything is settled, but it did not say drained within 30 s");
}

}  // namespace

void add_send_tests(Tests& tests) {
  tests.insert(tests.end(),
               {{"send-one", "One message ends in one valid outcome.", send_one},
                {"send-max-batch", "A batch of max_batch is taken and settled.", max_batch, 60},
                {"send-all-or-none", "A batch is taken as a whole or not at all.", all_or_none},
                {"send-exactly-once", "Each (ticket, target) is settled exactly once.", exactly_once},
                {"send-inline-settle", "Settling inside submit ends the message's memory there.", inline_settle},
                {"send-window-kept", "The window stays below max_window and is honoured.", window_kept, 60},
                {"send-window-zero", "A READY channel has a window, and opens it again.", window_zero},
                {"send-payload-edge", "The largest, smallest and oddest content is settled.", payload_edge},
                {"send-cancel", "cancel settles nothing twice and nothing foreign.", cancel},
                {"send-no-late-read", "A message is not read after its end.", no_late_read},
                {"send-drain", "drain ends with everything settled and a word.", drain}});
}

}  // namespace godwit::check
