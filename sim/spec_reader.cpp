#include "sim/spec_reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "broker/routing/router.hpp"

namespace godwit::sim {

namespace {

template <class E, size_t N>
E choice(Fields& f, const std::string& key, const std::array<std::pair<const char*, E>, N>& names,
         const char* otherwise) {
  const std::string text = otherwise == nullptr ? f.text(key) : f.text(key, otherwise);
  std::string all;
  for (const auto& [name, value] : names) {
    if (text == name) return value;
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  f.fail(key, "\"" + text + "\" is none of: " + all);
}

Delay read_delay(Fields f) {
  const Delay out{f.number("median_s", 0.001, 1e5), f.number("sigma", 0, 5, 0)};
  f.finish();
  return out;
}

ChannelSpec read_channel(Fields& f) {
  using enum ChannelKind;
  static constexpr std::array<std::pair<const char*, ChannelKind>, 4> kKinds{
      {{"vendor", vendor}, {"third", third}, {"connection", connection}, {"paid", paid}}};
  static constexpr std::array<std::pair<const char*, ReceiptMode>, 4> kModes{{{"device", ReceiptMode::device},
                                                                              {"app", ReceiptMode::app},
                                                                              {"carrier", ReceiptMode::carrier},
                                                                              {"accept", ReceiptMode::accept}}};
  ChannelSpec c;
  c.name = f.text("name");
  c.kind = choice(f, "kind", kKinds, "third");
  c.token = f.by_name("token", 0, 1, 1);
  c.base_logit = f.by_name("base_logit", -30, 30, 0);
  c.night_logit = f.number("night_logit", -30, 30, 0);
  if (f.has("delay")) c.delay = read_delay(f.object("delay"));
  if (f.has("receipt")) {
    Fields r = f.object("receipt");
    c.receipt = choice(r, "mode", kModes, "device");
    c.coverage = r.number("coverage", 0, 1, 1);
    c.device_share = r.number("device_share", 0, 1, 1);
    if (r.has("delay")) c.receipt_delay = read_delay(r.object("delay"));
    r.finish();
  }
  if (!c.reports()) c.device_share = 0;
  c.cost = f.number("cost", 0, 1e6, 0);
  c.dedupe = f.number("dedupe", 0, 1, 1);
  // `background_sensitive`, `background_sensitive_half` (0.4 of it), or `background_sensitive_unless` [manufacturers].
  if (f.flag("background_sensitive", false)) c.background_sensitive = 1;
  if (f.flag("background_sensitive_half", false)) c.background_sensitive = 0.4;
  if (f.has("background_sensitive_unless")) c.background_sensitive = 1;
  c.background_exempt = f.texts("background_sensitive_unless");
  f.finish();
  return c;
}

}  // namespace

std::vector<ChannelSpec> read_channels(Fields& document) {
  std::vector<ChannelSpec> out;
  for (Fields& item : document.objects("channels")) {
    out.push_back(read_channel(item));
    if (out.back().name.empty() || out.back().name == "*") item.fail("name", "must not be empty, nor \"*\"");
    for (size_t i = 0; i + 1 < out.size(); ++i)
      if (out[i].name == out.back().name) item.fail("name", "\"" + out.back().name + "\" is there twice");
  }
  if (out.empty()) document.fail("channels", "needs at least one channel");
  if (out.size() > routing::kMaxChannels)
    document.fail("channels", "may have " + std::to_string(routing::kMaxChannels) + " elements at most");
  return out;
}

std::vector<MessageClass> read_classes(Fields& document) {
  std::vector<MessageClass> out;
  for (Fields& f : document.objects("classes")) {
    MessageClass c;
    c.name = f.text("name");
    c.share = f.number("share", 0, 1e9, 1);
    c.deadline_s = f.number("deadline_s", 0.1, 1e7);
    c.value = f.number("value", 0, 1e6);
    c.paid = f.flag("paid", false);
    c.explore = f.number("explore", 0, 0.05, 0);
    f.finish();
    for (const MessageClass& other : out)
      if (other.name == c.name) f.fail("name", "\"" + c.name + "\" is there twice");
    out.push_back(c);
  }
  if (out.empty() || out.size() > 4) document.fail("classes", "needs one to four classes");
  return out;
}

Event read_event(Fields& f) {
  using enum EventType;
  static constexpr std::array<std::pair<const char*, EventType>, 11> kTypes{{{"rate", rate},
                                                                             {"reject", reject},
                                                                             {"receipt_loss", receipt_loss},
                                                                             {"introduce", introduce},
                                                                             {"reinstall", reinstall},
                                                                             {"os_upgrade", os_upgrade},
                                                                             {"flap", flap},
                                                                             {"receipt_forge", receipt_forge},
                                                                             {"quota", quota},
                                                                             {"rate_limit", rate_limit},
                                                                             {"clock_skew", clock_skew}}};
  Event e;
  e.type = choice(f, "type", kTypes, nullptr);
  e.t0 = f.number("t0", 0, 1e10, 0);
  e.t1 = f.number("t1", e.t0, 1e10, 1e10);
  if (e.type == clock_skew)
    e.channel = f.text("channel", "*");  // a wrong clock is a device's
  else if (e.type != reinstall && e.type != os_upgrade)
    e.channel = f.text("channel");
  switch (e.type) {
    case rate:
      e.mul = f.number("mul", 0, 1000);
      e.ramp_s = f.number("ramp_s", 0, 1e9, 0);
      break;
    case reject:
    case receipt_forge:
      e.p = f.number("p", 0, 1, 1);
      break;
    case receipt_loss:
      e.loss = f.number("loss", 0, 1);
      break;
    case introduce:
      break;
    case reinstall:
      e.fraction = f.number("fraction", 0, 1);
      break;
    case os_upgrade:
      e.manufacturer = f.text("manufacturer", "*");
      e.from = f.text("from");
      e.to = f.text("to");
      e.fraction = f.number("fraction", 0, 1);
      break;
    case flap:
      e.period_s = f.number("period_s", 1, 1e7);
      e.duty = f.number("duty", 0, 1);
      e.mul = f.number("mul", 0, 1000, 0);
      break;
    case quota:
      e.per_day = f.number("per_day", 0, 1e12);
      break;
    case rate_limit:
      e.qps = f.number("qps", 0, 1e9);
      break;
    case clock_skew:
      e.skew_s = f.number("skew_s", -1e7, 1e7);
      break;
  }
  if (f.has("match")) {
    if (is_limit(e.type)) f.fail("match", "a limit holds for everybody; remove it");
    Fields m = f.object("match");
    e.match_manufacturer = m.texts("manufacturer");
    e.match_os = m.texts("os");
    e.match_region = m.texts("region");
    m.finish();
  }
  e.watch = f.flag("watch", false);
  f.finish();
  return e;
}

std::vector<Event> read_events(Fields& document) {
  std::vector<Event> out;
  for (Fields& item : document.objects("events")) out.push_back(read_event(item));
  return out;
}

}  // namespace godwit::sim
