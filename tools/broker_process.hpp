// BrokerProcess: a godwitd of one's own, in a temporary directory, for the demo and the benchmarks. It ends with its
// owner, whatever happens to that.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>

#include "broker/base/result.hpp"

namespace godwit {

class BrokerProcess {
 public:
  struct Place {
    std::filesystem::path directory;
    int http_port = 0;  // free when it was asked for
  };

  BrokerProcess() = default;
  ~BrokerProcess();  // SIGTERM, waits for the drain, removes the directory
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  // Starts the godwitd that lies beside this program with the configuration that `config` makes (the text of
  // godwit.yaml), and waits until it is ready. An error holds the end of its log.
  Result<void> start(const std::function<std::string(const Place&)>& config);

  const std::string& url() const { return url_; }
  int port() const { return place_.http_port; }
  pid_t pid() const { return pid_; }
  double cpu_seconds() const;  // used so far, all threads

 private:
  Place place_;
  std::string url_;
  pid_t pid_ = -1;
};

int free_tcp_port();

}  // namespace godwit
