// /api/v1: the console's tables and orders over HTTP, as JSON.
//
//   GET   status pools clients servers events
//   POST  reload pause resume drain             pause and resume take ?database=NAME
//
// An order is a POST from this machine itself; a browser that was sent by another site says so in
// its Origin header and is refused.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "proxy/admin/routes.hpp"

namespace weirpool::admin {

struct ApiCall {
  std::string_view method;
  std::string_view target;
  std::string_view origin;  ///< of the header; empty: none
  std::string_view host;
  bool local = false;  ///< the peer is this machine
};

bool is_api(std::string_view target);

/// Calls `respond` once, now or later, on any thread. `call` need not outlive this call.
void serve_api(const Pages::Order& order, const ApiCall& call, std::function<void(Answer)> respond);

}  // namespace weirpool::admin
