// Does what a configuration says about logins make sense?
#pragma once

#include <functional>
#include <string>

#include "config/config.hpp"

namespace weirpool::config {

/// `report(path, message)` for everything that does not.
void validate_auth(const Config& config,
                   const std::function<void(const std::string&, const std::string&)>& report);

}  // namespace weirpool::config
