// Chance: random numbers that depend only on what they are for (seed and up to three numbers), never on the order in
// which they are asked. So every policy meets the same world, and changing one part of it leaves the rest alone.
#pragma once

#include <cmath>
#include <cstdint>

namespace godwit::sim {

class Chance {
 public:
  explicit Chance(uint64_t seed) : seed_(mix(seed + 0x9e3779b97f4a7c15u)) {}

  double uniform(uint64_t topic, uint64_t a = 0, uint64_t b = 0) const {
    const uint64_t z = mix(mix(mix(seed_ ^ topic * 0xd6e8feb86659fd93u) + a) ^ (b * 0xa0761d6478bd642fu));
    return (static_cast<double>(z >> 11) + 0.5) * 0x1.0p-53;  // never 0 or 1
  }
  double normal(uint64_t topic, uint64_t a = 0, uint64_t b = 0) const {
    const double u = uniform(topic, a, b), v = uniform(topic + 4096, a, b);
    return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
  }
  double log_normal(double median, double sigma, uint64_t topic, uint64_t a, uint64_t b) const {
    return median * std::exp(sigma * normal(topic, a, b));
  }

 private:
  static uint64_t mix(uint64_t z) {
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  uint64_t seed_;
};

}  // namespace godwit::sim
