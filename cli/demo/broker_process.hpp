// BrokerProcess: a godwitd of the demo's own, in a temporary directory, that ends with the demo whatever happens to it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "broker/base/result.hpp"

namespace godwit::cli {

class BrokerProcess {
 public:
  BrokerProcess() = default;
  ~BrokerProcess();  // SIGTERM, waits for the drain, removes the directory
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  // Starts the godwitd that lies beside this program and waits until it is ready.
  Result<void> start();
  const std::string& url() const { return url_; }

 private:
  std::filesystem::path directory_;
  std::string url_;
  pid_t pid_ = -1;
};

}  // namespace godwit::cli
