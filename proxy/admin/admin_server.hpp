// HTTP/1.1 for metrics and health, on a thread of its own: a slow scraper costs no worker anything.
#pragma once

#include <cstdint>
#include <memory>

#include "config/config.hpp"
#include "proxy/admin/routes.hpp"

namespace weirpool::admin {

class AdminServer {
 public:
  /// Binds and starts. Throws std::system_error when the address cannot be resolved or bound. What
  /// `pages` refers to must outlive stop().
  AdminServer(const config::Address& address, Pages pages);
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;
  ~AdminServer();

  /// Closes everything and joins the thread. May be called twice.
  void stop();
  /// The port really bound: address.port, or what the kernel chose for 0.
  std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weirpool::admin
