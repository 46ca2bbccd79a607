// Reports of a study: a table for people, JSON for programs, curves as SVG.
#pragma once

#include <iosfwd>
#include <string>

#include "sim/study.hpp"

namespace godwit::sim {

void print_table(std::ostream& out, const Study& study);
std::string to_json(const Study& study);
std::string to_svg(const Study& study);

}  // namespace godwit::sim
