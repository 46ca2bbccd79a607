#include "broker/channels/seat.hpp"

namespace godwit::channels {

std::shared_ptr<Instance> Seat::current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

std::vector<std::shared_ptr<Instance>> Seat::running(FigureSum* ended) const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Instance>> all{current_};
  all.insert(all.end(), leaving_.begin(), leaving_.end());
  if (ended) *ended = ended_figures_;  // at the same moment, so that nothing is counted twice or not at all
  return all;
}

// Outside the lock: a visit may call the plugin.
void Seat::for_each(const std::function<void(Instance&)>& visit) const {
  for (const std::shared_ptr<Instance>& instance : running()) visit(*instance);
}

ChannelStatus Seat::status() const {
  std::lock_guard lock(mutex_);
  ChannelStatus status = current_->status();
  for (const std::shared_ptr<Instance>& instance : leaving_) status.in_flight += instance->in_flight();
  if (!enabled) {
    status.state = ChannelState::stopped;
    status.reason = "disabled in the configuration";
  }
  return status;
}

uint32_t Seat::credit(MonoNs now) const {
  std::lock_guard lock(mutex_);
  return current_->credit(now);
}

bool Seat::submit(Instance::Parcels parcels) {
  std::lock_guard lock(mutex_);
  return current_->submit(std::move(parcels));
}

void Seat::cancel(uint64_t cookie) {
  for_each([cookie](Instance& instance) { instance.cancel(cookie); });
}

// The instance may leave and end between the look and the call: then the next one is there.
Result<WebhookReply> Seat::parse_webhook(const WebhookRequest& request) {
  while (true) {
    const std::shared_ptr<Instance> instance = current();
    Result<WebhookReply> reply = instance->parse_webhook(request);
    if (reply || reply.error().code != Code::unavailable || current() == instance) return reply;
  }
}

ChannelDescription Seat::describe() const {
  ChannelDescription all;
  for_each([&](Instance& instance) {
    ChannelDescription one = instance.describe();
    one.misbehaviours += all.misbehaviours;
    one.late_settles += all.late_settles;
    one.forgotten += all.forgotten;
    if (!all.file.empty()) {  // the current one comes first and describes the channel
      all.misbehaviours = one.misbehaviours;
      all.late_settles = one.late_settles;
      all.forgotten = one.forgotten;
      return;
    }
    all = std::move(one);
  });
  all.status = status();
  all.enabled = enabled;
  return all;
}

void Seat::add_metrics(FigureSum& sum) const {
  FigureSum ended;
  for (const std::shared_ptr<Instance>& instance : running(&ended))
    instance->collect_metrics([&](const MetricSample& s) { sum.add(s); });
  sum.add(ended);
}

void Seat::switch_to(std::shared_ptr<Instance> fresh) {
  std::lock_guard lock(mutex_);
  current_->step_aside();
  leaving_.push_back(std::exchange(current_, std::move(fresh)));
}

void Seat::has_ended(const std::shared_ptr<Instance>& instance, const FigureSum& counted) {
  std::lock_guard lock(mutex_);
  counted.for_each([this](const MetricSample& sample) {
    if (sample.kind != MetricSample::Kind::gauge) ended_figures_.add(sample);
  });
  std::erase(leaving_, instance);
  ended_.push_back(instance);
}

bool Seat::is_stuck() const {
  std::lock_guard lock(mutex_);
  bool stuck = current_ && current_->is_stuck();
  for (const auto& instance : leaving_) stuck |= instance->is_stuck();
  for (const auto& instance : ended_) stuck |= instance->is_stuck();
  return stuck;
}

}  // namespace godwit::channels
