#include "broker/channels/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "broker/channels/testing/temp_folder.hpp"

namespace godwit::channels {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class LoaderTest : public ::testing::Test {
 protected:
  Loader loader(std::optional<fs::path> checker = fs::path()) {
    return Loader({temp.path() / "run", {fs::path(TEST_PLUGIN_DIR)}, std::move(checker)});
  }
  // The error of loading a plugin that must be refused.
  Error refusal(const std::string& name) {
    const auto loaded = loader().load(name);
    EXPECT_FALSE(loaded) << name << " was loaded";
    return loaded ? Error{} : loaded.error();
  }
  // A copy of a good plugin that a test may spoil.
  fs::path own_copy() {
    const fs::path file = temp.path() / "mine.so";
    fs::copy_file(fs::path(TEST_PLUGIN_DIR) / "broken_none.so", file);
    chmod(file.c_str(), 0644);
    return file;
  }
  fs::path script(const std::string& body) {
    const fs::path file = temp.path() / "checker";
    std::ofstream(file) << "#!/bin/sh\n" << body << "\n";
    chmod(file.c_str(), 0755);
    return file;
  }
  TempFolder temp;
};

TEST_F(LoaderTest, FindsAPluginByItsShortName) {
  const auto plugin = loader().load("broken_none");
  ASSERT_TRUE(plugin) << plugin.error().message;
  ASSERT_EQ((*plugin)->types.size(), 1u);
  EXPECT_EQ((*plugin)->types[0].id, "broken");
  EXPECT_EQ((*plugin)->types[0].version, "1.0.0");
  EXPECT_NE((*plugin)->types[0].ops.submit, nullptr);
}

TEST_F(LoaderTest, LoadsAPrivateCopyAndNotTheFileItself) {
  const auto plugin = loader().load("broken_none");
  ASSERT_TRUE(plugin);
  EXPECT_EQ((*plugin)->copy.parent_path(), temp.path() / "run");
  struct stat folder {};
  stat((temp.path() / "run").c_str(), &folder);
  EXPECT_EQ(folder.st_mode & 0777, 0700u);
}

TEST_F(LoaderTest, LoadsTheSameBytesOnce) {
  Loader l = loader();
  EXPECT_EQ(l.load("broken_none")->get(), l.load((fs::path(TEST_PLUGIN_DIR) / "broken_none.so").string())->get());
}

TEST_F(LoaderTest, SaysWhereItLookedForAnUnknownPlugin) {
  const Error e = refusal("no_such");
  EXPECT_EQ(e.code, Code::not_found);
  EXPECT_THAT(e.message, HasSubstr("there is no plugin 'no_such': looked for no_such.so in " TEST_PLUGIN_DIR));
}

TEST_F(LoaderTest, SaysForWhichAbiAPluginWasBuilt) {
  EXPECT_THAT(refusal("broken_other_major").message, HasSubstr("built for plugin ABI 7, this broker speaks 0"));
  EXPECT_THAT(refusal("broken_major_inside").message, HasSubstr("its entry says ABI 3, this broker speaks 0"));
  EXPECT_THAT(refusal("broken_newer_host").message, HasSubstr("needs a broker with ABI 0.99 or newer"));
}

TEST_F(LoaderTest, NamesWhatAHalfBuiltPluginLacks) {
  EXPECT_THAT(refusal("broken_no_symbol").message, HasSubstr("exports no gw_entry_0"));
  EXPECT_THAT(refusal("broken_small_entry").message, HasSubstr("too small (12 bytes)"));
  EXPECT_THAT(refusal("broken_no_submit").message, HasSubstr("lack the required function 'submit'"));
  EXPECT_THAT(refusal("broken_webhook").message, HasSubstr("flag WEBHOOK, but no extension godwit.webhook/1"));
  EXPECT_THAT(refusal("broken_multicast").message, HasSubstr("10 targets without the flag MULTICAST"));
  EXPECT_THAT(refusal("broken_schema").message, HasSubstr("config_schema is no JSON object"));
}

TEST_F(LoaderTest, KeepsTheWordsOfTheLinker) {
  EXPECT_THAT(refusal("broken_missing_function").message, HasSubstr("undefined symbol: a_function_that_nobody_has"));
}

TEST_F(LoaderTest, KeepsTheWordsOfAFailedInit) {
  EXPECT_THAT(refusal("broken_init").message, HasSubstr("GW_E_DENIED (-7) the licence of this plugin has ended"));
}

TEST_F(LoaderTest, BeginsEveryErrorWithTheFile) {
  EXPECT_THAT(refusal("broken_no_submit").message, ::testing::StartsWith(TEST_PLUGIN_DIR "/broken_no_submit.so: "));
}

TEST_F(LoaderTest, RefusesFilesThatOthersCanWrite) {
  const fs::path file = own_copy();
  chmod(file.c_str(), 0664);
  const Error e = refusal(file.string());
  EXPECT_EQ(e.code, Code::forbidden);
  EXPECT_THAT(e.message, HasSubstr("can be written by others; run: chmod go-w"));
}

TEST_F(LoaderTest, RefusesFilesOfOtherUsers) {
  const fs::path file = own_copy();
  if (chown(file.c_str(), 12345, static_cast<gid_t>(-1)) != 0) GTEST_SKIP() << "only root can give files away";
  EXPECT_THAT(refusal(file.string()).message, HasSubstr("belongs to user 12345"));
}

TEST_F(LoaderTest, RefusesWhatIsNoPluginFile) {
  EXPECT_THAT(refusal((temp.path() / "gone.so").string()).message, HasSubstr("No such file"));
  EXPECT_THAT(refusal("/dev/zero.so/").message, HasSubstr("cannot be opened"));
  fs::create_directory(temp.path() / "folder.so");
  EXPECT_THAT(refusal((temp.path() / "folder.so").string()).message, HasSubstr("is no regular file"));
  std::ofstream(temp.path() / "text.so") << std::string(100, 'x');
  EXPECT_THAT(refusal((temp.path() / "text.so").string()).message, HasSubstr("invalid ELF header"));
  std::ofstream(temp.path() / "empty.so");
  EXPECT_THAT(refusal((temp.path() / "empty.so").string()).message, HasSubstr("0 bytes, which is no plugin"));
}

TEST_F(LoaderTest, LetsTheCheckerBesideTheProgramTryFirst) {
  EXPECT_TRUE(loader(std::nullopt).load("broken_none"));
  const auto crashed = loader(std::nullopt).load("broken_crash");
  ASSERT_FALSE(crashed);
  EXPECT_THAT(crashed.error().message, HasSubstr("loading it crashes (Illegal instruction)"));
  const auto other = loader(std::nullopt).load("broken_other_major");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("built for plugin ABI 7")) << "our own words where we have them";
}

TEST_F(LoaderTest, BelievesACheckerThatComplainsOrCannotRun) {
  EXPECT_TRUE(loader(script("test \"$1\" = --quick && test -f \"$2\"")).load("broken_none"));
  const auto refused = loader(script("echo load-entry: fail; exit 1")).load("broken_none");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("it fails the check: load-entry: fail"));
  const auto absent = loader("/no/such/checker").load("broken_none");
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().message, HasSubstr("/no/such/checker cannot be started"));
}

TEST_F(LoaderTest, ClearsWhatAnEarlierRunLeft) {
  fs::create_directory(temp.path() / "run");
  std::ofstream(temp.path() / "run" / "old-00000000-1.so") << "x";
  ASSERT_TRUE(loader().load("broken_none"));
  EXPECT_FALSE(fs::exists(temp.path() / "run" / "old-00000000-1.so"));
}

}  // namespace
}  // namespace godwit::channels
