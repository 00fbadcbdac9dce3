#include "proxy/admin/http_get.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "config/limits.hpp"
#include "config/scalar.hpp"

namespace weirpool::admin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

/// Connect, write, read: a chain of callbacks on the caller's thread, under one deadline.
class Get {
 public:
  Get(const config::Address& address, const std::string& path) {
    request_.method(http::verb::get);
    request_.version(11);
    request_.target(path);
    request_.set(http::field::host, config::format_address(address));
    request_.keep_alive(false);
    parser_.body_limit(config::kHealthcheckMaxBytes);
  }

  HttpAnswer run(const tcp::resolver::results_type& endpoints) {
    stream_.expires_after(config::kHealthcheckTimeout);
    stream_.async_connect(endpoints, [this](beast::error_code error, const tcp::endpoint&) {
      if (fine(error)) write();
    });
    io_.run();
    return std::move(answer_);
  }

  asio::io_context& io() { return io_; }

 private:
  bool fine(beast::error_code error) {
    if (error) answer_.error = error.message();
    return !error;
  }

  void write() {
    http::async_write(stream_, request_, [this](beast::error_code error, std::size_t) {
      if (fine(error)) read();
    });
  }

  void read() {
    http::async_read(stream_, buffer_, parser_, [this](beast::error_code error, std::size_t) {
      if (!fine(error)) return;
      answer_.status = parser_.get().result_int();
      answer_.body = std::move(parser_.get().body());
    });
  }

  asio::io_context io_{1};
  beast::tcp_stream stream_{io_};
  http::request<http::empty_body> request_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
  HttpAnswer answer_;
};

}  // namespace

HttpAnswer http_get(const config::Address& address, const std::string& path) {
  config::Address target = address;
  if (target.host == "0.0.0.0") target.host = "127.0.0.1";
  if (target.host == "::") target.host = "::1";
  try {
    Get get(target, path);
    tcp::resolver resolver(get.io());
    return get.run(resolver.resolve(target.host, std::to_string(target.port)));
  } catch (const std::exception& error) {
    return {0, {}, error.what()};
  }
}

}  // namespace weirpool::admin
