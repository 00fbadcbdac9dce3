// The effective configuration as YAML that loads again.
#include "config/load.hpp"
#include "config/option_table.hpp"

namespace weirpool::config {

namespace {

/// Double-quoted YAML, with $ doubled so that no ${…} is seen in it.
std::string double_quoted(const std::string& text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '$') {
      out += "$$";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

/// Keys are not substituted, so a $ in one stays as it is.
std::string quoted_key(const std::string& key) {
  std::string out = double_quoted(key);
  for (std::size_t at = out.find("$$"); at != std::string::npos; at = out.find("$$", at + 1)) {
    out.erase(at, 1);
  }
  return out;
}

std::string value_of(const Place& place) {
  const Field field = place.option.field(place.scope);
  if (const auto* names = std::get_if<std::vector<std::string>*>(&field)) {
    std::string list;
    for (const std::string& name : **names)
      list += (list.empty() ? "" : ", ") + double_quoted(name);
    return "[" + list + "]";
  }
  const std::string text = text_of(place.option, field);
  const bool plain = place.option.type != Type::text && place.option.type != Type::file &&
                     place.option.type != Type::addresses && place.option.type != Type::address &&
                     place.option.type != Type::http_address;
  return plain ? text : double_quoted(text);
}

/// Nothing for the keys that were not used.
std::string secret_of(const Place& place) {
  const bool old = place.option.name().starts_with("old_");
  const User& user = *place.scope.user;
  const PasswordSource* source = &user.password;
  if (old) source = user.old_password ? &*user.old_password : nullptr;
  if (source == nullptr) return {};
  if (place.option.type == Type::secret_file && !source->file.empty())
    return double_quoted(source->file);
  if (place.option.type == Type::secret && source->file.empty()) return "<redacted>";
  return {};
}

}  // namespace

std::string dump(const Config& config) {
  Config copy = config;
  std::string text;
  bool dash = false;
  walk(copy, [&](const Place& place) {
    if (place.option.path == "listeners.*" || place.option.path == "admission.rules.*") {
      dash = true;
      return;
    }
    const std::string value = place.option.is_secret()       ? secret_of(place)
                              : place.option.holds_options() ? ""
                                                             : value_of(place);
    if (place.option.is_secret() && value.empty()) return;
    text.append(static_cast<std::size_t>(place.depth) * 2, ' ');
    if (dash) text.replace(text.size() - 2, 2, "- ");
    dash = false;
    text += place.option.name() == "*" ? quoted_key(place.key) : place.key;
    text += value.empty() ? ":\n" : ": " + value + "\n";
  });
  return text;
}

}  // namespace weirpool::config
