#include "proxy/net/supervise.hpp"

#include <exception>
#include <utility>

#include "proxy/log/log.hpp"

namespace weirpool::proxy {

void supervise(std::string_view what, Task<void> work) {
  auto report = [what](const std::exception_ptr& failed) noexcept {
    try {
      std::rethrow_exception(failed);
    } catch (const std::exception& error) {
      log::event(log::Level::error, "internal_error", "a coroutine ended with an exception",
                 {{"what", what}, {"detail", std::string_view(error.what())}});
    } catch (...) {
      log::event(log::Level::error, "internal_error", "a coroutine ended with an exception",
                 {{"what", what}});
    }
  };
  spawn(std::move(work), report);
}

}  // namespace weirpool::proxy
