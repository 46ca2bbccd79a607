// Curves over the whole run, first seed: delivered share, cumulative regret of first sends, and to which channels the
// first policy's traffic went. Plain SVG without scripts, readable on light and dark grounds.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "sim/report.hpp"

namespace godwit::sim {

namespace {

constexpr double kWidth = 900, kHeight = 230, kLeft = 70, kRight = 170, kTop = 40, kGap = 60;
constexpr std::array<const char*, 8> kColors{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                             "#e69f00", "#56b4e9", "#7f7f7f", "#b8a800"};

struct Curve {
  std::string name;
  std::vector<double> y;  // below 0: no data
};

// Another colour for each; beyond those, the same ones dashed in another way. The oracle's dashes are its own: a good
// policy runs just under it.
std::string stroke(const Curve& curve, size_t number) {
  static constexpr std::array<const char*, 4> kDashes{"", "2 2", "8 3", "8 3 2 3"};
  const std::string dashes = curve.name == "oracle" ? "5 4" : kDashes[number / kColors.size() % kDashes.size()];
  std::string out = std::string("stroke=\"") + kColors[number % kColors.size()] + "\"";
  return dashes.empty() ? out : out + " stroke-dasharray=\"" + dashes + "\"";
}

// As much of a name as there is room for beside the panel.
std::string shortened(const std::string& name) {
  constexpr size_t kMost = 24;
  if (name.size() <= kMost) return name;
  size_t end = kMost - 1;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;  // a character stays whole
  return name.substr(0, end) + "…";
}

// Hours as people write them: "15", "1.5".
std::string hours_text(double hours) {
  char text[32];
  std::snprintf(text, sizeof text, hours == std::floor(hours) ? "%.0f h" : hours < 1 ? "%.2f h" : "%.1f h", hours);
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (static_cast<unsigned char>(c) >= ' ')  // XML has no other control characters
      out += c;
  }
  return out;
}

const Score& score_of(const Outcome& o) {
  return o.cascade.messages > 0 ? o.cascade : o.single;
}

// The least of 1, 2, 4, 8 x 10^n that holds `v`: a quarter of it is a number that people read at a glance.
double round_up(double v) {
  const double ten = std::pow(10, std::floor(std::log10(v)));
  for (const double step : {1.0, 2.0, 4.0, 8.0})
    if (step * ten >= v) return step * ten;
  return 10 * ten;
}

void panel(std::ostringstream& out, int number, const std::string& title, const std::vector<Curve>& curves,
           double hours, double low, double high, const Setting& setting) {
  const double top = kTop + number * (kHeight + kGap);
  const auto x = [&](double share) { return kLeft + share * (kWidth - kLeft - kRight); };
  const auto y = [&](double v) { return top + kHeight * (1 - (v - low) / (high - low)); };
  out << "<text x=\"" << kLeft << "\" y=\"" << top - 12 << "\" font-weight=\"bold\">" << escaped(title) << "</text>\n";
  const double warm = x(setting.warmup_s / 3600 / hours);
  if (setting.warmup_s > 0)
    out << "<line x1=\"" << warm << "\" x2=\"" << warm << "\" y1=\"" << top << "\" y2=\"" << top + kHeight
        << "\" stroke=\"#444\" stroke-dasharray=\"2 3\"/><text x=\"" << warm - 4 << "\" y=\"" << top + kHeight - 6
        << "\" text-anchor=\"end\" font-size=\"10\">warm-up</text><text x=\"" << warm + 4 << "\" y=\""
        << top + kHeight - 6 << "\" font-size=\"10\">measured</text>\n";
  for (const Event& e : setting.events) {
    if (e.t0 / 3600 >= hours) continue;
    const double a = x(e.t0 / 3600 / hours), b = x(std::min(1.0, e.t1 / 3600 / hours));
    out << "<rect x=\"" << a << "\" y=\"" << top << "\" width=\"" << std::max(1.0, b - a) << "\" height=\"" << kHeight
        << "\" fill=\"#d55e00\" opacity=\"0.12\"><title>" << escaped(e.channel) << "</title></rect><text x=\""
        << (a + b) / 2 << "\" y=\"" << top + 10 << "\" text-anchor=\"middle\" font-size=\"10\">"
        << escaped(shortened(e.channel)) << "</text>\n";
  }
  for (int i = 0; i <= 4; ++i) {
    const double v = low + (high - low) * i / 4;
    char label[32];
    std::snprintf(label, sizeof label, high > 1 ? "%.0f" : "%.0f %%", high > 1 ? v : 100 * v);
    out << "<line x1=\"" << kLeft << "\" x2=\"" << kWidth - kRight << "\" y1=\"" << y(v) << "\" y2=\"" << y(v)
        << "\" stroke=\"#999\" stroke-width=\"0.5\"/><text x=\"" << kLeft - 8 << "\" y=\"" << y(v) + 4
        << "\" text-anchor=\"end\">" << label << "</text>\n";
    out << "<text x=\"" << x(i / 4.0) << "\" y=\"" << top + kHeight + 18 << "\" text-anchor=\"middle\">"
        << hours_text(hours * i / 4) << "</text>\n";
  }
  const double line = std::min(18.0, kHeight / static_cast<double>(curves.size()));
  for (size_t i = 0; i < curves.size(); ++i) {
    out << "<polyline fill=\"none\" stroke-width=\"1.6\" " << stroke(curves[i], i) << " points=\"";
    for (size_t k = 0; k < curves[i].y.size(); ++k)
      if (curves[i].y[k] >= 0)
        out << x((static_cast<double>(k) + 0.5) / static_cast<double>(curves[i].y.size())) << ','
            << y(std::clamp(curves[i].y[k], low, high)) << ' ';
    const double at = top + 10 + line * static_cast<double>(i);
    out << "\"/>\n<line x1=\"" << kWidth - kRight + 8 << "\" x2=\"" << kWidth - kRight + 28 << "\" y1=\"" << at
        << "\" y2=\"" << at << "\" stroke-width=\"1.6\" " << stroke(curves[i], i) << "/><text x=\""
        << kWidth - kRight + 32 << "\" y=\"" << at + 4 << "\" font-size=\"" << std::min(12.0, line) << "\" fill=\""
        << kColors[i % kColors.size()] << "\"><title>" << escaped(curves[i].name) << "</title>"
        << escaped(shortened(curves[i].name)) << "</text>\n";
  }
}

}  // namespace

std::string to_svg(const Study& study) {
  std::vector<std::string> names = study.policies;
  if (std::find(names.begin(), names.end(), "oracle") == names.end()) names.push_back("oracle");
  const SeedResult& seed = study.seeds.front();
  const double hours = study.setting.end_s / 3600;
  std::vector<Curve> delivered, regret, traffic;
  double most_regret = 1, least = 1, most_traffic = 0.1;
  // Slices of a handful of messages must not stretch the scale, unless there are no others.
  double most_messages = 0;
  for (const Slice& s : score_of(seed.by_policy.at(names.front())).slices)
    most_messages = std::max(most_messages, s.messages);
  const double least_of = std::min(50.0, most_messages / 2);
  for (const std::string& name : names) {
    Curve d{name, {}}, r{name, {}};
    double sum = 0;
    for (const Slice& s : score_of(seed.by_policy.at(name)).slices) {
      d.y.push_back(s.messages > 0 ? s.delivered / s.messages : -1);
      sum += s.regret;
      r.y.push_back(sum);
      if (s.messages > least_of) least = std::min(least, d.y.back());
    }
    most_regret = std::max(most_regret, sum);
    delivered.push_back(std::move(d));
    regret.push_back(std::move(r));
  }
  for (size_t c = 0; c < study.setting.channels.size(); ++c) {
    Curve t{study.setting.channels[c].name, {}};
    for (const Slice& s : score_of(seed.by_policy.at(names.front())).slices)
      t.y.push_back(s.messages > 0 && c < s.first_on.size() ? s.first_on[c] / s.messages : -1);
    for (const double share : t.y) most_traffic = std::max(most_traffic, share);
    traffic.push_back(std::move(t));
  }
  std::ostringstream out;
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << kWidth << "\" height=\"" << kTop + 3 * (kHeight + kGap)
      << "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#444\">\n"
      << "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  panel(out, 0, study.setting.name + ": share delivered in time", delivered, hours,
        std::clamp(std::floor(least * 5) / 5, 0.0, 0.8), 1, study.setting);
  panel(out, 1, "regret of first sends, cumulative, in deliveries", regret, hours, 0, round_up(most_regret),
        study.setting);
  panel(out, 2, names.front() + ": share of first sends by channel", traffic, hours, 0,
        std::min(1.0, round_up(most_traffic)), study.setting);
  out << "</svg>\n";
  return out.str();
}

}  // namespace godwit::sim
