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
        << (a + b) / 2 << "\" y=\"" << top + 10 << "\" text-anchor=\"middle\" font-size=\"10\">" << escaped(e.channel)
        << "</text>\n";
  }
  for (int i = 0; i <= 4; ++i) {
    const double v = low + (high - low) * i / 4;
    char label[32];
    std::snprintf(label, sizeof label, high > 1 ? "%.0f" : "%.0f %%", high > 1 ? v : 100 * v);
    out << "<line x1=\"" << kLeft << "\" x2=\"" << kWidth - kRight << "\" y1=\"" << y(v) << "\" y2=\"" << y(v)
        << "\" stroke=\"#999\" stroke-width=\"0.5\"/><text x=\"" << kLeft - 8 << "\" y=\"" << y(v) + 4
        << "\" text-anchor=\"end\">" << label << "</text>\n";
    out << "<text x=\"" << x(i / 4.0) << "\" y=\"" << top + kHeight + 18 << "\" text-anchor=\"middle\">"
        << static_cast<int>(hours * i / 4) << " h</text>\n";
  }
  for (size_t i = 0; i < curves.size(); ++i) {
    const char* color = kColors[i % kColors.size()];
    const bool oracle = curves[i].name == "oracle";  // dashed: a good policy runs just under it
    out << "<polyline fill=\"none\" stroke-width=\"1.6\" stroke=\"" << color
        << (oracle ? "\" stroke-dasharray=\"5 4" : "") << "\" points=\"";
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
  double most_regret = 1, least = 1, most_traffic = 0.1;
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
    most_traffic = std::max(most_traffic, *std::max_element(t.y.begin(), t.y.end()));
    traffic.push_back(std::move(t));
  }
  std::ostringstream out;
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << kWidth << "\" height=\"" << kTop + 3 * (kHeight + kGap)
      << "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#444\">\n"
      << "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  panel(out, 0, study.setting.name + ": share delivered in time", delivered, hours,
        std::max(0.0, std::floor(least * 5) / 5), 1, study.setting);
  panel(out, 1, "regret of first sends, cumulative, in deliveries", regret, hours, 0, round_up(most_regret),
        study.setting);
  panel(out, 2, names.front() + ": share of first sends by channel", traffic, hours, 0,
        std::min(1.0, round_up(most_traffic)), study.setting);
  out << "</svg>\n";
  return out.str();
}

}  // namespace godwit::sim
