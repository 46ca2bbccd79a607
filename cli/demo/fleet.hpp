// The demo's simulated fleet: four loopback channels whose quality depends on the phone's maker and is known to the
// script only, and a few hundred devices. The broker must find out by itself.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace godwit::cli {

struct DemoChannel {
  std::string name;
  std::map<std::string, double> deliver_by;  // maker -> true share of messages that arrive
};

const std::vector<std::string>& demo_makers();
const std::vector<DemoChannel>& demo_channels();

// godwit.yaml of the demo's broker.
std::string demo_config(const std::string& data_dir, int port);

// The state of device number `n` as a JSON text for PUT /v1/devices/{id}.
std::string demo_device(int n);

}  // namespace godwit::cli
