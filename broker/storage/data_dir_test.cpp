#include "broker/storage/data_dir.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "broker/storage/test_directory.hpp"

namespace godwit {
namespace {

constexpr uint64_t kMiB = 1 << 20;

TEST(DataDir, IsCreatedWithItsBallast) {
  TestDirectory directory;
  const auto opened = DataDir::open(directory.path() / "a/b", 2 * kMiB);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE((*opened)->has_ballast());
  EXPECT_EQ(std::filesystem::file_size(directory.path() / "a/b/ballast"), 2 * kMiB);
  EXPECT_EQ(slurp(directory.path() / "a/b/lock"), std::to_string(getpid()) + "\n");
  EXPECT_GT((*opened)->space()->total_bytes, (*opened)->space()->free_bytes);
}

TEST(DataDir, ASecondBrokerIsToldWhoHoldsIt) {
  TestDirectory directory;
  const auto first = DataDir::open(directory.path(), 0);
  const auto second = DataDir::open(directory.path(), 0);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_EQ(second.error().where, directory.path().string());
  EXPECT_EQ(second.error().message,
            "locked by process " + std::to_string(getpid()) +
                ": another godwitd runs on it; stop that one or give this one another data_dir");
}

TEST(DataDir, TheLockEndsWithItsHolder) {
  TestDirectory directory;
  { const auto first = DataDir::open(directory.path(), 0); }
  EXPECT_TRUE(DataDir::open(directory.path(), 0));
}

TEST(DataDir, AFileInItsPlaceIsAClearError) {
  TestDirectory directory;
  spit(directory.path() / "data", "x");
  const auto opened = DataDir::open(directory.path() / "data", 0);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("cannot create the data directory"), std::string::npos)
      << opened.error().message;
}

TEST(DataDir, ABallastThatDoesNotFitIsNoReasonNotToStart) {
  TestDirectory directory;
  const auto opened = DataDir::open(directory.path(), 1ull << 60);
  ASSERT_TRUE(opened);
  EXPECT_FALSE((*opened)->has_ballast());
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "ballast"));
}

TEST(DataDir, TheBallastIsDroppedAndLaidAgain) {
  TestDirectory directory;
  const auto opened = DataDir::open(directory.path(), kMiB);
  ASSERT_TRUE((*opened)->drop_ballast());
  EXPECT_FALSE((*opened)->has_ballast());
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "ballast"));
  ASSERT_TRUE((*opened)->drop_ballast()) << "twice is well";
  ASSERT_TRUE((*opened)->lay_ballast());
  EXPECT_EQ(std::filesystem::file_size(directory.path() / "ballast"), kMiB);
}

TEST(SpaceLevel, FallsWithTheShareOfFreeSpaceUnlessThereIsPlenty) {
  constexpr uint64_t kGiB = 1ull << 30;
  EXPECT_EQ(space_level({10 * kGiB, 2 * kGiB}), SpaceLevel::plenty);
  EXPECT_EQ(space_level({100 * kGiB, 19 * kGiB}), SpaceLevel::no_bulk);
  EXPECT_EQ(space_level({100 * kGiB, 9 * kGiB}), SpaceLevel::urgent_only);
  EXPECT_EQ(space_level({100 * kGiB, 4 * kGiB}), SpaceLevel::outcomes_only);
  EXPECT_EQ(space_level({100 * kGiB, 0}), SpaceLevel::outcomes_only);
  EXPECT_EQ(space_level({4000 * kGiB, 30 * kGiB}), SpaceLevel::plenty) << "under one per cent, but days of journal";
  EXPECT_EQ(space_level({}), SpaceLevel::plenty) << "a file system that does not say";
}

}  // namespace
}  // namespace godwit
