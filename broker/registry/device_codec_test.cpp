#include "broker/registry/device_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/base/encoding.hpp"

namespace godwit {
namespace {

DeviceFields full() {
  DeviceFields d;
  d.app = "shop";
  d.id = "d1";
  d.user_id = "u42";
  d.attributes = {"android", "Xiaomi", "M2012K11AC", "13", "5.2.0", "zh-CN", "Asia/Shanghai", "wifi"};
  d.location = Location{39.98, -116.31};
  d.tags = {"vip", "city:bj"};
  d.channels = {{"mipush", "token", false, 1'790'000'000'000}, {"selfconn", "", false, 0}, {"xinge", "dead", true, -1}};
  d.topics = {"news"};
  d.number = 7;
  d.version = 99;
  d.generation = 2;
  d.created_ms = 1'780'000'000'000;
  d.updated_ms = 1'790'000'000'000;
  return d;
}

DeviceRowView view(const DeviceRow& row) {
  return {row.number, row.app, row.device_id, row.subject, row.version, row.packed};
}

void expect_same(const DeviceFields& a, const DeviceFields& b) {
  EXPECT_EQ(a.app, b.app);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.user_id, b.user_id);
  EXPECT_EQ(a.attributes, b.attributes);
  EXPECT_EQ(a.location, b.location);
  EXPECT_EQ(a.tags, b.tags);
  EXPECT_TRUE(a.copy().channels == b.copy().channels);
  EXPECT_EQ(a.topics, b.topics);
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.generation, b.generation);
  EXPECT_EQ(a.created_ms, b.created_ms);
  EXPECT_EQ(a.updated_ms, b.updated_ms);
}

TEST(DeviceCodec, ARowGivesTheDeviceBack) {
  for (const bool bound : {true, false}) {
    DeviceFields d = full();
    if (!bound) d.user_id = {};
    const DeviceRow row = encode_device_row(d);
    EXPECT_EQ(row.subject, bound ? "u42" : "d1");
    DeviceFields back;
    ASSERT_TRUE(decode_device_row(view(row), back));
    expect_same(back, d);
  }
}

TEST(DeviceCodec, AUserNamedLikeTheDeviceIsStillAUser) {
  DeviceFields d = full(), back;
  d.user_id = d.id;
  const DeviceRow row = encode_device_row(d);
  ASSERT_TRUE(decode_device_row(view(row), back));
  EXPECT_EQ(back.user_id, "d1");
}

TEST(DeviceCodec, AnEmptyDeviceIsADevice) {
  DeviceFields d, back;
  d.app = "a";
  d.id = "d";
  const DeviceRow row = encode_device_row(d);
  ASSERT_TRUE(decode_device_row(view(row), back));
  expect_same(back, d);
}

// A change of these bytes needs a new format number, and a reader for this one.
TEST(DeviceCodec, TheFormatIsTheDocumentedOne) {
  EXPECT_EQ(
      to_hex(encode_device_row(full()).packed),
      "01010280a0a484ce6780b083c5986807616e64726f6964065869616f6d690a4d323031324b3131414302313305352e322e30057a682d434e"
      "0d417369612f5368616e676861690477696669013d0ad7a370fd4340a4703d0ad7135dc0020376697007636974793a626a03066d69707573"
      "680080b083c5986805746f6b656e0873656c66636f6e6e0000000578696e67650101046465616401046e657773746f6068");
}

TEST(DeviceCodec, EveryTruncationIsRefused) {
  const DeviceRow row = encode_device_row(full());
  DeviceFields back;
  for (size_t n = 0; n < row.packed.size(); ++n) {
    DeviceRow cut = row;
    cut.packed.resize(n);
    EXPECT_FALSE(decode_device_row(view(cut), back)) << n;
    cut.packed.resize(n > 4 ? n - 4 : 0);  // also when the checksum was made for what is left
    seal_device_row(cut);
    EXPECT_FALSE(decode_device_row(view(cut), back)) << n;
  }
}

TEST(DeviceCodec, EveryFlippedBitIsRefused) {
  const DeviceRow row = encode_device_row(full());
  DeviceFields back;
  for (size_t bit = 0; bit < row.packed.size() * 8; ++bit) {
    DeviceRow flipped = row;
    flipped.packed[bit / 8] = static_cast<char>(flipped.packed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_device_row(view(flipped), back)) << bit;
  }
}

TEST(DeviceCodec, ARowUnderAnotherKeyIsRefused) {
  const DeviceRow row = encode_device_row(full());
  DeviceFields back;
  DeviceRow other = row;
  other.number = 8;
  EXPECT_FALSE(decode_device_row(view(other), back));
  other = row;
  other.device_id = "d2";
  EXPECT_FALSE(decode_device_row(view(other), back));
  other = row;
  other.app = "bank";
  EXPECT_FALSE(decode_device_row(view(other), back));
}

TEST(DeviceCodec, ANewerFormatIsNamed) {
  DeviceRow row = encode_device_row(full());
  row.packed[0] = 2;
  row.packed.resize(row.packed.size() - 4);
  seal_device_row(row);
  DeviceFields back;
  const auto got = decode_device_row(view(row), back);
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, testing::HasSubstr("format 2"));
}

TEST(DeviceCodec, TheMarkRowGivesItsNumberBackAndRefusesDamage) {
  const DeviceRow row = encode_mark_row(123'456);
  EXPECT_EQ(decode_mark_row(view(row)).value(), 123'456u);
  for (size_t bit = 0; bit < row.packed.size() * 8; ++bit) {
    DeviceRow flipped = row;
    flipped.packed[bit / 8] = static_cast<char>(flipped.packed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_mark_row(view(flipped))) << bit;
  }
}

}  // namespace
}  // namespace godwit
