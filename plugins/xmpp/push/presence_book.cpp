#include "plugins/xmpp/push/presence_book.hpp"

#include <algorithm>

namespace xmpp {
namespace {

constexpr size_t kMostResources = 16;  // of one account

}  // namespace

PresenceBook::State PresenceBook::of(const Jid& device) const {
  const auto it = entries_.find(device.bare());
  if (it == entries_.end() || !it->second.is_known) return State::unknown;
  const auto& resources = it->second.resources;
  const bool is_there = device.resource.empty()
                            ? !resources.empty()
                            : std::find(resources.begin(), resources.end(), device.resource) != resources.end();
  return is_there ? State::online : State::offline;
}

bool PresenceBook::is_subscribed(const std::string& bare) const {
  const auto it = entries_.find(bare);
  return it != entries_.end() && it->second.is_subscribed;
}

PresenceBook::Entry* PresenceBook::entry(const std::string& bare) {
  const auto it = entries_.find(bare);
  if (it != entries_.end()) return &it->second;
  if (entries_.size() >= kMost) return nullptr;
  return &entries_[bare];
}

bool PresenceBook::must_ask(const std::string& bare) {
  Entry* e = entry(bare);
  if (!e || e->was_asked || e->is_known) return false;
  return e->was_asked = true;
}

std::vector<PresenceBook::Change> PresenceBook::available(const Jid& from) {
  std::vector<Change> out;
  Entry* e = entry(from.bare());
  if (!e || std::find(e->resources.begin(), e->resources.end(), from.resource) != e->resources.end() ||
      e->resources.size() >= kMostResources)
    return out;
  e->is_known = true;
  e->resources.push_back(from.resource);
  const bool is_first = e->resources.size() == 1;
  online_ += is_first;
  report(out, from, is_first, true);
  return out;
}

std::vector<PresenceBook::Change> PresenceBook::unavailable(const Jid& from) {
  std::vector<Change> out;
  const auto it = entries_.find(from.bare());
  if (it == entries_.end()) return out;
  Entry& e = it->second;
  if (from.resource.empty()) {
    if (e.resources.empty() && !e.is_subscribed) return out;
    const bool was_online = !e.resources.empty();
    for (const std::string& resource : e.resources) report(out, {from.local, from.domain, resource}, false, false);
    if (was_online || !e.is_known) report(out, from, true, false);
    e.resources.clear();
    e.is_known = true;
    online_ -= was_online;
    return out;
  }
  const auto at = std::find(e.resources.begin(), e.resources.end(), from.resource);
  if (at == e.resources.end()) return out;
  e.resources.erase(at);
  online_ -= e.resources.empty();
  report(out, from, e.resources.empty(), false);
  return out;
}

void PresenceBook::subscribed(const std::string& bare, bool is_subscribed) {
  if (Entry* e = entry(bare)) e->is_subscribed = is_subscribed;
}

PresenceBook::Again PresenceBook::forget() {
  Again again;
  for (auto it = entries_.begin(); it != entries_.end();) {
    auto& [bare, e] = *it;
    if (e.is_subscribed)
      again.probe.push_back(bare);
    else
      for (const std::string& resource : e.resources) again.ping.push_back(bare + "/" + resource);
    e.resources.clear();
    e.is_known = e.was_asked = false;
    it = e.is_subscribed ? std::next(it) : entries_.erase(it);
  }
  online_ = 0;
  return again;
}

void PresenceBook::report(std::vector<Change>& out, const Jid& from, bool is_whole, bool is_online) const {
  if (!from.resource.empty()) out.push_back({from.full(), is_online});
  if (!is_whole) return;
  out.push_back({from.bare(), is_online});
  if (!from.local.empty() && from.domain == default_domain_) out.push_back({from.local, is_online});
}

}  // namespace xmpp
