// Path -> answer, without a socket.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/console.hpp"

namespace weirpool::admin {

struct Health {
  bool ok = true;
  std::vector<std::string> reasons;  ///< why not
};

/// Where the answers come from; called on the admin thread.
struct Pages {
  /// Carries out a console command; answers once, on any thread. `patient`: PAUSE is answered when
  /// it is complete.
  using Order = std::function<void(std::string command, bool patient,
                                   std::function<void(protocol::console::Answer)> done)>;

  std::function<std::string()> metrics;
  std::function<Health()> live;   ///< the process works; never depends on a database
  std::function<Health()> ready;  ///< new clients are welcome
  Order order = {};               ///< behind /api/v1, see api.hpp
};

constexpr const char* kJson = "application/json";  ///< a content type

struct Answer {
  unsigned status = 200;
  std::string content_type;
  std::string body;
  std::string allow;  ///< value of the Allow header of a 405
};

/// A JSON object that says what is wrong.
Answer problem(unsigned status, const std::string& message);

/// `target` is a request target: a path, perhaps with ?verbose.
Answer answer(const Pages& pages, std::string_view method, std::string_view target);

}  // namespace weirpool::admin
