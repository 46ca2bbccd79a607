// A message's content comes from callers. Whatever it is, the fast way makes the JSON that the tree makes, or nothing.
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include <godwit/json.hpp>

#include "payload.hpp"
#include "push.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string address(64, 'a'), content(reinterpret_cast<const char*>(data) + 1, size - 1);
  gw_target target{};
  target.address = godwit::str(address);
  const gw_target* const targets[] = {&target};
  gw_msg raw{};
  raw.flags = data[0] & 4 ? GW_MSG_SILENT : 0;
  raw.priority = data[0] & 3;
  raw.content_kind = GW_CONTENT_NOTIFICATION;
  raw.content = godwit::str(content);
  raw.message_id = godwit::str("01mid");
  raw.target_count = 1;
  raw.targets = targets;
  const godwit::Message message(&raw);

  std::string fast;
  if (!apns::write_payload({}, message, fast)) return 0;
  const auto tree = apns::render_by_tree({}, message, 0);
  if (!tree && tree.error().message.starts_with("PayloadTooLarge")) return 0;
  if (tree && godwit::Json::parse(fast) == godwit::Json::parse(tree->body)) return 0;
  std::fprintf(stderr, "%s\n%s\n", fast.c_str(), tree ? tree->body.c_str() : tree.error().message.c_str());
  std::abort();
}
