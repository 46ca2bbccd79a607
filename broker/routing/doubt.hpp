// Doubt: notices that a channel reports deliveries that cannot all be true.
//
// A receipt cannot be checked by itself. But whoever invents receipts does not know for which phones the channel never
// works (dead tokens, throttled apps, phones that are gone), so they start to "arrive" there too. A sequential test
// looks at phones of which little was expected, each heard once in a while. While a channel is doubted nothing is
// learned from its word, what was known of phones and segments stays as it was, and the share of invented receipts
// among those phones tells how much is behind the receipts of the others. A phone's own word is proof and speaks
// against doubt.
//
// A channel that lied from its first day is not found out: there is no record that contradicts it.
#pragma once

#include <array>
#include <cstdint>

#include "broker/base/bytes.hpp"
#include "broker/routing/decay.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {

class Doubt {
 public:
  static constexpr double kHopeless = 0.25;  // phones of which less was expected are what the test looks at
  struct Outcome {
    DeviceNo device = 0;
    bool arrived = false;  // says the receipt
    bool proven = false;   // says the phone itself
    bool first_send = false;
    double expected = 0;  // chance of a receipt in time, as believed at the send
  };
  void hear(const Outcome& outcome, double t);

  bool doubted() const { return doubted_; }
  // Share of the expected deliveries that are behind the receipts; 1 unless doubted. `told`: share of true deliveries
  // whose receipt comes in time.
  double health(double told, double t) const;

  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

 private:
  struct Sums {
    Decayed sends, receipts, expected;
    void add(const Outcome& outcome, double t);
  };
  bool is_new_witness(DeviceNo device);
  void begin(double t);
  double invented(double told, double t) const;  // chance of a receipt for what did not arrive

  bool doubted_ = false;
  double since_ = 0, believed_until_ = 0;
  double evidence_ = 0;                  // log likelihood ratio: for lies, or, while doubted, for honesty
  std::array<uint32_t, 8> witnesses_{};  // device + 1, the latest ones
  uint32_t heard_ = 0;
  Sums hopeless_, others_;  // while doubted
};

}  // namespace godwit::routing
