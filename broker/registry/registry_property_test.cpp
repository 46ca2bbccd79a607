// Random lives of small fleets: the registry and the naive model must agree, and whatever a crash left in the
// catalogue, replay must end where the living one was.
#include <gtest/gtest.h>

#include <algorithm>

#include "broker/base/random.hpp"
#include "broker/registry/registry.hpp"
#include "broker/registry/registry_model.hpp"
#include "broker/storage/memory/memory_catalogue.hpp"

namespace godwit {
namespace {

using test::RegistryModel;
using test::RegistryOp;

// Few apps, devices, users and tokens, so that everything collides with everything.
class OpSource {
 public:
  explicit OpSource(uint64_t seed) : random_(seed) {}

  RegistryOp next(RegistryModel& model) {
    RegistryOp op;
    op.at_ms = now_ms_ += 1 + static_cast<WallMs>(random_.below(3));  // within one millisecond versions may differ
    op.device.app = pick("app", 2);
    op.device.id = pick("device", 12);
    op.channel = pick("channel", 3);
    op.token = pick("token", 8);
    op.topic_name = pick("topic", 4);
    const uint64_t dice = random_.below(20);
    if (dice < 9) {
      fill(op, model);
    } else if (dice < 11) {
      op.kind = RegistryOp::remove;
    } else if (dice < 15) {
      op.kind = RegistryOp::topic;
      op.subscribed = random_.below(3) > 0;
    } else if (dice < 17) {
      op.kind = RegistryOp::token_dead;
      op.since_ms = random_.below(2) ? 0 : now_ms_ - static_cast<WallMs>(random_.below(20));
    } else if (dice < 19) {
      // Vendors make new tokens; a token that another device still has would not be one.
      op.kind = RegistryOp::token_changed;
      op.old_token = op.token;
      op.token = "fresh" + std::to_string(++fresh_);
    } else {
      op.kind = RegistryOp::revoke;
    }
    return op;
  }

  uint64_t below(uint64_t n) { return random_.below(n); }

 private:
  std::string pick(const char* what, uint64_t n) { return what + std::to_string(random_.below(n)); }

  void fill(RegistryOp& op, RegistryModel& model) {
    const auto known = model.find(op.device.app, op.device.id);
    if (known != model.devices.end() && random_.below(3) == 0) {  // a PATCH: the state as read, one thing changed
      op.device = known->second.device;
      op.device.network = pick("network", 3);
      // ... or as read a while ago
      if (random_.below(2))
        for (DeviceChannel& c : op.device.channels) c.registered_ms -= static_cast<WallMs>(random_.below(10));
      return;
    }
    Device& d = op.device;
    if (random_.below(3)) d.user_id = pick("user", 4);
    d.platform = pick("platform", 3);
    d.manufacturer = pick("manufacturer", 5);
    d.model = pick("model", 10);
    d.os_version = pick("", 4);
    d.app_version = pick("5.", 4);
    d.locale = random_.below(2) ? "zh-CN" : "";
    d.timezone = "Asia/Shanghai";
    if (random_.below(2)) d.location = Location{39.98, 116.31 + random_.uniform()};
    for (uint64_t n = random_.below(4); n > 0; --n) d.tags.push_back(pick("tag", 5));
    for (int c = 0; c < 3; ++c) {
      if (random_.below(3) == 0) continue;
      d.channels.push_back({"channel" + std::to_string(c), random_.below(6) ? pick("token", 8) : "", false, 0});
    }
  }

  Random random_;
  WallMs now_ms_ = 1'790'000'000'000;
  int fresh_ = 0;
};

// A number may differ after a crash: that of a device made after one that was gone again before its row was stored.
enum class Numbers { same, any };

Device comparable(Device device, Numbers numbers) {
  if (numbers == Numbers::any) device.number = 0;
  return device;
}

std::string text(const std::vector<DeviceChannel>& channels) {
  std::string out;
  for (const DeviceChannel& c : channels)
    out +=
        c.channel + "=" + c.token + (c.invalid ? " (dead)" : "") + " since " + std::to_string(c.registered_ms) + "; ";
  return out;
}

void expect_same(const Device& a, const Device& b) {
  EXPECT_EQ(a.app, b.app);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.user_id, b.user_id);
  EXPECT_EQ(a.platform, b.platform);
  EXPECT_EQ(a.manufacturer, b.manufacturer);
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.os_version, b.os_version);
  EXPECT_EQ(a.app_version, b.app_version);
  EXPECT_EQ(a.locale, b.locale);
  EXPECT_EQ(a.timezone, b.timezone);
  EXPECT_EQ(a.network, b.network);
  EXPECT_EQ(a.location, b.location);
  EXPECT_EQ(a.tags, b.tags);
  EXPECT_EQ(text(a.channels), text(b.channels)) << a.id;
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.generation, b.generation);
  EXPECT_EQ(a.created_ms, b.created_ms);
  EXPECT_EQ(a.updated_ms, b.updated_ms);
}

// Every device of the model, by id, with everything that look-ups say about it.
void expect_agree(const Registry& registry, const RegistryModel& model, Numbers how) {
  ASSERT_EQ(registry.size(), model.devices.size());
  std::map<std::pair<std::string, std::string>, std::vector<DeviceNo>> users, topics;
  std::map<std::string, std::vector<DeviceNo>> apps;
  std::map<std::tuple<std::string, std::string, std::string>, DeviceNo> tokens;
  for (const auto& [model_no, entry] : model.devices) {
    const Device& expected = entry.device;
    const DeviceNo no = registry.find(expected.app, expected.id);
    ASSERT_NE(no, kNoDevice) << expected.id;
    ASSERT_TRUE(registry.exists(no));
    ASSERT_LT(no, registry.end());
    expect_same(comparable(registry.device(no), how), comparable(expected, how));
    EXPECT_EQ(registry.app_of(no), expected.app);
    EXPECT_EQ(registry.id_of(no), expected.id);
    EXPECT_EQ(registry.user_of(no), expected.user_id);
    EXPECT_EQ(registry.manufacturer_of(no), expected.manufacturer);
    EXPECT_EQ(registry.platform_of(no), expected.platform);
    EXPECT_EQ(registry.os_version_of(no), expected.os_version);
    EXPECT_EQ(registry.app_version_of(no), expected.app_version);
    EXPECT_EQ(registry.timezone_of(no), expected.timezone);
    EXPECT_EQ(registry.topics_of(no), std::vector<std::string>(entry.topics.begin(), entry.topics.end()));
    std::vector<DeviceChannel> live;
    registry.for_each_token(no, [&](const Registry::Token& t) {
      live.push_back({std::string(t.channel), std::string(t.token), false, t.registered_ms});
    });
    std::vector<DeviceChannel> expected_live;
    for (const DeviceChannel& c : expected.channels) {
      EXPECT_EQ(registry.token(no, c.channel).has_value(), !c.invalid);
      if (c.invalid) continue;
      expected_live.push_back(c);
      const bool is_new = c.token.empty() || tokens.emplace(std::tuple(expected.app, c.channel, c.token), no).second;
      EXPECT_TRUE(is_new) << c.token;
    }
    EXPECT_EQ(text(live), text(expected_live));
    if (!expected.user_id.empty()) users[{expected.app, expected.user_id}].push_back(no);
    for (const std::string& topic : entry.topics) topics[{expected.app, topic}].push_back(no);
    apps[expected.app].push_back(no);
  }
  for (int a = 0; a < 2; ++a) {
    const std::string app = "app" + std::to_string(a);
    const auto walk = [&](auto&& next) {
      std::vector<DeviceNo> found;
      for (DeviceNo at = next(0); at != kNoDevice; at = next(at + 1)) found.push_back(at);
      return found;
    };
    const auto sorted = [](std::vector<DeviceNo> v) {
      std::sort(v.begin(), v.end());
      return v;
    };
    EXPECT_EQ(walk([&](DeviceNo from) { return registry.next_of_app(app, from); }), sorted(apps[app]));
    EXPECT_EQ(registry.app_size(app), apps[app].size());
    std::vector<std::pair<std::string, uint64_t>> expected_topics;
    for (int i = 0; i < 4; ++i) {
      const std::string topic = "topic" + std::to_string(i), user = "user" + std::to_string(i);
      const auto& followers = topics[{app, topic}];
      EXPECT_EQ(walk([&](DeviceNo from) { return registry.next_of_topic(app, topic, from); }), sorted(followers));
      EXPECT_EQ(registry.topic_size(app, topic), followers.size());
      if (!followers.empty()) expected_topics.emplace_back(topic, followers.size());
      const auto devices = registry.user_devices(app, user);
      EXPECT_EQ(std::vector<DeviceNo>(devices.begin(), devices.end()), sorted(users[{app, user}]));
    }
    EXPECT_EQ(registry.topics(app), expected_topics);
    for (int c = 0; c < 3; ++c)
      for (int t = 0; t < 8; ++t) {
        const std::string channel = "channel" + std::to_string(c), token = "token" + std::to_string(t);
        const auto holder = tokens.find({app, channel, token});
        EXPECT_EQ(registry.find_token(app, channel, token), holder == tokens.end() ? kNoDevice : holder->second);
      }
  }
}

void flush(Registry& registry, Catalogue& catalogue, size_t max) {
  const auto rows = registry.take_dirty(max);
  if (catalogue.put_devices(rows) != Fate::ok) registry.mark_dirty(rows);
}

TEST(RegistryProperty, AgreesWithTheNaiveModelAndReplayIsTheSame) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    OpSource source(seed);
    RegistryModel model;
    Registry live, replayed;
    std::vector<std::string> journal;
    for (int i = 0; i < 400; ++i) {
      const RegistryOp op = source.next(model);
      journal.push_back(op.record());
      ASSERT_TRUE(live.apply(journal.back(), journal.size() - 1));
      model.apply(op, journal.size() - 1);
      if (i % 10 == 0) expect_agree(live, model, Numbers::same);
      if (testing::Test::HasFailure()) return;
    }
    for (size_t i = 0; i < journal.size(); ++i) ASSERT_TRUE(replayed.apply(journal[i], i));
    expect_agree(replayed, model, Numbers::same);
    EXPECT_EQ(replayed.end(), live.end());
  }
}

TEST(RegistryProperty, CatalogueRowsAloneGiveTheSameDevices) {
  for (uint64_t seed = 100; seed <= 110; ++seed) {
    SCOPED_TRACE(seed);
    OpSource source(seed);
    RegistryModel model;
    Registry live;
    MemoryCatalogue catalogue;
    for (uint64_t i = 0; i < 300; ++i) {
      const RegistryOp op = source.next(model);
      ASSERT_TRUE(live.apply(op.record(), i));
      model.apply(op, i);
      if (source.below(10) == 0) catalogue.fail_next_writes(1);
      if (source.below(5) == 0) flush(live, catalogue, 1 + source.below(5));
    }
    while (live.dirty() > 0) flush(live, catalogue, 7);
    Registry loaded;
    const auto report = loaded.load(catalogue);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->damaged, 0u);
    EXPECT_EQ(report->devices, model.devices.size());
    expect_agree(loaded, model, Numbers::same);
    EXPECT_EQ(loaded.end(), live.end());
    EXPECT_EQ(loaded.dirty(), 0u);
    if (testing::Test::HasFailure()) return;
  }
}

// The engine notes a place in the journal from which replay must begin (everything before it is in the catalogue), goes
// on, brings some rows up to date and not others, and dies.
TEST(RegistryProperty, ReplayOverRowsOfAnyAgeEndsInTheLiveState) {
  for (uint64_t seed = 200; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    OpSource source(seed);
    RegistryModel model;
    auto registry = std::make_unique<Registry>();
    MemoryCatalogue catalogue;
    std::vector<std::string> journal;
    size_t replay_from = 0;
    for (int i = 0; i < 300; ++i) {
      const RegistryOp op = source.next(model);
      journal.push_back(op.record());
      ASSERT_TRUE(registry->apply(journal.back(), journal.size() - 1));
      model.apply(op, journal.size() - 1);
      if (source.below(20) == 0) catalogue.fail_next_writes(1);
      if (source.below(4) == 0) flush(*registry, catalogue, 1 + source.below(4));
      if (registry->dirty() == 0) replay_from = journal.size();
      if (source.below(40) > 0) continue;
      registry = std::make_unique<Registry>();
      ASSERT_TRUE(registry->load(catalogue));
      for (size_t at = replay_from; at < journal.size(); ++at) ASSERT_TRUE(registry->apply(journal[at], at));
      expect_agree(*registry, model, Numbers::any);
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace godwit
