// A channel that compiles; each file of this folder spoils one thing and says what the compiler must answer.
#pragma once

#include <godwit/channel.hpp>

struct Fine : godwit::Channel {
  void start() override {}
  void submit(godwit::Batch) override {}
};
constexpr auto kInfo = godwit::type("test.misuse").name("Misuse").version("1.0.0");
