#include "broker/channels/secret_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "broker/channels/testing/temp_folder.hpp"

namespace godwit::channels {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SecretStoreTest : public ::testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(file) << text; }
  TempFolder temp;
  const std::filesystem::path file = temp.path() / "key.p8";
  SecretStore store;
  std::vector<ConfigFault> faults;
};

TEST_F(SecretStoreTest, NoticesThatAFileChanged) {
  write("one\n");
  EXPECT_THAT(store.configure({{"key", "${file:" + file.string() + "}"}, {"plain", "x"}}, faults),
              ElementsAre("key", "plain"));
  EXPECT_EQ(store.get("key")->bytes, "one");
  EXPECT_THAT(store.refresh(), IsEmpty());
  write("two\n");
  EXPECT_THAT(store.refresh(), ElementsAre("key"));
  EXPECT_EQ(store.get("key")->bytes, "two");
  EXPECT_GT(store.get("key")->version, store.get("plain")->version);
}

TEST_F(SecretStoreTest, KeepsTheLastValueWhileAFileIsBeingReplaced) {
  write("one");
  store.configure({{"key", "${file:" + file.string() + "}"}}, faults);
  std::filesystem::remove(file);
  EXPECT_THAT(store.refresh(), IsEmpty());
  write("");
  EXPECT_THAT(store.refresh(), IsEmpty());
  EXPECT_EQ(store.get("key")->bytes, "one");
  write("two");
  EXPECT_THAT(store.refresh(), ElementsAre("key"));
}

TEST_F(SecretStoreTest, ChangesNothingIfOneSecretCannotBeRead) {
  store.configure({{"key", "old"}}, faults);
  store.configure({{"key", "new"}, {"other", "${file:/no/such/file}"}}, faults);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].pointer, "/other");
  EXPECT_EQ(store.get("key")->bytes, "old");
}

TEST_F(SecretStoreTest, ReportsOnlyWhatChanged) {
  store.configure({{"a", "1"}, {"b", "2"}}, faults);
  EXPECT_THAT(store.configure({{"a", "1"}, {"b", "3"}}, faults), ElementsAre("b"));
  EXPECT_FALSE(store.get("none"));
}

}  // namespace
}  // namespace godwit::channels
