#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "sim/report.hpp"

namespace godwit::sim {

namespace {

std::string cell(double v, const char* format) {
  if (std::isnan(v)) return "–";
  char text[48];
  std::snprintf(text, sizeof text, format, v);
  return text;
}

std::string with_interval(const Estimated& e, double scale, int digits) {
  char text[64];
  if (e.high > e.low) {
    std::snprintf(text, sizeof text, "%.*f ±%.*f", digits, e.mean * scale, digits, (e.high - e.low) / 2 * scale);
  } else {
    std::snprintf(text, sizeof text, "%.*f", digits, e.mean * scale);
  }
  return text;
}

size_t width(const std::string& text) {  // in characters: "±" is two bytes
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void print(std::ostream& out, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      if (i >= widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], width(row[i]));
    }
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - width(row[i]), ' ');
      out << (i == 0 ? "" : "  ") << (i == 0 ? row[i] + pad : pad + row[i]);
    }
    out << '\n';
  }
}

}  // namespace

void print_table(std::ostream& out, const Study& study) {
  out << study.setting.name << ": " << study.seeds.size() << (study.seeds.size() == 1 ? " seed, " : " seeds, ")
      << static_cast<uint64_t>(study.seeds.front().by_policy.at("oracle").cascade.messages +
                               (study.seeds.front().by_policy.at("oracle").cascade.messages > 0
                                    ? 0
                                    : study.seeds.front().by_policy.at("oracle").single.messages))
      << " messages measured in each\n\n";
  std::vector<std::vector<std::string>> rows{{"policy", "single % of oracle", "delivered", "utility %", "first send %",
                                              "sends/msg", "dups/msg", "paid/1000", "p95 s", "alarms/day"}};
  std::vector<std::string> names = study.policies;
  if (std::find(names.begin(), names.end(), "oracle") == names.end()) names.push_back("oracle");
  for (const std::string& name : names) {
    const Figures f = figures(study, name);
    rows.push_back({name, with_interval(f.oracle_share, 100, 2), with_interval(f.delivered, 1, 4),
                    with_interval(f.utility_share, 100, 2), with_interval(f.first_send_share, 100, 2),
                    cell(f.sends_per_message.mean, "%.3f"), cell(f.duplicates.mean, "%.3f"),
                    cell(f.paid_per_1000.mean, "%.1f"), cell(f.p95_s.mean, "%.1f"),
                    cell(f.alarms_per_day.mean, "%.1f")});
  }
  print(out, rows);

  std::vector<std::vector<std::string>> watched{
      {"event", "policy", "sends", "seed", "lost before the switch", "reacted s", "restored s", "delivered inside"}};
  for (const SeedResult& seed : study.seeds)
    for (const std::string& name : study.policies) {
      const Outcome& o = seed.by_policy.at(name);
      for (const auto& [what, score] : {std::pair{"single", &o.single}, std::pair{"cascade", &o.cascade}})
        for (const Reaction& r : score->reactions)
          watched.push_back({r.channel + " @" + cell(r.t0, "%.0f"), name, what, std::to_string(seed.seed),
                             cell(r.lost, "%.0f"), r.reacted_s < 0 ? "never" : cell(r.reacted_s, "%.0f"),
                             r.reacted_s < 0    ? "–"
                             : r.restored_s < 0 ? "never"
                                                : cell(r.restored_s, "%.0f"),
                             cell(r.messages_inside > 0 ? r.delivered_inside / r.messages_inside : 0, "%.3f")});
    }
  if (watched.size() > 1) {
    out << '\n';
    print(out, watched);
  }
}

}  // namespace godwit::sim
