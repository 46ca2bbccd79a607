#include "plugins/selfconn/stream/websocket_frames.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace selfconn {
namespace {

using Event = WebSocketFrames::Step::Event;
using Bytes = std::vector<uint8_t>;

Bytes frame(uint8_t first, std::string_view payload, bool masked = true) {
  Bytes out = {first};
  const uint8_t mask_bit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    out.push_back(static_cast<uint8_t>(mask_bit | payload.size()));
  } else {
    out.push_back(mask_bit | 126);
    out.push_back(static_cast<uint8_t>(payload.size() >> 8));
    out.push_back(static_cast<uint8_t>(payload.size()));
  }
  const uint8_t mask[4] = {0x37, 0xFA, 0x21, 0x3D};
  if (masked) out.insert(out.end(), mask, mask + 4);
  for (size_t i = 0; i < payload.size(); ++i)
    out.push_back(static_cast<uint8_t>(payload[i] ^ (masked ? mask[i % 4] : 0)));
  return out;
}

struct Taken {
  std::string payload;
  std::vector<std::string> pings;
  Event last = Event::none;
  uint16_t code = 0;
};

// Feeds `stream` in pieces of `size`.
Taken take(const Bytes& stream, size_t size = SIZE_MAX) {
  WebSocketFrames frames;
  Taken taken;
  for (size_t at = 0; at < stream.size(); at += std::min(size, stream.size() - at)) {
    Bytes piece(stream.begin() + static_cast<long>(at),
                stream.begin() + static_cast<long>(at + std::min(size, stream.size() - at)));
    for (size_t done = 0; done < piece.size();) {
      const auto step = frames.take(std::span(piece).subspan(done));
      taken.payload.append(reinterpret_cast<const char*>(piece.data() + done), step.payload);
      done += step.consumed;
      taken.last = step.event;
      taken.code = step.code;
      if (step.event == Event::ping) taken.pings.push_back(frames.control());
      if (step.event == Event::fault || step.event == Event::close) return taken;
    }
  }
  return taken;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(WebSocketFrames, UnmasksDataWhereverItIsCut) {
  const Bytes stream = frame(0x82, "hello ") + frame(0x02, "wor") + frame(0x00, "ld") + frame(0x80, "!") +
                       frame(0x82, "") + frame(0x82, std::string(300, 'x'));
  for (size_t size : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{100}, SIZE_MAX}) {
    const Taken taken = take(stream, size);
    EXPECT_EQ(taken.last, Event::none);
    EXPECT_EQ(taken.payload, "hello world!" + std::string(300, 'x')) << size;
  }
}

TEST(WebSocketFrames, ControlFramesMayStandBetweenFragments) {
  const Bytes stream =
      frame(0x02, "a") + frame(0x89, "are you there") + frame(0x8A, "x") + frame(0x89, "") + frame(0x80, "b");
  for (size_t size : {size_t{1}, size_t{5}, SIZE_MAX}) {
    const Taken taken = take(stream, size);
    EXPECT_EQ(taken.payload, "ab");
    EXPECT_EQ(taken.pings, (std::vector<std::string>{"are you there", ""}));
  }
}

TEST(WebSocketFrames, CloseIsReportedWithWhatToAnswer) {
  EXPECT_EQ(take(frame(0x88, "")).last, Event::close);
  EXPECT_EQ(take(frame(0x88, std::string("\x03\xE8", 2) + "bye")).code, WebSocketFrames::kNormal);
  EXPECT_EQ(take(frame(0x88, "x")).code, WebSocketFrames::kProtocolError) << "half a code";
}

TEST(WebSocketFrames, BreachesAreNamed) {
  const auto code_of = [](const Bytes& bytes) {
    const Taken taken = take(bytes);
    return taken.last == Event::fault ? taken.code : 0;
  };
  EXPECT_EQ(code_of(frame(0x81, "text")), WebSocketFrames::kUnsupportedData);
  EXPECT_EQ(code_of(frame(0x82, "x", false)), WebSocketFrames::kProtocolError) << "unmasked";
  EXPECT_EQ(code_of(frame(0xC2, "x")), WebSocketFrames::kProtocolError) << "a reserved bit";
  EXPECT_EQ(code_of(frame(0x83, "x")), WebSocketFrames::kProtocolError) << "a reserved opcode";
  EXPECT_EQ(code_of(frame(0x8B, "x")), WebSocketFrames::kProtocolError);
  EXPECT_EQ(code_of(frame(0x80, "x")), WebSocketFrames::kProtocolError) << "continues nothing";
  EXPECT_EQ(code_of(frame(0x02, "x") + frame(0x82, "y")), WebSocketFrames::kProtocolError) << "begins within a message";
  EXPECT_EQ(code_of(frame(0x09, "x")), WebSocketFrames::kProtocolError) << "a ping in pieces";
  EXPECT_EQ(code_of(frame(0x89, std::string(126, 'x'))), WebSocketFrames::kProtocolError) << "a long ping";
  EXPECT_EQ(code_of({0x82, 0xFE, 0x00, 0x05, 1, 2, 3, 4}), WebSocketFrames::kProtocolError)
      << "a longer length than needed";
  EXPECT_EQ(code_of({0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 1, 2, 3, 4}), WebSocketFrames::kProtocolError);
  EXPECT_EQ(code_of({0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}), WebSocketFrames::kProtocolError) << "2^63";
}

TEST(WebSocketFrames, WritesTheShortestHeader) {
  std::array<uint8_t, 10> room;
  EXPECT_EQ(WebSocketFrames::write_header(WebSocketFrames::kBinary, 125, room), 2u);
  EXPECT_EQ(room[0], 0x82);
  EXPECT_EQ(room[1], 125);
  EXPECT_EQ(WebSocketFrames::write_header(WebSocketFrames::kBinary, 126, room), 4u);
  EXPECT_EQ(room[1], 126);
  EXPECT_EQ(room[3], 126);
  EXPECT_EQ(WebSocketFrames::write_header(WebSocketFrames::kBinary, 65'535, room), 4u);
  EXPECT_EQ(WebSocketFrames::write_header(WebSocketFrames::kBinary, 65'536, room), 10u);
  EXPECT_EQ(room[7], 1);
}

}  // namespace
}  // namespace selfconn
