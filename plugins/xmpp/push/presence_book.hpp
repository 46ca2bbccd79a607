// PresenceBook knows which devices are there, as far as the server has told us: by a subscription, or by presence that
// a device directs to us. What nobody told us is `unknown`, which is not `offline`.
//
// It answers each stanza with the changes to report, by every form in which an app may have registered the device: bare
// JID, full JID, and the user name alone where its domain is the channel's. Bounded; one thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plugins/xmpp/xml/jid.hpp"

namespace xmpp {

class PresenceBook {
 public:
  enum class State : uint8_t { unknown, online, offline };
  struct Change {
    std::string address;
    bool is_online;
  };

  explicit PresenceBook(std::string default_domain) : default_domain_(std::move(default_domain)) {}

  State of(const Jid& device) const;
  bool is_subscribed(const std::string& bare) const;
  size_t online() const { return online_; }

  // True once for each device whose presence nobody told us: ask for a subscription.
  bool must_ask(const std::string& bare);

  std::vector<Change> available(const Jid& from);
  // A bare JID goes away as a whole. Nothing is concluded from that word about somebody whom we are not subscribed to:
  // servers say it to every stranger.
  std::vector<Change> unavailable(const Jid& from);
  void subscribed(const std::string& bare, bool is_subscribed);

  // The link was new: all that was known is void, subscriptions stay. Answers whom to ask again: bare JIDs to probe,
  // full JIDs to ping.
  struct Again {
    std::vector<std::string> probe, ping;
  };
  Again forget();

 private:
  struct Entry {
    std::vector<std::string> resources;
    bool was_asked = false, is_subscribed = false, is_known = false;
  };
  static constexpr size_t kMost = 500'000;
  Entry* entry(const std::string& bare);
  void report(std::vector<Change>& out, const Jid& from, bool is_whole, bool is_online) const;

  const std::string default_domain_;
  std::unordered_map<std::string, Entry> entries_;  // by bare JID
  size_t online_ = 0;
};

}  // namespace xmpp
