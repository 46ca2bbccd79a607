// What must hold whatever happens: any order of events, any clock, any restart.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "broker/base/random.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {
namespace {

constexpr WallMs kWall = 1'790'000'000'000;
constexpr size_t kDevices = 200;

std::vector<ChannelTraits> five_channels() {
  std::vector<ChannelTraits> out(5);
  const char* names[] = {"own", "vendor", "third", "blind", "sms"};
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].name = names[i];
    out[i].receipts = ReceiptKind::device;
    out[i].prior = 0.9 - 0.1 * static_cast<double>(i);
    out[i].coverage = 0.95;
  }
  out[0].connection = true;
  out[1].receipts = ReceiptKind::vendor;
  out[3].receipts = ReceiptKind::accepted;
  out[4].costly = true, out[4].cost = 0.2, out[4].path = 1;
  return out;
}

// Traffic that does everything that an engine may do, decided by a seed and by nothing else.
class Traffic {
 public:
  Traffic(Router& router, uint64_t seed) : router_(&router), random_(seed) {
    for (const ChannelTraits& t : five_channels()) offers_.push_back({router.add_channel(t)});
    for (DeviceNo d = 0; d < kDevices; ++d) set(d);
  }
  // The same traffic goes on with another router, as after a restart.
  void use(Router& router) { router_ = &router; }

  // One message or one event; everything that was decided is added to `log`.
  void step(std::vector<uint64_t>& log) {
    // Mostly a lively broker, which looks at waiting sends; sometimes a pause.
    now_ += static_cast<MonoNs>(random_.below(random_.below(4) == 0 ? 20'000 : 800)) * kNsPerMs;
    const auto device = static_cast<DeviceNo>(random_.below(kDevices));
    switch (random_.below(40)) {
      case 0:
        return set(device);
      case 1:
        return router_->reinstalled(device);
      case 2:
        return random_.below(4) == 0 ? router_->forget_device(device) : router_->alive(device, now_);
      case 3:
        return router_->quota(1, random_.uniform() * 1.05, random_.uniform());
      default:
        break;
    }
    if (random_.below(2) == 0 || flights_.size() > 400) return event(log);
    Flight f;
    f.device = device;
    f.sent = now_;
    Ask ask = ask_of(f);
    ask.mode = random_.below(20) == 0 ? Mode::ordered : Mode::best;
    f.mode = ask.mode;
    f.priority = ask.priority = static_cast<PriorityClass>(random_.below(4));
    act(f, ask, router_->first(ask, now_), log);
    if (!f.memos.empty()) flights_.push_back(std::move(f));
  }

  Ask ask_for(DeviceNo device) const {
    Ask a;
    a.device = device;
    a.offers = offers_;
    a.left_s = 600;
    return a;
  }
  MonoNs now() const { return now_; }
  WallMs wall() const { return kWall + now_ / kNsPerMs; }

 private:
  struct Flight {
    DeviceNo device = 0;
    Mode mode = Mode::best;
    PriorityClass priority = PriorityClass::normal;
    MonoNs sent = 0;
    std::vector<AttemptMemo> memos;
  };

  void set(DeviceNo device) {
    static constexpr const char* kMakers[] = {"xiaomi", "huawei", "vivo"};
    static constexpr const char* kVersions[] = {"12", "13", "14.1"};
    router_->set_device(device, {kMakers[device % 3], "android", kVersions[random_.below(3)], "cn", "5.2"},
                        static_cast<uint32_t>(random_.below(32)));
  }
  Ask ask_of(const Flight& f) const {
    Ask a = ask_for(f.device);
    a.mode = f.mode;
    a.priority = f.priority;
    a.attempts = f.memos;
    a.age_s = static_cast<double>(now_ - f.sent) / kNsPerSecond;
    a.left_s = 600 - a.age_s;
    return a;
  }
  void act(Flight& f, const Ask& ask, const Decision& d, std::vector<uint64_t>& log) {
    log.insert(log.end(), {static_cast<uint64_t>(d.action), d.channel, static_cast<uint64_t>(d.reason),
                           std::bit_cast<uint64_t>(d.p), std::bit_cast<uint64_t>(d.utility),
                           std::bit_cast<uint64_t>(d.propensity), std::bit_cast<uint64_t>(d.next_check_s)});
    if (d.action == Action::send) f.memos.push_back(router_->sent(ask, d, now_, wall()));
  }
  void event(std::vector<uint64_t>& log) {
    if (flights_.empty()) return;
    const size_t i = random_.below(flights_.size());
    Flight& f = flights_[i];
    AttemptMemo& memo = f.memos[random_.below(f.memos.size())];
    switch (random_.below(10)) {
      case 0:
        router_->accepted(memo, now_);
        break;
      case 1:
        router_->silent(memo, now_);
        break;
      case 2:
        router_->rejected(memo, random_.below(3) == 0, now_);
        break;
      case 3:
        router_->token_invalid(memo, now_);
        break;
      case 4:
        router_->seen(memo, random_.below(2) == 0, now_, wall());
        break;
      case 5:
        router_->opened(memo, wall());
        break;
      case 6:
        act(f, ask_of(f), router_->next(ask_of(f), now_), log);
        break;
      case 7: {
        flights_[i] = std::move(flights_.back());
        flights_.pop_back();
        break;
      }
      default:
        router_->receipt(memo, static_cast<ReceiptKind>(1 + random_.below(3)), now_, wall(),
                         random_.uniform() * 20 - 5);
    }
  }

  Router* router_;
  Random random_;
  MonoNs now_ = 500 * kNsPerSecond;
  std::vector<Offer> offers_;
  std::vector<Flight> flights_;
};

void expect_sane(const Router& router, const Traffic& traffic) {
  for (DeviceNo d = 0; d < kDevices; d += 7) {
    for (const CandidateView& v : router.ranking(traffic.ask_for(d), traffic.now())) {
      if (v.sleep != Sleep::awake) continue;
      for (const double share : {v.p, v.rate, v.low, v.high, v.segment_rate, v.health, v.in_time, v.propensity}) {
        ASSERT_GE(share, 0);
        ASSERT_LE(share, 1 + 1e-9);
      }
      ASSERT_LE(v.low, v.rate);
      ASSERT_GE(v.high, v.rate);
      ASSERT_TRUE(std::isfinite(v.utility));
      for (const double count : {v.samples, v.device_successes, v.device_failures}) {
        ASSERT_GE(count, 0);
        ASSERT_TRUE(std::isfinite(count));
      }
    }
  }
  for (const ChannelView& v : router.channels(traffic.now())) {
    ASSERT_GE(v.rate, 0);
    ASSERT_LE(v.rate, 1);
    ASSERT_GT(v.coverage, 0);
    ASSERT_GT(v.soft_timeout_s, 0);
    ASSERT_TRUE(std::isfinite(v.quota_price));
  }
}

TEST(Property, RatesStayRatesUnderAnyOrderOfEvents) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Router router(Options{.seed = seed});
    Traffic traffic(router, seed);
    std::vector<uint64_t> log;
    for (int i = 0; i < 20'000; ++i) {
      traffic.step(log);
      if (i % 2000 == 0) expect_sane(router, traffic);
    }
    expect_sane(router, traffic);
  }
}

TEST(Property, TheSameSeedAndEventsGiveTheSameDecisions) {
  std::vector<uint64_t> logs[2];
  for (auto& log : logs) {
    Router router(Options{.seed = 3});
    Traffic traffic(router, 9);
    for (int i = 0; i < 10'000; ++i) traffic.step(log);
  }
  EXPECT_GT(logs[0].size(), 10'000u);
  EXPECT_EQ(logs[0], logs[1]);
}

TEST(Property, ARestartInTheMiddleChangesNoLaterDecision) {
  std::vector<uint64_t> whole, restarted;
  {
    Router router(Options{.seed = 3});
    Traffic traffic(router, 17);
    for (int i = 0; i < 12'000; ++i) traffic.step(whole);
  }
  auto router = std::make_unique<Router>(Options{.seed = 3});
  Traffic traffic(*router, 17);
  for (int i = 0; i < 12'000; ++i) {
    if (i % 2500 == 1200) {
      const std::string bytes = router->save(traffic.now(), traffic.wall());
      router = std::make_unique<Router>(Options{.seed = 99});
      ASSERT_TRUE(router->restore(bytes, traffic.now(), traffic.wall()));
      for (const ChannelTraits& t : five_channels()) router->add_channel(t);
      traffic.use(*router);
    }
    traffic.step(restarted);
  }
  EXPECT_EQ(whole, restarted);
}

// Beyond decay and beyond what an alarm does: the tests for a fall look at a sequence, so these outcomes give none.
TEST(Property, TheOrderInWhichOutcomesAreHeardDoesNotMatter) {
  enum Order { as_sent, backwards, shuffled };
  std::vector<double> rates[3];
  for (const Order order : {as_sent, backwards, shuffled}) {
    Router router(Options{.seed = 1});
    std::vector<Offer> offers;
    for (const ChannelTraits& t : five_channels()) offers.push_back({router.add_channel(t)});
    std::vector<AttemptMemo> memos;
    std::vector<size_t> heard;
    MonoNs now = 100 * kNsPerSecond;
    for (DeviceNo d = 0; d < 300; ++d)
      router.set_device(d, {d % 3 == 0 ? "xiaomi" : "huawei", "android", "13", "cn", ""}, 3);
    for (DeviceNo d = 0; d < 300; ++d) {
      Ask ask;
      ask.device = d / 3 * 3;  // several outcomes of each device that is heard at all
      Decision decision;
      decision.action = Action::send;
      decision.channel = static_cast<ChannelNo>(d % 2);
      heard.push_back(memos.size());
      memos.push_back(router.sent(ask, decision, now, kWall));
      now += 100 * kNsPerMs;
    }
    now += 90 * kNsPerSecond;
    if (order == backwards) std::reverse(heard.begin(), heard.end());
    Random random(5);
    for (size_t i = heard.size() - 1; order == shuffled && i > 0; --i) std::swap(heard[i], heard[random.below(i + 1)]);
    for (const size_t k : heard) {
      if (k % 12 != 7) {
        router.receipt(memos[k], ReceiptKind::device, now, kWall);
      } else {
        router.silent(memos[k], now);
      }
    }
    ASSERT_TRUE(router.alarms().empty());
    for (DeviceNo d = 0; d < 300; ++d) {
      Ask ask;
      ask.device = d;
      ask.offers = offers;
      ask.left_s = 600;
      std::array<double, 5> by_channel{};
      for (const CandidateView& v : router.ranking(ask, now)) by_channel[v.channel] = v.rate;
      rates[order].insert(rates[order].end(), by_channel.begin(), by_channel.end());
    }
  }
  for (size_t i = 0; i < rates[as_sent].size(); ++i) {
    EXPECT_NEAR(rates[as_sent][i], rates[backwards][i], 1e-6);
    EXPECT_NEAR(rates[as_sent][i], rates[shuffled][i], 1e-6);
  }
}

TEST(Property, NoStateGrowsWithTheNumberOfEventsOrOfInventedNames) {
  Router router(Options{.seed = 1});
  Traffic traffic(router, 4);
  std::vector<uint64_t> log;
  for (int i = 0; i < 5'000; ++i) traffic.step(log);
  const auto invent = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      const std::string name = "invented" + std::to_string(i);
      router.set_device(static_cast<DeviceNo>(i % kDevices), {name, name, name, name, name}, 3);
      traffic.step(log);
      log.clear();
    }
    return router.save(traffic.now(), traffic.wall()).size();
  };
  const size_t half = invent(0, 50'000), whole = invent(50'000, 100'000);
  EXPECT_LT(whole, 2u << 20);
  EXPECT_LT(whole, half + half / 20) << "everything that has a bound had reached it";
}

TEST(Property, CriticalMessagesAreNeverAnExperiment) {
  Router router(Options{.seed = 1});
  Traffic traffic(router, 8);
  std::vector<uint64_t> log;
  for (int i = 0; i < 20'000; ++i) {
    traffic.step(log);
    Ask ask = traffic.ask_for(static_cast<DeviceNo>(i % kDevices));
    ask.priority = PriorityClass::critical;
    const Decision d = router.first(ask, traffic.now());
    ASSERT_NE(d.reason, Reason::explore);
    ASSERT_NE(d.reason, Reason::probe);
    ASSERT_EQ(d.propensity, 1);
  }
}

TEST(Property, DamagedSnapshotsAreRefusedAndChangeNothing) {
  Router router(Options{.seed = 1});
  Traffic traffic(router, 8);
  std::vector<uint64_t> log;
  for (int i = 0; i < 500; ++i) traffic.step(log);
  const std::string good = router.save(traffic.now(), traffic.wall());
  Router other(Options{.seed = 1});
  const std::string before = other.save(1, 1);
  Random random(2);
  for (int i = 0; i < 300; ++i) {
    std::string bad = good;
    if (i % 2 == 0) {
      bad.resize(random.below(bad.size()));
    } else {
      bad[random.below(bad.size())] ^= static_cast<char>(1 + random.below(255));
    }
    ASSERT_FALSE(other.restore(bad, 1, 1));
  }
  EXPECT_EQ(other.save(1, 1), before);
  EXPECT_TRUE(other.restore(good, traffic.now(), traffic.wall()));
}

}  // namespace
}  // namespace godwit::routing
