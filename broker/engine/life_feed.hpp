// LifeFeed: who follows the steps in messages' lives as they are taken, all of them or one app's.
//
// Nothing is kept for anybody: a follower hears what happens from its subscription on, on the engine's thread, and must
// not hold it up. While nobody follows nothing is even put into words (`followed`). Engine's thread only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "broker/engine/broker.hpp"

namespace godwit::engine {

class LifeFeed {
 public:
  // `app` empty: every app.
  void subscribe(uint64_t subscription, std::string app, LifeEventSink sink) {
    followers_.push_back({subscription, std::move(app), std::move(sink)});
  }
  void unsubscribe(uint64_t subscription) {
    std::erase_if(followers_, [=](const Follower& f) { return f.subscription == subscription; });
  }
  bool followed() const { return !followers_.empty(); }
  void tell(const LifeEvent& event) const {
    for (const Follower& f : followers_)
      if (f.app.empty() || f.app == event.app) f.sink(event);
  }

 private:
  struct Follower {
    uint64_t subscription;
    std::string app;
    LifeEventSink sink;
  };
  std::vector<Follower> followers_;
};

}  // namespace godwit::engine
