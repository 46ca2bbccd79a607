#include "broker/registry/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/storage/memory/memory_catalogue.hpp"

namespace godwit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallMs kNow = 1'790'000'000'000;

Device phone(std::string id, std::string token, std::string user = "u1") {
  Device d;
  d.app = "app";
  d.id = std::move(id);
  d.user_id = std::move(user);
  d.platform = "android";
  d.manufacturer = "Xiaomi";
  d.model = "M2012K11AC";
  d.os_version = "13";
  d.app_version = "5.2.0";
  d.locale = "zh-CN";
  d.timezone = "Asia/Shanghai";
  d.network = "wifi";
  d.location = Location{39.98, 116.31};
  d.tags = {"vip", "city:bj"};
  d.channels = {{"mipush", std::move(token), false, 0}, {"selfconn", "", false, 0}};
  return d;
}

class RegistryTest : public testing::Test {
 protected:
  RegistryChange apply(const std::string& record) {
    auto change = registry.apply(record, position++);
    EXPECT_TRUE(change) << change.error().message;
    return std::move(change).value();
  }
  RegistryChange put(const Device& device) { return apply(registry_record::put(device, now)); }
  void flush() { ASSERT_EQ(catalogue.put_devices(registry.take_dirty(1000)), Fate::ok); }
  std::vector<DeviceNo> devices_of(std::string_view user) {
    const auto span = registry.user_devices("app", user);
    return {span.begin(), span.end()};
  }

  Registry registry;
  MemoryCatalogue catalogue;
  uint64_t position = 0;
  WallMs now = kNow;
};

TEST_F(RegistryTest, ADeviceIsFoundByItsIdItsUserAndItsTokens) {
  const auto change = put(phone("d1", "t1"));
  EXPECT_TRUE(change.created);
  EXPECT_TRUE(change.token_changed);
  const DeviceNo no = change.device;
  EXPECT_EQ(registry.find("app", "d1"), no);
  EXPECT_EQ(registry.find_token("app", "mipush", "t1"), no);
  EXPECT_THAT(devices_of("u1"), ElementsAre(no));
  Device expected = phone("d1", "t1");
  expected.number = no;
  expected.version = 1;
  expected.created_ms = expected.updated_ms = now;
  for (DeviceChannel& c : expected.channels) c.registered_ms = now;
  const Device got = registry.device(no);
  EXPECT_TRUE(got.channels == expected.channels);
  EXPECT_EQ(got.location, expected.location);
  EXPECT_EQ(got.tags, expected.tags);
  EXPECT_EQ(got.model, expected.model);
  EXPECT_EQ(got.version, expected.version);
  EXPECT_EQ(got.created_ms, now);
}

TEST_F(RegistryTest, IdsTokensAndUsersOfAnotherAppAreNotFound) {
  put(phone("d1", "t1"));
  EXPECT_EQ(registry.find("other", "d1"), kNoDevice);
  EXPECT_EQ(registry.find_token("other", "mipush", "t1"), kNoDevice);
  EXPECT_EQ(registry.find_token("app", "xinge", "t1"), kNoDevice);
  EXPECT_THAT(registry.user_devices("other", "u1"), IsEmpty());
  EXPECT_EQ(registry.next_of_app("other", 0), kNoDevice);
}

TEST_F(RegistryTest, RegisteringAgainReplacesTheStateInFull) {
  put(phone("d1", "t1"));
  Device again = phone("d1", "t2");
  again.location.reset();
  again.tags.clear();
  again.channels.pop_back();
  now += 5;
  const auto change = put(again);
  EXPECT_FALSE(change.created);
  EXPECT_TRUE(change.token_changed);
  const Device got = registry.device(change.device);
  EXPECT_FALSE(got.location);
  EXPECT_THAT(got.tags, IsEmpty());
  EXPECT_EQ(got.channels.size(), 1u);
  EXPECT_EQ(got.created_ms, kNow);
  EXPECT_EQ(got.updated_ms, kNow + 5);
  EXPECT_EQ(got.version, 2u);
  EXPECT_EQ(registry.find_token("app", "mipush", "t1"), kNoDevice);
  EXPECT_EQ(registry.size(), 1u);
}

TEST_F(RegistryTest, ATokenMovesToTheDeviceThatRegisteredItLast) {
  const DeviceNo first = put(phone("d1", "shared", "u1")).device;
  now += 10;
  const auto change = put(phone("d2", "shared", "u2"));
  ASSERT_EQ(change.moves.size(), 1u);
  EXPECT_EQ(change.moves[0].channel, "mipush");
  EXPECT_EQ(change.moves[0].from, first);
  EXPECT_EQ(registry.find_token("app", "mipush", "shared"), change.device);
  EXPECT_FALSE(registry.token(first, "mipush"));
  EXPECT_TRUE(registry.token(first, "selfconn"));  // a channel without tokens never moves
  EXPECT_EQ(registry.device(first).version, 2u);   // the move is a change of both
  EXPECT_EQ(registry.device(first).updated_ms, now);
}

TEST_F(RegistryTest, TheSameTokenInAnotherAppOrChannelIsAnotherToken) {
  put(phone("d1", "t"));
  Device other = phone("d1", "t");
  other.app = "other";
  EXPECT_THAT(put(other).moves, IsEmpty());
  Device crossed = phone("d2", "u");
  crossed.channels = {{"xinge", "t", false, 0}};
  EXPECT_THAT(put(crossed).moves, IsEmpty());
}

TEST_F(RegistryTest, APatchOfOldStateDoesNotTakeATokenBack) {
  const DeviceNo first = put(phone("d1", "shared")).device;
  Device read = registry.device(first);
  now += 10;
  const DeviceNo second = put(phone("d2", "shared")).device;
  read.network = "4g";
  EXPECT_THAT(put(read).moves, IsEmpty());
  EXPECT_EQ(registry.find_token("app", "mipush", "shared"), second);
  EXPECT_EQ(registry.device(first).network, "4g");
  EXPECT_FALSE(registry.token(first, "mipush"));
}

TEST_F(RegistryTest, APatchOfOldStateDoesNotReviveADeadToken) {
  const DeviceNo no = put(phone("d1", "t1")).device;
  const Device read = registry.device(no);
  apply(registry_record::token_dead("app", "d1", "mipush", "t1", 0, now));
  put(read);
  EXPECT_FALSE(registry.token(no, "mipush"));
  put(phone("d1", "t1"));  // registering again does
  EXPECT_TRUE(registry.token(no, "mipush"));
}

TEST_F(RegistryTest, ADeadTokenIsUnboundAndKeptForTheRecord) {
  const DeviceNo no = put(phone("d1", "t1")).device;
  EXPECT_TRUE(apply(registry_record::token_dead("app", "d1", "mipush", "t1", now, now)).token_changed);
  EXPECT_EQ(registry.find_token("app", "mipush", "t1"), kNoDevice);
  EXPECT_FALSE(registry.token(no, "mipush"));
  const Device got = registry.device(no);
  EXPECT_TRUE(got.channels[0].invalid);
  EXPECT_EQ(got.channels[0].token, "t1");
}

TEST_F(RegistryTest, ATokenRegisteredAfterItsDeathStaysAlive) {
  const DeviceNo no = put(phone("d1", "t1")).device;
  apply(registry_record::token_dead("app", "d1", "mipush", "t1", now - 1, now));
  EXPECT_TRUE(registry.token(no, "mipush"));
  apply(registry_record::token_dead("app", "d1", "mipush", "another", 0, now));
  EXPECT_TRUE(registry.token(no, "mipush"));
}

TEST_F(RegistryTest, AReplacedTokenIsReachableUnderTheNewNameOnly) {
  const DeviceNo no = put(phone("d1", "t1")).device;
  apply(registry_record::token_changed("app", "d1", "mipush", "t1", "t2", now));
  EXPECT_EQ(registry.find_token("app", "mipush", "t1"), kNoDevice);
  EXPECT_EQ(registry.find_token("app", "mipush", "t2"), no);
  apply(registry_record::token_changed("app", "d1", "mipush", "t1", "t3", now));  // too late
  EXPECT_EQ(registry.find_token("app", "mipush", "t2"), no);
}

TEST_F(RegistryTest, ADeviceChangesItsUser) {
  const DeviceNo one = put(phone("d1", "t1", "u1")).device;
  const DeviceNo two = put(phone("d2", "t2", "u1")).device;
  const DeviceNo three = put(phone("d3", "t3", "u1")).device;
  EXPECT_THAT(devices_of("u1"), ElementsAre(one, two, three));
  put(phone("d2", "t2", "u2"));
  EXPECT_THAT(devices_of("u1"), ElementsAre(one, three));
  EXPECT_THAT(devices_of("u2"), ElementsAre(two));
  put(phone("d2", "t2", ""));
  EXPECT_THAT(devices_of("u2"), IsEmpty());
  EXPECT_THAT(registry.user_devices("app", ""), IsEmpty());
}

TEST_F(RegistryTest, ARemovedDeviceIsGoneEverywhereAndItsNumberIsNotUsedAgain) {
  const DeviceNo no = put(phone("d1", "t1")).device;
  apply(registry_record::topic("app", "news", "d1", true, now));
  EXPECT_TRUE(apply(registry_record::remove("app", "d1")).removed);
  EXPECT_FALSE(registry.exists(no));
  EXPECT_EQ(registry.find("app", "d1"), kNoDevice);
  EXPECT_EQ(registry.find_token("app", "mipush", "t1"), kNoDevice);
  EXPECT_THAT(devices_of("u1"), IsEmpty());
  EXPECT_EQ(registry.app_size("app"), 0u);
  EXPECT_THAT(registry.topics("app"), IsEmpty());
  EXPECT_GT(put(phone("d1", "t1")).device, no);
}

TEST_F(RegistryTest, ADeviceMadeAnewRefusesTheCredentialsOfTheRemovedOne) {
  const uint32_t first = registry.device(put(phone("d1", "t1")).device).generation;
  apply(registry_record::revoke("app", "d1", now));
  apply(registry_record::remove("app", "d1"));
  now += 2'000;
  EXPECT_GT(registry.device(put(phone("d1", "t1")).device).generation, first + 1);
}

TEST_F(RegistryTest, ANumberIsNotUsedAgainAfterARestart) {
  put(phone("d1", "t1"));
  const DeviceNo last = put(phone("d2", "t2")).device;
  apply(registry_record::remove("app", "d2"));
  flush();
  Registry restarted;
  ASSERT_TRUE(restarted.load(catalogue));
  auto change = restarted.apply(registry_record::put(phone("d3", "t3"), now), position);
  ASSERT_TRUE(change);
  EXPECT_GT(change->device, last);
}

TEST_F(RegistryTest, TopicsAreWalkedInTheOrderOfNumbers) {
  std::vector<DeviceNo> numbers;
  for (const char* id : {"d1", "d2", "d3"}) numbers.push_back(put(phone(id, id)).device);
  for (const char* id : {"d3", "d1"}) apply(registry_record::topic("app", "news", id, true, now));
  apply(registry_record::topic("app", "news", "d1", true, now));  // twice is once
  EXPECT_EQ(registry.topic_size("app", "news"), 2u);
  EXPECT_EQ(registry.next_of_topic("app", "news", 0), numbers[0]);
  EXPECT_EQ(registry.next_of_topic("app", "news", numbers[0] + 1), numbers[2]);
  EXPECT_EQ(registry.next_of_topic("app", "news", numbers[2] + 1), kNoDevice);
  EXPECT_EQ(registry.next_of_topic("other", "news", 0), kNoDevice);
  EXPECT_THAT(registry.topics("app"), ElementsAre(std::pair<std::string, uint64_t>("news", 2)));
  EXPECT_THAT(registry.topics_of(numbers[0]), ElementsAre("news"));
  put(phone("d1", "new"));  // registering again keeps them
  EXPECT_THAT(registry.topics_of(numbers[0]), ElementsAre("news"));
  apply(registry_record::topic("app", "news", "d1", false, now));
  EXPECT_EQ(registry.topic_size("app", "news"), 1u);
}

TEST_F(RegistryTest, RecordsForAnUnknownDeviceChangeNothing) {
  EXPECT_FALSE(apply(registry_record::remove("app", "ghost")).known);
  EXPECT_FALSE(apply(registry_record::topic("app", "news", "ghost", true, now)).known);
  EXPECT_FALSE(apply(registry_record::revoke("app", "ghost", now)).known);
  EXPECT_FALSE(apply(registry_record::token_dead("app", "ghost", "c", "t", 0, now)).known);
  EXPECT_EQ(registry.dirty(), 0u);
  EXPECT_THAT(registry.topics("app"), IsEmpty());
}

TEST_F(RegistryTest, ADamagedRecordIsAnErrorAndChangesNothing) {
  const std::string record = registry_record::put(phone("d1", "t1"), now);
  for (size_t n = 0; n < record.size(); ++n) EXPECT_FALSE(registry.apply(record.substr(0, n), 0)) << n;
  EXPECT_FALSE(registry.apply(record + "x", 0));
  EXPECT_EQ(registry.size(), 0u);
  EXPECT_EQ(registry.apply(std::string(1, '\x63') + record.substr(1), 0).error().code, Code::unsupported);
}

TEST_F(RegistryTest, RevokingTwiceInTheJournalIsOnceAfterAReplayOverNewerRows) {
  const std::string registered = registry_record::put(phone("d1", "t1"), now);
  const std::string revoked = registry_record::revoke("app", "d1", now);
  apply(registered);
  apply(revoked);
  flush();
  Registry restarted;
  ASSERT_TRUE(restarted.load(catalogue));
  ASSERT_TRUE(restarted.apply(registered, 0));
  ASSERT_TRUE(restarted.apply(revoked, 1));
  EXPECT_EQ(restarted.device(restarted.find("app", "d1")).generation, static_cast<uint32_t>(now / 1000) + 1);
}

TEST_F(RegistryTest, AChannelGivenTwiceCountsAsLastGiven) {
  Device d = phone("d1", "t1");
  d.channels.push_back({"mipush", "t2", false, 0});
  const DeviceNo no = put(d).device;
  EXPECT_EQ(registry.device(no).channels.size(), 2u);
  EXPECT_EQ(registry.find_token("app", "mipush", "t1"), kNoDevice);
  EXPECT_EQ(registry.find_token("app", "mipush", "t2"), no);
}

TEST_F(RegistryTest, RowsThatTheCatalogueRefusedAreTakenAgainFirst) {
  put(phone("d1", "t1"));
  put(phone("d2", "t2"));
  const auto refused = registry.take_dirty(1);
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].device_id, "d1");
  EXPECT_EQ(registry.dirty(), 1u);
  registry.mark_dirty(refused);
  EXPECT_EQ(registry.dirty(), 2u);
  const auto rows = registry.take_dirty(10);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].device_id, "d1");
  EXPECT_EQ(registry.dirty(), 0u);
}

TEST_F(RegistryTest, ADamagedRowIsLeftOutCountedAndNamed) {
  put(phone("d1", "t1"));
  put(phone("d2", "t2"));
  auto rows = registry.take_dirty(10);
  rows[0].packed[7] = static_cast<char>(rows[0].packed[7] ^ 1);
  ASSERT_EQ(catalogue.put_devices(rows), Fate::ok);
  Registry restarted;
  const auto report = restarted.load(catalogue);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->devices, 1u);
  EXPECT_EQ(report->damaged, 1u);
  ASSERT_EQ(report->faults.size(), 1u);
  EXPECT_THAT(report->faults[0], testing::HasSubstr("device \"d1\""));
  EXPECT_EQ(restarted.end(), registry.end());  // its number stays used
}

TEST_F(RegistryTest, ATokenThatTwoRowsHoldGoesToTheNewerOneWhenTheJournalDoesNotSay) {
  put(phone("d1", "shared"));
  const auto old_row = registry.take_dirty(10);
  put(phone("d2", "shared"));
  ASSERT_EQ(catalogue.put_devices(registry.take_dirty(10)), Fate::ok);
  DeviceRow stale = old_row[0];
  stale.version = 2;  // what a catalogue restored from two backups may look like
  ASSERT_EQ(catalogue.put_devices(std::vector{stale}), Fate::ok);
  Registry restarted;
  ASSERT_TRUE(restarted.load(catalogue));
  restarted.end_replay();
  const DeviceNo one = restarted.find("app", "d1"), two = restarted.find("app", "d2");
  EXPECT_EQ(restarted.find_token("app", "mipush", "shared"), two);
  EXPECT_FALSE(restarted.token(one, "mipush"));
  EXPECT_TRUE(restarted.token(two, "mipush"));
  EXPECT_EQ(restarted.dirty(), 1u);
}

TEST_F(RegistryTest, LoadingTellsTheNewestVersionSoThatAForeignJournalIsNoticed) {
  position = 41;
  put(phone("d1", "t1"));
  flush();
  Registry restarted;
  EXPECT_EQ(restarted.load(catalogue)->newest_version, 42u);
}

TEST_F(RegistryTest, MemoryOfRemovedDevicesComesBack) {
  const size_t empty = registry.bytes();
  for (int i = 0; i < 5000; ++i) {
    Device d = phone("d" + std::to_string(i), "t" + std::to_string(i), "u" + std::to_string(i / 2));
    d.tags = {"tag" + std::to_string(i)};
    put(d);
    apply(registry_record::topic("app", "topic" + std::to_string(i), d.id, true, now));
  }
  registry.take_dirty(10'000);
  const size_t full = registry.bytes();
  for (int i = 0; i < 5000; ++i) apply(registry_record::remove("app", "d" + std::to_string(i)));
  registry.take_dirty(10'000);
  EXPECT_GT(full - empty, 5000u * 100);
  EXPECT_LT(registry.bytes() - empty, (full - empty) / 3);  // arrays that grew keep their capacity
}

}  // namespace
}  // namespace godwit
