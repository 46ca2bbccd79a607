// Curves over the whole run, first seed: delivered share, cumulative regret of first sends, and to which channels the
// first policy's traffic went. Plain SVG without scripts, readable on light and dark grounds.
#include <algorithm>
#include <array>
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

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

const Score& score_of(const Outcome& o) {
  return o.cascade.messages > 0 ? o.cascade : o.single;
}

void panel(std::ostringstream& out, int number, const std::string& title, const std::vector<Curve>& curves,
           double hours, double low, double high, const std::vector<Event>& events) {
  const double top = kTop + number * (kHeight + kGap);
  const auto x = [&](double share) { return kLeft + share * (kWidth - kLeft - kRight); };
  const auto y = [&](double v) { return top + kHeight * (1 - (v - low) / (high - low)); };
  out << "<text x=\"" << kLeft << "\" y=\"" << top - 12 << "\" font-weight=\"bold\">" << escaped(title) << "</text>\n";
  for (const Event& e : events) {
    if (e.t0 / 3600 >= hours) continue;
    const double a = x(e.t0 / 3600 / hours), b = x(std::min(1.0, e.t1 / 3600 / hours));
    out << "<rect x=\"" << a << "\" y=\"" << top << "\" width=\"" << std::max(1.0, b - a) << "\" height=\"" << kHeight
        << "\" fill=\"#d55e00\" opacity=\"0.12\"><title>" << escaped(e.channel) << "</title></rect>\n";
  }
  for (int i = 0; i <= 4; ++i) {
    const double v = low + (high - low) * i / 4;
    char label[32];
    std::snprintf(label, sizeof label, high > 10 ? "%.0f" : "%.2f", v);
    out << "<line x1=\"" << kLeft << "\" x2=\"" << kWidth - kRight << "\" y1=\"" << y(v) << "\" y2=\"" << y(v)
        << "\" stroke=\"#999\" stroke-width=\"0.5\"/><text x=\"" << kLeft - 8 << "\" y=\"" << y(v) + 4
        << "\" text-anchor=\"end\">" << label << "</text>\n";
    out << "<text x=\"" << x(i / 4.0) << "\" y=\"" << top + kHeight + 18 << "\" text-anchor=\"middle\">"
        << static_cast<int>(hours * i / 4) << " h</text>\n";
  }
  for (size_t i = 0; i < curves.size(); ++i) {
    const char* color = kColors[i % kColors.size()];
    out << "<polyline fill=\"none\" stroke-width=\"1.6\" stroke=\"" << color << "\" points=\"";
    for (size_t k = 0; k < curves[i].y.size(); ++k)
      if (curves[i].y[k] >= 0)
        out << x((static_cast<double>(k) + 0.5) / static_cast<double>(curves[i].y.size())) << ','
            << y(std::clamp(curves[i].y[k], low, high)) << ' ';
    out << "\"/>\n<text x=\"" << kWidth - kRight + 12 << "\" y=\"" << top + 14 + 18 * static_cast<double>(i)
        << "\" fill=\"" << color << "\">" << escaped(curves[i].name) << "</text>\n";
  }
}

}  // namespace

std::string to_svg(const Study& study) {
  std::vector<std::string> names = study.policies;
  if (std::find(names.begin(), names.end(), "oracle") == names.end()) names.push_back("oracle");
  const SeedResult& seed = study.seeds.front();
  const double hours = study.setting.end_s / 3600;
  std::vector<Curve> delivered, regret, traffic;
  double most_regret = 1, least = 1;
  for (const std::string& name : names) {
    Curve d{name, {}}, r{name, {}};
    double sum = 0;
    for (const Slice& s : score_of(seed.by_policy.at(name)).slices) {
      d.y.push_back(s.messages > 0 ? s.delivered / s.messages : -1);
      sum += s.regret;
      r.y.push_back(sum);
      if (s.messages > 50) least = std::min(least, d.y.back());
    }
    most_regret = std::max(most_regret, sum);
    delivered.push_back(std::move(d));
    regret.push_back(std::move(r));
  }
  for (size_t c = 0; c < study.setting.channels.size(); ++c) {
    Curve t{study.setting.channels[c].name, {}};
    for (const Slice& s : score_of(seed.by_policy.at(names.front())).slices)
      t.y.push_back(s.messages > 0 && c < s.first_on.size() ? s.first_on[c] / s.messages : -1);
    traffic.push_back(std::move(t));
  }
  std::ostringstream out;
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << kWidth << "\" height=\"" << kTop + 3 * (kHeight + kGap)
      << "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#444\">\n"
      << "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  panel(out, 0, study.setting.name + ": share delivered in time", delivered, hours, std::max(0.0, least - 0.05), 1,
        study.setting.events);
  panel(out, 1, "regret of first sends, cumulative, in deliveries", regret, hours, 0, most_regret * 1.02,
        study.setting.events);
  panel(out, 2, names.front() + ": share of first sends by channel", traffic, hours, 0, 1, study.setting.events);
  out << "</svg>\n";
  return out.str();
}

}  // namespace godwit::sim
