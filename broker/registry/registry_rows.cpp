// Registry and the catalogue: load() at start, dirty rows while running.
//
// Rows leave oldest change first, so new devices reach the catalogue in the order of their numbers, and the registry's
// own row (number 0) goes along whenever a row disappears. Whatever a crash cuts off, the catalogue then knows the
// highest number that it has ever seen, and replay gives the rest the same numbers again.
#include <algorithm>

#include "broker/registry/device_codec.hpp"
#include "broker/registry/registry_impl.hpp"

namespace godwit {
namespace {

constexpr size_t kMaxFaults = 10;

void add_fault(RegistryLoad& report, uint64_t number, std::string_view app, std::string_view id, std::string_view why) {
  ++report.damaged;
  if (report.faults.size() >= kMaxFaults) return;
  report.faults.push_back("device row " + std::to_string(number) + " (app \"" + std::string(app) + "\", device \"" +
                          std::string(id) + "\") is left out: " + std::string(why) +
                          "; it comes back when the device registers again");
}

}  // namespace

// Packs row after row, then builds the indexes at once: a million rows would otherwise wait for memory five million
// times.
Result<RegistryLoad> Registry::load(Catalogue& catalogue) {
  Impl& impl = *impl_;
  RegistryLoad report;
  DeviceFields scratch;
  auto scanned = catalogue.scan_devices([&](const DeviceRowView& row) {
    if (auto loaded = impl.load_row(row, scratch); !loaded)
      add_fault(report, row.number, row.app, row.device_id, loaded.error().message);
    if (row.number != 0) report.newest_version = std::max(report.newest_version, row.version);
    return true;
  });
  impl.index_loaded(report);
  if (!scanned) return std::move(scanned).error().with("loading the devices");
  impl.taken_mark = impl.next;
  report.devices = size();
  return report;
}

Result<void> Registry::Impl::load_row(const DeviceRowView& row, DeviceFields& scratch) {
  if (row.number == 0) {
    auto mark = decode_mark_row(row);
    if (!mark) return std::move(mark).error();
    if (*mark >= UserIndex::kListBit) return Error{Code::invalid, "its number is out of range", "device row"};
    stored_mark = *mark;
    next = std::max(next, static_cast<DeviceNo>(*mark));
    return {};
  }
  if (row.number >= UserIndex::kListBit) return Error{Code::invalid, "its number is out of range", "device row"};
  const auto no = static_cast<DeviceNo>(row.number);
  next = std::max(next, no + 1);  // of a damaged row too: its number stays used
  if (auto decoded = decode_device_row(row, scratch); !decoded) return decoded;
  if (table.at(no)) return Error{Code::conflict, "another row has the same number", "device row"};

  const AppNo app = make_app(scratch.app);
  topic_numbers.clear();
  for (const std::string_view topic : scratch.topics)
    if (const uint32_t number = topics.follow(app, topic, no); number != TopicTable::kNone)
      topic_numbers.push_back(number);
  packed.clear();
  pack_device(packed, scratch, app, topic_numbers, words);
  table.put(no, packed);
  apps[app].members.add(no);
  ids.set_aside(id_hash(app, scratch.id), no);
  if (!scratch.user_id.empty()) users.set_aside(user_hash(app, scratch.user_id), no);
  PackedDevice(packed.data()).for_each_channel([&](const PackedDevice::Channel& c) {
    if (c.is_live()) tokens.set_aside(token_hash(app, c.word, c.token), no);
    return true;
  });
  return {};
}

void Registry::Impl::index_loaded(RegistryLoad& report) {
  users.settle([&](DeviceNo a, DeviceNo b) {
    return packed_at(a).app() == packed_at(b).app() && packed_at(a).user() == packed_at(b).user();
  });
  tokens.settle([&](DeviceNo a, DeviceNo b) {
    shared_tokens.insert(shared_tokens.end(), {a, b});  // so it seems by hash; end_replay() looks closer
    return false;
  });
  std::vector<DeviceNo> twins;
  ids.settle([&](DeviceNo a, DeviceNo b) {
    if (packed_at(a).app() == packed_at(b).app() && packed_at(a).id() == packed_at(b).id())
      twins.push_back(packed_at(a).version() < packed_at(b).version() ? a : b);
    return false;
  });
  for (const DeviceNo older : twins) {
    if (!table.at(older)) continue;
    const PackedDevice device = packed_at(older);
    add_fault(report, older, apps[device.app()].name, device.id(), "another row has a newer state of the device");
    remove(older, device.version() - 1);
  }
}

void Registry::Impl::mark(DeviceNo no) {
  if (table.flag(no)) return;
  table.set_flag(no, true);
  ++dirty_devices;
  dirty_queue.push_back(no);
}

void Registry::Impl::bury(DeviceNo no, Tombstone tombstone) {
  if (table.flag(no)) {
    --dirty_devices;  // it stands in the queue already
  } else {
    dirty_queue.push_back(no);
  }
  tombstones.insert_or_assign(no, std::move(tombstone));
}

std::vector<DeviceRow> Registry::take_dirty(size_t max) {
  Impl& impl = *impl_;
  std::vector<DeviceRow> rows;
  bool buried = false;
  DeviceFields fields;
  while (rows.size() < max && !impl.dirty_queue.empty()) {
    const DeviceNo no = impl.dirty_queue.front();
    impl.dirty_queue.pop_front();
    if (const auto grave = impl.tombstones.find(no); grave != impl.tombstones.end()) {
      Impl::Tombstone& t = grave->second;
      rows.push_back({no, std::move(t.app), std::move(t.id), std::move(t.subject), t.version, true, {}});
      impl.tombstones.erase(grave);
      buried = true;
    } else if (impl.table.flag(no)) {
      impl.table.set_flag(no, false);
      --impl.dirty_devices;
      impl.unpack(no, fields);
      rows.push_back(encode_device_row(fields));
    } else {
      continue;
    }
    impl.taken_mark = std::max(impl.taken_mark, uint64_t{no} + 1);
  }
  if (buried && impl.taken_mark > impl.stored_mark) {
    rows.push_back(encode_mark_row(impl.taken_mark));
    impl.stored_mark = impl.taken_mark;
  }
  return rows;
}

void Registry::mark_dirty(std::span<const DeviceRow> rows) {
  Impl& impl = *impl_;
  for (size_t i = rows.size(); i-- > 0;) {
    const DeviceRow& row = rows[i];
    const auto no = static_cast<DeviceNo>(row.number);
    if (no == 0) {
      impl.stored_mark = 0;
      continue;
    }
    if (row.deleted) {
      impl.tombstones.try_emplace(no, Impl::Tombstone{row.app, row.device_id, row.subject, row.version});
    } else if (impl.table.at(no)) {
      if (!impl.table.flag(no)) {
        impl.table.set_flag(no, true);
        ++impl.dirty_devices;
      }
    } else {
      continue;  // removed since: its tombstone is on the way
    }
    impl.dirty_queue.push_front(no);
  }
}

size_t Registry::dirty() const {
  return impl_->dirty_devices + impl_->tombstones.size();
}

}  // namespace godwit
