// One event -> one line. Pure, so that its shape is tested without a logger.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "config/config.hpp"

namespace weirpool::log {

using Level = config::LogLevel;
using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

/// A named value. The text of a string is not copied: it must live until event() returns. Never
/// SQL, never a secret.
struct Field {
  std::string_view name;
  Value value;

  Field(std::string_view key, bool flag) : name(key), value(flag) {}
  Field(std::string_view key, double number) : name(key), value(number) {}
  Field(std::string_view key, const char* text) : name(key), value(std::string_view(text)) {}
  Field(std::string_view key, std::string_view text) : name(key), value(text) {}
  Field(std::string_view key, const std::string& text) : name(key), value(std::string_view(text)) {}
  template <std::signed_integral T>
  Field(std::string_view key, T number) : name(key), value(static_cast<std::int64_t>(number)) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) Field(std::string_view key, T number)
      : name(key), value(static_cast<std::uint64_t>(number)) {}
};

struct Event {
  std::chrono::system_clock::time_point at;
  Level level = Level::info;
  std::string_view name;     ///< stable snake_case identifier
  std::string_view message;  ///< for people
  std::span<const Field> fields;
};

std::string_view to_text(Level level);
/// One value as JSON.
std::string value_text(const Value& value);

/// RFC 3339, UTC, microseconds.
std::string time_text(std::chrono::system_clock::time_point at);
/// The fields alone, one JSON object.
std::string fields_json(std::span<const Field> fields);

/// {"ts":…,"level":…,"event":…,"msg":…, fields…} without a newline. RFC 8259; bytes that are not
/// UTF-8 become U+FFFD; long values are cut.
std::string json_line(const Event& event);
/// 12:51:21.784 info  event_name            message  field=value, without a newline.
std::string text_line(const Event& event, bool colour);

}  // namespace weirpool::log
