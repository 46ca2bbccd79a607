#include "sim/tape.hpp"

#include <algorithm>
#include <fstream>
#include <unordered_map>

#include "broker/base/hash.hpp"
#include "sim/scenario_file.hpp"
#include "sim/spec_reader.hpp"
#include "sim/strict_json.hpp"

namespace godwit::sim {

namespace {

constexpr double kLongest_s = 1e9;  // thirty years; nanoseconds of ten times that no longer fit

class Reader {
 public:
  std::shared_ptr<TapeContent> read(std::istream& in, const std::string& path) {
    std::string line;
    size_t number = 0;
    while (std::getline(in, line)) {
      ++number;
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      try {
        const nlohmann::json document = nlohmann::json::parse(line);
        Fields fields(document, "");
        content_->setting.channels.empty() ? header(fields) : entry(fields);
      } catch (const nlohmann::json::exception& e) {
        throw BadInput(path + ", line " + std::to_string(number) + ": " + plain(e));
      } catch (const BadInput& e) {
        throw BadInput(path + ", line " + std::to_string(number) + ": " + e.what());
      }
    }
    if (content_->setting.channels.empty()) throw BadInput(path + ": there is no header");
    finish();
    return content_;
  }

 private:
  void header(Fields& f) {
    if (f.text("format") != "push-routing-tape/1") f.fail("format", "must be push-routing-tape/1");
    // A header may carry whatever the scenario had that it was made from; the fates have made most of it superfluous.
    for (const char* known : {"type", "fleet", "presence", "radio", "events", "extends"})
      if (f.has(known)) f.raw(known);
    Setting& s = content_->setting;
    s.name = f.text("name", "tape");
    content_->seed = f.whole("seed", 0, 9e15, 1);
    s.channels = read_channels(f);
    s.classes = read_classes(f);
    s.piggyback = f.number("piggyback", 0, 1, 0.7);
    s.duplicate_penalty = f.number("duplicate_penalty", 0, 1e6, 0.3);
    if (f.has("clock")) {
      Fields clock = f.object("clock");
      s.start_hour = clock.number("start_hour", 0, 24, 0);
      s.warmup_s = 3600 * clock.number("warmup_h", 0, 24 * 365, 0);
      s.end_s = s.warmup_s + 3600 * clock.number("measure_h", 0, 24 * 365, 0);
      clock.finish();
    }
    for (Fields& w : f.objects("watch")) s.events.push_back(watch(w));
    for (Fields& limit : f.objects("limits")) {
      s.events.push_back(read_event(limit));
      if (!is_limit(s.events.back().type)) limit.fail("type", "must be quota, rate_limit or clock_skew");
      check_channel(s.events.back(), limit);
    }
    if (f.has("bars")) {
      Fields b = f.object("bars");
      s.bars = {b.number("single_pct", 0, 200, 0), b.number("util_pct", 0, 200, 0), b.number("first_pct", 0, 200, 0),
                b.number("react_msgs", 0, 1e9, 0), b.number("recover_s", 0, 1e9, 0)};
      b.finish();
    }
    f.finish();
  }

  Event watch(Fields& f) {
    Event e;
    e.watch = true;
    e.channel = f.text("channel");
    check_channel(e, f);
    e.t0 = f.number("t0", 0, 1e10);
    e.t1 = f.number("t1", e.t0, 1e10, 1e10);
    if (f.has("match")) {
      Fields m = f.object("match");
      e.match_manufacturer = m.texts("manufacturer");
      e.match_os = m.texts("os");
      e.match_region = m.texts("region");
      m.finish();
    }
    for (const char* known :
         {"type", "mul", "ramp_s", "p", "loss", "watch", "period_s", "duty"})  // what it was, for people
      if (f.has(known)) f.raw(known);
    f.finish();
    return e;
  }

  void entry(Fields& f) {
    if (f.has("dev")) {  // {"dev": {...}} as well as {"type": "dev", ...}
      Fields inner = f.object("dev");
      f.finish();
      return device(inner);
    }
    if (f.has("msg")) {
      Fields inner = f.object("msg");
      f.finish();
      return message(inner);
    }
    const std::string type = f.text("type");
    if (type == "dev") return device(f);
    if (type == "msg") return message(f);
    f.fail("type", "\"" + type + "\" is neither dev nor msg");
  }

  void device(Fields& f) {
    DeviceChange d;
    d.t = time(f);
    d.device = devices_.emplace(f.raw("d").dump(), static_cast<uint32_t>(devices_.size())).first->second;
    d.maker = f.text("maker");
    d.os = f.text("os");
    d.region = f.text("region");
    d.tokens = mask(f, "tokens");
    d.reports = f.has("reports") ? mask(f, "reports") : d.tokens;
    d.why = f.text("why", "new");
    f.finish();
    if (std::find(makers().begin(), makers().end(), d.maker) == makers().end()) makers().push_back(d.maker);
    content_->lines.push_back({d.t, false, static_cast<uint32_t>(content_->devices.size())});
    content_->devices.push_back(std::move(d));
  }

  void message(Fields& f) {
    TapeContent::Entry m;
    const double t = time(f);
    const nlohmann::json& id = f.raw("id");
    m.id = id.is_number_unsigned() ? id.get<uint64_t>() : stable_hash(id.dump());
    m.device = known_device(f);
    m.cls = class_number(f);
    m.away_s = f.number("away_s", 0, 1e9, 0);
    m.first = static_cast<uint32_t>(content_->fates.size());
    const std::string key = f.has("channels") ? "channels" : "ch";
    const nlohmann::json& channels = f.raw(key);
    if (!channels.is_object()) f.fail(key, "must be an object of fates by channel name");
    for (const auto& [name, value] : channels.items()) {
      Fields fate(value, "/" + key + "/" + name);
      Fate out;
      out.available = true;
      out.p = fate.number("p", 0, 1, 0);
      out.reject = fate.flag("reject", false);
      out.works = fate.flag("works", false);
      const bool delay = fate.has("delay_s") && !fate.raw("delay_s").is_null();
      if (delay) out.delay_s = fate.number("delay_s", 0, 1e9);
      if (fate.has("receipt_s") && !fate.raw("receipt_s").is_null()) out.receipt_s = fate.number("receipt_s", 0, 1e9);
      if (out.works && !delay) fate.fail("delay_s", "is missing: what works takes time");
      fate.finish();
      content_->fates.push_back({channel_number(name, f), out});
    }
    m.count = static_cast<uint32_t>(content_->fates.size()) - m.first;
    f.finish();
    away_ += m.away_s > 180;
    content_->lines.push_back({t, true, static_cast<uint32_t>(content_->messages.size())});
    content_->messages.push_back(m);
  }

  double time(Fields& f) {
    if (f.has("type")) f.raw("type");
    const double t = f.number("t", 0, kLongest_s);
    if (t < latest_) f.fail("t", "goes back in time");
    latest_ = t;
    return t;
  }

  uint32_t known_device(Fields& f) {
    const std::string key = f.raw("d").dump();
    const auto found = devices_.find(key);
    if (found == devices_.end()) f.fail("d", "no dev line before this one tells of device " + key);
    return found->second;
  }

  void check_channel(const Event& e, const Fields& f) const {
    if (e.channel != "*") (void)channel_number(e.channel, f);
  }

  uint8_t channel_number(const std::string& name, const Fields& f) const {
    const auto& all = content_->setting.channels;
    for (size_t c = 0; c < all.size(); ++c)
      if (all[c].name == name) return static_cast<uint8_t>(c);
    f.fail("", "there is no channel \"" + name + "\"");
  }

  uint32_t class_number(Fields& f) {
    const auto& all = content_->setting.classes;
    const nlohmann::json& cls = f.raw("cls");
    for (size_t i = 0; i < all.size(); ++i)
      if (cls.is_string() ? all[i].name == cls.get<std::string>() : cls == i) return static_cast<uint32_t>(i);
    f.fail("cls", cls.dump() + " is no class of the header");
  }

  uint32_t mask(Fields& f, const std::string& key) {
    uint32_t out = 0;
    for (const std::string& name : f.texts(key)) out |= 1u << channel_number(name, f);
    return out;
  }

  void finish() {
    Setting& s = content_->setting;
    if (s.end_s <= s.warmup_s) s.end_s = latest_ + 1;
    const double n = static_cast<double>(content_->messages.size());
    if (n > 0) s.away_day = s.away_night = away_ / n;
  }

  std::vector<std::string>& makers() { return content_->setting.makers; }

  std::shared_ptr<TapeContent> content_ = std::make_shared<TapeContent>();
  std::unordered_map<std::string, uint32_t> devices_;
  double latest_ = 0, away_ = 0;
};

}  // namespace

std::shared_ptr<const TapeContent> read_tape(std::istream& in, const std::string& path) {
  return Reader().read(in, path);
}

std::shared_ptr<const TapeContent> read_tape(const std::string& path) {
  std::ifstream in = open_input(path);
  return read_tape(in, path);
}

Tape::Tape(std::shared_ptr<const TapeContent> content) : content_(std::move(content)) {}

Source::Kind Tape::next(DeviceChange& device, Message& message) {
  if (at_ == content_->lines.size()) return Kind::end;
  const TapeContent::Line& line = content_->lines[at_++];
  if (!line.is_message) {
    device = content_->devices[line.index];
    if (device.device >= reports_.size()) reports_.resize(device.device + 1);
    reports_[device.device] = device.reports;
    return Kind::device;
  }
  const TapeContent::Entry& m = content_->messages[line.index];
  message.t = line.t;
  message.id = m.id;
  message.device = m.device;
  message.cls = m.cls;
  message.away_s = m.away_s;
  message.fates.fill({});
  for (uint32_t i = m.first; i < m.first + m.count; ++i)
    message.fates[content_->fates[i].channel] = content_->fates[i].fate;
  return Kind::message;
}

}  // namespace godwit::sim
