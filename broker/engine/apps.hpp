// Apps: which channels each app may use, and its counters. An app that no configuration names (it has been removed
// since, but its messages are still open) may use every channel.
//
// Numbers and references stay; apps are never removed. Engine's thread only.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/hash.hpp"
#include "broker/engine/channel_slot.hpp"
#include "broker/engine/options.hpp"

namespace godwit::engine {

struct App {
  uint16_t no = 0;
  std::string id;
  EngineStats::App* stats = nullptr;
  std::vector<ChannelNo> channels;  // that it may use, in the configuration's order
  uint32_t mask = 0;                // of the same
};

class Apps {
 public:
  Apps(const std::deque<ChannelSlot>& channels, EngineStats& stats) : channels_(channels), stats_(stats) {}

  App& of(std::string_view id);
  void configure(const AppOptions& options);
  // The channels that a message of this app may use, which may name some itself (none: all of the app's).
  uint32_t mask_for(const App& app, const std::vector<std::string>& named) const;
  const App& operator[](uint16_t no) const { return apps_[no]; }
  auto begin() const { return apps_.begin(); }
  auto end() const { return apps_.end(); }

 private:
  const std::deque<ChannelSlot>& channels_;  // all of them are there before the first app
  EngineStats& stats_;
  std::deque<App> apps_;
  boost::unordered_flat_map<std::string, uint16_t, StringHash, std::equal_to<>> by_id_;
};

}  // namespace godwit::engine
