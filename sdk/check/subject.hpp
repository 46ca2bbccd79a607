// Subject is the plugin under test: its file, and, once a test's child asks, its library, its type and its
// configuration.
//
// Loading happens inside each child, never in the parent: a plugin whose static constructors crash costs one test.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <godwit/abi.h>

#include "sdk/testhost/instance.hpp"

namespace godwit::check {

struct Sample {
  std::string name;
  std::string method, tail, query, body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// The library behind a file, as the broker loads it (RTLD_NOW, RTLD_LOCAL, never unloaded). Throws std::exception with
// the linker's text.
const gw_entry* load_entry(const std::string& path);

class Subject {
 public:
  std::string path;
  std::string given_config;  // empty = the type's own example
  std::map<std::string, std::string> secrets;
  std::vector<Sample> samples;  // of webhooks
  uint32_t type_index = 0;
  uint64_t seed = 1;

  // Load, then keep. Each ends the test if the plugin cannot be used so far.
  const gw_entry& entry();
  const gw_channel_type& type();  // imported: full-size, zeroed where the plugin is older
  const gw_caps& caps();
  const gw_channel_ops& ops();

  std::string schema();
  std::string config();  // with the schema's defaults

  // A new instance, not yet created.
  std::unique_ptr<testhost::Instance> instance();
  // Created and started; the test ends if that fails.
  std::unique_ptr<testhost::Instance> started();
  // ... and READY.
  std::unique_ptr<testhost::Instance> ready();

 private:
  const gw_entry* loaded_ = nullptr;
  gw_entry entry_{};
  gw_channel_type type_{};
  gw_caps caps_{};
  gw_channel_ops ops_{};
};

}  // namespace godwit::check
