// The vectors of the contract page: Tencent's own where its documents print them.
#include "sign.hpp"

#include <gtest/gtest.h>

namespace xinge {
namespace {

TEST(Sign, TpnsWorkedExample) {
  const std::string body =
      R"({"audience_type":"token","token_list":["04cac74a714f61bf089987a986363d88a963"],"message_type":"notify","message":{"title":"Order shipped","content":"Parcel 42 is on its way"}})";
  ASSERT_EQ(body.size(), 175u);
  const std::string sign = tpns_sign("00112233445566778899aabbccddeeff", "1700000000", "1500001234", body);
  EXPECT_EQ(sign, "NjAyZGQ0YzRkYmZhMDUyYjQ1NWZlOGZjNDNhZWJkYzJmM2JkY2Q1ZDljMTNlMmVhNGFhYTlhMTE0YWIzNGM4MQ==");
  // Not base64 of the 32 bytes, as the document's one-line formula reads.
  EXPECT_NE(sign, "YC3UxNv6BStFX+j8Q669wvO9zV2cE+LqSqqaEUqzTIE=");
  EXPECT_EQ(sign.size(), 88u);
}

TEST(Sign, BasicOfTpnsAndV3) {
  EXPECT_EQ(basic("1500001234", "00112233445566778899aabbccddeeff"),
            "Basic MTUwMDAwMTIzNDowMDExMjIzMzQ0NTU2Njc3ODg5OWFhYmJjY2RkZWVmZg==");
  EXPECT_EQ(basic("a1b2c3d4e5f60", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            "Basic YTFiMmMzZDRlNWY2MDowZjFlMmQzYzRiNWE2OTc4ODc5NmE1YjRjM2QyZTFmMA==");
}

TEST(Sign, V2OfTencentsDocument) {
  // The document sorts Param1 after access_id, as if ignoring case; written here so that byte order gives its text.
  EXPECT_EQ(v2_sign("POST", "openapi.xg.qq.com/v2/push/single_deviceaccess_id=123",
                    {{"Param1", "Value1"}, {"Param2", "Value2"}, {"timestamp", "1386691200"}}, "abcde"),
            "6b90c7f4a137c7d0b756d48f748c93b2");
}

TEST(Sign, V2OwnVectors) {
  constexpr const char* kSecret = "f0e1d2c3b4a5968778695a4b3c2d1e0f";
  EXPECT_EQ(v2_sign("GET", "openapi.xg.qq.com/v2/application/get_app_device_num",
                    {{"access_id", "2100012345"}, {"timestamp", "1700000000"}}, kSecret),
            "bd2691727a10eaeb8e6c247e83ebd478");
  EXPECT_EQ(
      v2_sign(
          "POST", "openapi.xg.qq.com/v2/push/single_device",
          {{"access_id", "2100012345"},
           {"device_token", "0123456789abcdef0123456789abcdef01234567"},
           {"expire_time", "3600"},
           {"message",
            R"({"title":"Order shipped","content":"Parcel 42 is on its way","accept_time":[],"n_id":7,"builder_id":0,"ring":1,"vibrate":1,"clearable":1,"action":{"action_type":1,"activity":""},"custom_content":{"order":"42"}})"},
           {"message_type", "1"},
           {"multi_pkg", "0"},
           {"timestamp", "1700000000"},
           {"valid_time", "600"}},
          kSecret),
      "70ac6132a0d9c843542e211010824ffe");
}

}  // namespace
}  // namespace xinge
