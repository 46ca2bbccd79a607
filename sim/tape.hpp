// Tape: push-routing-tape/1, JSON lines in which every fate is fixed, so that policies are compared on what is written
// and nothing is generated. Read once into memory, played as often as needed.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "sim/source.hpp"

namespace godwit::sim {

struct TapeContent {
  struct ChannelFate {
    uint8_t channel;
    Fate fate;
  };
  struct Line {
    double t;
    bool is_message;
    uint32_t index;  // into devices or messages
  };
  struct Entry {
    uint64_t id;
    uint32_t device, cls;
    double away_s;
    uint32_t first, count;  // in fates
  };
  Setting setting;
  uint64_t seed = 1;
  std::vector<Line> lines;
  std::vector<DeviceChange> devices;
  std::vector<Entry> messages;
  std::vector<ChannelFate> fates;
};

// Throws BadInput with the line number. `path` is what it calls the stream.
std::shared_ptr<const TapeContent> read_tape(std::istream& in, const std::string& path);
std::shared_ptr<const TapeContent> read_tape(const std::string& path);

class Tape final : public Source {
 public:
  explicit Tape(std::shared_ptr<const TapeContent> content);
  const Setting& setting() const override { return content_->setting; }
  Kind next(DeviceChange& device, Message& message) override;
  uint32_t reports(uint32_t device) const override { return device < reports_.size() ? reports_[device] : 0; }

 private:
  std::shared_ptr<const TapeContent> content_;
  std::vector<uint32_t> reports_;
  size_t at_ = 0;
};

}  // namespace godwit::sim
