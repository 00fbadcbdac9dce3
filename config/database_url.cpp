// DATABASE_URL -> the configuration that serves this one database.
#include <array>
#include <optional>

#include "config/limits.hpp"
#include "config/load_tree.hpp"
#include "config/suggest.hpp"

namespace weirpool::config {

namespace {

struct Scheme {
  std::string_view name;
  std::string_view protocol;
  std::string_view default_port;
  std::string_view listen;
};
constexpr std::array<Scheme, 4> kSchemes{{
    {"postgres", "postgresql", "5432", "0.0.0.0:6432"},
    {"postgresql", "postgresql", "5432", "0.0.0.0:6432"},
    {"mysql", "mysql", "3306", "0.0.0.0:6033"},
    {"mariadb", "mysql", "3306", "0.0.0.0:6033"},
}};
constexpr std::string_view kHttp = "0.0.0.0:9127";
constexpr std::string_view kMaxConnections = "20";

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// %41 -> A; nothing if a % is not followed by two hex digits, or for a NUL.
std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex(text[i + 1]);
    const int low = hex(text[i + 2]);
    if (high < 0 || low < 0 || high * 16 + low == 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

struct Parts {
  Scheme scheme;
  std::string user;
  std::string password;
  std::string address;
  std::string tls_mode = "prefer";
};

Node scalar(std::string_view text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = text;
  node.literal = true;
  return node;
}

Node map(std::vector<Entry> entries) {
  Node node;
  node.kind = Node::Kind::map;
  node.entries = std::move(entries);
  return node;
}

Node list(Node item) {
  Node node;
  node.kind = Node::Kind::list;
  node.items.push_back(std::move(item));
  return node;
}

Node tree_of(const Parts& parts) {
  Node backend = map({{"protocol", {}, scalar(parts.scheme.protocol)},
                      {"address", {}, scalar(parts.address)},
                      {"max_connections", {}, scalar(kMaxConnections)},
                      {"tls", {}, map({{"mode", {}, scalar(parts.tls_mode)}})}});
  Node listener =
      map({{"address", {}, scalar(parts.scheme.listen)}, {"backend", {}, scalar("database")}});
  Node user = map({{"password", {}, scalar(parts.password)}});
  Node admin = map({{"http", {}, scalar(kHttp)}, {"users", {}, list(scalar(parts.user))}});
  return map({{"backends", {}, map({{"database", {}, std::move(backend)}})},
              {"listeners", {}, list(std::move(listener))},
              {"users", {}, map({{parts.user, {}, std::move(user)}})},
              {"admin", {}, std::move(admin)}});
}

std::string parse_query(std::string_view query, Parts& parts) {
  while (!query.empty()) {
    const std::size_t amp = query.find('&');
    const std::string_view pair = query.substr(0, amp);
    query.remove_prefix(amp == std::string_view::npos ? query.size() : amp + 1);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) != "sslmode" || equals == std::string_view::npos) {
      return "only sslmode may follow the question mark; the rest is for a configuration file";
    }
    parts.tls_mode = pair.substr(equals + 1);
  }
  return {};
}

/// user:password before the @, both percent-encoded.
std::string parse_userinfo(std::string_view userinfo, Parts& parts) {
  const std::size_t colon = userinfo.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == userinfo.size()) {
    return "needs user:password@ before the host";
  }
  const auto user = percent_decode(userinfo.substr(0, colon));
  const auto password = percent_decode(userinfo.substr(colon + 1));
  if (!user || !password) return "a % in the user or password must be written %25";
  parts.user = *user;
  parts.password = *password;
  return {};
}

/// scheme://user:password@host[:port][/database][?sslmode=…]. The database is the clients' choice,
/// so it is not kept. Returns what is wrong, never with a part of the URL in it.
std::string parse_url(std::string_view url, Parts& parts) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos)
    return "is not a URL: postgres://user:password@host/database";
  bool known = false;
  for (const Scheme& scheme : kSchemes) {
    if (scheme.name != url.substr(0, colon)) continue;
    parts.scheme = scheme;
    known = true;
  }
  if (!known) return "must begin with postgres:// or mysql://";
  std::string_view rest = url.substr(colon + 3);
  // The last @ before the path ends the password, so that an @ left unencoded still works.
  const std::size_t end = rest.find_first_of("?#");
  const std::size_t at = rest.substr(0, end).rfind('@');
  if (at == std::string_view::npos) return "needs user:password@ before the host";
  std::string wrong = parse_userinfo(rest.substr(0, at), parts);
  if (!wrong.empty()) return wrong;
  rest.remove_prefix(at + 1);
  const std::size_t question = rest.find('?');
  if (question != std::string_view::npos) {
    wrong = parse_query(rest.substr(question + 1), parts);
    rest = rest.substr(0, question);
  }
  const std::string_view host = rest.substr(0, rest.find('/'));
  if (host.empty()) return "has no host";
  const std::size_t bracket = host.rfind(']');
  const std::size_t port = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  parts.address = host;
  if (port == std::string_view::npos) parts.address += ":" + std::string(parts.scheme.default_port);
  return wrong;
}

}  // namespace

Loaded load_url(std::string_view url) {
  Problems problems("DATABASE_URL");
  Parts parts;
  std::string wrong = url.size() > kMaxFileBytes ? "is too long" : parse_url(url, parts);
  if (!wrong.empty()) {
    problems.error({}, "", std::move(wrong));
    return {nullptr, problems.take(), {}};
  }
  return load_tree(tree_of(parts), problems);
}

}  // namespace weirpool::config
