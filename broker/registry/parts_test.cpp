// The small structures under the registry, each against the obvious one of the standard library.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "broker/base/hash.hpp"
#include "broker/base/random.hpp"
#include "broker/registry/hash_index.hpp"
#include "broker/registry/number_set.hpp"
#include "broker/registry/string_pool.hpp"
#include "broker/registry/user_index.hpp"

namespace godwit {
namespace {

uint64_t hash_of(uint32_t key) {
  return stable_hash({reinterpret_cast<const char*>(&key), sizeof key});
}

TEST(HashIndex, FindsExactlyWhatIsInIt) {
  HashIndex<3> index;
  std::set<uint32_t> model;
  Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    // Grows, then shrinks, so that segments do both many times.
    const auto value = static_cast<uint32_t>(random.below(5000));
    const bool grow = random.below(10) < (i / 20'000 % 2 ? 3u : 7u);
    if (grow && model.insert(value).second) index.insert(hash_of(value), value);
    if (!grow && model.erase(value)) index.erase(hash_of(value), value);
    const auto probe = static_cast<uint32_t>(random.below(5000));
    const uint32_t found = index.find(hash_of(probe), [&](uint32_t v) { return v == probe; });
    ASSERT_EQ(found, model.count(probe) ? probe : HashIndex<3>::kNone);
    ASSERT_EQ(index.size(), model.size());
  }
}

TEST(HashIndex, KeepsValuesOfOneHashApart) {
  HashIndex<0> index;
  for (uint32_t v = 0; v < 100; ++v) index.insert(v % 2 ? ~0ull : 0, v);  // all in two places, one of them the last
  for (uint32_t v = 0; v < 100; v += 3) index.erase(v % 2 ? ~0ull : 0, v);
  index.erase(0, 12345);  // was never in
  for (uint32_t v = 0; v < 100; ++v)
    EXPECT_EQ(index.find(v % 2 ? ~0ull : 0, [&](uint32_t x) { return x == v; }), v % 3 ? v : HashIndex<0>::kNone);
}

TEST(HashIndex, FilledAtOnceIsTheSame) {
  HashIndex<3> index;
  for (uint32_t v = 0; v < 5000; ++v) index.set_aside(hash_of(v % 4000), v);
  std::vector<std::pair<uint32_t, uint32_t>> met;
  index.settle([&](uint32_t there, uint32_t fresh) {
    met.emplace_back(there, fresh);
    return fresh >= 4500;
  });
  EXPECT_EQ(index.size(), 4500u);
  EXPECT_EQ(met.size(), 1000u);
  for (const auto& [there, fresh] : met) EXPECT_EQ(there % 4000, fresh % 4000);
  for (uint32_t v = 0; v < 5000; ++v)
    EXPECT_EQ(index.find(hash_of(v % 4000), [&](uint32_t x) { return x == v; }), v < 4500 ? v : HashIndex<3>::kNone);
  index.insert(hash_of(9999), 9999);
  index.erase(hash_of(0), 0);
  EXPECT_EQ(index.find(hash_of(9999), [](uint32_t) { return true; }), 9999u);
}

TEST(HashIndex, GivesItsMemoryBack) {
  HashIndex<3> index;
  for (uint32_t v = 0; v < 10'000; ++v) index.insert(hash_of(v), v);
  const size_t full = index.bytes();
  EXPECT_LT(full, 10'000 * 8 / 0.6);
  for (uint32_t v = 0; v < 10'000; ++v) index.erase(hash_of(v), v);
  EXPECT_LT(index.bytes(), full / 50);
}

TEST(NumberSet, AgreesWithAnOrderedSet) {
  NumberSet set;
  std::set<uint32_t> model;
  Random random(2);
  const auto number = [&] {
    // Two crowded parts and many lonely ones.
    const uint64_t dice = random.below(4);
    return static_cast<uint32_t>(dice < 3 ? dice % 2 * 65536 + random.below(9000) : random.below(1u << 31));
  };
  for (int i = 0; i < 100'000; ++i) {
    const uint32_t n = number();
    if (random.below(10) < (i / 25'000 % 2 ? 2u : 8u)) {
      ASSERT_EQ(set.add(n), model.insert(n).second);
    } else {
      ASSERT_EQ(set.remove(n), model.erase(n) == 1);
    }
    const uint32_t from = number();
    const auto next = model.lower_bound(from);
    ASSERT_EQ(set.next(from), next == model.end() ? NumberSet::kNone : *next);
    ASSERT_EQ(set.contains(from), model.count(from) == 1);
    ASSERT_EQ(set.size(), model.size());
  }
  for (const uint32_t n : model) ASSERT_TRUE(set.remove(n));
  EXPECT_TRUE(set.empty());
}

TEST(NumberSet, KnowsItsEdges) {
  NumberSet set;
  EXPECT_EQ(set.next(0), NumberSet::kNone);
  EXPECT_TRUE(set.add(65535));
  EXPECT_TRUE(set.add(65536));
  EXPECT_TRUE(set.add(NumberSet::kNone - 1));
  EXPECT_EQ(set.next(65535), 65535u);
  EXPECT_EQ(set.next(65537), NumberSet::kNone - 1);
  EXPECT_EQ(set.next(NumberSet::kNone), NumberSet::kNone);
}

TEST(NumberSet, CostsAboutABitForAMemberOfACrowd) {
  NumberSet set;
  for (uint32_t n = 0; n < 1'000'000; ++n) set.add(n);
  EXPECT_LT(set.bytes(), 140'000u);
}

TEST(StringPool, ATextGoesWithItsLastUserAndItsNumberIsUsedAgain) {
  StringPool pool;
  const uint32_t xiaomi = pool.acquire("Xiaomi");
  EXPECT_EQ(pool.acquire("Xiaomi"), xiaomi);
  EXPECT_EQ(pool.text(xiaomi), "Xiaomi");
  pool.release(xiaomi);
  EXPECT_EQ(pool.find("Xiaomi"), xiaomi);
  pool.release(xiaomi);
  EXPECT_EQ(pool.find("Xiaomi"), StringPool::kNone);
  EXPECT_EQ(pool.acquire("OPPO"), xiaomi);
  EXPECT_EQ(pool.acquire(""), 0u);
  EXPECT_EQ(pool.text(0), "");
}

TEST(UserIndex, AgreesWithAMapOfSets) {
  UserIndex index;
  std::map<uint32_t, std::set<uint32_t>> model;
  std::map<uint32_t, uint32_t> user_of;  // device -> user
  Random random(3);
  for (int i = 0; i < 50'000; ++i) {
    const auto device = static_cast<uint32_t>(random.below(300));
    if (const auto bound = user_of.find(device); bound != user_of.end()) {
      index.remove(hash_of(bound->second), device);
      model[bound->second].erase(device);
      user_of.erase(bound);
    } else {
      const auto user = static_cast<uint32_t>(random.below(100));
      index.add(hash_of(user), device, [&](uint32_t d) { return user_of.at(d) == user; });
      user_of[device] = user;
      model[user].insert(device);
    }
    const auto user = static_cast<uint32_t>(random.below(100));
    const auto found = index.find(hash_of(user), [&](uint32_t d) { return user_of.at(d) == user; });
    ASSERT_TRUE(std::equal(found.begin(), found.end(), model[user].begin(), model[user].end()));
  }
}

}  // namespace
}  // namespace godwit
