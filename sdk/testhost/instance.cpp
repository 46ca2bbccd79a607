#include "sdk/testhost/instance.hpp"

#include <utility>

#include <godwit/table.hpp>
#include <godwit/text.hpp>

namespace godwit::testhost {

DiagLog::DiagLog() {
  diag_ = {};
  diag_.size = sizeof diag_;
  diag_.ctx = this;
  diag_.report = [](void* ctx, int32_t severity, gw_str where, gw_str text) {
    static_cast<DiagLog*>(ctx)->lines_.push_back({severity, std::string(view(where)), std::string(view(text))});
  };
}

std::string DiagLog::text() const {
  std::string all;
  for (const DiagLine& line : lines_) {
    if (!all.empty()) all += "; ";
    if (!line.where.empty()) all += line.where + ": ";
    all += line.text;
  }
  return all;
}

Instance::Instance(const gw_channel_type* type) : ops_(import_table(type->ops)), caps_(import_table(type->caps)) {
  host_.on_timer = [this](uint64_t id, uint64_t cookie) {
    if (self_ && ops_.on_timer) ops_.on_timer(self_, id, cookie);
  };
  host_.on_event_room = [this] {
    if (self_ && ops_.on_event_room) ops_.on_event_room(self_);
  };
  host_.on_ticket_done = [this](uint64_t ticket) { ticket_done(ticket); };
}

Instance::~Instance() {
  if (!self_) return;
  if (!stopped_) stop();
  destroy();
}

int32_t Instance::create(const std::string& config) {
  int32_t status = GW_OK;
  host_.lane().run_inside([&] { status = ops_.create(host_.table(), str(config), diag_.get(), &self_); });
  if (status != GW_OK) self_ = nullptr;
  return status;
}

int32_t Instance::start() {
  int32_t status = GW_OK;
  host_.enter(TestHost::Phase::started);
  host_.lane().run_inside([&] { status = ops_.start(self_, diag_.get()); });
  return status;
}

bool Instance::wait_ready(uint64_t virtual_ns) {
  return host_.run_until([this] { return host_.state() == GW_STATE_READY || host_.state() == GW_STATE_DEGRADED; },
                         virtual_ns);
}

int32_t Instance::reconfigure(const std::string& config, DiagLog& diag) {
  if (!ops_.reconfigure) return GW_E_NEEDS_RESTART;
  int32_t status = GW_OK;
  host_.lane().run_inside([&] { status = ops_.reconfigure(self_, str(config), diag.get()); });
  return status;
}

int32_t Instance::submit(const std::vector<ParcelSpec>& specs, uint64_t deadline_in_ns) {
  std::vector<const gw_msg*> msgs;
  std::vector<uint64_t> tickets;
  {
    std::lock_guard lock(mutex_);
    for (const ParcelSpec& spec : specs) {
      uint64_t ticket = ++last_ticket_;
      auto parcel = std::make_unique<Parcel>(spec, ticket, host_.now_ns() + deadline_in_ns);
      host_.expect(ticket, parcel->target_count());
      msgs.push_back(parcel->message());
      tickets.push_back(ticket);
      parcels_[ticket] = std::move(parcel);
    }
    submitting_ = true;
  }
  gw_batch batch{sizeof(gw_batch), static_cast<uint32_t>(msgs.size()), msgs.data()};
  int32_t status = GW_OK;
  host_.lane().run_inside([&] { status = ops_.submit(self_, &batch); });
  if (status != GW_OK)
    for (uint64_t ticket : tickets) host_.forget(ticket);
  std::lock_guard lock(mutex_);
  submitting_ = false;
  if (guard_ == Guard::after_submit)
    for (uint64_t ticket : done_in_submit_) parcels_[ticket]->guard();
  done_in_submit_.clear();
  return status;
}

void Instance::ticket_done(uint64_t ticket) {
  std::lock_guard lock(mutex_);
  if (guard_ == Guard::after_submit && submitting_)
    done_in_submit_.push_back(ticket);
  else if (guard_ != Guard::none)
    parcels_[ticket]->guard();
}

void Instance::cancel(uint64_t ticket) {
  if (ops_.cancel) host_.lane().run_inside([&] { ops_.cancel(self_, ticket); });
}

bool Instance::wait_settled(uint64_t virtual_ns) {
  return host_.run_until([this] { return host_.open_targets() == 0; }, virtual_ns);
}

bool Instance::drain(uint64_t virtual_ns) {
  if (!ops_.drain) return wait_settled(virtual_ns);
  uint64_t deadline = host_.now_ns() + virtual_ns;
  host_.lane().run_inside([&] { ops_.drain(self_, deadline); });
  return host_.run_until([this] { return host_.is_drained(); }, virtual_ns);
}

void Instance::stop() {
  if (stopped_ || !self_) return;
  host_.lane().run();
  host_.enter(TestHost::Phase::stopping);
  host_.close_services();
  host_.lane().run_inside([&] { ops_.stop(self_); });
  host_.enter(TestHost::Phase::stopped);
  stopped_ = true;
}

void Instance::destroy() {
  host_.enter(TestHost::Phase::destroying);
  host_.lane().run_inside([&] { ops_.destroy(self_); });
  self_ = nullptr;
}

const void* Instance::extension(const char* id) const {
  return ops_.get_extension ? ops_.get_extension(str(id)) : nullptr;
}

}  // namespace godwit::testhost
