#include "proxy/admin/api.hpp"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/console/answers.hpp"

namespace weirpool::admin {
namespace {

constexpr std::string_view kPrefix = "/api/v1/";

struct Route {
  std::string_view name;
  std::string_view method;
  std::string_view command;
  bool takes_database;
};

constexpr std::array<Route, 10> kRoutes{{
    {"status", "GET", "SHOW STATUS", false},
    {"pools", "GET", "SHOW POOLS_EXTENDED", false},
    {"clients", "GET", "SHOW CLIENTS", false},
    {"servers", "GET", "SHOW SERVERS", false},
    {"scaling", "GET", "SHOW SCALING", false},
    {"events", "GET", "SHOW EVENTS", false},
    {"reload", "POST", "RELOAD", false},
    {"pause", "POST", "PAUSE", true},
    {"resume", "POST", "RESUME", true},
    {"drain", "POST", "SHUTDOWN WAIT_FOR_CLIENTS", false},
}};

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// The value of database=… in a query string.
std::string database_in(std::string_view query) {
  constexpr std::string_view kKey = "database=";
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view one = query.substr(0, end);
    if (one.starts_with(kKey)) return decoded(one.substr(kKey.size()));
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  }
  return {};
}

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

/// The rows of key and value as one object.
std::string object_of(const protocol::console::Table& table) {
  nlohmann::json object = nlohmann::json::object();
  for (const auto& row : table.rows) {
    const std::string value = row[1].value_or("");
    std::int64_t number = 0;
    const char* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, number);
    nlohmann::json& member = object[row[0].value_or("")];
    if (value == "yes" || value == "no") {
      member = value == "yes";
    } else if (!value.empty() && parsed.ec == std::errc() && parsed.ptr == end) {
      member = number;
    } else {
      member = value;
    }
  }
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Everything's signal as one object, with those of servers and pools inside; 503 while nobody can
/// know, so that an autoscaler leaves things as they are.
Answer scaling_answer(const protocol::console::Table& table) {
  const nlohmann::json rows = nlohmann::json::parse(console::json_of(table));
  nlohmann::json whole = nlohmann::json::object();
  nlohmann::json backends = nlohmann::json::array();
  nlohmann::json pools = nlohmann::json::array();
  for (nlohmann::json row : rows) {
    const std::string scope = row.at("scope");
    row.erase("scope");
    if (scope != "pool") {
      row.erase("database");
      row.erase("user");
    }
    if (scope == "whole") {
      row.erase("backend");
      whole = std::move(row);
    } else {
      (scope == "pool" ? pools : backends).push_back(std::move(row));
    }
  }
  const unsigned status = whole.value("verdict", "") == "hold_unknown" ? 503 : 200;
  whole["backends"] = std::move(backends);
  whole["pools"] = std::move(pools);
  return {status,
          kJson,
          whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
          {}};
}

Answer answer_of(const Route& route, const protocol::console::Answer& outcome) {
  if (!outcome.error.empty()) return problem(409, outcome.error);
  if (route.method == "POST") {
    return {200, kJson, nlohmann::json{{"ok", true}, {"done", outcome.tag}}.dump() + "\n", {}};
  }
  if (route.name == "scaling") return scaling_answer(outcome.table);
  const bool status = route.name == "status";
  return {
      200, kJson, (status ? object_of(outcome.table) : console::json_of(outcome.table)) + "\n", {}};
}

/// Why this order is not taken; empty: it is.
std::string objection(const ApiCall& call) {
  if (!call.local) return "orders are taken from this machine only; elsewhere use the console";
  if (call.origin.empty()) return {};
  const std::string own = "http://" + std::string(call.host);
  return call.origin == own ? std::string() : "orders are not taken from other sites";
}

}  // namespace

bool is_api(std::string_view target) { return target.starts_with(kPrefix); }

void serve_api(const Pages::Order& order, const ApiCall& call,
               std::function<void(Answer)> respond) {
  const std::string_view target = call.target.substr(kPrefix.size());
  const std::size_t question = target.find('?');
  const std::string_view name = target.substr(0, question);
  const Route* route = nullptr;
  for (const Route& one : kRoutes) {
    if (one.name == name) route = &one;
  }
  if (route == nullptr) return respond(problem(404, "no such page under /api/v1"));
  const bool get = route->method == "GET" && (call.method == "GET" || call.method == "HEAD");
  if (!get && call.method != route->method) {
    Answer refused = problem(405, "only " + std::string(route->method) + " is allowed here");
    refused.allow = route->method == "GET" ? "GET, HEAD" : "POST";
    return respond(std::move(refused));
  }
  if (!get) {
    if (std::string why = objection(call); !why.empty()) return respond(problem(403, why));
  }
  std::string command(route->command);
  if (route->takes_database && question != std::string_view::npos) {
    const std::string database = database_in(target.substr(question + 1));
    if (!database.empty()) command += " " + quoted(database);
  }
  order(std::move(command), false,
        [route, respond = std::move(respond)](const protocol::console::Answer& outcome) {
          respond(answer_of(*route, outcome));
        });
}

}  // namespace weirpool::admin
