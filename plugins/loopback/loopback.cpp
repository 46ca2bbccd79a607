// The channel without a vendor: for tests, demos and benchmarks. See README.md.
#include <atomic>
#include <string>

#include <godwit/channel.hpp>
#include <godwit/settle_buffer.hpp>

#include "due_queue.hpp"
#include "loopback_embedded.hpp"
#include "receipts.hpp"
#include "vendor.hpp"

namespace loopback {
namespace {

using godwit::Batch;
using godwit::Host;
using godwit::Outcome;
using godwit::Pending;
using godwit::Result;
using godwit::SettleBuffer;

constexpr uint64_t kNsPerMs = 1'000'000;
constexpr uint64_t kBeforeDeadlineNs = 10 * kNsPerMs;  // "settle before the deadline"

}  // namespace

class Loopback final : public godwit::Channel {
 public:
  static constexpr auto describe() {
    return godwit::type("loopback")
        .name("Loopback")
        .vendor("Godwit")
        .version("0.1.0")
        .license("Apache-2.0")
        .schema(embedded::schema_json)
        .example(embedded::example_json)
        .caps({.receipt_kinds = GW_RECEIPT_ACCEPTED | GW_RECEIPT_DELIVERED,
               .flags = GW_CAP_TTL | GW_CAP_COLLAPSE | GW_CAP_PRIORITY | GW_CAP_MULTICAST | GW_CAP_TOKEN_FEEDBACK |
                        GW_CAP_SILENT | GW_CAP_RAW_CONTENT,
               .max_payload_bytes = 1 << 20,
               .max_batch = 1024,
               .max_targets = 1000,
               .max_window = 65536,
               .max_ttl_ms = UINT64_C(30) * 24 * 3600 * 1000,
               .max_collapse_key = 64,
               .priority_levels = 4});
  }

  static Result<std::unique_ptr<Loopback>> create(Host host, std::string_view config) {
    auto parsed = parse_config(config);
    if (!parsed) return std::move(parsed).error();
    return std::make_unique<Loopback>(host, std::move(*parsed));
  }
  Loopback(Host host, Config config) : host_(host), vendor_(std::move(config), host.now_mono_ns()), receipts_(host) {
    Dice mix(host.now_wall_ms() ^ (reinterpret_cast<uintptr_t>(this) << 20));
    run_ = mix.next();
  }

  void start() override {
    host_.set_window(vendor_.config().window);
    host_.set_state(GW_STATE_READY);
  }

  void submit(Batch batch) override {
    SettleBuffer settles(host_);
    if (vendor_.is_instant()) {
      for (Pending m : batch) answer(std::move(m), OutageMode::none, settles);
    } else {
      uint64_t now = host_.now_mono_ns();
      OutageMode outage = vendor_.outage(now);
      for (Pending m : batch) take(std::move(m), now, outage, settles);
    }
    finish(settles);
  }

  void cancel(uint64_t ticket) override {
    answers_.for_each([ticket](Answer& a) {
      if (a.pending.is_open() && a.pending.message().ticket() == ticket) a.pending.settle(Outcome::cancelled());
    });
  }

  void on_timer(uint64_t id, uint64_t) override {
    if (id == timer_) timer_ = 0;
    uint64_t now = host_.now_mono_ns();
    OutageMode outage = vendor_.outage(now);
    SettleBuffer settles(host_);
    while (!answers_.empty() && answers_.earliest() <= now) {
      Answer a = answers_.take();
      if (!a.pending.is_open()) continue;  // cancelled meanwhile
      if (a.never_comes)
        a.pending.settle(Outcome::unknown("no answer before the deadline"));
      else
        answer(std::move(a.pending), outage, settles);
    }
    while (!later_receipts_.empty() && later_receipts_.earliest() <= now) {
      if (receipts_.is_full()) receipts_.flush(vendor_.config().receipt_kind);
      receipts_.add() = later_receipts_.take();
    }
    finish(settles);
  }

  void on_event_room() override {
    receipts_.queue().flush();
    finish_events();
  }

  Result<void> reconfigure(std::string_view config) override {
    auto parsed = parse_config(config);
    if (!parsed) return std::move(parsed).error();
    if (parsed->seed != vendor_.config().seed)
      return godwit::Error{GW_E_NEEDS_RESTART, "a new seed needs a new instance", "/seed"};
    vendor_.reconfigure(std::move(*parsed), host_.now_mono_ns());
    if (!is_paused_) host_.set_window(vendor_.config().window);
    return {};
  }

  godwit::Drain drain(uint64_t) override {
    is_draining_ = true;
    finish_events();
    return godwit::Drain::will_say;
  }

  void stop() override {
    answers_.for_each([](Answer& a) {
      if (a.pending.is_open()) a.pending.settle(Outcome::unknown("the channel stopped before the answer"));
    });
  }

  void health(godwit::Report& out) const override {
    out.info("messages", std::to_string(messages_.load(std::memory_order_relaxed)));
    out.info("waiting", std::to_string(waiting_.load(std::memory_order_relaxed)));
  }

 private:
  struct Answer {
    Pending pending;
    bool never_comes;
  };

  // The vendor has it; its answer comes now, later or never.
  void take(Pending m, uint64_t now, OutageMode outage, SettleBuffer& settles) {
    uint64_t latency = vendor_.latency_ns();
    bool hangs = outage == OutageMode::hang;
    if (latency == 0 && !hangs) return answer(std::move(m), outage, settles);
    uint64_t deadline = m.message().deadline_mono_ns();
    uint64_t last = deadline > kBeforeDeadlineNs ? deadline - kBeforeDeadlineNs : 0;
    bool never_comes = hangs || (deadline != 0 && now + latency > last);
    answers_.add(never_comes ? last : now + latency, {std::move(m), never_comes});
  }

  void answer(Pending m, OutageMode outage, SettleBuffer& settles) {
    messages_.fetch_add(1, std::memory_order_relaxed);
    const godwit::Message message = m.message();
    if (message.target_count() == 1) {
      gw_outcome o = outcome(message, 0, outage, settles);
      settles.settle(std::move(m), o);
      return;
    }
    settles.flush();  // per-target outcomes go one by one
    for (uint32_t i = 0, n = message.target_count(); i < n; ++i) {
      gw_outcome o = outcome(message, i, outage, settles);
      o.target_index = i;
      m.settle_raw(o);  // the last one ends the message
    }
  }

  // Throws the dice for one target, names it and remembers its receipt.
  gw_outcome outcome(const godwit::Message& message, uint32_t target, OutageMode outage, SettleBuffer& settles) {
    gw_outcome o{};
    Fate fate = vendor_.decide(message.target(target).extra(), outage);
    if (fate.kind == Fate::refused) {
      o.disposition = GW_RETRY;
      o.vendor_code = godwit::str(outage == OutageMode::error ? "Outage" : "Busy");
    } else if (fate.kind == Fate::dead_token) {
      o.disposition = GW_TARGET_INVALID;
      o.vendor_code = godwit::str("TokenInvalid");
    } else {
      o.disposition = GW_ACCEPTED;
      // 64 names in a ring: the buffer settles before the 65th overwrites the first.
      VendorId& name = names_[number_ % SettleBuffer::kSize] = VendorId(run_, number_);
      ++number_;
      o.vendor_id = godwit::str(name.view());
      if (fate.receipt && !message.is_dry_run()) add_receipt(message, target, name, settles);
    }
    return o;
  }

  void add_receipt(const godwit::Message& message, uint32_t target, const VendorId& name, SettleBuffer& settles) {
    uint64_t latency = vendor_.receipt_latency_ns();
    Receipt later;
    if (latency == 0 && receipts_.is_full()) {
      settles.flush();
      receipts_.flush(vendor_.config().receipt_kind);
    }
    Receipt& receipt = latency == 0 ? receipts_.add() : later;
    receipt.vendor_id = name;
    receipt.message_id.set(message.message_id());
    receipt.address.set(message.target(target).address());
    if (latency != 0) later_receipts_.add(host_.now_mono_ns() + latency, later);
  }

  // Outcomes first, receipts after, then the next alarm.
  void finish(SettleBuffer& settles) {
    settles.flush();
    receipts_.flush(vendor_.config().receipt_kind);
    waiting_.store(answers_.size() + later_receipts_.size(), std::memory_order_relaxed);
    finish_events();
    arm();
  }

  // The host is slow to take receipts: better no new messages than lost receipts.
  void finish_events() {
    bool is_full = receipts_.queue().size() > Receipts::kWaitingLimit / 4;
    if (is_full != is_paused_) {
      is_paused_ = is_full;
      host_.set_window(is_full ? 0 : vendor_.config().window);
    }
    if (is_draining_ && answers_.empty() && later_receipts_.empty() && receipts_.queue().size() == 0) {
      is_draining_ = false;
      host_.drained();
    }
  }

  void arm() {
    if (answers_.empty() && later_receipts_.empty()) return;
    uint64_t due = UINT64_MAX;
    if (!answers_.empty()) due = answers_.earliest();
    if (!later_receipts_.empty()) due = std::min(due, later_receipts_.earliest());
    if (timer_ != 0 && timer_due_ <= due) return;
    if (timer_ != 0) host_.timer_cancel(timer_);
    uint64_t now = host_.now_mono_ns();
    timer_ = host_.timer_arm(due > now ? due - now : 0, 0);
    timer_due_ = due;
  }

  Host host_;
  Vendor vendor_;
  Receipts receipts_;
  DueQueue<Answer> answers_;
  DueQueue<Receipt> later_receipts_;
  VendorId names_[SettleBuffer::kSize];
  uint64_t run_ = 0;     // tells this instance's names from all others'
  uint64_t number_ = 0;  // of the next name
  uint64_t timer_ = 0;   // armed for timer_due_; 0 = none
  uint64_t timer_due_ = 0;
  bool is_paused_ = false;
  bool is_draining_ = false;
  std::atomic<uint64_t> messages_ = 0, waiting_ = 0;  // read by health from any thread
};

}  // namespace loopback

GW_EXPORT_CHANNEL(loopback::Loopback)
