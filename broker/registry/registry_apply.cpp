// Registry::apply: what each kind of record does.
//
// Replay. A row may be newer than the record at hand: it was brought up to date after records that are now replayed. So
// each device that a record concerns is asked on its own; a version above the record's place says that it has seen it.
// A device goes through its own changes as it did then, whatever state the others are in already:
//  - the named device has seen the record: it stays as it is, but a token that the record claims is still taken from
//    holders that have not seen it;
//  - the holder of a claimed token has seen the record: it got the token later and keeps it. Both hold it until the
//    record comes that gave it to the holder;
//  - two rows hold one token: the same, until that record comes. If it never does (the journal was damaged),
//    end_replay() decides for the row with the newer version.
#include <algorithm>
#include <utility>

#include "broker/registry/registry_impl.hpp"

namespace godwit {
namespace {

// A channel that was copied from an earlier state of the device (it has a time) must not undo what happened to it
// since: a newer token, or a vendor's word that the token is dead.
void prefer_newer(ChannelFields& copy, const ChannelFields& current) {
  if (copy.registered_ms == 0) return;
  const bool newer = current.token == copy.token ? current.registered_ms >= copy.registered_ms
                                                 : current.registered_ms > copy.registered_ms;
  if (newer) copy = {copy.channel, current.token, current.invalid, current.registered_ms};
}

// Seconds: a device that is removed and made anew begins above all generations of the removed one, so that the
// credentials of before stay void.
uint32_t first_generation(WallMs at_ms) {
  return static_cast<uint32_t>(std::clamp<WallMs>(at_ms / 1000, 1, UINT32_MAX));
}

bool same_tokens(const DeviceFields& a, const DeviceFields& b) {
  const auto same = [](const ChannelFields& x, const ChannelFields& y) {
    return x.channel == y.channel && x.token == y.token && x.invalid == y.invalid;
  };
  return std::is_permutation(a.channels.begin(), a.channels.end(), b.channels.begin(), b.channels.end(), same);
}

}  // namespace

Result<RegistryChange> Registry::apply(std::string_view record_body, uint64_t position) {
  Impl& impl = *impl_;
  if (auto parsed = parse_registry_record(record_body, impl.record); !parsed) return std::move(parsed).error();
  if (impl.record.kind == RegistryRecordKind::put) return impl.put(position);

  const auto app = impl.find_app(impl.record.app);
  const DeviceNo no = app == Impl::kNoApp ? kNoDevice : impl.find(app, impl.record.device_id);
  RegistryChange nothing;
  nothing.known = no != kNoDevice;
  nothing.device = no;
  if (!nothing.known) return nothing;
  if (impl.packed_at(no).version() > position) {
    if (impl.record.kind == RegistryRecordKind::token_changed) impl.token_changed_before(app, no, position);
    return nothing;
  }
  switch (impl.record.kind) {
    case RegistryRecordKind::remove:
      return impl.remove(no, position);
    case RegistryRecordKind::topic:
      return impl.change_topic(no, position);
    case RegistryRecordKind::token_dead:
      return impl.token_dead(no, position);
    case RegistryRecordKind::token_changed:
      return impl.token_changed(no, position);
    case RegistryRecordKind::revoke:
      return impl.revoke(no, position);
    case RegistryRecordKind::put:
      break;
  }
  return nothing;
}

Result<RegistryChange> Registry::Impl::put(uint64_t position) {
  DeviceFields& now = record.device;
  const AppNo app = make_app(now.app);
  RegistryChange change;
  change.device = find(app, now.id);
  if (change.device != kNoDevice && packed_at(change.device).version() > position) {
    RegistryChange ignored;
    for (const ChannelFields& c : now.channels) claim(app, change.device, c, position, ignored);
    return change;
  }

  topic_numbers.clear();
  before.clear();
  if (change.device == kNoDevice) {
    if (next >= UserIndex::kListBit)
      return Error{Code::no_space, "all 2^31 device numbers are used up; move to a new data directory", "registry"};
    change.created = true;
    change.device = next++;
    now.created_ms = record.at_ms;
    now.generation = first_generation(record.at_ms);
  } else {
    packed_at(change.device).unpack(words, before);
    now.created_ms = before.created_ms;
    now.generation = before.generation;
    topic_numbers = topics_of(change.device);
  }
  now.number = change.device;

  for (ChannelFields& c : now.channels)
    if (const ChannelFields* current = before.channel(c.channel)) prefer_newer(c, *current);
  std::erase_if(now.channels, [&](const ChannelFields& c) { return !claim(app, change.device, c, position, change); });
  for (ChannelFields& c : now.channels)
    if (c.registered_ms == 0) c.registered_ms = record.at_ms;
  change.token_changed = !same_tokens(before, now);
  now.version = position + 1;
  now.updated_ms = record.at_ms;
  store(app, now, topic_numbers);
  mark(now.number);
  return change;
}

// Whether `self` gets the channel's token; it is taken from whoever held it.
bool Registry::Impl::claim(AppNo app, DeviceNo self, const ChannelFields& channel, uint64_t position,
                           RegistryChange& change) {
  const uint32_t word = words.find(channel.channel);
  if (!channel.is_live() || word == StringPool::kNone) return true;
  find_holders(app, word, channel.token, self);
  if (holders.empty()) return true;
  // One above the place is this very record, which may have taken another token from the holder before.
  const auto got_it_later = [&](DeviceNo holder) { return packed_at(holder).version() > position + 1; };
  for (const DeviceNo holder : holders) {
    const WallMs since = packed_at(holder).channel(word)->registered_ms;
    if (got_it_later(holder) && since > record.at_ms) continue;
    if (channel.registered_ms != 0 && since >= channel.registered_ms) return false;
  }
  for (const DeviceNo holder : holders) {
    if (got_it_later(holder)) {
      shared_tokens.insert(shared_tokens.end(), {holder, self});
      continue;
    }
    strip(holder, channel.channel, position + 1, record.at_ms);
    change.moves.push_back({std::string(channel.channel), holder});
  }
  return true;
}

void Registry::Impl::strip(DeviceNo holder, std::string_view channel, uint64_t version, WallMs updated_ms) {
  const PackedDevice held = packed_at(holder);
  const AppNo app = held.app();
  held.unpack(words, other);
  other.number = holder;
  std::erase_if(other.channels, [&](const ChannelFields& c) { return c.channel == channel; });
  other.version = version;
  other.updated_ms = updated_ms;
  store(app, other, topics_of(holder));
  mark(holder);
}

void Registry::end_replay() {
  Impl& impl = *impl_;
  const std::vector<DeviceNo> sharers = std::exchange(impl.shared_tokens, {});
  for (const DeviceNo no : sharers) {
    if (!exists(no)) continue;
    impl.unpack(no, impl.before);
    const auto app = impl.packed_at(no).app();
    for (const ChannelFields& c : impl.before.channels) {
      if (!c.is_live()) continue;
      impl.find_holders(app, impl.words.find(c.channel), c.token, no);
      for (const DeviceNo holder : impl.holders) {
        const PackedDevice held = impl.packed_at(holder);
        const bool older = std::pair(held.version(), holder) < std::pair(impl.before.version, no);
        if (older) impl.strip(holder, c.channel, held.version(), impl.before.updated_ms);
      }
    }
  }
}

void Registry::Impl::touch(AppNo app, DeviceFields& device, uint64_t position) {
  device.version = position + 1;
  device.updated_ms = record.at_ms;
  store(app, device, topic_numbers);
  mark(device.number);
}

RegistryChange Registry::Impl::remove(DeviceNo no, uint64_t position) {
  const PackedDevice device = packed_at(no);
  const AppNo app = device.app();
  const std::string_view user = device.user();
  bury(no, {apps[app].name, std::string(device.id()), std::string(user.empty() ? device.id() : user), position + 1});
  unindex_tokens(no, device);
  if (!user.empty()) users.remove(user_hash(app, user), no);
  ids.erase(id_hash(app, device.id()), no);
  for (const uint32_t topic : topics_of(no)) topics.leave(topic, no);
  apps[app].members.remove(no);
  device.release(words);
  table.take(no);
  RegistryChange change;
  change.device = no;
  change.removed = true;
  return change;
}

RegistryChange Registry::Impl::change_topic(DeviceNo no, uint64_t position) {
  RegistryChange change;
  change.device = no;
  const AppNo app = packed_at(no).app();
  topic_numbers = topics_of(no);
  const uint32_t known = topics.find(app, record.topic);
  const bool follows = known != TopicTable::kNone && topics.followers(known).contains(no);
  if (follows == record.subscribed) return change;
  packed_at(no).unpack(words, before);
  before.number = no;
  if (record.subscribed) {
    topic_numbers.push_back(topics.follow(app, record.topic, no));
  } else {
    std::erase(topic_numbers, known);
    topics.leave(known, no);
  }
  touch(app, before, position);
  return change;
}

RegistryChange Registry::Impl::token_dead(DeviceNo no, uint64_t position) {
  RegistryChange change;
  change.device = no;
  packed_at(no).unpack(words, before);
  before.number = no;
  ChannelFields* channel = before.channel(record.channel);
  if (!channel || channel->invalid || channel->token != record.token) return change;
  if (record.since_ms != 0 && channel->registered_ms > record.since_ms) return change;
  channel->invalid = true;
  change.token_changed = true;
  topic_numbers = topics_of(no);
  touch(packed_at(no).app(), before, position);
  return change;
}

RegistryChange Registry::Impl::token_changed(DeviceNo no, uint64_t position) {
  RegistryChange change;
  change.device = no;
  packed_at(no).unpack(words, before);
  before.number = no;
  ChannelFields* channel = before.channel(record.channel);
  if (!channel || channel->token != record.old_token || record.token == record.old_token) return change;
  const AppNo app = packed_at(no).app();
  // This may store other devices, never this one: `before` goes on looking at living bytes.
  claim(app, no, {record.channel, record.token, false, 0}, position, change);
  *channel = {record.channel, record.token, false, record.at_ms};
  change.token_changed = true;
  topic_numbers = topics_of(no);
  touch(app, before, position);
  return change;
}

// The device has seen the record. If it has that token now, the record gave it.
void Registry::Impl::token_changed_before(AppNo app, DeviceNo no, uint64_t position) {
  const auto channel = packed_at(no).channel(words.find(record.channel));
  if (!channel || channel->token != record.token) return;
  RegistryChange ignored;
  claim(app, no, {record.channel, record.token, false, 0}, position, ignored);
}

RegistryChange Registry::Impl::revoke(DeviceNo no, uint64_t position) {
  RegistryChange change;
  change.device = no;
  packed_at(no).unpack(words, before);
  before.number = no;
  ++before.generation;
  topic_numbers = topics_of(no);
  touch(packed_at(no).app(), before, position);
  return change;
}

void Registry::Impl::store(AppNo app, const DeviceFields& device, std::span<const uint32_t> device_topics) {
  const DeviceNo no = device.number;
  packed.clear();
  pack_device(packed, device, app, device_topics, words);
  const DeviceTable::Bytes old = table.put(no, packed);
  std::string_view old_user;
  if (old) {
    const PackedDevice was(old.get());
    old_user = was.user();
    unindex_tokens(no, was);
    if (!old_user.empty() && old_user != device.user_id) users.remove(user_hash(app, old_user), no);
  } else {
    ids.insert(id_hash(app, device.id), no);
    apps[app].members.add(no);
  }
  if (!device.user_id.empty() && old_user != device.user_id) bind_user(app, device.user_id, no);
  index_tokens(no, packed_at(no));
  if (old) PackedDevice(old.get()).release(words);
}

void Registry::Impl::bind_user(AppNo app, std::string_view user, DeviceNo no) {
  users.add(user_hash(app, user), no, [&](DeviceNo first) {
    const PackedDevice device = packed_at(first);
    return device.app() == app && device.user() == user;
  });
}

void Registry::Impl::index_tokens(DeviceNo no, PackedDevice device) {
  const AppNo app = device.app();
  device.for_each_channel([&](const PackedDevice::Channel& c) {
    if (c.is_live()) tokens.insert(token_hash(app, c.word, c.token), no);
    return true;
  });
}

void Registry::Impl::unindex_tokens(DeviceNo no, PackedDevice device) {
  const AppNo app = device.app();
  device.for_each_channel([&](const PackedDevice::Channel& c) {
    if (c.is_live()) tokens.erase(token_hash(app, c.word, c.token), no);
    return true;
  });
}

}  // namespace godwit
