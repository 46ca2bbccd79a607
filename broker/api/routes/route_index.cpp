#include "broker/api/routes/route_index.hpp"

#include <algorithm>

namespace godwit {
namespace {

using http::Method;

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t slash = path.find('/', 1);
    out.push_back(path.substr(0, slash));  // each with its leading '/'
    if (slash == path.npos) return out;
    path.remove_prefix(slash);
  }
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with("/{");
}
bool is_rest(std::string_view segment) {
  return segment.ends_with("...}");
}
std::string_view name_of(std::string_view segment) {
  segment.remove_prefix(2);
  segment.remove_suffix(is_rest(segment) ? 4 : 1);
  return segment;
}

bool serves(const Route& route, Method method) {
  return route.any_method || route.method == method || (method == Method::head && route.method == Method::get);
}

}  // namespace

RouteIndex::RouteIndex(const std::vector<const Route*>& routes) {
  for (const Route* route : routes) {
    if (route->path.find('{') == route->path.npos) {
      exact_[route->path].push_back(route);
      continue;
    }
    const auto segments = split(route->path);
    auto it =
        std::find_if(patterns_.begin(), patterns_.end(), [&](const Pattern& p) { return p.segments == segments; });
    if (it == patterns_.end()) it = patterns_.insert(patterns_.end(), {segments, {}});
    it->routes.push_back(route);
  }
}

void RouteIndex::choose(const std::vector<const Route*>& routes, Method method, Match& out) {
  out.path_known = true;
  for (const Route* route : routes) {
    if (serves(*route, method)) {
      out.route = route;
      return;
    }
  }
  for (const Route* route : routes) {
    if (!out.allow.empty()) out.allow += ", ";
    out.allow += to_string(route->method);
    if (route->method == Method::get) out.allow += ", HEAD";
  }
}

bool RouteIndex::matches(const Pattern& pattern, const std::vector<std::string_view>& segments, Match& out) {
  out.path.clear();
  for (size_t i = 0; i < pattern.segments.size(); ++i) {
    if (i == segments.size()) return false;
    const std::string_view wanted = pattern.segments[i], got = segments[i];
    if (!is_parameter(wanted)) {
      if (wanted != got) return false;
    } else if (is_rest(wanted)) {
      const char* end = segments.back().data() + segments.back().size();
      out.path.emplace_back(name_of(wanted),
                            std::string_view(got.data() + 1, static_cast<size_t>(end - got.data() - 1)));
      return true;
    } else {
      if (got.size() < 2) return false;
      out.path.emplace_back(name_of(wanted), got.substr(1));
    }
  }
  return segments.size() == pattern.segments.size();
}

RouteIndex::Match RouteIndex::find(Method method, std::string_view path) const {
  Match out;
  if (const auto it = exact_.find(path); it != exact_.end()) {
    choose(it->second, method, out);
    return out;
  }
  if (path.empty() || path.front() != '/') return out;
  const auto segments = split(path);
  for (const Pattern& pattern : patterns_) {
    if (matches(pattern, segments, out)) {
      choose(pattern.routes, method, out);
      return out;
    }
  }
  out.path.clear();
  return out;
}

}  // namespace godwit
