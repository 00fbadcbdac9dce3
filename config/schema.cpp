// JSON Schema (draft 2020-12) for editors. It knows types, keys and bounds; what needs the whole
// file or the environment stays with the loader.
#include <nlohmann/json.hpp>

#include "config/load.hpp"
#include "config/option_table.hpp"

namespace weirpool::config {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kVariable = "\\$\\{";  ///< a value with ${…} in it is a string to YAML

Json either(Json plain) {
  return {{"anyOf", Json::array({std::move(plain), {{"type", "string"}, {"pattern", kVariable}}})}};
}

Json integer(const Option& option) {
  return {{"type", "integer"}, {"minimum", option.min}, {"maximum", option.max}};
}

Json value_schema(const Option& option) {
  switch (option.type) {
    case Type::integer: return either(integer(option));
    case Type::automatic:
      return {{"anyOf", Json::array({integer(option),
                                     {{"const", "auto"}},
                                     {{"type", "string"}, {"pattern", kVariable}}})}};
    case Type::duration:
      return {{"anyOf",
               Json::array({{{"const", 0}},
                            {{"type", "string"}, {"pattern", "^(0|off|([0-9]+(d|h|m|s|ms))+)$"}},
                            {{"type", "string"}, {"pattern", kVariable}}})}};
    case Type::boolean: return either({{"type", "boolean"}});
    case Type::choice: return either({{"enum", split_choices(option.choices)}});
    case Type::address:
      return either({{"type", "string"}, {"pattern", "^(\\[[^\\]]+\\]|[^:\\[\\]]+):[0-9]+$"}});
    case Type::addresses: {
      const std::string one = "(\\[[^\\]]+\\]|[^:,\\[\\]]+):[0-9]+";
      return either({{"type", "string"}, {"pattern", "^" + one + "(, *" + one + ")*$"}});
    }
    case Type::http_address:
      return either(
          {{"type", "string"}, {"pattern", "^(off|(\\[[^\\]]+\\]|[^:\\[\\]]+):[0-9]+)$"}});
    case Type::names: return {{"type", "array"}, {"items", {{"type", "string"}}}};
    // Quotes may be left out around a password of digits.
    case Type::secret: return {{"type", Json::array({"string", "number", "boolean"})}};
    default: return {{"type", "string"}};
  }
}

Json default_of(const Option& option) {
  const std::string text(option.fallback);
  if (option.type == Type::integer) return std::stoll(text);
  if (option.type == Type::boolean) return text == "true";
  if (option.type == Type::duration && text == "0") return 0;
  return text;
}

Json group_schema(std::string_view path);

Json option_schema(const Option& option) {
  Json schema;
  const std::string element = std::string(option.path) + ".*";
  if (option.type == Type::group) {
    schema = group_schema(option.path);
    schema["type"] = Json::array({"object", "null"});
  } else if (option.type == Type::map) {
    schema = {
        {"type", "object"}, {"minProperties", 1}, {"additionalProperties", group_schema(element)}};
  } else if (option.type == Type::list) {
    schema = {{"type", "array"}, {"minItems", 1}, {"items", group_schema(element)}};
  } else {
    schema = value_schema(option);
  }
  schema["description"] = option.sentence;
  if (!option.fallback.empty()) schema["default"] = default_of(option);
  return schema;
}

Json group_schema(std::string_view path) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Option* option : children_of(path)) {
    properties[std::string(option->name())] = option_schema(*option);
    if (option->required) required.push_back(option->name());
  }
  Json schema{
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  if (path == "users.*") {
    schema["oneOf"] = Json::array({{{"required", {"password"}}},
                                   {{"required", {"password_file"}}},
                                   {{"required", {"password_env"}}}});
  }
  return schema;
}

}  // namespace

std::string schema() {
  Json root{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
            {"title", "weirpool configuration"}};
  root.update(group_schema(""));
  root["patternProperties"] = {{"^x-", true}};
  return root.dump(2) + "\n";
}

}  // namespace weirpool::config
