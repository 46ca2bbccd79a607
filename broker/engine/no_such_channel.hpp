// What a caller is told who names a channel that there is none of: which one was likely meant.
#pragma once

#include <string>
#include <vector>

#include "broker/base/nearest.hpp"
#include "broker/base/result.hpp"
#include "broker/channels/port.hpp"

namespace godwit::engine {

// `channels` may be nullptr: none is attached yet.
inline Error no_such_channel(const ChannelSet* channels, const std::string& name) {
  std::vector<std::string> known;
  for (size_t no = 0; channels != nullptr && no < channels->size(); ++no)
    known.push_back(channels->status(static_cast<ChannelNo>(no)).name);
  return {Code::not_found, "there is no channel '" + name + "'" + did_you_mean(name, known), name};
}

}  // namespace godwit::engine
