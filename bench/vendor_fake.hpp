// VendorFake: a Mi Push that costs little, because it runs on the same cores as what it measures. One thread takes the
// calls (secret, form, up to 1000 regids, an answer with an id) and another sends one callback for each call, with all
// of its targets, as Xiaomi's batches do. Not a test: tests/fakes checks what is sent, this only counts it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace godwit::bench {

class VendorFake {
 public:
  explicit VendorFake(std::string secret);
  ~VendorFake();

  int port() const;
  // Callbacks go to this port of this machine, to the path that each call names; 0: none.
  void call_back(int port);

  uint64_t calls() const { return calls_; }
  uint64_t targets() const { return targets_; }
  uint64_t refused() const { return refused_; }  // calls that broke the contract
  double cpu_seconds() const;                    // of both threads

 private:
  struct Parts;
  friend struct Parts;
  std::atomic<uint64_t> calls_{0}, targets_{0}, refused_{0};
  std::unique_ptr<Parts> parts_;
};

}  // namespace godwit::bench
