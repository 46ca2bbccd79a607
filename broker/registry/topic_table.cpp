#include "broker/registry/topic_table.hpp"

#include "broker/base/hash.hpp"

namespace godwit {

uint64_t TopicTable::hash(uint32_t app, std::string_view name) {
  return stable_hash(name, process_hash_seed() + app);
}

uint32_t TopicTable::find(uint32_t app, std::string_view name) const {
  return index_.find(hash(app, name), [&](uint32_t t) { return topics_[t]->app == app && topics_[t]->name == name; });
}

uint32_t TopicTable::follow(uint32_t app, std::string_view name, uint32_t device) {
  uint32_t topic = find(app, name);
  if (topic == kNone) {
    if (free_.empty()) {
      topic = static_cast<uint32_t>(topics_.size());
      topics_.emplace_back();
    } else {
      topic = free_.back();
      free_.pop_back();
    }
    topics_[topic] = std::make_unique<Topic>(Topic{app, std::string(name), {}});
    index_.insert(hash(app, name), topic);
    topic_bytes_ += topics_[topic]->bytes();
  }
  topic_bytes_ -= topics_[topic]->bytes();
  const bool added = topics_[topic]->followers.add(device);
  topic_bytes_ += topics_[topic]->bytes();
  return added ? topic : kNone;
}

void TopicTable::leave(uint32_t topic, uint32_t device) {
  Topic& t = *topics_[topic];
  topic_bytes_ -= t.bytes();
  t.followers.remove(device);
  if (!t.followers.empty()) {
    topic_bytes_ += t.bytes();
    return;
  }
  index_.erase(hash(t.app, t.name), topic);
  topics_[topic].reset();
  free_.push_back(topic);
}

}  // namespace godwit
