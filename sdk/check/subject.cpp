#include "sdk/check/subject.hpp"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>

#include <godwit/table.hpp>
#include <godwit/text.hpp>

#include "sdk/check/schema.hpp"
#include "sdk/check/verdict.hpp"

namespace godwit::check {

const gw_entry* load_entry(const std::string& path) {
  namespace dll = boost::dll;
  // Boost.DLL knows no such mode but hands the bits on to dlopen; the throwing form keeps the linker's text.
  constexpr auto kMode =
      dll::load_mode::rtld_now | dll::load_mode::rtld_local | static_cast<dll::load_mode::type>(RTLD_NODELETE);
  dll::shared_library library(dll::fs::path(path), kMode);
  if (library.has(GW_ENTRY_SYMBOL_NAME)) return &library.get<const gw_entry>(GW_ENTRY_SYMBOL_NAME);
  for (int major = 1; major <= 9; ++major)
    if (library.has("gw_entry_" + std::to_string(major)))
      fail("it is built for ABI " + std::to_string(major) + ", this broker speaks ABI " + std::to_string(GW_ABI_MAJOR));
  fail("it exports no " GW_ENTRY_SYMBOL_NAME ": end the source with GW_EXPORT_CHANNEL(YourClass)");
}

const gw_entry& Subject::entry() {
  if (!loaded_) {
    loaded_ = load_entry(path);
    entry_ = import_table(loaded_);
    testhost::DiagLog diag;
    if (entry_.init && entry_.init(str(path), diag.get()) != GW_OK) fail("init refused: " + diag.text());
  }
  return entry_;
}

const gw_channel_type& Subject::type() {
  if (type_.size == 0) {
    const gw_entry& e = entry();
    require(e.types && type_index < e.type_count && e.types[type_index], "it carries no channel type");
    type_ = import_table(e.types[type_index]);
    require(type_.ops && type_.caps, "its channel type has no caps or no ops");
    ops_ = import_table(type_.ops);
    caps_ = import_table(type_.caps);
    require(ops_.create && ops_.start && ops_.submit && ops_.stop && ops_.destroy,
            "one of create, start, submit, stop, destroy is missing");
  }
  return type_;
}

const gw_caps& Subject::caps() {
  return type(), caps_;
}
const gw_channel_ops& Subject::ops() {
  return type(), ops_;
}

std::string Subject::schema() {
  return std::string(view(type().config_schema));
}

std::string Subject::config() {
  std::string text = given_config.empty() ? std::string(view(type().config_example)) : given_config;
  return with_defaults(schema(), text.empty() ? "{}" : text);
}

std::unique_ptr<testhost::Instance> Subject::instance() {
  auto made = std::make_unique<testhost::Instance>(&type());
  made->host().give_threads_time();
  for (const auto& [name, value] : secrets) made->host().secrets().set(name, value);
  return made;
}

std::unique_ptr<testhost::Instance> Subject::started() {
  auto made = instance();
  require(made->create(config()) == GW_OK, "create refused its own configuration: " + made->diag().text());
  require(made->start() == GW_OK, "start refused: " + made->diag().text());
  return made;
}

std::unique_ptr<testhost::Instance> Subject::ready() {
  auto made = started();
  require(made->wait_ready(), "not READY within 30 s: its state is " + std::to_string(made->host().state()) + " \"" +
                                  made->host().state_reason() + "\"");
  return made;
}

}  // namespace godwit::check
