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

  // Which frames fit to what is before them: to the sum that the frame before carries, or, in case that one is what was
  // damaged, to the sum that it should carry.
  std::vector<bool> good_frames() const {
    std::vector<bool> good(frames_);
    Sum carried = stored_header_sum_, computed = header_sum_;
    for (size_t i = 0; i < frames_; ++i) {
      const Sum stored = Sum::at(frame(i) + 16);
      Sum sum = follows(carried, i);
      good[i] = sum == stored;
      if (!good[i] && carried != computed) good[i] = follows(computed, i) == stored;
      if (std::string_view(frame(i) + 8, 8) != salt_) good[i] = false;
      carried = stored;
      computed = good[i] ? stored : sum;
    }
    return good;
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

// Where the page of a bad frame goes (page number and commit size as they stand in the frame), if that can be known. A
// page with a wrong bit is better than none: the batch's CRC finds the bit. But a wrong page number would put it over
// another page, so a single flipped bit there is looked for by trying them all. The sums are weak (a bit may cancel
// out), so only what fits to the other frames is believed.
std::optional<uint64_t> place_of_bad_frame(const Log& log, size_t i, uint32_t highest_page) {
  const auto fits = [&](const char* place) {
    return load_be(place) != 0 && load_be(place) <= highest_page && load_be(place + 4) <= highest_page;
  };
  uint64_t place;
  std::memcpy(&place, log.frame(i), 8);
  for (int bit = 0; i > 0 && bit < 64; ++bit) {
    const uint64_t tried = place ^ (uint64_t{1} << bit);
    char raw[8];
    std::memcpy(raw, &tried, 8);
    if (!fits(raw)) continue;
    const Sum sum =
        Sum::at(log.frame(i - 1) + 16).over({raw, 8}).over({log.frame(i) + kFrameHeaderBytes, kSegmentPageBytes});
    if (sum == Sum::at(log.frame(i) + 16)) return tried;
  }
  return fits(log.frame(i)) ? std::optional(place) : std::nullopt;
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
  const std::vector<bool> good = log.good_frames();
  const size_t first_bad =
      log.header_is_good() ? static_cast<size_t>(std::find(good.begin(), good.end(), false) - good.begin()) : 0;
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
