#include "broker/storage/sqlite/sqlite_catalogue.hpp"

#include <gtest/gtest.h>

#include "broker/storage/catalogue_contract.hpp"
#include "broker/storage/test_directory.hpp"

namespace godwit {
namespace {

class SqliteCatalogueRig {
 public:
  static constexpr bool kSurvives = true;
  SqliteCatalogueRig() { restart(); }
  Catalogue& catalogue() { return *catalogue_; }
  void restart() {
    catalogue_.reset();
    auto opened = SqliteCatalogue::open(directory_.path() / "registry.db");
    ASSERT_TRUE(opened) << opened.error().message;
    catalogue_ = std::move(*opened);
  }

 private:
  TestDirectory directory_;
  std::unique_ptr<SqliteCatalogue> catalogue_;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, CatalogueContract, SqliteCatalogueRig);

TEST(SqliteCatalogue, AFileThatIsNoDatabaseIsAClearError) {
  TestDirectory directory;
  spit(directory.path() / "registry.db", std::string(8192, 'x'));
  const auto opened = SqliteCatalogue::open(directory.path() / "registry.db");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("restore it from a backup"), std::string::npos) << opened.error().message;
  EXPECT_TRUE(opened.error().where.ends_with("registry.db"));
}

TEST(SqliteCatalogue, AnotherProgramsDatabaseIsLeftAlone) {
  TestDirectory directory;
  const auto file = directory.path() / "registry.db";
  {
    auto other = SqliteConnection::open(file, SqliteConnection::Mode::create);
    ASSERT_TRUE(other->exec("create table theirs(x)"));
  }
  const auto opened = SqliteCatalogue::open(file);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::conflict);
}

TEST(SqliteCatalogue, ACleanStopLeavesOneFile) {
  TestDirectory directory;
  const auto file = directory.path() / "registry.db";
  {
    auto catalogue = SqliteCatalogue::open(file);
    ASSERT_TRUE(catalogue);
    EXPECT_EQ((*catalogue)->put_value("a", "b"), Fate::ok);
    EXPECT_TRUE((*catalogue)->get_value("a"));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
}

TEST(SqliteCatalogue, TheLogIsCopiedAwayWhenItGrowsLong) {
  TestDirectory directory;
  const auto file = directory.path() / "registry.db";
  auto catalogue = SqliteCatalogue::open(file);
  ASSERT_TRUE(catalogue);
  const std::string value(64 << 10, 'v');
  for (int i = 0; i < 1500; ++i) ASSERT_EQ((*catalogue)->put_value("same", value), Fate::ok);
  EXPECT_LT(std::filesystem::file_size(file.string() + "-wal"), 40u << 20) << "94 MiB were written";
}

}  // namespace
}  // namespace godwit
