#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "broker/base/bytes.hpp"
#include "broker/base/callback.hpp"
#include "broker/base/encoding.hpp"
#include "broker/base/expand.hpp"
#include "broker/base/mailbox.hpp"
#include "broker/base/message_id.hpp"
#include "broker/base/nearest.hpp"
#include "broker/base/result.hpp"
#include "broker/base/thread.hpp"

namespace godwit {
namespace {

TEST(MessageId, TextAndBackIsTheSameId) {
  const MessageId id = MessageId::make(1'790'000'000'123, 777, {0x1234567890abcdef, 0xfedcba0987654321});
  EXPECT_EQ(id.time_ms(), 1'790'000'000'123);
  EXPECT_EQ(id.vshard(), 777u);
  EXPECT_EQ(id.text().size(), 26u);
  EXPECT_EQ(MessageId::parse(id.text()), id);
}

TEST(MessageId, TextSortsByTime) {
  const MessageId early = MessageId::make(1'000, 4095, {~0ull, ~0ull});
  const MessageId late = MessageId::make(1'001, 0, {0, 0});
  EXPECT_LT(early.text(), late.text());
}

TEST(MessageId, RefusesWhatItWouldNotPrint) {
  EXPECT_FALSE(MessageId::parse(""));
  EXPECT_FALSE(MessageId::parse(std::string(25, '0')));
  EXPECT_FALSE(MessageId::parse(std::string(26, 'u')));
  EXPECT_FALSE(MessageId::parse("8" + std::string(25, '0')));  // would need 129 bits
  EXPECT_FALSE(MessageId::parse("0000000000000000000000000A"));
}

TEST(Bytes, WhatIsWrittenIsRead) {
  std::string out;
  ByteWriter w(out);
  w.u8(7);
  w.u16(65535);
  w.u32(1u << 31);
  w.u64(~0ull);
  w.varint(0);
  w.varint(~0ull);
  w.zigzag(-1);
  w.zigzag(INT64_MIN);
  w.f64(0.25);
  w.str("héllo");
  ByteReader r(out);
  EXPECT_EQ(r.u8(), 7);
  EXPECT_EQ(r.u16(), 65535);
  EXPECT_EQ(r.u32(), 1u << 31);
  EXPECT_EQ(r.u64(), ~0ull);
  EXPECT_EQ(r.varint(), 0u);
  EXPECT_EQ(r.varint(), ~0ull);
  EXPECT_EQ(r.zigzag(), -1);
  EXPECT_EQ(r.zigzag(), INT64_MIN);
  EXPECT_EQ(r.f64(), 0.25);
  EXPECT_EQ(r.str(), "héllo");
  EXPECT_TRUE(r.at_end());
}

TEST(Bytes, EveryTruncationFailsWithoutReadingPastTheEnd) {
  std::string out;
  ByteWriter w(out);
  w.u64(1);
  w.str("0123456789");
  for (size_t n = 0; n < out.size(); ++n) {
    ByteReader r(std::string_view(out).substr(0, n));
    r.u64();
    r.str();
    EXPECT_TRUE(r.failed()) << n;
  }
}

TEST(Bytes, LengthBeyondTheEndFails) {
  std::string out;
  ByteWriter(out).varint(~0ull);
  ByteReader r(out);
  EXPECT_EQ(r.str(), "");
  EXPECT_TRUE(r.failed());
}

TEST(Encoding, Base64UrlRoundTripsEveryLength) {
  for (size_t n = 0; n < 70; ++n) {
    const std::string bytes = random_bytes(n);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  }
}

TEST(Encoding, Base64UrlHasOneSpellingOnly) {
  EXPECT_TRUE(from_base64url("QQ"));
  EXPECT_FALSE(from_base64url("QR"));  // the same byte with a stray bit
  EXPECT_FALSE(from_base64url("Q"));
  EXPECT_FALSE(from_base64url("QQ=="));
  EXPECT_FALSE(from_base64url("Q+"));
}

TEST(Encoding, Rfc3339) {
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(from_rfc3339("2026-11-21T08:00:00Z"), from_rfc3339("2026-11-21T16:00:00.000+08:00"));
  EXPECT_EQ(from_rfc3339(to_rfc3339(1'790'000'000'123)), 1'790'000'000'123);
  for (const char* bad :
       {"", "2026-11-21", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-21T25:00:00Z", "2026-11-21T08:00:00",
        "2026-11-21T08:00:00.Z", "2026-11-21T08:00:00+8:00", "2026-11-21T08:00:00Zx"})
    EXPECT_FALSE(from_rfc3339(bad)) << bad;
}

TEST(Encoding, Sha256AndHmacMatchThePublishedVectors) {
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),  // RFC 4231, case 2
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Callback, OwnsMoveOnlyState) {
  auto value = std::make_unique<int>(41);
  Callback<int(int)> add([value = std::move(value)](int x) { return *value + x; });
  Callback<int(int)> moved = std::move(add);
  EXPECT_EQ(moved(1), 42);
  EXPECT_FALSE(add);  // NOLINT: the moved-from state is the point
}

TEST(Mailbox, KeepsTheOrderOfEachSenderAndLosesNothing) {
  Mailbox<int> box;
  constexpr int kEach = 20'000;
  std::thread a = start_thread("put-a", [&] {
    for (int i = 0; i < kEach; ++i) box.put(i);
  });
  std::thread b = start_thread("put-b", [&] {
    for (int i = 0; i < kEach; ++i) box.put(kEach + i);
  });
  std::vector<int> batch;
  int next_a = 0, next_b = kEach;
  while (next_a < kEach || next_b < 2 * kEach) {
    box.take(batch, std::chrono::seconds(10));
    for (int v : batch) {
      int& next = v < kEach ? next_a : next_b;
      ASSERT_EQ(v, next++);
    }
  }
  a.join();
  b.join();
}

TEST(Expand, ReplacesEnvironmentAndFiles) {
  ::setenv("GODWIT_BASE_TEST", "v", 1);
  EXPECT_EQ(*expand_references("a-${env:GODWIT_BASE_TEST}-$$b"), "a-v-$b");
  const std::string path = testing::TempDir() + "godwit_expand_test";
  std::ofstream(path) << "secret\n";
  EXPECT_EQ(*expand_references("${file:" + path + "}"), "secret");
}

TEST(Expand, SaysWhatIsMissing) {
  EXPECT_NE(expand_references("${env:GODWIT_NOT_SET}").error().message.find("GODWIT_NOT_SET is not set"),
            std::string::npos);
  EXPECT_NE(expand_references("${file:/nonexistent}").error().message.find("/nonexistent"), std::string::npos);
  EXPECT_FALSE(expand_references("${what:x}").ok());
  EXPECT_FALSE(expand_references("${env:X").ok());
}

TEST(NearestName, FindsASlipButNotAStranger) {
  const std::vector<std::string> known{"channels", "data_dir", "http"};
  EXPECT_EQ(nearest_name("chanels", known), "channels");
  EXPECT_EQ(nearest_name("datadir", known), "data_dir");
  EXPECT_EQ(nearest_name("zookeeper", known), "");
}

TEST(Result, CarriesContextUpwards) {
  Result<int> r = Error{Code::io, "No such file", "key.p8"};
  Error e = std::move(r).error().with("channel apns");
  EXPECT_EQ(e.message, "channel apns: No such file");
  EXPECT_EQ(e.where, "key.p8");
}

}  // namespace
}  // namespace godwit
