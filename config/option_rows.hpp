// How a row of the option table is written; for option_table.cpp only.
#pragma once

#include <array>
#include <string_view>
#include <type_traits>

#include "config/option_table.hpp"

namespace weirpool::config::rows {

using enum Reload;

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

template <class T>
Field field_at(T& value) {
  if constexpr (std::is_enum_v<T>) {
    static_assert(std::is_same_v<std::underlying_type_t<T>, std::uint8_t>);
    return EnumField{reinterpret_cast<std::uint8_t*>(&value)};
  } else {
    return &value;
  }
}

template <auto First, auto... Rest, class Object>
Field field_of(Object& object) {
  if constexpr (sizeof...(Rest) == 0) {
    return field_at(object.*First);
  } else {
    return field_of<Rest...>(object.*First);
  }
}

template <auto... Path>
Field in_config(const Scope& scope) {
  return field_of<Path...>(*scope.config);
}
template <auto... Path>
Field in_backend(const Scope& scope) {
  return field_of<Path...>(*scope.backend);
}
template <auto... Path>
Field in_listener(const Scope& scope) {
  return field_of<Path...>(*scope.listener);
}
template <auto... Path>
Field in_database(const Scope& scope) {
  return field_of<Path...>(*scope.database);
}
template <auto... Path>
Field in_user(const Scope& scope) {
  return field_of<Path...>(*scope.user);
}
template <auto... Path>
Field in_rule(const Scope& scope) {
  return field_of<Path...>(*scope.rule);
}
inline Field nowhere(const Scope&) { return {}; }

constexpr std::string_view kModes = "transaction|session|statement";
constexpr std::string_view kModesOrInherit = "transaction|session|statement|inherit";

using At = Field (*)(const Scope&);
using Text = std::string_view;

constexpr Option holder(Text path, Type type, Text sentence, bool required = false) {
  return {path, type, "", required, 0, 0, "", live, "", sentence, nowhere};
}
constexpr Option group(Text path, Text sentence) { return holder(path, Type::group, sentence); }
constexpr Option number(Text path, Text fallback, std::int64_t min, std::int64_t max, Reload reload,
                        At field, Text sentence) {
  return {path, Type::integer, fallback, false, min, max, "", reload, "", sentence, field};
}
/// 0 disables; other values lie between `min` and `max`.
constexpr Option timed(Text path, Text fallback, std::int64_t min, std::int64_t max, At field,
                       Text sentence, Reload reload = live) {
  return {path, Type::duration, fallback, false, min, max, "", reload, "", sentence, field};
}
constexpr Option choice(Text path, Text fallback, Text choices, Reload reload, At field,
                        Text sentence) {
  return {path, Type::choice, fallback, false, 0, 0, choices, reload, "", sentence, field};
}
constexpr Option follow(Text path, At field, Text sentence) {
  return choice(path, "track", "track|pin|refuse|allow", restart, field, sentence);
}
constexpr Option keep(Text path, At field, Text sentence) {
  return choice(path, "pin", "pin|refuse|allow", restart, field, sentence);
}
constexpr Option truth(Text path, Text fallback, Reload reload, At field, Text sentence) {
  return {path, Type::boolean, fallback, false, 0, 0, "", reload, "", sentence, field};
}
constexpr Option needed(Text path, Type type, Text choices, Text example, At field, Text sentence) {
  return {path, type, "", true, 0, 0, choices, restart, example, sentence, field};
}
constexpr Option file(Text path, Text example, Reload reload, At field, Text sentence) {
  return {path, Type::file, "", false, 0, 0, "", reload, example, sentence, field};
}
constexpr Option text(Text path, Text fallback, Text example, Reload reload, At field,
                      Text sentence) {
  return {path, Type::text, fallback, false, 0, 0, "", reload, example, sentence, field};
}
constexpr Option secret(Text path, Type type, Text example, Text sentence) {
  return {path, type, "", false, 0, 0, "", new_connections, example, sentence, nowhere};
}

}  // namespace weirpool::config::rows
