// The catalogue on a disk that fails: no false ok, no half transaction, and a full disk is survived.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <set>
#include <string>

#include "broker/storage/sqlite/fault_vfs.hpp"
#include "broker/storage/sqlite/sqlite_catalogue.hpp"
#include "broker/storage/test_directory.hpp"

namespace godwit {
namespace {

class CatalogueFaults : public testing::Test {
 protected:
  CatalogueFaults() : vfs("fault-catalogue") { spdlog::set_level(spdlog::level::off); }
  ~CatalogueFaults() override { spdlog::set_level(spdlog::level::info); }

  Result<std::unique_ptr<SqliteCatalogue>> open(const TestDirectory& directory) {
    return SqliteCatalogue::open(directory.path() / "registry.db", vfs.name());
  }

  // Round r writes two devices, a value and a key that all say r. Notes what each was told.
  struct Told {
    int devices_ok = 0, value_ok = 0, key_ok = 0;  // the last round that was acknowledged
    std::set<int> devices, values, keys;           // rounds that may be found: acknowledged or unknown
    uint64_t key_version = 0;
    bool poisoned = false;
  };
  static void write_round(Catalogue& catalogue, int round, Told& told) {
    const std::string text = std::to_string(round) + std::string(3000, '.');
    const auto version = static_cast<uint64_t>(round);
    const DeviceRow rows[] = {
        {.number = 1, .app = "a", .device_id = "x", .subject = "s", .version = version, .packed = text},
        {.number = 2, .app = "a", .device_id = "y", .subject = "s", .version = version, .packed = text}};
    const auto note = [&](Fate fate, int& ok, std::set<int>& possible) {
      EXPECT_TRUE(!told.poisoned || fate == Fate::unknown) << "nothing is promised after the poison";
      if (fate == Fate::ok) {
        ok = round;
        possible = {round};
      }
      if (fate == Fate::unknown) {
        if (!told.poisoned) possible.insert(round);  // only the first one is in doubt
        told.poisoned = true;
      }
    };
    note(catalogue.put_devices(rows), told.devices_ok, told.devices);
    note(catalogue.put_value("round", text), told.value_ok, told.values);
    const auto put = catalogue.kv_put("i", "round", text, told.key_version);
    if (put) told.key_version = *put;
    note(put ? Fate::ok : put.error().code == Code::unknown ? Fate::unknown : Fate::failed, told.key_ok, told.keys);
  }

  static void check(Catalogue& catalogue, const Told& told) {
    std::set<int> rounds;
    ASSERT_TRUE(catalogue.scan_devices([&](const DeviceRowView& d) {
      EXPECT_EQ(static_cast<uint64_t>(std::stoi(std::string(d.packed))), d.version);
      rounds.insert(static_cast<int>(d.version));
      return true;
    }));
    EXPECT_LE(rounds.size(), 1u) << "half a transaction";
    const auto one_of = [](int found, int ok, const std::set<int>& possible) {
      return possible.contains(found) || (found == 0 && ok == 0);
    };
    EXPECT_TRUE(one_of(rounds.empty() ? 0 : *rounds.begin(), told.devices_ok, told.devices));
    const auto value = catalogue.get_value("round");
    ASSERT_TRUE(value);
    EXPECT_TRUE(one_of(*value ? std::stoi(**value) : 0, told.value_ok, told.values));
    const auto key = catalogue.kv_get("i", "round");
    ASSERT_TRUE(key);
    EXPECT_TRUE(one_of(*key ? std::stoi((*key)->value) : 0, told.key_ok, told.keys));
  }

  void fail_each(const std::function<void(uint64_t)>& plan) {
    uint64_t n = 1;
    for (bool fired = true; fired && !HasFailure(); n += kSlow ? 7 : 1) {
      SCOPED_TRACE("operation " + std::to_string(n));
      TestDirectory directory;
      Told told;
      plan(n);
      if (auto catalogue = open(directory)) {
        for (int round = 1; round <= 6; ++round) write_round(**catalogue, round, told);
      }
      fired = vfs.has_failed();
      vfs.heal();
      const auto catalogue = open(directory);
      ASSERT_TRUE(catalogue) << catalogue.error().message;
      check(**catalogue, told);
      Told fresh;
      fresh.key_version = Catalogue::kAnyVersion;
      write_round(**catalogue, 99, fresh);
      EXPECT_EQ(fresh.devices_ok + fresh.value_ok + fresh.key_ok, 3 * 99) << "a healed disk takes writes";
    }
    EXPECT_GT(n, 60u) << "the workload has more operations than that";
  }

  FaultVfs vfs;
};

TEST_F(CatalogueFaults, AnyOneWriteOrFlushMayFail) {
  fail_each([&](uint64_t n) { vfs.fail_operation(n, SQLITE_IOERR); });
}

TEST_F(CatalogueFaults, AnyOneWriteMayBeTorn) {
  fail_each([&](uint64_t n) { vfs.fail_operation(n, SQLITE_IOERR, true); });
}

TEST_F(CatalogueFaults, TheDiskMayDieForGood) {
  fail_each([&](uint64_t n) { vfs.fail_from_operation(n, SQLITE_IOERR); });
}

TEST_F(CatalogueFaults, AnyOneWriteMayFindNoRoom) {
  fail_each([&](uint64_t n) { vfs.fail_operation(n, SQLITE_FULL); });
}

TEST_F(CatalogueFaults, AFullDiskRefusesCleanlyAndGoesOnWhenThereIsRoom) {
  TestDirectory directory;
  auto catalogue = open(directory);
  ASSERT_TRUE(catalogue);
  const auto put = [&](int i) { return (*catalogue)->put_value("key " + std::to_string(i), std::string(20'000, 'v')); };
  vfs.set_capacity(directory.path(), 400 << 10);
  int i = 0;
  while (put(i) == Fate::ok) ++i;
  EXPECT_GT(i, 3);
  EXPECT_EQ(put(i), Fate::failed);
  EXPECT_EQ((*catalogue)->kv_put("i", "k", std::string(20'000, 'v'), 0).error().code, Code::no_space);
  EXPECT_TRUE((*catalogue)->get_value("key 0")) << "reading goes on";
  vfs.set_capacity(directory.path(), 800 << 10);
  EXPECT_EQ(put(i), Fate::ok);
  EXPECT_TRUE((*catalogue)->kv_put("i", "k", "v", 0));
}

}  // namespace
}  // namespace godwit
