// Worker is the channel's thread and all that it owns: the link, the flights on it, what is known of the devices. The
// lane only puts things into its mailbox.
//
// It keeps one stream to the server for as long as it lives: connects, signs in, sends, reads receipts, reconnects with
// back-off. A message is ACCEPTED when the server has surely read it: by its count of handled stanzas (XEP-0198) or,
// where a link has none (components), by the answer to a question that was sent behind it. What was written but not
// confirmed when a link went away is sent again on the next one under the same id; what could not be confirmed by its
// deadline is UNKNOWN. So a cut loses nothing, and a device that shows each id once shows nothing twice.
//
// Time is the host's clock, looked at whenever something wakes the thread; tick() does, ten times a second.
// [lane] start, submit, cancel, stop; [any-thread] the others.
#pragma once

#include <atomic>
#include <deque>
#include <godwit/batch.hpp>
#include <godwit/event_queue.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "plugins/xmpp/link/backoff.hpp"
#include "plugins/xmpp/link/connection.hpp"
#include "plugins/xmpp/link/wake_up.hpp"
#include "plugins/xmpp/push/inbound.hpp"
#include "plugins/xmpp/push/presence_book.hpp"
#include "plugins/xmpp/session/flights.hpp"
#include "plugins/xmpp/session/settings.hpp"
#include "plugins/xmpp/session/totals.hpp"

namespace xmpp {

class Worker {
 public:
  Worker(godwit::Host host, Settings settings);
  ~Worker();

  void start();
  void submit(godwit::Batch& batch);
  void cancel(uint64_t ticket);
  void stop();

  // Signing in waits for it; a new one is used at once where the old one was refused.
  void set_password(std::string password);
  void event_room();
  void tick() { wake_->ring(); }
  const Totals& totals() const { return totals_; }

 private:
  enum class Phase : uint8_t { waiting, resolving, connecting, encrypting, signing_in, up };
  // One stanza of ours that the server has not confirmed.
  struct Sent {
    uint64_t number;
    uint64_t ticket;    // 0: none of the host's
    std::string bytes;  // then: itself, for a stream that is resumed
  };
  struct Mail {
    std::vector<godwit::Pending> pushes;
    std::vector<uint64_t> cancels;
    std::optional<std::string> password;
    std::optional<std::vector<Address>> addresses;
    std::string resolve_error;
    bool has_event_room = false, is_stopping = false;
  };

  // ---- worker.cpp: the thread
  template <class Put>
  void post(Put put) {
    {
      std::lock_guard lock(mutex_);
      put(mail_);
    }
    if (wake_) wake_->ring();
  }
  void run();
  bool take_mail();
  void take_push(godwit::Pending pending);
  void wait();
  void on_time();
  void settle_overdue();
  void settle_all();

  // ---- worker_connect.cpp: from nothing to a stream, and back
  void advance();
  void try_connect();
  void use_addresses(std::vector<Address> addresses, const std::string& error);
  void try_next_address();
  void connected();
  void sign_in();
  void begin_stream();
  void shake_hands();
  void take_step(const Step& step);
  void went_up();
  void cut(LinkFault fault);
  void say_down(const LinkFault& fault, uint64_t wait_ms);
  void hang_up();

  // ---- worker_send.cpp
  void pump();
  void send_control();
  bool send_flight(uint64_t ticket, Flight& flight);
  void write_stanza(std::string_view bytes, uint64_t ticket);
  void ask();
  void confirmed(uint64_t number);
  bool confirmed_count(uint32_t handled);
  void taken(uint64_t ticket, Flight& flight);
  void send_again();
  void requeue();
  void flush();
  std::string from() const;

  // ---- worker_receive.cpp
  void read();
  void on_event(const StreamEvent& event);
  void on_stanza(const Element& stanza);
  void on_receipt(const Inbound& in);
  void on_refused(const Inbound& in);
  void answer(const Inbound& in);

  // ---- worker_presence.cpp
  void on_presence(const Inbound& in);
  void on_check(const Inbound& in);
  void report(const std::vector<PresenceBook::Change>& changes);
  void ask_presence(const Jid& device);
  void is_away(const Jid& device);
  void make_sure(const Jid& gone);
  void start_presence_anew();
  void ask_again();
  void check_away();

  const godwit::Host host_;
  const Settings settings_;
  std::unique_ptr<const WakeUp> wake_;  // from start on
  Totals totals_;

  std::mutex mutex_;  // guards mail_
  Mail mail_;
  std::thread thread_;

  // ---- all below: the thread's
  uint64_t now_ns_ = 0;
  Phase phase_ = Phase::waiting;
  std::string password_;
  std::unique_ptr<TlsContext> tls_;
  Connection connection_;
  StreamParser parser_;
  std::unique_ptr<Login> login_;
  bool is_restarted_ = false;  // a new document began: what was read of the old one is void
  BackOff backoff_;
  std::vector<Address> addresses_;  // not tried yet
  uint64_t next_try_ns_ = 0;        // waiting
  uint64_t give_up_ns_ = 0;         // signing in
  bool is_first_session_ = true;
  LinkFault::Kind last_fault_ = LinkFault::Kind::network;

  Session session_;
  Resumption resumption_;
  std::string barrier_;       // prefix of this connection's questions
  uint64_t sent_ = 0;         // stanzas of this session; the next one is number sent_ + 1
  uint64_t confirmed_ = 0;    // of them
  uint64_t asked_ = 0;        // sent_ when we last asked
  uint64_t asked_at_ns_ = 0;  // the oldest question without an answer; 0: none
  bool has_answered_ = false;  // anything at all on this connection since it went up
  uint64_t heard_at_ns_ = 0;
  std::string out_;         // bytes not written yet
  uint64_t out_begin_ = 0;  // where out_ begins in the connection's bytes
  std::deque<Sent> unacked_;
  std::deque<std::pair<uint64_t, uint64_t>> patience_;  // until when, ticket
  std::deque<std::string> control_;                     // small stanzas of our own
  Flights flights_;
  uint64_t looked_at_ns_ = 0;

  godwit::EventQueue events_;
  PresenceBook book_;
  PresenceBook::Again again_;
  std::unordered_set<std::string> away_;  // full JIDs
  uint64_t next_check_ns_ = 0;
  uint64_t seq_ = 0;
  std::vector<char> buffer_;
  std::string scratch_;
};

}  // namespace xmpp
