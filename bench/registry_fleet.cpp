#include "bench/registry_fleet.hpp"

#include <array>
#include <cstdio>

#include "broker/base/random.hpp"

namespace godwit::bench {
namespace {

template <size_t N>
std::string one_of(const std::array<const char*, N>& all, uint64_t dice) {
  return all[dice % N];
}

constexpr std::array kMakers{"Xiaomi", "HUAWEI", "OPPO", "vivo", "HONOR", "samsung", "Meizu", "realme", "OnePlus"};
constexpr std::array kLocales{"zh-CN", "zh-TW", "en-US", "zh-HK"};
constexpr std::array kZones{"Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong"};
constexpr std::array kNetworks{"wifi", "4g", "5g"};
constexpr std::array kCities{"city:bj", "city:sh", "city:gz", "city:sz", "city:cd", "city:hz", "city:wh"};
constexpr std::array kPlans{"vip", "free", "trial"};

}  // namespace

std::string fleet_device_id(uint64_t i) {
  Random random(i * 4 + 1);
  const uint64_t a = random.next(), b = random.next();
  char text[37];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", unsigned(a >> 32), unsigned(a >> 16 & 0xffff),
                unsigned(a & 0xffff), unsigned(b >> 48), static_cast<unsigned long long>(b & 0xffffffffffff));
  return text;
}

std::string fleet_user_id(uint64_t i) {
  return "u" + std::to_string(10'000'000 + (i % 8 == 7 ? i - 1 : i));
}

std::string fleet_token(uint64_t i, unsigned channel) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  Random random((i * 4 + channel) * 2);
  std::string token(64 + random.below(97), '\0');
  for (size_t at = 0; at < token.size(); at += 10) {
    uint64_t bits = random.next();
    for (size_t k = at; k < std::min(at + 10, token.size()); ++k, bits >>= 6) token[k] = kAlphabet[bits & 63];
  }
  return token;
}

Device fleet_device(uint64_t i) {
  Random random(i);
  Device d;
  d.app = i % 10 < 7 ? "shop" : "news";
  d.id = fleet_device_id(i);
  d.user_id = fleet_user_id(i);
  d.platform = "android";
  d.manufacturer = one_of(kMakers, random.next());
  d.model = d.manufacturer.substr(0, 2) + "-" + std::to_string(random.below(200));
  d.os_version = std::to_string(8 + random.below(7));
  d.app_version = "5." + std::to_string(random.below(10)) + "." + std::to_string(random.below(4));
  d.locale = one_of(kLocales, random.below(10) < 8 ? 0 : random.next());
  d.timezone = one_of(kZones, random.below(10) < 9 ? 0 : random.next());
  d.network = one_of(kNetworks, random.next());
  if (random.below(4) == 0)
    d.location = Location{static_cast<double>(random.below(3'500'000)) / 1e5 + 18,
                          static_cast<double>(random.below(6'000'000)) / 1e5 + 75};
  d.tags = {one_of(kCities, random.next()), one_of(kPlans, random.next())};
  d.created_ms = 1'780'000'000'000 + static_cast<WallMs>(random.below(8'000'000'000));
  d.updated_ms = d.created_ms + static_cast<WallMs>(random.below(2'000'000'000));
  for (unsigned c = 0; c < 3; ++c) d.channels.push_back({kFleetChannels[c], fleet_token(i, c), false, d.updated_ms});
  d.number = d.version = i + 1;
  return d;
}

}  // namespace godwit::bench
