#include "broker/storage/sqlite/wal_repair.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/storage/files.hpp"
#include "broker/storage/sqlite/segment.hpp"

namespace godwit {
namespace {

// The format of https://www.sqlite.org/fileformat2.html#walformat, which is frozen.
constexpr size_t kHeaderBytes = 32;
constexpr size_t kFrameHeaderBytes = 24;
constexpr size_t kFrameBytes = kFrameHeaderBytes + kSegmentPageBytes;
constexpr uint32_t kMagicLittleEndianSums = 0x377f0682;
constexpr uint32_t kVersion = 3007000;

uint32_t load_be(const char* p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return __builtin_bswap32(v);
}
void store_be(char* p, uint32_t v) {
  v = __builtin_bswap32(v);
  std::memcpy(p, &v, 4);
}

struct Sum {
  uint32_t a = 0, b = 0;
  bool operator==(const Sum&) const = default;

  static Sum at(const char* p) { return {load_be(p), load_be(p + 4)}; }
  void store(char* p) const {
    store_be(p, a);
    store_be(p + 4, b);
  }
  Sum over(std::string_view bytes) const {
    Sum s = *this;
    for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      uint32_t x, y;
      std::memcpy(&x, bytes.data() + i, 4);
      std::memcpy(&y, bytes.data() + i + 4, 4);
      s.a += x + s.b;
      s.b += y + s.a;
    }
    return s;
  }
};

// Frame i of a log, and what it says of itself.
class Log {
 public:
  explicit Log(std::string_view bytes)
      : bytes_(bytes), frames_(bytes.size() < kHeaderBytes ? 0 : (bytes.size() - kHeaderBytes) / kFrameBytes) {
    if (frames_ == 0) return;
    stored_header_sum_ = Sum::at(bytes.data() + 24);
    header_sum_ = Sum{}.over(bytes.substr(0, 24));
    // A damaged header: every frame repeats the salt.
    const char* salt = header_sum_ == stored_header_sum_ ? bytes.data() + 16 : frame(frames_ / 2) + 8;
    salt_ = std::string_view(salt, 8);
  }

  size_t frames() const { return frames_; }
  const char* frame(size_t i) const { return bytes_.data() + kHeaderBytes + i * kFrameBytes; }
  bool is_commit(size_t i) const { return load_be(frame(i) + 4) != 0; }
  std::string_view salt() const { return salt_; }
  bool header_is_good() const { return header_sum_ == stored_header_sum_; }

  // Whether the frame fits to the sum that the frame before it (or the header) ends with.
  bool is_good(size_t i) const {
    if (std::string_view(frame(i) + 8, 8) != salt_) return false;
    const Sum stored = Sum::at(frame(i) + 16);
    if (i > 0) return follows(Sum::at(frame(i - 1) + 16), i) == stored;
    return follows(stored_header_sum_, 0) == stored || follows(header_sum_, 0) == stored;
  }
  Sum follows(Sum before, size_t i) const {
    return before.over({frame(i), 8}).over({frame(i) + kFrameHeaderBytes, kSegmentPageBytes});
  }

 private:
  std::string_view bytes_;
  size_t frames_;
  Sum stored_header_sum_, header_sum_;
  std::string_view salt_;
};

// What a bad frame's place is worth: nothing when its page number is damaged, for that would put it over another page.
// Most of a frame is the page itself, and a page with a wrong bit is better than none: the batch's CRC finds the bit. A
// single flipped bit in the frame's own eight bytes is found by trying them all.
std::optional<uint64_t> place_of_bad_frame(const Log& log, size_t i, uint32_t highest_page) {
  uint64_t place;
  std::memcpy(&place, log.frame(i), 8);
  if (i > 0) {
    const Sum before = Sum::at(log.frame(i - 1) + 16), stored = Sum::at(log.frame(i) + 16);
    for (int bit = 0; bit < 64; ++bit) {
      const uint64_t tried = place ^ (uint64_t{1} << bit);
      char raw[8];
      std::memcpy(raw, &tried, 8);
      if (before.over({raw, 8}).over({log.frame(i) + kFrameHeaderBytes, kSegmentPageBytes}) == stored) return tried;
    }
  }
  const uint32_t page = load_be(log.frame(i));
  if (page == 0 || page > highest_page) return std::nullopt;
  return place;
}

// The log up to `end`, signed anew.
std::string signed_again(const Log& log, const std::vector<bool>& good, size_t end) {
  std::string out(kHeaderBytes, '\0');
  store_be(out.data(), kMagicLittleEndianSums);
  store_be(out.data() + 4, kVersion);
  store_be(out.data() + 8, kSegmentPageBytes);
  std::memcpy(out.data() + 16, log.salt().data(), 8);
  Sum sum = Sum{}.over({out.data(), 24});
  sum.store(out.data() + 24);
  uint32_t highest_page = 0;
  for (size_t i = 0; i < end; ++i) {
    if (good[i]) highest_page = std::max(highest_page, load_be(log.frame(i)));
  }
  for (size_t i = 0; i < end; ++i) {
    const size_t at = out.size();
    out.append(log.frame(i), kFrameBytes);
    if (!good[i]) {
      const auto place = place_of_bad_frame(log, i, highest_page);
      if (!place) {
        out.resize(at);
        continue;
      }
      std::memcpy(out.data() + at, &*place, 8);
      std::memcpy(out.data() + at + 8, log.salt().data(), 8);
    }
    const std::string_view frame(out.data() + at, kFrameBytes);
    sum = sum.over(frame.substr(0, 8)).over(frame.substr(kFrameHeaderBytes));
    sum.store(out.data() + at + 16);
  }
  return out;
}

}  // namespace

Result<WalFinding> repair_wal(const std::filesystem::path& path, const std::filesystem::path& quarantine) {
  auto bytes = read_file(path, SIZE_MAX);
  if (!bytes) {
    if (bytes.error().code == Code::not_found) return WalFinding{};
    return std::move(bytes).error();
  }
  const Log log(*bytes);
  WalFinding finding{.frames = log.frames()};
  std::vector<bool> good(log.frames());
  size_t first_bad = log.header_is_good() ? log.frames() : 0;
  for (size_t i = 0; i < log.frames(); ++i) {
    good[i] = log.is_good(i);
    if (!good[i] && i < first_bad) first_bad = i;
  }
  // Was the first bad frame durable once? Then a commit at or after it is followed by a good frame.
  bool committed = false, was_durable = false;
  size_t good_end = 0;  // one past the last good commit behind the damage
  for (size_t i = first_bad; i < log.frames(); ++i) {
    was_durable |= committed && good[i];
    if (!log.is_commit(i) || (!good[i] && i != first_bad)) continue;
    committed = true;
    if (good[i]) good_end = i + 1;
  }
  if (!was_durable || good_end == 0) {
    finding.torn_frames = log.frames() - first_bad;
    return finding;
  }
  for (size_t i = 0; i < good_end; ++i) finding.bad_frames += good[i] ? 0 : 1;
  finding.torn_frames = log.frames() - good_end;

  std::error_code failed;
  std::filesystem::create_directories(quarantine, failed);
  if (auto r = write_file_durably(quarantine / path.filename(), *bytes); !r) {
    return std::move(r).error().with("keeping the damaged log before its repair");
  }
  if (auto r = write_file_durably(path, signed_again(log, good, good_end)); !r) {
    return std::move(r).error().with("repairing the log");
  }
  std::filesystem::remove(path.string().substr(0, path.string().size() - 4) + "-shm",
                          failed);  // an index of the old log
  return finding;
}

}  // namespace godwit
