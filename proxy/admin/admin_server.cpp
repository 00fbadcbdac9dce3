#include "proxy/admin/admin_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <thread>

#include "config/limits.hpp"
#include "proxy/admin/api.hpp"
#include "proxy/log/log.hpp"

namespace weirpool::admin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// The way back to the admin thread for answers made on others, which may come after its end.
struct Door {
  std::mutex mutex;
  asio::io_context* io = nullptr;  ///< null: closed
};

class Visitor;

/// What the accept loop and its visitors share; one thread.
struct Shared {
  Pages pages;
  std::size_t visitors = 0;
  std::shared_ptr<Door> door = std::make_shared<Door>();
  std::set<std::shared_ptr<Visitor>> waiting;  ///< for an answer made elsewhere
};

/// One connection: requests one after the other until it closes, errs or is idle for too long.
class Visitor : public std::enable_shared_from_this<Visitor> {
 public:
  Visitor(tcp::socket socket, std::shared_ptr<Shared> shared)
      : stream_(std::move(socket)), shared_(std::move(shared)) {
    ++shared_->visitors;
  }
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;
  ~Visitor() { --shared_->visitors; }

  void read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(config::kAdminHeaderBytes));
    parser_->body_limit(std::uint64_t{0});
    stream_.expires_after(config::kAdminRequestTimeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       self->on_read(error);
                     });
  }

 private:
  void on_read(beast::error_code error) {
    if (error == http::error::header_limit || error == http::error::body_limit) {
      write({413, "application/json", "{\"error\":\"the request is too large\"}\n", {}}, false);
    } else if (!error) {
      const auto& request = parser_->get();
      if (is_api(view(request.target()))) {
        call_api();
        return;
      }
      write(ask(view(request.method_string()), view(request.target())), request.keep_alive());
    } else if (error != http::error::end_of_stream && error != beast::error::timeout &&
               error.category() == http::make_error_code(http::error::bad_method).category()) {
      write({400, "application/json", "{\"error\":\"not an HTTP request\"}\n", {}}, false);
    }
  }

  Answer ask(std::string_view method, std::string_view target) const {
    try {
      return answer(shared_->pages, method, target);
    } catch (const std::exception& error) {
      log::limited(log::Level::error, "admin_failed", "a page could not be made",
                   {{"detail", error.what()}});
      return {500, "application/json", "{\"error\":\"internal error\"}\n", {}};
    }
  }

  void call_api() {
    const auto& request = parser_->get();
    ApiCall call;
    call.method = view(request.method_string());
    call.target = view(request.target());
    call.origin = view(request[http::field::origin]);
    call.host = view(request[http::field::host]);
    beast::error_code ignored;
    call.local = stream_.socket().remote_endpoint(ignored).address().is_loopback();
    stream_.expires_never();
    shared_->waiting.insert(shared_from_this());
    const std::weak_ptr<Visitor> self = weak_from_this();
    serve_api(shared_->pages.order, call, [self, door = shared_->door](Answer answer) {
      const std::lock_guard lock(door->mutex);
      if (door->io == nullptr) return;
      asio::post(*door->io, [self, answer = std::move(answer)]() mutable {
        if (const auto visitor = self.lock()) visitor->answered(std::move(answer));
      });
    });
  }

  void answered(Answer answer) {
    shared_->waiting.erase(shared_from_this());
    stream_.expires_after(config::kAdminRequestTimeout);
    write(std::move(answer), parser_->get().keep_alive());
  }

  void write(Answer answer, bool keep) {
    response_ = {};
    response_.version(11);
    response_.result(answer.status);
    response_.set(http::field::content_type, answer.content_type);
    response_.set(http::field::cache_control, "no-store");
    if (!answer.allow.empty()) response_.set(http::field::allow, answer.allow);
    response_.keep_alive(keep);
    const auto size = answer.body.size();
    const bool head = parser_->is_header_done() && parser_->get().method() == http::verb::head;
    if (!head) response_.body() = std::move(answer.body);
    response_.content_length(size);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        self->on_written(error);
                      });
  }

  void on_written(beast::error_code error) {
    if (error) return;
    if (response_.keep_alive()) {
      read();
    } else {
      stream_.socket().shutdown(tcp::socket::shutdown_send, error);
    }
  }

  beast::tcp_stream stream_;
  std::shared_ptr<Shared> shared_;
  beast::flat_buffer buffer_{config::kAdminHeaderBytes * 2};
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
};

}  // namespace

struct AdminServer::Impl {
  Impl(const config::Address& address, Pages pages) {
    shared->pages = std::move(pages);
    tcp::resolver resolver(io);
    const auto flags = tcp::resolver::passive | tcp::resolver::numeric_service;
    const tcp::endpoint endpoint =
        *resolver.resolve(address.host, std::to_string(address.port), flags).begin();
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen();
    bound_port = acceptor.local_endpoint().port();
    shared->door->io = &io;
    accept();
  }

  void accept() {
    acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) {
        // Most likely no file descriptor is left: look again a little later instead of spinning.
        retry.expires_after(config::kAdminRetryDelay);
        retry.async_wait([this](beast::error_code stopped) {
          if (!stopped) accept();
        });
        return;
      }
      // One too many is closed at once: a scraper tries again, and workers need the descriptors.
      if (shared->visitors < config::kAdminMaxConnections) {
        std::make_shared<Visitor>(std::move(socket), shared)->read();
      }
      accept();
    });
  }

  std::shared_ptr<Shared> shared = std::make_shared<Shared>();
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::steady_timer retry{io};
  std::uint16_t bound_port = 0;
  std::thread thread;
};

AdminServer::AdminServer(const config::Address& address, Pages pages) {
  try {
    impl_ = std::make_unique<Impl>(address, std::move(pages));
  } catch (const boost::system::system_error& error) {
    throw std::system_error(static_cast<std::error_code>(error.code()),
                            "admin.http " + address.host + ":" + std::to_string(address.port));
  }
  impl_->thread = std::thread([impl = impl_.get()] { impl->io.run(); });
}

AdminServer::~AdminServer() { stop(); }

void AdminServer::stop() {
  impl_->io.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
  {
    const std::lock_guard lock(impl_->shared->door->mutex);
    impl_->shared->door->io = nullptr;
  }
  impl_->shared->waiting.clear();
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
}

std::uint16_t AdminServer::port() const { return impl_->bound_port; }

}  // namespace weirpool::admin
