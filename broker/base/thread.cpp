#include "broker/base/thread.hpp"

#include <pthread.h>
#include <signal.h>

namespace godwit {

std::thread start_thread(std::string name, std::function<void()> body) {
  // Blocked before the thread exists, so that no signal can arrive in the gap.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([name = std::move(name), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    body();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace godwit
