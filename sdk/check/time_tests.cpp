// Group time: the host's clocks are the only ones.
#include "sdk/check/elf.hpp"
#include "sdk/check/test.hpp"

namespace godwit::check {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

void only_host_clock(Subject& s) {
  ElfSymbols symbols = read_elf(s.path);
  if (!symbols.error.empty()) warn("cannot be checked: " + symbols.error);
  static constexpr const char* kClocks[] = {"time",
                                            "gettimeofday",
                                            "clock_gettime",
                                            "clock",
                                            "nanosleep",
                                            "usleep",
                                            "sleep",
                                            "_ZNSt6chrono3_V212system_clock3nowEv",
                                            "_ZNSt6chrono3_V212steady_clock3nowEv"};
  for (const char* clock : kClocks) {
    if (!symbols.imports(clock)) continue;
    std::string text = "it calls " + demangle(clock) + ": use now_mono_ns, now_wall_ms and timers of the host";
    if (symbols.imports("pthread_create") ||
        symbols.imports("_ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE"))
      warn(text + " (its own threads may have a reason)");
    fail(text);
  }
}

void silent_server(Subject& s) {
  auto instance = s.instance();
  instance->host().http().script([](const testhost::SentRequest& request) {
    // Signing in and the like may work; what is sent with a message's deadline is never answered.
    return request.deadline_mono_ns ? testhost::HttpAnswer::silent() : testhost::HttpAnswer{};
  });
  require(instance->create(s.config()) == GW_OK && instance->start() == GW_OK, "create or start refused");
  require(instance->wait_ready(), "not READY within 30 s");
  instance->host().http().script([](const testhost::SentRequest&) { return testhost::HttpAnswer::silent(); });
  require(instance->submit({{}, {}}, 5 * kSecond) == GW_OK, "submit was refused");
  instance->wait_settled(5 * kSecond);
  require(instance->host().open_targets() == 0, "the vendor is silent, the deadline of 5 s has passed, and " +
                                                    std::to_string(instance->host().open_targets()) +
                                                    " messages are not settled: give requests the message's deadline");
}

void wall_jump(Subject& s) {
  constexpr int64_t kYearMs = INT64_C(365) * 24 * 3600 * 1000;
  auto instance = s.ready();
  require(instance->submit({{}, {}}) == GW_OK, "submit was refused");
  instance->host().jump_wall_ms(-10 * kYearMs);
  require(instance->wait_settled(60 * kSecond),
          "after the wall clock jumped back, messages were never settled: count time with now_mono_ns");
  require(instance->submit({{}}) == GW_OK, "submit was refused");
  instance->host().jump_wall_ms(20 * kYearMs);
  require(instance->wait_settled(60 * kSecond), "after the wall clock jumped ahead, a message was never settled");
}

}  // namespace

void add_time_tests(Tests& tests) {
  tests.insert(tests.end(),
               {{"time-only-host-clock", "It uses no clock but the host's.", only_host_clock},
                {"time-silent-server-meets-deadline", "A silent vendor does not break the deadline.", silent_server},
                {"time-wall-jump", "A jump of the wall clock loses nothing.", wall_jump}});
}

}  // namespace godwit::check
