// TopicTable: the topics of all apps, each with a small number (which the packed devices hold) and its followers.
// A topic exists as long as somebody follows it. Owned by one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/registry/hash_index.hpp"
#include "broker/registry/number_set.hpp"

namespace godwit {

class TopicTable {
 public:
  static constexpr uint32_t kNone = ~0u;

  uint32_t find(uint32_t app, std::string_view name) const;  // kNone when nobody follows it
  // Adds the device to the topic, which is made when it is new. Answers its number; kNone when it followed it already.
  uint32_t follow(uint32_t app, std::string_view name, uint32_t device);
  // REQUIRES: the device follows the topic. The topic goes with its last follower.
  void leave(uint32_t topic, uint32_t device);

  std::string_view name(uint32_t topic) const { return topics_[topic]->name; }
  const NumberSet& followers(uint32_t topic) const { return topics_[topic]->followers; }

  template <class F>
  void for_each_of(uint32_t app, F&& f) const {  // f(name, followers)
    for (const auto& topic : topics_)
      if (topic && topic->app == app) f(topic->name, topic->followers);
  }

  size_t bytes() const { return topics_.capacity() * sizeof(topics_[0]) + index_.bytes() + topic_bytes_; }

 private:
  struct Topic {
    uint32_t app;
    std::string name;
    NumberSet followers;
    size_t bytes() const { return sizeof(Topic) + name.capacity() + followers.bytes(); }
  };
  static uint64_t hash(uint32_t app, std::string_view name);

  std::vector<std::unique_ptr<Topic>> topics_;
  std::vector<uint32_t> free_;
  HashIndex<6> index_;
  size_t topic_bytes_ = 0;
};

}  // namespace godwit
