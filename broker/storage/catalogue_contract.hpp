// What every Catalogue promises, as tests. Instantiate with a Rig:
//
//   struct Rig {
//     static constexpr bool kSurvives;   // whether a restart keeps anything
//     Catalogue& catalogue();
//     void restart();
//   };
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "broker/storage/catalogue.hpp"

namespace godwit {

template <class Rig>
class CatalogueContract : public testing::Test {
 protected:
  Catalogue& catalogue() { return rig.catalogue(); }

  static DeviceRow row(uint64_t number, std::string id, uint64_t version, std::string packed = "p") {
    return {.number = number,
            .app = "shop",
            .device_id = std::move(id),
            .subject = "u",
            .version = version,
            .packed = std::move(packed)};
  }
  void put(const std::vector<DeviceRow>& rows) { EXPECT_EQ(catalogue().put_devices(rows), Fate::ok); }
  // "number:id:version:packed" for each device.
  std::vector<std::string> devices() {
    std::vector<std::string> out;
    const auto r = catalogue().scan_devices([&](const DeviceRowView& d) {
      EXPECT_EQ(d.app, "shop");
      EXPECT_EQ(d.subject, "u");
      out.push_back(std::to_string(d.number) + ":" + std::string(d.device_id) + ":" + std::to_string(d.version) + ":" +
                    std::string(d.packed));
      return true;
    });
    EXPECT_TRUE(r) << r.error().message;
    return out;
  }
  uint64_t kv_put(std::string_view key, std::string_view value, uint64_t expected) {
    auto r = catalogue().kv_put("apns", key, value, expected);
    EXPECT_TRUE(r) << r.error().message;
    return r ? *r : 0;
  }

  Rig rig;
};
TYPED_TEST_SUITE_P(CatalogueContract);
using Lines = std::vector<std::string>;

TYPED_TEST_P(CatalogueContract, DevicesComeBackInTheOrderOfTheirNumbers) {
  this->put({this->row(7, "b", 1), this->row(2, "a", 4, std::string("\0x", 2)), this->row(9, "c", 1)});
  EXPECT_EQ(this->devices(), (Lines{std::string("2:a:4:\0x", 8), "7:b:1:p", "9:c:1:p"}));
}

TYPED_TEST_P(CatalogueContract, TheHigherVersionWinsAndTheSameMayBeWrittenAgain) {
  this->put({this->row(1, "a", 5, "five")});
  this->put({this->row(1, "a", 4, "four")});
  EXPECT_EQ(this->devices(), Lines{"1:a:5:five"});
  this->put({this->row(1, "a", 5, "five again"), this->row(1, "a", 6, "six")});
  EXPECT_EQ(this->devices(), Lines{"1:a:6:six"});
}

TYPED_TEST_P(CatalogueContract, ADeviceThatCameBackUnderAnotherNumberHasOneRow) {
  this->put({this->row(1, "a", 5)});
  this->put({this->row(8, "a", 6)});
  EXPECT_EQ(this->devices(), Lines{"8:a:6:p"});
  this->put({this->row(3, "a", 2)});
  EXPECT_EQ(this->devices(), Lines{"8:a:6:p"}) << "an old row from a replay";
}

TYPED_TEST_P(CatalogueContract, ANumberThatWasGivenAgainBelongsToItsNewDevice) {
  this->put({this->row(1, "a", 50)});
  this->put({this->row(1, "b", 1)});
  EXPECT_EQ(this->devices(), Lines{"1:b:1:p"});
}

TYPED_TEST_P(CatalogueContract, ATombstoneRemovesAndAnOldOneDoesNot) {
  this->put({this->row(1, "a", 5), this->row(2, "b", 5)});
  DeviceRow tombstone = this->row(1, "a", 4);
  tombstone.deleted = true;
  this->put({tombstone});
  EXPECT_EQ(this->devices().size(), 2u);
  tombstone.version = 6;
  this->put({tombstone, tombstone});
  EXPECT_EQ(this->devices(), Lines{"2:b:5:p"});
}

TYPED_TEST_P(CatalogueContract, AScanStopsWhenItsSinkHasEnoughAndTheSinkMayWrite) {
  this->put({this->row(1, "a", 1), this->row(2, "b", 1)});
  int calls = 0;
  EXPECT_TRUE(this->catalogue().scan_devices([&](const DeviceRowView&) {
    this->put({this->row(3, "c", 1)});
    EXPECT_TRUE(this->catalogue().get_value("x"));
    return ++calls < 1;
  }));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(this->devices().size(), 3u);
}

TYPED_TEST_P(CatalogueContract, AValueIsTheLastOneThatWasPut) {
  auto none = this->catalogue().get_value("replay");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  EXPECT_EQ(this->catalogue().put_value("replay", "1"), Fate::ok);
  EXPECT_EQ(this->catalogue().put_value("replay", std::string("2\0", 2)), Fate::ok);
  EXPECT_EQ(this->catalogue().put_value("empty", ""), Fate::ok);
  EXPECT_EQ(**this->catalogue().get_value("replay"), std::string("2\0", 2));
  EXPECT_EQ(**this->catalogue().get_value("empty"), "");
}

TYPED_TEST_P(CatalogueContract, AKeyIsPutOnlyOverTheVersionThatTheWriterSaw) {
  const uint64_t first = this->kv_put("token", "one", 0);
  EXPECT_EQ(this->catalogue().kv_put("apns", "token", "two", 0).error().code, Code::conflict);
  EXPECT_EQ(this->catalogue().kv_put("apns", "token", "two", first + 1).error().code, Code::conflict);
  const uint64_t second = this->kv_put("token", "two", first);
  EXPECT_GT(second, first);
  const uint64_t third = this->kv_put("token", "three", Catalogue::kAnyVersion);
  const auto now = this->catalogue().kv_get("apns", "token");
  ASSERT_TRUE(now && *now);
  EXPECT_EQ((*now)->value, "three");
  EXPECT_EQ((*now)->version, third);
  EXPECT_FALSE(*this->catalogue().kv_get("fcm", "token")) << "instances do not see each other";
}

TYPED_TEST_P(CatalogueContract, AConflictNamesTheKeyAndBothVersions) {
  const uint64_t version = this->kv_put("token", "one", 0);
  const Error error = this->catalogue().kv_put("apns", "token", "two", 0).error();
  EXPECT_EQ(error.where, "token");
  EXPECT_EQ(error.message, "is version " + std::to_string(version) + ", the writer expected absent");
}

TYPED_TEST_P(CatalogueContract, ARemovedAndRemadeKeyIsNotTakenForTheOldOne) {
  const uint64_t first = this->kv_put("token", "one", 0);
  EXPECT_FALSE(this->catalogue().kv_remove("apns", "token", first + 1));
  EXPECT_TRUE(this->catalogue().kv_remove("apns", "token", first));
  EXPECT_FALSE(*this->catalogue().kv_get("apns", "token"));
  EXPECT_GT(this->kv_put("token", "new", 0), first);
  EXPECT_EQ(this->catalogue().kv_put("apns", "token", "stale", first).error().code, Code::conflict);
}

TYPED_TEST_P(CatalogueContract, RemovingWhatIsNotThereIsWellUnlessAVersionWasSeen) {
  EXPECT_TRUE(this->catalogue().kv_remove("apns", "none", Catalogue::kAnyVersion));
  EXPECT_TRUE(this->catalogue().kv_remove("apns", "none", 0));
  EXPECT_EQ(this->catalogue().kv_remove("apns", "none", 3).error().code, Code::conflict);
}

TYPED_TEST_P(CatalogueContract, AKeyScanKeepsToItsInstanceAndPrefixInOrder) {
  for (const char* key : {"b/2", "a", "b/1", "b", "b\xff", "c"}) this->kv_put(key, key, 0);
  ASSERT_TRUE(this->catalogue().kv_put("fcm", "b/3", "x", 0));
  const auto scan = [&](std::string_view prefix, size_t max) {
    Lines keys;
    EXPECT_TRUE(this->catalogue().kv_scan("apns", prefix, [&](std::string_view key, const Catalogue::Versioned& v) {
      EXPECT_EQ(v.value, key);
      keys.emplace_back(key);
      return keys.size() < max;
    }));
    return keys;
  };
  EXPECT_EQ(scan("b/", 9), (Lines{"b/1", "b/2"}));
  EXPECT_EQ(scan("b", 9), (Lines{"b", "b/1", "b/2", "b\xff"}));
  EXPECT_EQ(scan("", 2), (Lines{"a", "b"}));
  EXPECT_EQ(scan("x", 9), Lines{});
}

TYPED_TEST_P(CatalogueContract, ARestartKeepsEverything) {
  if (!TypeParam::kSurvives) return;
  this->put({this->row(1, "a", 5)});
  EXPECT_EQ(this->catalogue().put_value("replay", "1"), Fate::ok);
  const uint64_t version = this->kv_put("token", "one", 0);
  this->rig.restart();
  EXPECT_EQ(this->devices(), Lines{"1:a:5:p"});
  EXPECT_EQ(**this->catalogue().get_value("replay"), "1");
  EXPECT_GT(this->kv_put("token", "two", version), version);
}

TYPED_TEST_P(CatalogueContract, ReadersSeeWholeTransactionsWhileAWriterWrites) {
  constexpr uint64_t kRounds = 100;
  this->put({this->row(1, "a", 1), this->row(2, "b", 1)});
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      std::vector<uint64_t> versions;
      ASSERT_TRUE(
          this->catalogue().scan_devices([&](const DeviceRowView& d) { return versions.push_back(d.version), true; }));
      ASSERT_EQ(versions.size(), 2u);
      ASSERT_EQ(versions[0], versions[1]);
    }
  });
  for (uint64_t v = 2; v < kRounds; ++v) this->put({this->row(1, "a", v), this->row(2, "b", v)});
  stop = true;
  reader.join();
}

REGISTER_TYPED_TEST_SUITE_P(
    CatalogueContract, DevicesComeBackInTheOrderOfTheirNumbers, TheHigherVersionWinsAndTheSameMayBeWrittenAgain,
    ADeviceThatCameBackUnderAnotherNumberHasOneRow, ANumberThatWasGivenAgainBelongsToItsNewDevice,
    ATombstoneRemovesAndAnOldOneDoesNot, AScanStopsWhenItsSinkHasEnoughAndTheSinkMayWrite, AValueIsTheLastOneThatWasPut,
    AKeyIsPutOnlyOverTheVersionThatTheWriterSaw, AConflictNamesTheKeyAndBothVersions,
    ARemovedAndRemadeKeyIsNotTakenForTheOldOne, RemovingWhatIsNotThereIsWellUnlessAVersionWasSeen,
    AKeyScanKeepsToItsInstanceAndPrefixInOrder, ARestartKeepsEverything, ReadersSeeWholeTransactionsWhileAWriterWrites);

}  // namespace godwit
