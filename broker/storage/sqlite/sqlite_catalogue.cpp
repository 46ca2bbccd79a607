#include "broker/storage/sqlite/sqlite_catalogue.hpp"

#include <spdlog/spdlog.h>

namespace godwit {
namespace {

constexpr int64_t kFormat = 1;
constexpr int64_t kApplicationId = 0x47575247;  // "GWRG": file(1) and we know the file by it
constexpr int kLogPages = 4000;
constexpr size_t kIdleReaders = 4;

// Names and ids are blobs: they are compared byte by byte, and any byte may be in them.
constexpr const char* kSchema =
    "create table device(number integer primary key, app blob not null, device_id blob not null, subject blob not null,"
    " version integer not null, packed blob not null);"
    "create unique index device_by_id on device(app, device_id);"
    "create table value(key blob primary key, value blob not null) without rowid;"
    "create table plugin_kv(instance blob, key blob, value blob not null, version integer not null,"
    " primary key(instance, key)) without rowid;"
    "create table sequence(name text primary key, last integer not null) without rowid;"
    "insert into sequence values('plugin_kv', 0);";

}  // namespace

struct SqliteCatalogue::Statements {
  SqliteStatement begin, commit, rollback;
  SqliteStatement find_device, insert_device, update_device, delete_device;
  SqliteStatement put_value;
  SqliteStatement find_kv, next_kv_version, put_kv, delete_kv;

  void reset_all() {
    for (SqliteStatement* statement : {&find_device, &insert_device, &update_device, &delete_device, &put_value,
                                       &find_kv, &next_kv_version, &put_kv, &delete_kv}) {
      statement->reset();
    }
  }
};

namespace {

// Runs a statement that returns no rows.
Result<void> run(SqliteConnection& connection, SqliteStatement& statement, const char* doing) {
  const int rc = statement.step();
  Result<void> result;
  if (rc != SQLITE_DONE) result = connection.error(rc, doing);
  statement.reset();
  return result;
}

}  // namespace

SqliteCatalogue::SqliteCatalogue(std::filesystem::path file, std::string vfs)
    : file_(std::move(file)), vfs_(std::move(vfs)) {}

Result<std::unique_ptr<SqliteCatalogue>> SqliteCatalogue::open(const std::filesystem::path& file,
                                                               const std::string& vfs) {
  std::unique_ptr<SqliteCatalogue> catalogue(new SqliteCatalogue(file, vfs));
  if (auto r = catalogue->prepare(); !r) {
    catalogue->statements_.reset();
    catalogue->writer_.abandon();
    Error error = std::move(r).error().with("opening the catalogue");
    if (error.code == Code::invalid) {
      error.message += "; restore it from a backup: the journal knows only the devices that changed lately";
    }
    return error;
  }
  return catalogue;
}

Result<void> SqliteCatalogue::prepare() {
  if (auto r = check_sqlite_library(); !r) return r;
  auto opened = SqliteConnection::open(file_, SqliteConnection::Mode::create, vfs_);
  if (!opened) return std::move(opened).error();
  writer_ = std::move(*opened);
  if (auto r = writer_.exec("pragma page_size=4096; pragma journal_mode=wal; pragma synchronous=normal;"
                            "pragma wal_autocheckpoint=0; pragma cache_size=-16384");
      !r) {
    return r;
  }
  const auto id = writer_.query_integer("pragma application_id");
  const auto format = writer_.query_integer("pragma user_version");
  const auto tables = writer_.query_integer("select count(*) from sqlite_schema");
  if (!id) return Result<void>(id.error());
  if (!format) return Result<void>(format.error());
  if (!tables) return Result<void>(tables.error());
  if (**tables == 0) {
    const std::string sql = "pragma synchronous=full; begin immediate;" + std::string(kSchema) +
                            "pragma application_id=" + std::to_string(kApplicationId) +
                            "; pragma user_version=" + std::to_string(kFormat) + "; commit; pragma synchronous=normal";
    if (auto r = writer_.exec(sql.c_str()); !r) return r;
  } else if (**id != kApplicationId) {
    return Error{Code::conflict, "is another program's database; give this broker its own data directory",
                 file_.string()};
  } else if (**format != kFormat) {
    return Error{Code::unsupported, "format " + std::to_string(**format) + " was written by a newer version",
                 file_.string()};
  }
  sqlite3_wal_hook(
      writer_.raw(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<SqliteCatalogue*>(self)->log_pages_ = pages;
        return SQLITE_OK;
      },
      this);

  statements_ = std::make_unique<Statements>();
  const std::pair<SqliteStatement*, const char*> all[] = {
      {&statements_->begin, "begin immediate"},
      {&statements_->commit, "commit"},
      {&statements_->rollback, "rollback"},
      {&statements_->find_device, "select number, version from device where app = ?1 and device_id = ?2"},
      {&statements_->insert_device,
       "insert or replace into device(number, app, device_id, subject, version, packed) values(?1, ?2, ?3, ?4, ?5, "
       "?6)"},
      {&statements_->update_device, "update device set subject = ?2, version = ?3, packed = ?4 where number = ?1"},
      {&statements_->delete_device, "delete from device where number = ?1"},
      {&statements_->put_value, "insert or replace into value(key, value) values(?1, ?2)"},
      {&statements_->find_kv, "select version from plugin_kv where instance = ?1 and key = ?2"},
      {&statements_->next_kv_version, "update sequence set last = last + 1 where name = 'plugin_kv' returning last"},
      {&statements_->put_kv, "insert or replace into plugin_kv(instance, key, value, version) values(?1, ?2, ?3, ?4)"},
      {&statements_->delete_kv, "delete from plugin_kv where instance = ?1 and key = ?2"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = writer_.prepare(sql);
    if (!prepared) return std::move(prepared).error();
    *statement = std::move(*prepared);
  }
  return {};
}

SqliteCatalogue::~SqliteCatalogue() {
  idle_readers_.clear();
  statements_.reset();
  if (!writer_.is_open()) return;
  if (!poisoned_) {
    const auto busy = writer_.checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    if (busy) return;  // and the connection's end removes the empty log
    spdlog::warn("catalogue: the log stays until the next start: {}", busy.error().message);
  }
  writer_.abandon();
}

Error SqliteCatalogue::poison(Error error) {
  if (!poisoned_) spdlog::critical("catalogue: poisoned, nothing more is written: {}", error.message);
  poisoned_ = true;
  error.code = Code::unknown;
  return error;
}

Result<void> SqliteCatalogue::write(Flush flush, const Body& body) {
  std::lock_guard lock(writer_mutex_);
  if (poisoned_)
    return Error{Code::unknown, "an earlier write had an unknown fate; only a restart tells", file_.string()};
  auto done = run_transaction(flush, body);
  if (done) {
    copy_log_when_long();
    return done;
  }
  statements_->reset_all();  // one that is still stepping would hold on to the transaction
  // The commit frame is written last: without room for all frames there is no commit. Whatever went wrong, the
  // transaction must be gone before the next one begins.
  if (sqlite3_get_autocommit(writer_.raw()) == 0) {
    if (auto r = run(writer_, statements_->rollback, "rolling back"); !r) return poison(std::move(r).error());
  }
  switch (done.error().code) {
    case Code::conflict:
    case Code::no_space:
    case Code::overloaded:
      return done;
    default:
      return poison(std::move(done).error());
  }
}

Result<void> SqliteCatalogue::run_transaction(Flush flush, const Body& body) {
  if (flush != flush_) {
    if (auto r = writer_.exec(flush == Flush::yes ? "pragma synchronous=full" : "pragma synchronous=normal"); !r)
      return r;
    flush_ = flush;
  }
  if (auto r = run(writer_, statements_->begin, "beginning a transaction"); !r) return r;
  if (auto r = body(); !r) return r;
  return run(writer_, statements_->commit, "committing");
}

// The next commit would only find a longer log if this fails for want of room; any other failure is a failed flush.
void SqliteCatalogue::copy_log_when_long() {
  if (log_pages_ < kLogPages) return;
  auto busy = writer_.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  if (!busy && busy.error().code != Code::no_space) static_cast<void>(poison(std::move(busy).error()));
}

Fate SqliteCatalogue::put_devices(std::span<const DeviceRow> rows) {
  const auto done = write(Flush::no, [&]() -> Result<void> {
    for (const DeviceRow& row : rows) {
      if (auto r = put_device(row); !r) return r;
    }
    return {};
  });
  if (done) return Fate::ok;
  return done.error().code == Code::unknown ? Fate::unknown : Fate::failed;
}

Result<void> SqliteCatalogue::put_device(const DeviceRow& row) {
  SqliteStatement& find = statements_->find_device;
  const int rc = find.bind_blob(1, row.app).bind_blob(2, row.device_id).step();
  const bool known = rc == SQLITE_ROW;
  const uint64_t number = known ? static_cast<uint64_t>(find.integer(0)) : 0;
  const uint64_t version = known ? static_cast<uint64_t>(find.integer(1)) : 0;
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) return writer_.error(rc, "looking up a device");
  find.reset();
  if (known && version > row.version) return {};
  if (known && number == row.number && !row.deleted) {
    SqliteStatement& update = statements_->update_device;
    update.bind(1, row.number).bind_blob(2, row.subject).bind(3, row.version).bind_blob(4, row.packed);
    return run(writer_, update, "updating a device");
  }
  if (known) {
    statements_->delete_device.bind(1, number);
    if (auto r = run(writer_, statements_->delete_device, "removing a device"); !r) return r;
  }
  if (row.deleted) return {};
  SqliteStatement& insert = statements_->insert_device;
  insert.bind(1, row.number).bind_blob(2, row.app).bind_blob(3, row.device_id).bind_blob(4, row.subject);
  insert.bind(5, row.version).bind_blob(6, row.packed);
  return run(writer_, insert, "adding a device");
}

Fate SqliteCatalogue::put_value(std::string_view key, std::string_view value) {
  const auto done = write(Flush::yes, [&] {
    statements_->put_value.bind_blob(1, key).bind_blob(2, value);
    return run(writer_, statements_->put_value, "putting a value");
  });
  if (done) return Fate::ok;
  return done.error().code == Code::unknown ? Fate::unknown : Fate::failed;
}

Result<uint64_t> SqliteCatalogue::kv_version(std::string_view instance, std::string_view key) {
  SqliteStatement& find = statements_->find_kv;
  const int rc = find.bind_blob(1, instance).bind_blob(2, key).step();
  const uint64_t version = rc == SQLITE_ROW ? static_cast<uint64_t>(find.integer(0)) : 0;
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) return writer_.error(rc, "looking up a key");
  find.reset();
  return version;
}

Result<uint64_t> SqliteCatalogue::kv_put(std::string_view instance, std::string_view key, std::string_view value,
                                         uint64_t expected) {
  uint64_t version = 0;
  const auto done = write(Flush::yes, [&]() -> Result<void> {
    auto now = kv_version(instance, key);
    if (!now) return std::move(now).error();
    if (expected != kAnyVersion && expected != *now) return kv_conflict(key, expected, *now);
    SqliteStatement& next = statements_->next_kv_version;
    if (const int rc = next.step(); rc != SQLITE_ROW) return writer_.error(rc, "taking a version");
    version = static_cast<uint64_t>(next.integer(0));
    if (auto r = run(writer_, next, "taking a version"); !r) return r;
    statements_->put_kv.bind_blob(1, instance).bind_blob(2, key).bind_blob(3, value).bind(4, version);
    return run(writer_, statements_->put_kv, "putting a key");
  });
  if (!done) return done.error();
  return version;
}

Result<void> SqliteCatalogue::kv_remove(std::string_view instance, std::string_view key, uint64_t expected) {
  return write(Flush::yes, [&]() -> Result<void> {
    auto now = kv_version(instance, key);
    if (!now) return std::move(now).error();
    if (expected != kAnyVersion && expected != *now) return kv_conflict(key, expected, *now);
    statements_->delete_kv.bind_blob(1, instance).bind_blob(2, key);
    return run(writer_, statements_->delete_kv, "removing a key");
  });
}

// Each reading has a connection to itself, so a sink may call us again.
Result<void> SqliteCatalogue::read(const Reading& body) {
  SqliteConnection connection;
  {
    std::lock_guard lock(readers_mutex_);
    if (!idle_readers_.empty()) {
      connection = std::move(idle_readers_.back());
      idle_readers_.pop_back();
    }
  }
  if (!connection.is_open()) {
    auto opened = SqliteConnection::open(file_, SqliteConnection::Mode::read_only, vfs_);
    if (!opened) return std::move(opened).error();
    connection = std::move(*opened);
  }
  auto done = body(connection);
  std::lock_guard lock(readers_mutex_);
  if (done && idle_readers_.size() < kIdleReaders) idle_readers_.push_back(std::move(connection));
  return done;
}

Result<void> SqliteCatalogue::scan_devices(const std::function<bool(const DeviceRowView&)>& sink) {
  return read([&](SqliteConnection& connection) -> Result<void> {
    auto rows =
        connection.prepare("select number, app, device_id, subject, version, packed from device order by number");
    if (!rows) return std::move(rows).error();
    int rc;
    while ((rc = rows->step()) == SQLITE_ROW) {
      const DeviceRowView row{static_cast<uint64_t>(rows->integer(0)), rows->bytes(1), rows->bytes(2), rows->bytes(3),
                              static_cast<uint64_t>(rows->integer(4)), rows->bytes(5)};
      if (!sink(row)) return {};
    }
    if (rc != SQLITE_DONE) return connection.error(rc, "scanning devices");
    return {};
  });
}

Result<std::optional<std::string>> SqliteCatalogue::get_value(std::string_view key) {
  std::optional<std::string> value;
  const auto done = read([&](SqliteConnection& connection) -> Result<void> {
    auto row = connection.prepare("select value from value where key = ?1");
    if (!row) return std::move(row).error();
    const int rc = row->bind_blob(1, key).step();
    if (rc == SQLITE_ROW) value = std::string(row->bytes(0));
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return connection.error(rc, "getting a value");
    return {};
  });
  if (!done) return done.error();
  return value;
}

Result<std::optional<Catalogue::Versioned>> SqliteCatalogue::kv_get(std::string_view instance, std::string_view key) {
  std::optional<Versioned> value;
  const auto done = read([&](SqliteConnection& connection) -> Result<void> {
    auto row = connection.prepare("select value, version from plugin_kv where instance = ?1 and key = ?2");
    if (!row) return std::move(row).error();
    const int rc = row->bind_blob(1, instance).bind_blob(2, key).step();
    if (rc == SQLITE_ROW) value = Versioned{std::string(row->bytes(0)), static_cast<uint64_t>(row->integer(1))};
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return connection.error(rc, "getting a key");
    return {};
  });
  if (!done) return done.error();
  return value;
}

Result<void> SqliteCatalogue::kv_scan(std::string_view instance, std::string_view prefix,
                                      const std::function<bool(std::string_view key, const Versioned&)>& sink) {
  return read([&](SqliteConnection& connection) -> Result<void> {
    auto rows =
        connection.prepare("select key, value, version from plugin_kv where instance = ?1 and key >= ?2 order by key");
    if (!rows) return std::move(rows).error();
    rows->bind_blob(1, instance).bind_blob(2, prefix);
    int rc;
    while ((rc = rows->step()) == SQLITE_ROW) {
      if (!rows->bytes(0).starts_with(prefix)) return {};
      const Versioned value{std::string(rows->bytes(1)), static_cast<uint64_t>(rows->integer(2))};
      if (!sink(rows->bytes(0), value)) return {};
    }
    if (rc != SQLITE_DONE) return connection.error(rc, "scanning keys");
    return {};
  });
}

}  // namespace godwit
