// Seeded chance: what makes a pretended vendor unreliable in a repeatable way. One thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace loopback {

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}

  // True with probability p. Certainties cost no draw, so they do not shift what follows.
  bool happens(double p) {
    if (p >= 1) return true;
    if (p <= 0) return false;
    return uniform() < p;
  }

  // exp of a normal with standard deviation sigma: median 1.
  double lognormal(double sigma) {
    if (sigma == 0) return 1;
    double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return std::exp(sigma * radius * std::cos(2 * std::numbers::pi * uniform()));
  }

  uint64_t next() {  // splitmix64
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  uint64_t state_;
};

}  // namespace loopback
