#include "json_schema.hpp"

#include <algorithm>
#include <set>

namespace brownout::sim::testing {
namespace {

using Json = nlohmann::json;

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  return type == "integer" && value.is_number_integer();
}

class Validator {
 public:
  explicit Validator(const Json& root) : root_(root) {}

  void check(const Json& schema, const Json& value, const std::string& place) {
    static const std::set<std::string> kAnnotations = {"$schema", "title", "description", "$defs"};
    for (const auto& [keyword, rule] : schema.items()) {
      if (kAnnotations.count(keyword) == 0) check_keyword(schema, keyword, rule, value, place);
    }
  }
  std::vector<std::string> take() { return std::move(faults_); }

 private:
  void fault(const std::string& place, const std::string& what) { faults_.push_back(place + ": " + what); }

  void check_keyword(const Json& schema, const std::string& keyword, const Json& rule, const Json& value,
                     const std::string& place) {
    if (keyword == "$ref") {
      check(root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value, place);
    } else if (keyword == "type") {
      const auto types = rule.is_array() ? rule.get<std::vector<std::string>>()
                                         : std::vector<std::string>{rule.get<std::string>()};
      if (std::none_of(types.begin(), types.end(),
                       [&](const std::string& type) { return has_type(value, type); })) {
        fault(place, "is no " + rule.dump() + ": " + value.dump().substr(0, 60));
      }
    } else if (keyword == "enum") {
      if (std::find(rule.begin(), rule.end(), value) == rule.end())
        fault(place, value.dump() + " is none of " + rule.dump());
    } else if (keyword == "const") {
      if (value != rule) fault(place, value.dump() + " is not " + rule.dump());
    } else if (keyword == "minimum") {
      if (value.is_number() && value < rule) fault(place, value.dump() + " is below " + rule.dump());
    } else if (keyword == "maximum") {
      if (value.is_number() && value > rule) fault(place, value.dump() + " is above " + rule.dump());
    } else if (keyword == "minItems") {
      if (value.is_array() && value.size() < rule.get<std::size_t>()) fault(place, "has too few items");
    } else if (keyword == "maxItems") {
      if (value.is_array() && value.size() > rule.get<std::size_t>()) fault(place, "has too many items");
    } else if (keyword == "items") {
      for (std::size_t i = 0; value.is_array() && i < value.size(); ++i)
        check(rule, value[i], place + "." + std::to_string(i));
    } else if (keyword == "required") {
      for (const Json& name : rule) {
        if (value.is_object() && !value.contains(name.get<std::string>()))
          fault(place, "lacks " + name.dump());
      }
    } else if (keyword == "properties") {
      for (const auto& [name, part] : rule.items()) {
        if (value.is_object() && value.contains(name)) check(part, value[name], place + "." + name);
      }
    } else if (keyword == "additionalProperties" && rule == false) {
      const Json members = value.is_object() ? value : Json::object();
      for (const auto& [name, part] : members.items()) {
        if (!schema["properties"].contains(name))
          fault(place, "has " + name + ", which the schema does not know");
      }
    } else {
      fault(place, "the schema uses " + keyword + ", which this does not check");
    }
  }

  const Json& root_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> schema_faults(const Json& schema, const Json& value) {
  Validator validator(schema);
  validator.check(schema, value, "report");
  return validator.take();
}

}  // namespace brownout::sim::testing
