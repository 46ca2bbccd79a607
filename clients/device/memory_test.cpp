#include "clients/device/memory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace godwit::device {
namespace {

struct File {
  File() {
    char name[] = "/tmp/godwit-device-XXXXXX";
    ::close(::mkstemp(name));
    path = name;
  }
  ~File() { ::unlink(path.c_str()); }
  std::string path;
};

TEST(DeviceMemory, KnowsAfterARestartWhatWasShownAndWhatIsUnsent) {
  File file;
  {
    Memory memory(file.path);
    memory.shown("m1");
    memory.add({"m1", "opened", 5});
    memory.add({"m2", "opened", 6});
    memory.taken("m1", "opened");
  }
  Memory memory(file.path);
  EXPECT_TRUE(memory.was_shown("m1"));
  EXPECT_FALSE(memory.was_shown("m2"));
  ASSERT_EQ(memory.events().size(), 1u);
  EXPECT_EQ(memory.events()[0].message_id, "m2");
  EXPECT_EQ(memory.events()[0].at_ms, 6);
}

TEST(DeviceMemory, ALineThatWasCutByTheEndOfTheProcessIsDropped) {
  File file;
  std::ofstream(file.path) << "shown m1\nnonsense\nevent m2\nshown m";
  Memory memory(file.path);
  EXPECT_TRUE(memory.was_shown("m1"));
  EXPECT_FALSE(memory.was_shown("m"));
  EXPECT_TRUE(memory.events().empty());
}

TEST(DeviceMemory, TheSameEventIsKeptOnce) {
  Memory memory;
  memory.add({"m1", "opened", 1});
  memory.add({"m1", "opened", 2});
  memory.add({"m1", "dismissed", 2});
  EXPECT_EQ(memory.events().size(), 2u);
}

TEST(DeviceMemory, IsBoundedAndForgetsTheOldestFirst) {
  File file;
  Memory memory(file.path);
  for (int i = 0; i < 20'000; ++i) memory.shown("m" + std::to_string(i));
  for (int i = 0; i < 1'500; ++i) memory.add({"m" + std::to_string(i), "opened", 0});
  EXPECT_FALSE(memory.was_shown("m0"));
  EXPECT_TRUE(memory.was_shown("m19999"));
  EXPECT_EQ(memory.events().size(), Memory::kMaxEvents);
  EXPECT_EQ(memory.events().front().message_id, "m500");
  std::ifstream in(file.path, std::ios::ate);
  EXPECT_LT(in.tellg(), 300'000);
}

TEST(DeviceMemory, AFileThatCannotBeWrittenIsAsGoodAsNone) {
  Memory memory("/nowhere/at/all");
  memory.shown("m1");
  EXPECT_TRUE(memory.was_shown("m1"));
}

}  // namespace
}  // namespace godwit::device
