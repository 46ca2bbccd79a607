#include "broker/registry/registry.hpp"

#include <algorithm>

#include "broker/registry/registry_impl.hpp"

namespace godwit {

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

Registry::Impl::AppNo Registry::Impl::find_app(std::string_view name) const {
  const auto found = app_numbers.find(name);
  return found == app_numbers.end() ? kNoApp : found->second;
}

Registry::Impl::AppNo Registry::Impl::make_app(std::string_view name) {
  if (const AppNo known = find_app(name); known != kNoApp) return known;
  const auto number = static_cast<AppNo>(apps.size());
  apps.push_back({std::string(name), {}});
  app_numbers.emplace(std::string(name), number);
  return number;
}

DeviceNo Registry::Impl::find(AppNo app, std::string_view id) const {
  return ids.find(id_hash(app, id), [&](DeviceNo no) {
    const PackedDevice device = packed_at(no);
    return device.app() == app && device.id() == id;
  });
}

bool Registry::Impl::holds(DeviceNo no, AppNo app, uint32_t channel_word, std::string_view token) const {
  const PackedDevice device = packed_at(no);
  if (device.app() != app) return false;
  const auto channel = device.channel(channel_word);
  return channel && channel->is_live() && channel->token == token;
}

DeviceNo Registry::Impl::find_token(AppNo app, uint32_t channel_word, std::string_view token) const {
  return tokens.find(token_hash(app, channel_word, token),
                     [&](DeviceNo no) { return holds(no, app, channel_word, token); });
}

void Registry::Impl::find_holders(AppNo app, uint32_t channel_word, std::string_view token, DeviceNo self) {
  holders.clear();
  tokens.find(token_hash(app, channel_word, token), [&](DeviceNo no) {
    if (no != self && holds(no, app, channel_word, token)) holders.push_back(no);
    return false;  // go on to the next
  });
}

std::vector<uint32_t> Registry::Impl::topics_of(DeviceNo no) const {
  std::vector<uint32_t> numbers;
  packed_at(no).for_each_topic([&](uint32_t topic) { numbers.push_back(topic); });
  return numbers;
}

void Registry::Impl::unpack(DeviceNo no, DeviceFields& out) const {
  const PackedDevice device = packed_at(no);
  device.unpack(words, out);
  device.for_each_topic([&](uint32_t topic) { out.topics.push_back(topics.name(topic)); });
  out.app = apps[device.app()].name;
  out.number = no;
}

DeviceNo Registry::find(std::string_view app, std::string_view device_id) const {
  const auto number = impl_->find_app(app);
  return number == Impl::kNoApp ? kNoDevice : impl_->find(number, device_id);
}

DeviceNo Registry::find_token(std::string_view app, std::string_view channel, std::string_view token) const {
  const auto number = impl_->find_app(app);
  const uint32_t word = impl_->words.find(channel);
  if (number == Impl::kNoApp || word == StringPool::kNone || token.empty()) return kNoDevice;
  return impl_->find_token(number, word, token);
}

std::span<const DeviceNo> Registry::user_devices(std::string_view app, std::string_view user_id) const {
  const auto number = impl_->find_app(app);
  if (number == Impl::kNoApp || user_id.empty()) return {};
  return impl_->users.find(Impl::user_hash(number, user_id), [&](DeviceNo no) {
    const PackedDevice device = impl_->packed_at(no);
    return device.app() == number && device.user() == user_id;
  });
}

Device Registry::device(DeviceNo no) const {
  DeviceFields fields;
  impl_->unpack(no, fields);
  return fields.copy();
}

bool Registry::exists(DeviceNo no) const {
  return impl_->table.at(no) != nullptr;
}
size_t Registry::size() const {
  return impl_->table.size();
}
DeviceNo Registry::end() const {
  return impl_->next;
}

std::string_view Registry::app_of(DeviceNo no) const {
  return impl_->apps[impl_->packed_at(no).app()].name;
}
std::string_view Registry::id_of(DeviceNo no) const {
  return impl_->packed_at(no).id();
}
std::string_view Registry::user_of(DeviceNo no) const {
  return impl_->packed_at(no).user();
}
std::string_view Registry::manufacturer_of(DeviceNo no) const {
  return impl_->words.text(impl_->packed_at(no).word(Attribute::manufacturer));
}
std::string_view Registry::platform_of(DeviceNo no) const {
  return impl_->words.text(impl_->packed_at(no).word(Attribute::platform));
}
std::string_view Registry::os_version_of(DeviceNo no) const {
  return impl_->words.text(impl_->packed_at(no).word(Attribute::os_version));
}
std::string_view Registry::app_version_of(DeviceNo no) const {
  return impl_->words.text(impl_->packed_at(no).word(Attribute::app_version));
}

std::string_view Registry::timezone_of(DeviceNo no) const {
  return impl_->words.text(impl_->packed_at(no).word(Attribute::timezone));
}

void Registry::for_each_token(DeviceNo no, const std::function<void(const Token&)>& visit) const {
  impl_->packed_at(no).for_each_channel([&](const PackedDevice::Channel& c) {
    if (!c.invalid) visit({impl_->words.text(c.word), c.token, c.registered_ms});
    return true;
  });
}

std::optional<Registry::Token> Registry::token(DeviceNo no, std::string_view channel) const {
  const auto found = impl_->packed_at(no).channel(impl_->words.find(channel));
  if (!found || found->invalid) return std::nullopt;
  return Token{impl_->words.text(found->word), found->token, found->registered_ms};
}

DeviceNo Registry::next_of_app(std::string_view app, DeviceNo from) const {
  const auto number = impl_->find_app(app);
  return number == Impl::kNoApp ? kNoDevice : impl_->apps[number].members.next(from);
}

DeviceNo Registry::next_of_topic(std::string_view app, std::string_view topic, DeviceNo from) const {
  const auto number = impl_->find_app(app);
  const uint32_t found = number == Impl::kNoApp ? TopicTable::kNone : impl_->topics.find(number, topic);
  return found == TopicTable::kNone ? kNoDevice : impl_->topics.followers(found).next(from);
}

uint64_t Registry::app_size(std::string_view app) const {
  const auto number = impl_->find_app(app);
  return number == Impl::kNoApp ? 0 : impl_->apps[number].members.size();
}

uint64_t Registry::topic_size(std::string_view app, std::string_view topic) const {
  const auto number = impl_->find_app(app);
  const uint32_t found = number == Impl::kNoApp ? TopicTable::kNone : impl_->topics.find(number, topic);
  return found == TopicTable::kNone ? 0 : impl_->topics.followers(found).size();
}

std::vector<std::pair<std::string, uint64_t>> Registry::topics(std::string_view app) const {
  std::vector<std::pair<std::string, uint64_t>> out;
  const auto number = impl_->find_app(app);
  if (number == Impl::kNoApp) return out;
  impl_->topics.for_each_of(
      number, [&](const std::string& name, const NumberSet& followers) { out.emplace_back(name, followers.size()); });
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> Registry::topics_of(DeviceNo no) const {
  std::vector<std::string> names;
  for (const uint32_t topic : impl_->topics_of(no)) names.emplace_back(impl_->topics.name(topic));
  std::sort(names.begin(), names.end());
  return names;
}

size_t Registry::bytes() const {
  const Impl& i = *impl_;
  size_t sum = sizeof(Impl) + i.words.bytes() + i.table.bytes() + i.ids.bytes() + i.tokens.bytes() + i.users.bytes() +
               i.topics.bytes() + i.dirty_queue.size() * sizeof(DeviceNo) +
               i.tombstones.size() * sizeof(Impl::Tombstone);
  for (const Impl::App& app : i.apps) sum += sizeof app + app.name.capacity() + app.members.bytes();
  return sum;
}

}  // namespace godwit
