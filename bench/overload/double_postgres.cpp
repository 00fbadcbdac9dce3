// PostgreSQL 3.0, without passwords: startup, simple queries, and the extended protocol as far as
// a pooler uses it by itself.
#include <array>
#include <cctype>

#include "bench/overload/double_wire.hpp"
#include "protocol/postgres/startup_messages.hpp"
#include "protocol/writer.hpp"

namespace weirpool::bench {

namespace {

using namespace std::string_view_literals;
using protocol::Writer;
namespace pg = protocol::postgres;

std::uint32_t be32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

/// One message: its tag, its length, its body.
void message(std::string& out, char tag, const Writer& body = {}) {
  Writer head;
  head.u8(static_cast<std::uint8_t>(tag));
  head.be32(static_cast<std::uint32_t>(body.size() + 4));
  out += protocol::text_of(head.view());
  out += protocol::text_of(body.view());
}

void error(std::string& out, std::string_view severity, std::string_view code,
           std::string_view text) {
  Writer body;
  for (const auto& [field, value] : {std::pair{'S', severity}, std::pair{'V', severity},
                                     std::pair{'C', code}, std::pair{'M', text}}) {
    body.u8(static_cast<std::uint8_t>(field));
    body.cstr(value);
  }
  body.u8(0);
  message(out, 'E', body);
}

class PostgresDouble final : public DoubleWire {
 public:
  explicit PostgresDouble(std::uint32_t id) : id_(id) {}

  void greet(std::string& /*out*/) override {}

  Step step(std::string_view unread, std::string& out) override {
    if (over_) return {Kind::close};
    if (!started_) return start(unread, out);
    if (unread.size() < 5) return {};
    const std::size_t size = 1 + std::size_t{be32(unread.substr(1))};
    if (unread.size() < size) return {};
    const std::string_view body = unread.substr(5, size - 5);
    switch (unread.front()) {
      case 'X': return {Kind::close, size};
      case 'Q': return query(body, size, out);
      case 'P': message(out, '1'); break;
      case 'B': message(out, '2'); break;
      case 'C': message(out, '3'); break;
      case 'D': message(out, 'n'); break;
      case 'E': complete(out, "SELECT 0"); break;
      case 'S': ready(out); break;
      default: break;
    }
    return {Kind::on, size};
  }

  void welcome(std::string& out) override {
    Writer ok;
    ok.be32(0);
    message(out, 'R', ok);
    for (const auto& [name, value] :
         {std::pair{"server_version"sv, "15.0"sv}, std::pair{"server_encoding"sv, "UTF8"sv},
          std::pair{"client_encoding"sv, "UTF8"sv}, std::pair{"DateStyle"sv, "ISO, MDY"sv},
          std::pair{"TimeZone"sv, "UTC"sv}, std::pair{"integer_datetimes"sv, "on"sv},
          std::pair{"standard_conforming_strings"sv, "on"sv}}) {
      Writer body;
      body.cstr(name);
      body.cstr(value);
      message(out, 'S', body);
    }
    Writer key;
    key.be32(id_);
    key.be32(id_);
    message(out, 'K', key);
    ready(out);
  }

  void refuse(std::string& out) override {
    error(out, "FATAL", "53300", "sorry, too many clients already");
  }

  void answer(std::string& out) override {
    row(out);
    ready(out);
  }

  void cancelled(std::string& out) override {
    error(out, "ERROR", "57014", "canceling statement due to user request");
    ready(out);
  }

 private:
  Step start(std::string_view unread, std::string& out) {
    if (unread.size() < 8) return {};
    const std::size_t size = be32(unread);
    if (unread.size() < size) return {};
    switch (be32(unread.substr(4))) {
      case pg::kSslCode:
      case pg::kGssCode: out += 'N'; return {Kind::on, size};
      case pg::kCancelCode:
        over_ = true;  // the server closes, and who asked waits for that
        return {Kind::cancel, size, be32(unread.substr(8))};
      default: started_ = true; return {Kind::log_in, size};
    }
  }

  Step query(std::string_view text, std::size_t size, std::string& out) {
    if (text.find("work") != text.npos) {
      return {Kind::work, size, 0, text.find("lock") != text.npos};
    }
    std::string word;
    for (const char letter : text.substr(0, text.find_first_of(" ;\0"sv))) {
      word += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    }
    if (word == "BEGIN") status_ = 'T';
    if (word == "COMMIT" || word == "ROLLBACK") status_ = 'I';
    if (word == "SELECT" || word == "SHOW") {
      row(out);
    } else {
      complete(out, word);
    }
    ready(out);
    return {Kind::on, size};
  }

  static void row(std::string& out) {
    Writer names;
    names.be16(1);
    names.cstr("one");
    names.be32(0);
    names.be16(0);
    names.be32(23);  // int4
    names.be16(4);
    names.be32(0xFFFFFFFF);
    names.be16(0);
    message(out, 'T', names);
    Writer values;
    values.be16(1);
    values.be32(1);
    values.text("1");
    message(out, 'D', values);
    complete(out, "SELECT 1");
  }

  static void complete(std::string& out, std::string_view tag) {
    Writer body;
    body.cstr(tag);
    message(out, 'C', body);
  }

  void ready(std::string& out) const {
    Writer body;
    body.u8(static_cast<std::uint8_t>(status_));
    message(out, 'Z', body);
  }

  std::uint32_t id_;
  bool started_ = false;
  bool over_ = false;
  char status_ = 'I';
};

}  // namespace

std::unique_ptr<DoubleWire> postgres_double(std::uint32_t id) {
  return std::make_unique<PostgresDouble>(id);
}

}  // namespace weirpool::bench
