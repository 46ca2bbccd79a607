// SqliteCatalogue: the catalogue in one SQLite file, registry.db.
//
// One connection writes, under a mutex; readers borrow read-only connections and never wait for the writer. Rows are
// written without a flush (a power cut may take the last ones, the journal has them); values and plugin key-values are
// flushed, and their flush covers everything before them. The log is copied into the file by the writer every 4,000
// pages.
//
// A full disk fails the write and nothing else. Any other error of a write poisons the catalogue: later writes answer
// `unknown`, reads go on.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/storage/catalogue.hpp"
#include "broker/storage/sqlite/connection.hpp"

namespace godwit {

class SqliteCatalogue final : public Catalogue {
 public:
  // Creates the file when it is missing. `vfs` names another file layer, for tests.
  static Result<std::unique_ptr<SqliteCatalogue>> open(const std::filesystem::path& file, const std::string& vfs = {});
  ~SqliteCatalogue() override;

  Fate put_devices(std::span<const DeviceRow> rows) override;
  Result<void> scan_devices(const std::function<bool(const DeviceRowView&)>& sink) override;
  Fate put_value(std::string_view key, std::string_view value) override;
  Result<std::optional<std::string>> get_value(std::string_view key) override;
  Result<std::optional<Versioned>> kv_get(std::string_view instance, std::string_view key) override;
  Result<uint64_t> kv_put(std::string_view instance, std::string_view key, std::string_view value,
                          uint64_t expected) override;
  Result<void> kv_remove(std::string_view instance, std::string_view key, uint64_t expected) override;
  Result<void> kv_scan(std::string_view instance, std::string_view prefix,
                       const std::function<bool(std::string_view key, const Versioned&)>& sink) override;

 private:
  struct Statements;
  enum class Flush { no, yes };
  using Body = std::function<Result<void>()>;
  using Reading = std::function<Result<void>(SqliteConnection&)>;

  SqliteCatalogue(std::filesystem::path file, std::string vfs);
  Result<void> prepare();
  Result<void> write(Flush flush, const Body& body);  // one transaction
  Result<void> run_transaction(Flush flush, const Body& body);
  Result<void> put_device(const DeviceRow& row);
  Result<uint64_t> kv_version(std::string_view instance, std::string_view key);
  void copy_log_when_long();
  Result<void> read(const Reading& body);
  Error poison(Error error);

  const std::filesystem::path file_;
  const std::string vfs_;

  std::mutex writer_mutex_;  // guards the next block
  SqliteConnection writer_;
  std::unique_ptr<Statements> statements_;  // the writer's
  Flush flush_ = Flush::no;                 // as the writer is set now
  int log_pages_ = 0;
  bool poisoned_ = false;

  std::mutex readers_mutex_;
  std::vector<SqliteConnection> idle_readers_;  // guarded by readers_mutex_
};

}  // namespace godwit
