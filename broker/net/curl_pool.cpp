#include "broker/net/curl_pool.hpp"

#include <algorithm>

namespace godwit::net {

using Fault = HttpResponse::Fault;

bool PoolGate::enter() {
  const uint32_t limit = options.max_connections + options.max_queued;
  uint32_t inside = inside_.load(std::memory_order_relaxed);
  do {
    if (inside >= limit) return false;
  } while (!inside_.compare_exchange_weak(inside, inside + 1));
  return true;
}

void PoolGate::leave() {
  const uint32_t before = inside_.fetch_sub(1);
  if (before == options.max_connections && options.on_slots) options.on_slots(options.max_connections);
}

uint32_t PoolGate::slots() const {
  const uint32_t inside = inside_.load(std::memory_order_relaxed);
  return inside < options.max_connections ? options.max_connections - inside : 0;
}

// ---- conduit ---------------------------------------------------------------------------------------------------

CurlConduit::CurlConduit(const HttpPoolOptions& options, TlsIdentity identity, Poller& poller, Sockets& sockets)
    : multi(curl_multi_init()), identity(std::move(identity)), poller_(poller), sockets_(sockets) {
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_connections));
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

CurlConduit::~CurlConduit() {
  for (CURL* easy : spare_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi);  // may close sockets and so call on_socket
}

CURL* CurlConduit::take_handle() {
  if (spare_.empty()) return curl_easy_init();
  CURL* easy = spare_.back();
  spare_.pop_back();
  return easy;
}

void CurlConduit::give_handle(CURL* easy) {
  curl_easy_reset(easy);  // forget pointers into the transfer that used it
  spare_.push_back(easy);
}

int CurlConduit::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto* conduit = static_cast<CurlConduit*>(self);
  if (what == CURL_POLL_REMOVE) {
    conduit->poller_.remove(fd);
    conduit->sockets_.erase(fd);
    return 0;
  }
  const uint32_t events = (what & CURL_POLL_IN ? Poller::kRead : 0u) | (what & CURL_POLL_OUT ? Poller::kWrite : 0u);
  conduit->sockets_[fd] = conduit;
  return conduit->poller_.set(fd, events) == 0 ? 0 : -1;
}

int CurlConduit::on_timer(CURLM*, long timeout_ms, void* self) {
  static_cast<CurlConduit*>(self)->timer_at =
      timeout_ms < 0 ? SteadyTime::max() : std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

void CurlConduit::socket_ready(int fd, uint32_t events) {
  const int bits = (events & Poller::kRead ? CURL_CSELECT_IN : 0) | (events & Poller::kWrite ? CURL_CSELECT_OUT : 0) |
                   (events & Poller::kError ? CURL_CSELECT_ERR : 0);
  int running;
  curl_multi_socket_action(multi, fd, bits, &running);
}

void CurlConduit::run_timer(SteadyTime now) {
  if (timer_at > now) return;
  timer_at = SteadyTime::max();  // curl sets a new one during the call if it needs one
  int running;
  curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

// ---- pool ------------------------------------------------------------------------------------------------------

CurlPool::CurlPool(std::shared_ptr<PoolGate> gate, Poller& poller, CurlConduit::Sockets& sockets,
                   const std::string& proxy)
    : gate_(std::move(gate)), poller_(poller), sockets_(sockets), proxy_(proxy) {}

CurlPool::~CurlPool() {
  close_all(std::chrono::steady_clock::now());
}

void CurlPool::add(std::unique_ptr<CurlTransfer> transfer) {
  queue_.push_back(std::move(transfer));
}

CurlConduit& CurlPool::current_conduit() {
  TlsIdentity identity = gate_->options.identity ? gate_->options.identity() : TlsIdentity{};
  if (conduits_.empty() || conduits_.back()->identity.version != identity.version) {
    conduits_.push_back(std::make_unique<CurlConduit>(gate_->options, std::move(identity), poller_, sockets_));
  }
  return *conduits_.back();
}

void CurlPool::begin(std::unique_ptr<CurlTransfer> transfer, SteadyTime now) {
  CurlConduit& conduit = current_conduit();
  CURL* easy = conduit.take_handle();
  transfer->prepare(easy, gate_->options, gate_->origin, conduit.identity, proxy_, now);
  CurlTransfer& kept = *open_.try_emplace(easy, std::move(transfer), &conduit).first->second.transfer;
  ++conduit.active;
  const CURLMcode added = curl_multi_add_handle(conduit.multi, easy);
  if (added == CURLM_OK) return;
  kept.fail(Fault::io, curl_multi_strerror(added), now);
  let_go(easy);
}

// REQUIRES: the transfer has finished or failed. Its place is free before its `done` runs. The transfer is destroyed
// last because curl's handle points into it until it is reset.
void CurlPool::let_go(CURL* easy) {
  const auto found = open_.find(easy);
  CurlConduit& conduit = *found->second.conduit;
  const std::unique_ptr<CurlTransfer> transfer = std::move(found->second.transfer);
  open_.erase(found);
  curl_multi_remove_handle(conduit.multi, easy);
  conduit.give_handle(easy);
  --conduit.active;
  gate_->leave();
  transfer->deliver();
}

void CurlPool::refuse(CurlTransfer& queued, Fault fault, const char* why, SteadyTime now) {
  queued.fail(fault, why, now);
  gate_->leave();
  queued.deliver();
}

void CurlPool::reap(CurlConduit& conduit, SteadyTime now) {
  int left;
  while (CURLMsg* message = curl_multi_info_read(conduit.multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode result = message->data.result;
    open_.at(easy).transfer->finish(result, now);
    let_go(easy);
  }
}

void CurlPool::advance(SteadyTime now) {
  for (size_t i = 0; i < conduits_.size(); ++i) {
    conduits_[i]->run_timer(now);
    reap(*conduits_[i], now);
  }
  // What an older identity has left open ends by itself; then its connections go.
  if (conduits_.size() > 1)
    conduits_.erase(std::remove_if(conduits_.begin(), conduits_.end() - 1,
                                   [](const auto& conduit) { return conduit->active == 0; }),
                    conduits_.end() - 1);
  expire_queue(now);
  while (!queue_.empty() && open_.size() < gate_->options.max_connections) {
    std::unique_ptr<CurlTransfer> transfer = std::move(queue_.front());
    queue_.pop_front();
    begin(std::move(transfer), now);
  }
}

void CurlPool::expire_queue(SteadyTime now) {
  if (queue_.empty()) return;
  std::erase_if(queue_, [&](std::unique_ptr<CurlTransfer>& transfer) {
    if (transfer->expires() > now) return false;
    refuse(*transfer, Fault::timeout, "no connection became free in time", now);
    return true;
  });
}

void CurlPool::cancel(uint64_t cookie, SteadyTime now) {
  for (auto it = queue_.begin(); it != queue_.end(); ++it) {
    if ((*it)->cookie() != cookie) continue;
    refuse(**it, Fault::closed, "cancelled", now);
    queue_.erase(it);
    return;
  }
  for (auto& [easy, open] : open_) {
    if (open.transfer->cookie() != cookie) continue;
    open.transfer->fail(Fault::closed, "cancelled", now);
    let_go(easy);
    return;
  }
}

void CurlPool::close_all(SteadyTime now) {
  for (auto& transfer : queue_) refuse(*transfer, Fault::closed, "the pool was closed", now);
  queue_.clear();
  while (!open_.empty()) {
    CURL* easy = open_.begin()->first;
    open_.begin()->second.transfer->fail(Fault::closed, "the pool was closed", now);
    let_go(easy);
  }
}

SteadyTime CurlPool::next_timer() const {
  SteadyTime next = SteadyTime::max();
  for (const auto& conduit : conduits_) next = std::min(next, conduit->timer_at);
  for (const auto& transfer : queue_) next = std::min(next, transfer->expires());
  return next;
}

}  // namespace godwit::net
