// Channel is what a plugin author derives from; GW_EXPORT_CHANNEL turns the class into a plugin. Header-only, C++20.
//
//   class Sms final : public godwit::Channel {
//    public:
//     static constexpr auto describe() { return godwit::type("com.example.sms").name("Example SMS"). ... ; }
//     static godwit::Result<std::unique_ptr<Sms>> create(godwit::Host host, godwit::Json config);
//     void start() override;                        // ends, now or later, in host.set_state(GW_STATE_READY)
//     void submit(godwit::Batch batch) override;    // each message ends in one settle
//   };
//   GW_EXPORT_CHANNEL(Sms)
//
// Everything here runs on the lane, one call at a time, so a channel without threads of its own needs no lock; what may
// run on any thread is const and says so. Exceptions are caught at the edge: they become GW_E_INTERNAL with their text.
// The object is destroyed within `stop`, so its members may still use the host while they go.
//
// Optional members, found by their name (a wrong signature is a compile error that says the right one):
//   static void check(Config, godwit::Report&)                               deeper checks than the schema [any-thread]
//   static void check_address(std::string_view, godwit::Report&)             shape of a token              [any-thread]
//   Result<void> parse_webhook(const WebhookRequest&, WebhookSink&) const    vendor callbacks              [any-thread]
//   Result<void> preview(Message, PreviewSink&) const                        dry runs                      [any-thread]
//   void recall(const gw_recall_request&, RecallDone)                        take back a message           [lane]
//   static const void* extension(std::string_view id)                        tables of any other extension [any-thread]
#pragma once

#include <memory>
#include <string_view>

#include <godwit/batch.hpp>
#include <godwit/describe.hpp>
#include <godwit/host.hpp>
#include <godwit/report.hpp>
#include <godwit/result.hpp>
#include <godwit/webhook.hpp>

namespace godwit {
inline namespace sdk {

enum class Drain {
  when_settled,  // drained as soon as every message is settled: this layer watches that
  will_say       // the channel itself calls host.drained()
};

class Channel {
 public:
  virtual ~Channel() = default;

  // Connect, arm timers, start threads; return at once. Throw an Error when it cannot start: its text and `where` reach
  // the operator as they are.
  virtual void start() = 0;

  // Each message is settled exactly once, now or later. Throwing before the first take() refuses the batch as a whole.
  virtual void submit(Batch batch) = 0;

  // A wish; settle as usual, with the truth if it already left.
  virtual void cancel(uint64_t /*ticket*/) {}

  virtual void on_timer(uint64_t /*id*/, uint64_t /*cookie*/) {}
  virtual void on_event_room() {}

  // A new configuration, validated. GW_E_NEEDS_RESTART (the default) makes the host start a second instance and switch.
  virtual Result<void> reconfigure(std::string_view /*config*/) {
    return Error{GW_E_NEEDS_RESTART, "this channel applies changes by a new instance", ""};
  }

  // No more submits will come; finish what is in flight.
  virtual Drain drain(uint64_t /*deadline_mono_ns*/) { return Drain::when_settled; }

  // Join own threads, settle what is left. The destructor follows at once.
  virtual void stop() {}

  // [any-thread] Figures for the operator: out.info("queue", "17").
  virtual void health(Report& /*out*/) const {}
};

}  // namespace sdk
}  // namespace godwit

#include <godwit/export.hpp>
