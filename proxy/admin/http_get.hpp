// The client side, for `weirpool healthcheck`: a container image without curl still knows its
// health.
#pragma once

#include <string>

#include "config/config.hpp"

namespace weirpool::admin {

struct HttpAnswer {
  unsigned status = 0;  ///< 0: no answer, see error
  std::string body;
  std::string error;
};

/// One GET, within kHealthcheckTimeout. Blocks; throws nothing. 0.0.0.0 and :: mean this machine.
HttpAnswer http_get(const config::Address& address, const std::string& path);

}  // namespace weirpool::admin
