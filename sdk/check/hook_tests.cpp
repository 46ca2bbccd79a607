// Group hook: vendor callbacks, parsed from untrusted bytes by many threads.
#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include <godwit/ext/webhook.h>
#include <godwit/table.hpp>
#include <godwit/text.hpp>

#include "sdk/check/test.hpp"

namespace godwit::check {
namespace {

struct Parsed {
  int32_t status = GW_OK;
  std::vector<testhost::HeardEvent> events;
};

class Hook {
 public:
  explicit Hook(Subject& s) {
    if (!(s.caps().flags & GW_CAP_WEBHOOK)) skip("it has no webhook");
    instance_ = s.ready();
    table_ = import_table(static_cast<const gw_webhook*>(instance_->extension(GW_EXT_WEBHOOK)));
  }

  // Any thread.
  Parsed parse(const Sample& sample) const {
    Parsed parsed;
    std::vector<gw_str> headers;
    for (const auto& [name, value] : sample.headers) headers.push_back(str(name)), headers.push_back(str(value));
    gw_webhook_request r{};
    r.size = sizeof r;
    r.method = sample.method == "GET" ? GW_METHOD_GET : sample.method == "PUT" ? GW_METHOD_PUT : GW_METHOD_POST;
    r.tail = str(sample.tail);
    r.query = str(sample.query);
    r.headers = headers.data();
    r.header_count = static_cast<uint32_t>(sample.headers.size());
    r.body = str(sample.body);
    r.remote_ip = str("192.0.2.1");
    r.received_wall_ms = 1'790'000'000'000;
    gw_webhook_sink sink{};
    sink.size = sizeof sink;
    sink.ctx = &parsed;
    sink.event = [](void* ctx, const gw_event* e) { static_cast<Parsed*>(ctx)->events.push_back(testhost::heard(*e)); };
    sink.reply = [](void*, const gw_webhook_reply*) {};
    parsed.status = table_.parse(instance_->self(), &r, &sink);
    return parsed;
  }

 private:
  std::unique_ptr<testhost::Instance> instance_;
  gw_webhook table_{};
};

constexpr const char* kNoSamples = "no samples: give a folder of *.http files by --samples";

// What to throw at the parser: the author's samples, else something of the shape that vendors send.
std::vector<Sample> bodies(const Subject& s) {
  if (!s.samples.empty()) return s.samples;
  return {{"json",
           "POST",
           "",
           "",
           R"({"msgId":"1","status":"delivered","token":"t","timestamp":1790000000})",
           {{"content-type", "application/json"}}},
          {"form",
           "POST",
           "",
           "data=%7B%7D",
           "data=%7B%22a%22%3A1%7D&sign=00",
           {{"content-type", "application/x-www-form-urlencoded"}}}};
}

void samples(Subject& s) {
  Hook hook(s);
  if (s.samples.empty()) skip(kNoSamples);
  for (const Sample& sample : s.samples) {
    Parsed parsed = hook.parse(sample);
    require(parsed.status == GW_OK, "sample " + sample.name + " was refused with " + std::to_string(parsed.status));
    require(!parsed.events.empty(), "sample " + sample.name + " gave no event");
  }
}

void bad_signature(Subject& s) {
  Hook hook(s);
  if (s.samples.empty()) skip(kNoSamples);
  for (const Sample& sample : s.samples) {
    if (hook.parse(sample).status != GW_OK) continue;  // hook-samples says so
    Sample forged = sample;
    forged.tail.clear();
    forged.query.clear();
    for (auto& [name, value] : forged.headers)
      if (name != "content-type") value = "forged";
    forged.body += " ";
    Parsed parsed = hook.parse(forged);
    require(
        parsed.status != GW_OK,
        "sample " + sample.name + " is taken with every header, path and query forged: anybody could send receipts");
    require(parsed.events.empty(), "it gave events although it refused sample " + sample.name);
  }
}

void truncations_fuzz(Subject& s) {
  Hook hook(s);
  std::mt19937_64 random(s.seed);
  for (const Sample& sample : bodies(s)) {
    Sample bent = sample;
    for (size_t length = 0; length <= std::min<size_t>(sample.body.size(), 2000); ++length) {
      bent.body = sample.body.substr(0, length);
      hook.parse(bent);
    }
    for (int i = 0; i < 3000; ++i) {
      bent = sample;
      for (int flips = 1 + static_cast<int>(random() % 4); flips > 0 && !bent.body.empty(); --flips)
        bent.body[random() % bent.body.size()] = static_cast<char>(random());
      if (i % 10 == 0) bent.headers.clear();
      hook.parse(bent);
    }
  }
}

void sixteen_threads(Subject& s) {
  Hook hook(s);
  std::vector<Sample> all = bodies(s);
  std::vector<Parsed> expected;
  for (const Sample& sample : all) expected.push_back(hook.parse(sample));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const Parsed& want = expected[i % all.size()];
        Parsed got = hook.parse(all[i % all.size()]);
        wrong += got.status != want.status || got.events.size() != want.events.size();
      }
    });
  for (std::thread& t : threads) t.join();
  require(wrong == 0, std::to_string(wrong) + " of 3200 parses on 16 threads gave another result than the first");
}

}  // namespace

void add_hook_tests(Tests& tests) {
  tests.insert(tests.end(), {{"hook-samples", "The vendor's samples become events.", samples},
                             {"hook-bad-signature", "A forged callback is refused.", bad_signature},
                             {"hook-truncations-fuzz", "No bytes crash the parser.", truncations_fuzz, 60},
                             {"hook-16-threads", "Sixteen threads parse at once.", sixteen_threads, 60}});
}

}  // namespace godwit::check
