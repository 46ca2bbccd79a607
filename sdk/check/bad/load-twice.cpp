// Takes a name of the whole process at load, so a second copy (a reload) cannot.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  static int32_t take_the_name(gw_str, const gw_diag*) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::string text = "godwit-bad-plugin-" + std::to_string(getpid());  // abstract: after a zero byte
    std::memcpy(name.sun_path + 1, text.data(), text.size());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 ? GW_OK : GW_E_CONFLICT;
  }
  static constexpr bad::Description describe(bad::Description d) { return d.init = take_the_name, d; }
};
BAD_PLUGIN(Bad)
