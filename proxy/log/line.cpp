#include "proxy/log/line.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "config/limits.hpp"
#include "config/utf8.hpp"

namespace weirpool::log {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kNameWidth = 22;

std::tm utc(std::chrono::system_clock::time_point at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::floor<std::chrono::duration<std::int64_t>>(at));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return parts;
}

int microseconds(std::chrono::system_clock::time_point at) {
  const auto since = std::chrono::floor<std::chrono::microseconds>(at.time_since_epoch()).count();
  return static_cast<int>(((since % 1'000'000) + 1'000'000) % 1'000'000);
}

void append_escaped(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (byte < 0x20 || byte == 0x7F) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out += "\\u00";
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  } else {
    out += c;
  }
}

/// The inside of a JSON string.
void append_text(std::string& out, std::string_view text) {
  const bool cut = text.size() > config::kLogFieldBytes;
  if (cut) text = text.substr(0, config::kLogFieldBytes);
  while (!text.empty()) {
    const std::size_t valid = config::valid_utf8_prefix(text);
    for (const char c : text.substr(0, valid)) append_escaped(out, c);
    text.remove_prefix(valid);
    if (text.empty()) break;
    out += kReplacement;
    text.remove_prefix(1);
  }
  if (cut) out += "...";
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_text(out, text);
  out += '"';
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 40> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), result.ptr);
}

void append_value(std::string& out, const Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    append_quoted(out, *text);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* real = std::get_if<double>(&value)) {
    // JSON has no infinity and no NaN.
    if (std::isfinite(*real)) {
      append_number(out, *real);
    } else {
      out += "null";
    }
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    append_number(out, *number);
  } else {
    append_number(out, std::get<std::uint64_t>(value));
  }
}

/// Words that need no quotes in the text format.
bool is_plain(std::string_view text) {
  if (text.empty() || config::valid_utf8_prefix(text) != text.size()) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7F || c == '"' || c == '\\' || c == '=') return false;
  }
  return text.size() <= config::kLogFieldBytes;
}

std::string_view colour_of(Level level) {
  switch (level) {
    case Level::debug: return "\x1b[2m";
    case Level::info: return "\x1b[32m";
    case Level::warn: return "\x1b[33m";
    case Level::error: break;
  }
  return "\x1b[31m";
}

void append_padded(std::string& out, std::string_view text, std::size_t width) {
  out += text;
  out.append(text.size() < width ? width - text.size() : 0, ' ');
}

}  // namespace

std::string_view to_text(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: break;
  }
  return "error";
}

std::string value_text(const Value& value) {
  std::string text;
  append_value(text, value);
  return text;
}

std::string time_text(std::chrono::system_clock::time_point at) {
  const std::tm parts = utc(at);
  std::array<char, 80> stamp{};
  std::snprintf(stamp.data(), stamp.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                parts.tm_sec, microseconds(at));
  return stamp.data();
}

std::string fields_json(std::span<const Field> fields) {
  std::string text = "{";
  for (const Field& field : fields) {
    if (text.size() > 1) text += ',';
    append_quoted(text, field.name);
    text += ':';
    append_value(text, field.value);
  }
  return text + "}";
}

std::string json_line(const Event& event) {
  std::string line = "{\"ts\":\"";
  line += time_text(event.at);
  line += "\",\"level\":\"";
  line += to_text(event.level);
  line += "\",\"event\":";
  append_quoted(line, event.name);
  line += ",\"msg\":";
  append_quoted(line, event.message);
  for (const Field& field : event.fields) {
    line += ',';
    append_quoted(line, field.name);
    line += ':';
    append_value(line, field.value);
  }
  line += '}';
  return line;
}

std::string text_line(const Event& event, bool colour) {
  const std::tm at = utc(event.at);
  std::array<char, 64> stamp{};
  std::snprintf(stamp.data(), stamp.size(), "%02d:%02d:%02d.%03d ", at.tm_hour, at.tm_min,
                at.tm_sec, microseconds(event.at) / 1000);
  std::string line = stamp.data();
  if (colour) line += colour_of(event.level);
  append_padded(line, to_text(event.level), 5);
  if (colour) line += "\x1b[0m";
  line += ' ';
  append_padded(line, event.name, kNameWidth);
  line += ' ';
  append_text(line, event.message);
  if (!event.fields.empty()) line += ' ';
  for (const Field& field : event.fields) {
    line += ' ';
    line += field.name;
    line += '=';
    const auto* text = std::get_if<std::string_view>(&field.value);
    if (text != nullptr && is_plain(*text)) {
      line += *text;
    } else {
      append_value(line, field.value);
    }
  }
  return line;
}

}  // namespace weirpool::log
