// What a hostile peer may do to a TLS 1.3 connection that OpenSSL has let go of. The peer seals and opens by OpenSSL's
// own key schedule, not by ours.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "plugins/selfconn/stream/tls13_records.hpp"
#include "plugins/selfconn/testing/tls13_peer.hpp"

namespace selfconn::tls13 {
namespace {

using testing::Tls13Peer;
using Bytes = std::vector<uint8_t>;

constexpr uint8_t kAlert = 21, kHandshake = 22, kData = 23;

std::string text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
const Bytes kKeyUpdate = {24, 0, 0, 1, 0}, kKeyUpdatePlease = {24, 0, 0, 1, 1};

struct Line {
  explicit Line(size_t max_fragment = kMaxContent, uint64_t rekey_after = 1 << 20)
      : records(TrafficKey(Aead::aes_128_gcm, Bytes(32, 1), 0), TrafficKey(Aead::aes_128_gcm, Bytes(32, 2), 0),
                max_fragment, rekey_after) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  }
  ~Line() {
    ::close(fds[0]);
    ::close(fds[1]);
  }

  void peer_sends(const Bytes& record) {
    ASSERT_EQ(::send(fds[1], record.data(), record.size(), 0), static_cast<ssize_t>(record.size()));
  }
  void peer_says(uint8_t type, const Bytes& content) { peer_sends(client.seal(type, content)); }
  // What read() gives until it has nothing more; `how` it ended: 0, or errno.
  std::string hears(int* how = nullptr) {
    std::string all;
    Bytes room(1000);
    ssize_t n;
    while ((n = records.read(fds[0], room)) > 0) all += text_of(std::span(room).first(static_cast<size_t>(n)));
    if (how) *how = n == 0 ? 0 : errno;
    return all;
  }
  // All records that we sent, opened: "type:content" each.
  std::vector<std::string> peer_hears() {
    Bytes more(1 << 20);
    for (ssize_t n; (n = ::recv(fds[1], more.data(), more.size(), 0)) > 0;)
      wire.insert(wire.end(), more.begin(), more.begin() + n);
    std::vector<std::string> said;
    while (const auto record = server.open_next(wire)) {
      said.push_back(std::to_string(record->type) + ":" + text_of(record->content));
      if (record->type == kHandshake) server.update();
    }
    return said;
  }
  // Expects that the connection has ended with this alert as our last and only word.
  void expect_alert(int description) {
    int how = 0;
    EXPECT_EQ(hears(&how), "");
    EXPECT_EQ(how, ECONNABORTED);
    EXPECT_EQ(records.write(fds[0], {}, bytes_of("too late")), -1);
    records.finish(fds[0]);
    const std::string alert = {2, static_cast<char>(description)};
    EXPECT_EQ(peer_hears(), std::vector<std::string>{"21:" + alert});
  }

  int fds[2];
  Records records;
  Tls13Peer client{Bytes(32, 1)}, server{Bytes(32, 2)};
  Bytes wire;
};

TEST(Tls13Records, PaddingIsTakenOff) {
  Line line;
  line.peer_sends(line.client.seal(kData, Bytes{'h', 'i'}, 300));
  line.peer_sends(line.client.seal(kData, Bytes(kMaxContent - 1, 'x'), 1));  // as full as a record may be
  EXPECT_EQ(line.hears(), "hi" + std::string(kMaxContent - 1, 'x'));
}

TEST(Tls13Records, ARecordThatIsTooFullIsRefused) {
  for (const auto& [content, padding] :
       {std::pair<size_t, size_t>{kMaxContent + 1, 0}, {kMaxContent, 1}, {1, 16'500}}) {
    Line line;
    line.peer_sends(line.client.seal(kData, Bytes(content, 'x'), padding));
    line.expect_alert(22);  // record_overflow
  }
}

TEST(Tls13Records, ThePeerKeepsToTheFragmentsThatItAskedFor) {
  Line line(512);
  line.peer_says(kData, Bytes(512, 'x'));
  EXPECT_EQ(line.hears().size(), 512u);
  line.peer_says(kData, Bytes(513, 'x'));
  line.expect_alert(22);
}

TEST(Tls13Records, ARecordWithoutAContentTypeIsRefused) {
  Line line;
  line.peer_sends(line.client.seal(0, {}, 40));
  EXPECT_EQ(line.hears(), "");
  EXPECT_EQ(line.peer_hears().size(), 1u);
}

TEST(Tls13Records, ARecordThatComesTwiceOrOutOfOrderIsRefused) {
  for (const bool twice : {true, false}) {
    Line line;
    const Bytes first = line.client.seal(kData, Bytes{'1'}), second = line.client.seal(kData, Bytes{'2'});
    if (twice) line.peer_sends(first);
    EXPECT_EQ(line.hears(), twice ? "1" : "");
    line.peer_sends(twice ? first : second);
    line.expect_alert(20);  // bad_record_mac
  }
}

TEST(Tls13Records, WhatCameBeforeAFaultIsStillHeard) {
  Line line;
  line.peer_says(kData, Bytes{'a'});
  line.peer_says(99, Bytes{'b'});
  line.peer_says(kData, Bytes{'c'});
  uint8_t room[10];
  EXPECT_EQ(line.records.read(line.fds[0], room), 1);
  line.expect_alert(10);
}

TEST(Tls13Records, NothingIsNegotiatedAnew) {
  // hello_request, client_hello (a renegotiation), new_session_ticket, certificate, certificate_verify, finished.
  for (const uint8_t type : {0, 1, 4, 11, 15, 20}) {
    Line line;
    line.peer_says(kHandshake, Bytes{type, 0, 0, 1, 0});
    line.expect_alert(10);  // unexpected_message
  }
}

TEST(Tls13Records, AMalformedMessageIsAnsweredByItsAlert) {
  struct Case {
    uint8_t type;
    Bytes content;
    int alert;
  };
  for (const auto& [type, content, alert] : {
           Case{kHandshake, {24, 0, 0, 1, 2}, 47},                  // illegal_parameter
           Case{kHandshake, {24, 0, 0, 2, 0}, 50},                  // decode_error
           Case{kHandshake, {24, 1, 0, 1, 0}, 50},                  // a length of 65,537
           Case{kHandshake, {24, 0, 0, 1}, 10},                     // cut into two records
           Case{kHandshake, {}, 10},                                // 5.1: never empty
           Case{kHandshake, {24, 0, 0, 1, 0, 24, 0, 0, 1, 0}, 10},  // the second is under another key
           Case{kAlert, {}, 50}, Case{kAlert, {2}, 50}, Case{kAlert, {1, 0, 1, 0}, 50},
           Case{20, {1}, 10},             // change_cipher_spec
           Case{24, {1, 0, 1, 'x'}, 10},  // a heartbeat
       }) {
    Line line;
    line.peer_says(type, content);
    line.expect_alert(alert);
  }
}

TEST(Tls13Records, AnAlertEndsTheConnectionWithoutAnAnswer) {
  for (const uint8_t description : {20, 48, 100, 255}) {
    for (const uint8_t level : {1, 2}) {  // RFC 8446, 6: the level does not matter
      Line line;
      line.peer_says(kAlert, Bytes{level, description});
      int how = 0;
      EXPECT_EQ(line.hears(&how), "");
      EXPECT_EQ(how, ECONNRESET);
      EXPECT_EQ(line.records.write(line.fds[0], {}, bytes_of("x")), -1);
      line.records.finish(line.fds[0]);
      EXPECT_TRUE(line.peer_hears().empty());
    }
  }
}

TEST(Tls13Records, AfterACloseNotifyWeMayStillSpeakAndItIsNotReadOn) {
  Line line;
  line.peer_says(kAlert, Bytes{1, 90});  // user_canceled says nothing yet
  line.peer_says(kAlert, Bytes{1, 0});
  line.peer_says(kData, Bytes{'x'});
  int how = -1;
  EXPECT_EQ(line.hears(&how), "");
  EXPECT_EQ(how, 0);
  EXPECT_EQ(line.records.write(line.fds[0], {}, bytes_of("bye")), 3);
  line.records.finish(line.fds[0]);
  EXPECT_EQ(line.peer_hears(), (std::vector<std::string>{"23:bye", std::string("21:\1\0", 5)}));
}

TEST(Tls13Records, EndlessEmptyRecordsAreCutOff) {
  for (const size_t padding : {0, 1000}) {
    Line line;
    for (int i = 0; i < 32; ++i) line.peer_sends(line.client.seal(kData, {}, padding));
    line.peer_says(kData, Bytes{'x'});  // data pays for what came before
    EXPECT_EQ(line.hears(), "x");
    for (int i = 0; i < 33; ++i) line.peer_sends(line.client.seal(kData, {}, padding));
    line.expect_alert(10);
  }
}

TEST(Tls13Records, ManyRequestsForAnUpdateAreAnsweredByOne) {
  Line line;
  for (int i = 0; i < 5; ++i) {
    line.peer_says(kHandshake, kKeyUpdatePlease);
    line.client.update();
  }
  line.peer_says(kData, Bytes{'x'});
  EXPECT_EQ(line.hears(), "x");
  EXPECT_TRUE(line.peer_hears().empty());  // nothing is owed before we have data to send
  EXPECT_EQ(line.records.write(line.fds[0], {}, bytes_of("y")), 1);
  EXPECT_EQ(line.peer_hears(), (std::vector<std::string>{"22:" + text_of(kKeyUpdate), "23:y"}));
}

TEST(Tls13Records, TheOldKeyOpensNothingAfterAnUpdate) {
  Line line;
  line.peer_says(kHandshake, kKeyUpdate);
  line.peer_says(kData, Bytes{'x'});
  line.expect_alert(20);
}

TEST(Tls13Records, WhatTheSocketTakesInPartArrivesOnceAndWhole) {
  Line line(kMaxContent, 2);
  const int small = 4'096;
  ::setsockopt(line.fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  std::string text;
  while (text.size() < 200'000) text += std::to_string(text.size()) + ' ';
  std::string heard;
  std::string_view rest = text;
  int refused = 0;
  while (!rest.empty() && refused < 1000) {
    const ssize_t n = line.records.write(line.fds[0], {}, bytes_of(rest));
    if (n > 0) {
      rest.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    ASSERT_EQ(errno, EAGAIN);
    ++refused;
    line.peer_says(kHandshake, kKeyUpdatePlease);  // must not come between the parts
    line.client.update();
    line.peer_says(kData, Bytes{'x'});
    EXPECT_EQ(line.hears(), "x");
    for (const std::string& record : line.peer_hears())
      if (record.starts_with("23:")) heard += record.substr(3);
  }
  for (const std::string& record : line.peer_hears())
    if (record.starts_with("23:")) heard += record.substr(3);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(heard, text);
}

TEST(Tls13Records, ATruncatedConnectionEndsAndGivesNoPartOfARecord) {
  Line line;
  Bytes record = line.client.seal(kData, Bytes(100, 'x'));
  record.resize(60);
  line.peer_sends(record);
  ::shutdown(line.fds[1], SHUT_WR);
  int how = -1;
  EXPECT_EQ(line.hears(&how), "");
  EXPECT_EQ(how, 0);
}

}  // namespace
}  // namespace selfconn::tls13
