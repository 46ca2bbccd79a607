// Where each maker's own push channel is believed in before anything is measured: on that maker's phones and hardly
// anywhere else. A vendor's SDK registers on other brands too, but delivery there needs the app to be running (for Mi
// Push, pId 1558), so a token alone says little; the manufacturer that the device registered with says more.
//
// The operator's `prior` and `manufacturer_priors` come first, maker by maker. What is measured soon outweighs both.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace godwit {

struct Priors {
  double prior = 0;  // 0: the router's own
  std::map<std::string, double> manufacturers;
};

// `plugin`: the short name of a channel's plugin. Plugins that serve phones of every maker get back what was said.
Priors with_vendor_priors(std::string_view plugin, Priors said);

}  // namespace godwit
