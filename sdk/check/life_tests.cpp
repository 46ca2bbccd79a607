// Group life: create, start, drain, stop, destroy, in every order that is allowed.
#include <sched.h>

#include <thread>

#include "sdk/check/test.hpp"

namespace godwit::check {
namespace {

using testhost::count_descriptors;
using testhost::count_threads;
using testhost::Instance;

void no_misbehaviour(Instance& instance) {
  auto faults = instance.host().misbehaviours();
  if (!faults.empty()) fail("it " + faults[0]);
}

void create_destroy(Subject& s) {
  auto instance = s.instance();
  size_t threads = count_threads(), descriptors = count_descriptors();
  require(instance->create(s.config()) == GW_OK, "create refused its own configuration: " + instance->diag().text());
  require(count_threads() == threads, "create started a thread: that belongs into start");
  require(count_descriptors() <= descriptors, "create opened a descriptor: that belongs into start");
  instance->stop();
  instance->destroy();
  no_misbehaviour(*instance);

  auto refused = s.instance();
  if (refused->create("[]") == GW_OK) refused->stop(), refused->destroy();
  no_misbehaviour(*refused);
}

void cycle_50(Subject& s) {
  for (int i = 1; i <= 50; ++i) {
    auto instance = s.instance();
    require(instance->create(s.config()) == GW_OK,
            "create refused in round " + std::to_string(i) + ": " + instance->diag().text());
    require(instance->start() == GW_OK, "start refused in round " + std::to_string(i) + ": " + instance->diag().text());
    instance->wait_ready(1'000'000'000);
  }
}

void stop_before_ready(Subject& s) {
  auto instance = s.started();
  instance->stop();  // nothing of what start asked for has been answered
  instance->destroy();
}

void start_no_network(Subject& s) {
  (void)!unshare(CLONE_NEWUSER | CLONE_NEWNET);  // where we may: then there is truly none
  auto instance = s.instance();
  instance->host().http().script([](const testhost::SentRequest&) {
    return testhost::HttpAnswer::failed(GW_HTTP_NOT_SENT, GW_E_IO, "network is unreachable");
  });
  require(instance->create(s.config()) == GW_OK, "create refused: " + instance->diag().text());
  auto begin = std::chrono::steady_clock::now();
  int32_t status = instance->start();
  auto took = std::chrono::steady_clock::now() - begin;
  require(status == GW_OK, "start refused: the network may come back, say DOWN instead: " + instance->diag().text());
  require(took < std::chrono::seconds(1), "start took longer than a second");
  instance->host().run_for(60'000'000'000);
  require(!instance->host().was_in_state(GW_STATE_FAILED),
          "it says FAILED (\"" + instance->host().state_reason() +
              "\"): no operator can mend a network; say DOWN and try again");
}

void two_instances(Subject& s) {
  auto one = s.ready(), two = s.ready();
  for (int round = 0; round < 3; ++round) {
    require(one->submit({{.message_id = "to-one"}}) == GW_OK, "submit to the first instance was refused");
    require(two->submit({{.message_id = "to-two"}, {.message_id = "to-two-b"}}) == GW_OK,
            "submit to the second was refused");
    one->wait_settled();
    two->wait_settled();
  }
  require(one->host().settle_count() == 3 && two->host().settle_count() == 6,
          "of 3 and 6 messages given to two instances, " + std::to_string(one->host().settle_count()) + " and " +
              std::to_string(two->host().settle_count()) + " were settled through their own hosts");
  // The second one: the first's host knows which threads were there before both, and waits for the others.
  two->stop();
  two->destroy();
  require(one->submit({{}}) == GW_OK && one->wait_settled(), "stopping one instance broke the other");
}

void threads_return(Subject& s) {
  s.type();
  { s.ready(); }  // libraries may start helpers of their own once
  size_t before = count_threads();
  {
    auto instance = s.ready();
    instance->submit({{}});
    instance->wait_settled();
  }
  for (int i = 0; i < 100 && count_threads() > before; ++i)  // a joined thread needs a moment to leave /proc
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  require(count_threads() <= before,
          std::to_string(count_threads() - before) + " of its threads still run after destroy: join them in stop");
}

void fds_return(Subject& s) {
  s.type();
  { s.ready(); }
  size_t before = count_descriptors();
  {
    auto instance = s.ready();
    instance->submit({{}});
    instance->wait_settled();
  }
  require(count_descriptors() <= before,
          std::to_string(count_descriptors() - before) + " descriptors are still open after destroy");
}

void silent_after_stop(Subject& s) {
  s.type();
  size_t threads = count_threads();
  auto instance = s.ready();
  instance->submit({{}, {}});
  instance->stop();
  if (count_threads() > threads) std::this_thread::sleep_for(std::chrono::milliseconds(300));
  no_misbehaviour(*instance);
}

}  // namespace

void add_life_tests(Tests& tests) {
  tests.insert(
      tests.end(),
      {{"life-create-destroy", "create allocates and nothing more; destroy does not call the host.", create_destroy},
       {"life-cycle-50", "Fifty lives in one process.", cycle_50, 60},
       {"life-stop-before-ready", "stop works right after start.", stop_before_ready, 5},
       {"life-start-no-network", "start returns at once and survives a dead network.", start_no_network},
       {"life-two-instances", "Two instances share nothing.", two_instances},
       {"life-threads-return", "No thread is left after destroy.", threads_return},
       {"life-fds-return", "No descriptor is left after destroy.", fds_return},
       {"life-silent-after-stop", "After stop it does not call the host.", silent_after_stop}});
}

}  // namespace godwit::check
