// RouteIndex finds the route of a method and path. Paths without parameters, the hot ones among them, by one look-up.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/api/http/message.hpp"
#include "broker/api/routes/route.hpp"

namespace godwit {

class RouteIndex {
 public:
  explicit RouteIndex(const std::vector<const Route*>& routes);

  struct Match {
    const Route* route = nullptr;  // null with `path_known`: not with this method
    bool path_known = false;
    std::string allow;                                                // of a known path without that method
    std::vector<std::pair<std::string_view, std::string_view>> path;  // not decoded
  };
  Match find(http::Method method, std::string_view path) const;

 private:
  struct Pattern {
    std::vector<std::string_view> segments;
    std::vector<const Route*> routes;  // by method
  };
  static bool matches(const Pattern& pattern, const std::vector<std::string_view>& segments, Match& out);
  static void choose(const std::vector<const Route*>& routes, http::Method method, Match& out);

  std::unordered_map<std::string_view, std::vector<const Route*>> exact_;
  std::vector<Pattern> patterns_;
};

}  // namespace godwit
