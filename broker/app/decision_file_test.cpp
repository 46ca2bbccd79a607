#include "broker/app/decision_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace godwit {
namespace {

namespace fs = std::filesystem;

struct Log : ::testing::Test {
  fs::path folder = fs::temp_directory_path() / ("godwit-decisions-" + std::to_string(getpid()));
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }
  std::string text(const char* name) const {
    std::ifstream in(folder / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(Log, GoesOnAfterARestart) {
  DecisionFile(folder, 1000).append("one\n");
  DecisionFile(folder, 1000).append("two\n");
  EXPECT_EQ(text("decisions.ndjson"), "one\ntwo\n");
}

TEST_F(Log, NeverNeedsMoreThanTwiceItsSize) {
  DecisionFile file(folder, 10);
  for (const char* line : {"aaaaaa\n", "bbbbbb\n", "cccccc\n"}) file.append(line);
  EXPECT_EQ(text("decisions.ndjson"), "cccccc\n");
  EXPECT_EQ(text("decisions.1.ndjson"), "bbbbbb\n");
}

TEST_F(Log, SurvivesAFolderThatIsGoneForAWhile) {
  DecisionFile file(folder / "missing", 1000);
  file.append("lost\n");
  fs::create_directories(folder / "missing");
  file.append("kept\n");
  EXPECT_EQ(text("missing/decisions.ndjson"), "kept\n");
}

}  // namespace
}  // namespace godwit
