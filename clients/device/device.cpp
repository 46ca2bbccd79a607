// The C interface: a core, a line, and the thread that brings them together.
#include <godwit/device.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "clients/device/core.hpp"
#include "clients/device/line.hpp"

using namespace godwit::device;

namespace {

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}
uint64_t random_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}
std::string text(const char* from) {
  return from ? from : "";
}

}  // namespace

struct gwd_device {
  explicit gwd_device(const gwd_options& options)
      : memory(text(options.memory_file)),
        line({options.host, options.port, options.tls != 0, text(options.ca_file)}),
        core({options.app, options.device_id, options.credential}, memory, callbacks(options), random_seed()),
        thread([this] { run(); }) {}

  ~gwd_device() {
    ask([this] { is_stopping = true; });
    thread.join();
  }

  Core::Callbacks callbacks(const gwd_options& o) {
    Core::Callbacks all;
    all.on_message = [this, show = o.on_message, user = o.user](const std::string& id, std::string_view json) {
      show(this, user, id.c_str(), json.data(), json.size());
    };
    if (o.on_state)
      all.on_state = [this, tell = o.on_state, user = o.user](State state, const char* why) {
        tell(this, user, static_cast<gwd_state>(state), why);
      };
    return all;
  }

  // For the thread to do: core belongs to it. Callbacks of core run there too, so they may ask.
  void ask(std::function<void()> what) {
    {
      std::lock_guard lock(mutex);
      asked.push_back(std::move(what));
    }
    line.interrupt();
  }

  void do_what_was_asked() {
    std::vector<std::function<void()>> all;
    {
      std::lock_guard lock(mutex);
      all.swap(asked);
    }
    for (auto& one : all) one();
  }

  void open_line() {
    core.opening(now_ms());
    if (const char* why = line.open(static_cast<int>(Core::kConnectMs)))
      core.lost(why, now_ms());
    else
      core.opened(now_ms());
  }

  void serve_line() {
    std::string bytes;
    const bool lives = line.receive(bytes);
    if (!bytes.empty()) core.received(bytes, now_ms());
    core.tick(now_ms());
    const bool is_sent = line.send(core.output());
    if (lives && is_sent && !core.wants_close()) return;
    line.close();
    core.lost("the connection was lost", now_ms());
  }

  void run() {
    own_thread = std::this_thread::get_id();
    for (;;) {
      do_what_was_asked();
      if (is_stopping) break;
      if (core.wants_line(now_ms())) open_line();
      if (line.is_open()) serve_line();
      {
        std::lock_guard lock(mutex);
        if (asked.empty()) unsent = memory.events().size();
      }
      const int64_t now = now_ms(), wake = core.wake_ms();
      line.wait(wake > now ? wake - now : 0);
    }
    core.say_goodbye();
    if (line.is_open()) line.send(core.output());
    line.close();
  }

  Memory memory;  // the thread's, like core
  Line line;
  Core core;
  std::mutex mutex;
  std::vector<std::function<void()>> asked;  // guarded by mutex
  size_t unsent = 0;                         // guarded by mutex
  bool is_stopping = false;                  // the thread's
  std::atomic<std::thread::id> own_thread;
  std::thread thread;  // last: it uses all of the above
};

extern "C" {

gwd_device* gwd_open(const gwd_options* o, const char** error) {
  const char* missing = !o || o->size < sizeof *o               ? "size: use GWD_OPTIONS_INIT"
                        : !o->host || !*o->host || o->port == 0 ? "host and port are needed"
                        : !o->app || !o->device_id              ? "app and device_id are needed"
                        : !o->credential ? "credential is needed: the answer to registering the device"
                        : !o->on_message ? "on_message is needed"
                                         : nullptr;
  if (missing) {
    if (error) *error = missing;
    return nullptr;
  }
  return new gwd_device(*o);
}

int gwd_report(gwd_device* d, const char* message_id, const char* event) {
  const std::string word = text(event);
  if (word != "displayed" && word != "opened" && word != "dismissed") return -1;
  // From a callback: remembered before the message is acknowledged, so that the end of the process cannot come between.
  if (std::this_thread::get_id() == d->own_thread.load()) {
    d->core.report(text(message_id), word, wall_ms());
    return 0;
  }
  {
    std::lock_guard lock(d->mutex);
    ++d->unsent;  // until the thread has counted
  }
  d->ask([d, id = text(message_id), word, at = wall_ms()] { d->core.report(id, word, at); });
  return 0;
}

size_t gwd_unsent(gwd_device* d) {
  std::lock_guard lock(d->mutex);
  return d->unsent;
}

void gwd_set_network(gwd_device* d, const char* name) {
  d->ask([d, name = text(name)] { d->core.set_network(name, now_ms()); });
}

void gwd_set_foreground(gwd_device* d, int is_foreground) {
  d->ask([d, is_foreground] { d->core.set_foreground(is_foreground != 0); });
}

void gwd_set_credential(gwd_device* d, const char* credential) {
  d->ask([d, credential = text(credential)] { d->core.set_credential(credential, now_ms()); });
}

void gwd_close(gwd_device* d) {
  delete d;
}
}
