// What the first bytes of a packet decide (selfconn.md, error table rows 2 to 5).
#include "plugins/selfconn/codec/frame.hpp"

#include <gtest/gtest.h>

#include "plugins/selfconn/codec/testing/bytes.hpp"

namespace godwit::mqtt {
namespace {
using testing::hex;

struct Scanned {
  Scan scan;
  Frame frame;
  Fault fault;
};
Scanned scan(std::string_view bytes, Version version = Version::v5, size_t limit = 65'536) {
  static testing::Buffer kept;
  kept = hex(bytes);
  Scanned out;
  out.scan = scan_frame(kept, version, {limit}, out.frame, out.fault);
  return out;
}

TEST(Frame, GivesTypeFlagsAndBodyOfAWholePacketAndIgnoresWhatFollows) {
  const Scanned s = scan("3D 03 AABBCC C000");
  ASSERT_EQ(s.scan, Scan::complete);
  EXPECT_EQ(s.frame.type, PacketType::publish);
  EXPECT_EQ(s.frame.flags, 0x0D);
  EXPECT_EQ(s.frame.body.size(), 3u);
  EXPECT_EQ(s.frame.size, 5u);
}

TEST(Frame, WaitsForTheRestOfHeaderAndBody) {
  EXPECT_EQ(scan("").scan, Scan::need_more);
  EXPECT_EQ(scan("30").scan, Scan::need_more);
  EXPECT_EQ(scan("30 80").scan, Scan::need_more);
  EXPECT_EQ(scan("30 02 00").scan, Scan::need_more);
}

TEST(Frame, TypeZeroIsMalformed) {
  EXPECT_EQ(scan("00").fault.reason, Reason::malformed_packet);
  EXPECT_EQ(scan("00 00", Version::v3_1_1).fault.reason, Reason::malformed_packet);
}

TEST(Frame, AuthExistsInVersion5Only) {
  EXPECT_EQ(scan("F0", Version::v3_1_1).scan, Scan::faulty);
  EXPECT_EQ(scan("F0 00", Version::v5).scan, Scan::complete);
}

TEST(Frame, WrongFlagsAreMalformedForEveryTypeButPublish) {
  for (unsigned type = 1; type <= 15; ++type)
    for (unsigned flags = 0; flags < 16; ++flags) {
      const uint8_t first[] = {static_cast<uint8_t>(type << 4 | flags), 0};
      Frame frame;
      Fault fault;
      const bool right = type == 3 || flags == (type == 6 || type == 8 || type == 10 ? 2u : 0u);
      EXPECT_EQ(scan_frame(first, Version::v5, {}, frame, fault), right ? Scan::complete : Scan::faulty)
          << type << " " << flags;
      if (!right) {
        EXPECT_EQ(fault.reason, Reason::malformed_packet);
      }
    }
}

TEST(Frame, RemainingLengthOfFiveBytesIsMalformedAtTheFourth) {
  EXPECT_EQ(scan("30 FFFFFF", Version::v5, size_t{1} << 40).scan, Scan::need_more);
  EXPECT_EQ(scan("30 FFFFFFFF", Version::v5, size_t{1} << 40).fault.reason, Reason::malformed_packet);
  EXPECT_EQ(scan("30 FFFFFF7F", Version::v5, size_t{1} << 40).scan, Scan::need_more);
}

TEST(Frame, ALongerLengthThanNeededIsMalformedInVersion5Only) {
  EXPECT_EQ(scan("30 8300 0001'a'", Version::v5).fault.reason, Reason::malformed_packet);
  EXPECT_EQ(scan("30 8300 0001'a'", Version::v3_1_1).scan, Scan::complete);
}

TEST(Frame, TooLargeIsDecidedBeforeTheBodyArrives) {
  EXPECT_EQ(scan("30 FF7F", Version::v5, 16'386).scan, Scan::need_more);
  EXPECT_EQ(scan("30 FF7F", Version::v5, 16'385).fault.reason, Reason::packet_too_large);
}

TEST(Frame, TheHeaderCountsTowardsTheLimit) {
  EXPECT_EQ(scan("30 03 0001'a'", Version::v5, 5).scan, Scan::complete);
  EXPECT_EQ(scan("30 03 0001'a'", Version::v5, 4).fault.reason, Reason::packet_too_large);
}

}  // namespace
}  // namespace godwit::mqtt
