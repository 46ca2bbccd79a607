// ServerWords plays a server for a Login: XML in, the last step that it leads to out.
#pragma once

#include <gtest/gtest.h>

#include "plugins/xmpp/login/login.hpp"

namespace xmpp::testing {

class ServerWords {
 public:
  explicit ServerWords(Login& login) : login_(login) {}

  Step say(const std::string& xml) {
    std::vector<StreamEvent> events;
    EXPECT_TRUE(parser_.feed(xml, events)) << parser_.fault();
    Step last;
    for (const StreamEvent& event : events) {
      last = login_.on(event);
      if (last.next == Step::Next::start_tls || last.next == Step::Next::restart) {
        parser_.restart();
        login_.header();
      }
      if (last.next != Step::Next::wait || !last.send.empty()) break;
    }
    return last;
  }

 private:
  Login& login_;
  StreamParser parser_;
};

}  // namespace xmpp::testing
