// Requests a second over kept connections to a server on the same machine, which takes its part of the processor.
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <mutex>

#include "broker/net/curl_client.hpp"
#include "broker/net/testing/script_server.hpp"

namespace godwit::net {
namespace {

void BM_Requests(benchmark::State& state) {
  testing::ScriptServer server([](testing::ScriptConnection& c) {
    while (!c.read_request().empty()) c.answer(200, R"({"code":0,"data":{"id":"scm01b21700000000123ab"}})");
  });
  SystemClock clock;
  CurlClient client(clock);
  HttpPoolOptions options;
  options.origin = server.origin();
  options.max_connections = static_cast<uint32_t>(state.range(0));
  options.max_queued = 1024;
  const uint64_t pool = *client.open_pool(options);
  HttpRequest request;
  request.headers = {{"authorization", "key=FAKE"}, {"content-type", "application/x-www-form-urlencoded"}};
  request.body.assign(400, 'x');

  std::mutex mutex;
  std::condition_variable changed;
  size_t open = 0;
  for (auto _ : state) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return open < 512; });
    ++open;
    lock.unlock();
    (void)client.send(pool, request, [&](HttpResponse) {
      std::lock_guard done(mutex);
      if (--open == 400 || open == 0) changed.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return open == 0; });
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_Requests)->Arg(1)->Arg(16)->UseRealTime();

}  // namespace
}  // namespace godwit::net

BENCHMARK_MAIN();
