// Group desc: what the plugin says about itself.
#include <algorithm>
#include <cctype>
#include <regex>
#include <set>

#include <godwit/table.hpp>
#include <godwit/text.hpp>

#include "sdk/check/schema.hpp"
#include "sdk/check/test.hpp"
#include "sdk/check/utf8.hpp"

namespace godwit::check {
namespace {

void utf8_mandatory(Subject& s) {
  const gw_channel_type& t = s.type();
  struct Field {
    const char* name;
    gw_str value;
    bool mandatory;
  };
  const Field fields[] = {{"id", t.id, true},
                          {"name", t.name, true},
                          {"vendor", t.vendor, false},
                          {"version", t.version, true},
                          {"license", t.license, false},
                          {"docs_url", t.docs_url, false},
                          {"config_schema", t.config_schema, true},
                          {"config_example", t.config_example, true}};
  for (const Field& f : fields) {
    require(!f.mandatory || f.value.len > 0, std::string(f.name) + " is empty");
    require(is_utf8(view(f.value)), std::string(f.name) + " is not UTF-8");
  }
  std::string id(view(t.id)), version(view(t.version));
  require(std::regex_match(id, std::regex("[a-z0-9][a-z0-9.-]*")),
          "id \"" + id + "\" must consist of a-z, 0-9, '.' and '-'");
  require(std::regex_match(version, std::regex(R"(\d+\.\d+\.\d+([-+].*)?)")),
          "version \"" + version + "\" must be semver: 1.2.3");
  std::set<std::string_view> ids;
  const gw_entry& e = s.entry();
  for (uint32_t i = 0; i < e.type_count; ++i)
    require(ids.insert(view(import_table(e.types[i]).id)).second, "two channel types have the id \"" + id + "\"");
}

std::string join(const std::vector<std::string>& faults) {
  std::string all;
  for (const std::string& f : faults) all += (all.empty() ? "" : "; ") + f;
  return all;
}

void schema_valid(Subject& s) {
  auto faults = faults_of_schema(s.schema());
  require(faults.empty(), join(faults));
}

void example_validates(Subject& s) {
  if (!faults_of_schema(s.schema()).empty()) skip("the schema is wrong: see desc-schema-valid");
  auto faults = faults_of_config(s.schema(), std::string(view(s.type().config_example)));
  require(faults.empty(), "config_example: " + join(faults));
  if (s.given_config.empty()) return;
  faults = faults_of_config(s.schema(), s.given_config);
  require(faults.empty(), "the configuration given to this check: " + join(faults));
}

}  // namespace

void add_describe_tests(Tests& tests) {
  tests.insert(tests.end(),
               {{"desc-utf8-mandatory", "Id, name, version and schema are there, in UTF-8.", utf8_mandatory},
                {"desc-schema-valid", "config_schema is a JSON Schema of an object.", schema_valid},
                {"desc-example-validates", "config_example fits the schema.", example_validates}});
}

}  // namespace godwit::check
