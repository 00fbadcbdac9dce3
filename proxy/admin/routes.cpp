#include "proxy/admin/routes.hpp"

#include <nlohmann/json.hpp>

namespace weirpool::admin {

namespace {

Answer health(const Health& state, bool verbose) {
  const unsigned status = state.ok ? 200 : 503;
  if (!verbose) return {status, "text/plain", state.ok ? "ok\n" : "unavailable\n", {}};
  const auto replace = nlohmann::json::error_handler_t::replace;
  const nlohmann::json body{{"ok", state.ok}, {"reasons", state.reasons}};
  return {status, kJson, body.dump(-1, ' ', false, replace) + "\n", {}};
}

}  // namespace

Answer problem(unsigned status, const std::string& message) {
  const auto replace = nlohmann::json::error_handler_t::replace;
  const nlohmann::json body{{"error", message}};
  return {status, kJson, body.dump(-1, ' ', false, replace) + "\n", {}};
}

Answer answer(const Pages& pages, std::string_view method, std::string_view target) {
  const std::size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  const bool known = path == "/metrics" || path == "/livez" || path == "/readyz";
  if (!known) return problem(404, "no such page; there are /metrics, /livez, /readyz and /api/v1");
  if (method != "GET" && method != "HEAD") {
    Answer refused = problem(405, "only GET is allowed here");
    refused.allow = "GET, HEAD";
    return refused;
  }
  const bool verbose =
      question != std::string_view::npos && target.substr(question + 1).starts_with("verbose");
  if (path == "/livez") return health(pages.live(), verbose);
  if (path == "/readyz") return health(pages.ready(), verbose);
  return {200, "text/plain; version=0.0.4; charset=utf-8", pages.metrics(), {}};
}

}  // namespace weirpool::admin
