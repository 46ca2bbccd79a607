// Devices: every change is durable before it is applied, and changes of one device follow one another.
#include "broker/base/encoding.hpp"
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr unsigned kMostListed = 1'000;
constexpr size_t kMostRemovedIds = 100'000;

Error no_such_device(const std::string& id) {
  return {Code::not_found, "no such device", id};
}

}  // namespace

// ---- Writing

void Core::put_device(Device device, Done<DeviceAnswer> done) {
  if (device.id.empty()) {
    const uint64_t words[2] = {random_.next(), random_.next() ^ static_cast<uint64_t>(wall_)};
    device.id = to_hex({reinterpret_cast<const char*>(words), sizeof words});
  }
  const std::string app = device.app, id = device.id;
  auto make = [this, device = std::move(device)]() -> Result<std::string> {
    return registry_record::put(device, wall_);
  };
  registry_writer_.change(app, id, std::move(make), [this, done = std::move(done)](Result<RegistryChange> c) mutable {
    answer_device(std::move(c), done);
  });
}

void Core::answer_device(Result<RegistryChange> change, Done<DeviceAnswer>& done) {
  if (!change) return done(std::move(change).error());
  if (!change->known || !registry_.exists(change->device)) return done(no_such_device({}));
  DeviceAnswer answer;
  answer.device = registry_.device(change->device);
  answer.created = change->created;
  for (const auto& move : change->moves)
    answer.moved_from.emplace_back(move.channel, std::string(device_id(move.from)));
  done(std::move(answer));
}

void Core::patch_device(std::string app, std::string id, Callback<Result<void>(Device&)> edit,
                        Done<DeviceAnswer> done) {
  auto make = [this, app, id, edit = std::move(edit)]() mutable -> Result<std::string> {
    const DeviceNo no = registry_.find(app, id);
    if (no == kNoDevice) return no_such_device(id);
    Device device = registry_.device(no);
    if (auto fault = edit(device); !fault) return std::move(fault).error();
    return registry_record::put(device, wall_);
  };
  registry_writer_.change(app, id, std::move(make), [this, done = std::move(done)](Result<RegistryChange> c) mutable {
    answer_device(std::move(c), done);
  });
}

void Core::delete_device(std::string app, std::string id, Done<Device> done) {
  const auto removed = std::make_shared<Device>();
  auto make = [this, app, id, removed]() -> Result<std::string> {
    const DeviceNo no = registry_.find(app, id);
    if (no == kNoDevice) return no_such_device(id);
    *removed = registry_.device(no);
    // Kept before the record is applied: the open deliveries must still be able to name it.
    if (removed_ids_.size() >= kMostRemovedIds) removed_ids_.clear();  // old histories lose a name
    removed_ids_[no] = id;
    return registry_record::remove(app, id);
  };
  registry_writer_.change(app, id, std::move(make),
                          [removed, done = std::move(done)](Result<RegistryChange> c) mutable {
                            if (!c) return done(std::move(c).error());
                            done(std::move(*removed));
                          });
}

// ---- What a change means for messages and for the router

void Core::device_changed(const RegistryChange& change) {
  if (!change.known) return;
  for (const auto& move : change.moves) load_device(move.from);
  if (change.removed) return forget_device(change.device);
  load_device(change.device);
  if (change.token_changed) {
    router_.reinstalled(change.device);
    forget_presence(change.device);
  }
  // What could not be sent for want of a channel may have one now.
  std::vector<DeliveryIx> waiting;
  for (DeliveryIx i = book_.newest_of(change.device); i != kNone; i = book_.delivery(i).device_next) {
    const Delivery& d = book_.delivery(i);
    if (!d.final && d.live == 0 && d.state < DeliveryState::sent && (d.wake == Wake::parked || d.waits_for_presence))
      waiting.push_back(i);
  }
  for (const DeliveryIx dix : waiting) route(dix);
}

void Core::load_device(DeviceNo no) {
  if (no >= device_channels_.size()) device_channels_.resize(std::max<size_t>(registry_.end(), no + 1));
  uint32_t channels = 0, routes = 0;
  registry_.for_each_token(no, [&](const Registry::Token& token) {
    for (const ChannelSlot& slot : slots_)
      if (slot.name == token.channel) {
        channels |= slot.bit();
        routes |= 1u << slot.route;
      }
  });
  device_channels_[no] = channels;
  routing::DeviceTraits traits;
  traits.manufacturer = registry_.manufacturer_of(no);
  traits.platform = registry_.platform_of(no);
  traits.os_version = registry_.os_version_of(no);
  traits.app_version = registry_.app_version_of(no);
  traits.region = registry_.timezone_of(no);  // what a device says of where it is
  router_.set_device(no, traits, routes);
}

void Core::forget_device(DeviceNo no) {
  if (no >= device_channels_.size()) return;
  device_channels_[no] = 0;
  std::vector<DeliveryIx> open;
  for (DeliveryIx i = book_.newest_of(no); i != kNone; i = book_.delivery(i).device_next) open.push_back(i);
  for (const DeliveryIx dix : open) {
    Delivery& d = book_.delivery(dix);
    book_.drop_queued(d);
    if (!d.final && d.live == 0)
      finish(dix, d.state == DeliveryState::sent ? d.state : DeliveryState::failed, Reason::device_removed);
  }
  for (ChannelSlot& slot : slots_)
    if (slot.caps.presence) gone_offline(no, slot, now_);
  router_.forget_device(no);
}

std::string_view Core::device_id(DeviceNo no) const {
  if (no == kNoDevice) return {};
  if (registry_.exists(no)) return registry_.id_of(no);
  const auto it = removed_ids_.find(no);
  return it == removed_ids_.end() ? std::string_view() : std::string_view(it->second);
}

// ---- Reading

void Core::get_device(const std::string& app, const std::string& id, Done<Device> done) {
  const DeviceNo no = registry_.find(app, id);
  if (no == kNoDevice) return done(no_such_device(id));
  done(registry_.device(no));
}

void Core::user_devices(const std::string& app, const std::string& user, Done<std::vector<Device>> done) {
  std::vector<Device> out;
  for (const DeviceNo no : registry_.user_devices(app, user)) out.push_back(registry_.device(no));
  done(std::move(out));
}

void Core::list_devices(const std::string& app, const std::string& page, unsigned limit,
                        Done<Broker::DeviceList> done) {
  Broker::DeviceList out;
  DeviceNo from = static_cast<DeviceNo>(std::strtoul(page.c_str(), nullptr, 10));
  limit = limit == 0 ? kMostListed : std::min(limit, kMostListed);
  while ((from = registry_.next_of_app(app, from)) != kNoDevice) {
    if (out.devices.size() == limit) {
      out.next_page = std::to_string(from);
      break;
    }
    out.devices.push_back(registry_.device(from++));
  }
  done(std::move(out));
}

}  // namespace godwit::engine
