// MySQL's protocol 10: any caching_sha2_password is the right one, text queries are answered, and
// what prepares a session for the next client (COM_RESET_CONNECTION, COM_CHANGE_USER, SET) is OK.
#include "bench/overload/double_wire.hpp"
#include "protocol/mysql/auth_caching_sha2.hpp"
#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/frame.hpp"
#include "protocol/mysql/handshake_messages.hpp"

namespace weirpool::bench {

namespace {

using protocol::Writer;
namespace my = protocol::mysql;

constexpr std::uint64_t kOffered =
    my::cap::long_password | my::cap::found_rows | my::cap::long_flag | my::cap::connect_with_db |
    my::cap::local_files | my::cap::protocol_41 | my::cap::transactions |
    my::cap::secure_connection | my::cap::multi_statements | my::cap::multi_results |
    my::cap::ps_multi_results | my::cap::plugin_auth | my::cap::connect_attrs |
    my::cap::plugin_auth_lenenc | my::cap::session_track | my::cap::deprecate_eof;
constexpr std::uint8_t kCollation = 45;
constexpr std::uint8_t kQuit = 0x01, kQuery = 0x03, kStatistics = 0x09;

class MysqlDouble final : public DoubleWire {
 public:
  explicit MysqlDouble(std::uint32_t id) : id_(id) {}

  void greet(std::string& out) override {
    my::Greeting greeting;
    greeting.version = "9.7.0";
    greeting.thread_id = id_;
    greeting.scramble = my::make_scramble();
    greeting.capabilities = kOffered;
    greeting.collation = kCollation;
    greeting.status = my::status::autocommit;
    greeting.plugin = my::kSha2Plugin;
    packet(out, [&](Writer& body) { greeting.serialize(body); });
  }

  Step step(std::string_view unread, std::string& out) override {
    if (unread.size() < my::kHeaderSize) return {};
    const protocol::Bytes bytes = protocol::bytes_of(unread);
    const my::FrameHeader header = my::header_of(bytes);
    const std::size_t size = my::kHeaderSize + header.length;
    if (unread.size() < size) return {};
    sequence_ = static_cast<std::uint8_t>(header.sequence + 1);
    const protocol::Bytes payload = bytes.subspan(my::kHeaderSize, header.length);
    if (!responded_) return respond(payload, size);
    if (payload.empty()) return {Kind::close, size};
    return command(payload, size, out);
  }

  void welcome(std::string& out) override {
    if (password_) {
      packet(out, [](Writer& body) {
        body.u8(my::kAuthMoreData);
        body.u8(my::kFastAuthOk);
      });
    }
    ok(out);
  }

  void refuse(std::string& out) override { error(out, 1040, "08004", "Too many connections"); }

  void answer(std::string& out) override {
    packet(out, [](Writer& body) { body.lenenc(1); });
    packet(out, [](Writer& body) {
      for (const char* text : {"def", "", "", "", "one", ""}) body.lenenc_text(text);
      body.lenenc(12);
      body.le16(63);  // binary
      body.le32(1);
      body.u8(8);  // BIGINT
      body.le16(0);
      body.u8(0);
      body.le16(0);
    });
    if (!deprecate_eof_) end(out);
    packet(out, [](Writer& body) { body.lenenc_text("1"); });
    end(out);
  }

  void cancelled(std::string& out) override {
    error(out, 1317, "70100", "Query execution was interrupted");
  }

 private:
  Step respond(protocol::Bytes payload, std::size_t size) {
    const auto response = my::HandshakeResponse::parse(payload);
    if (!response) return {Kind::close, size};
    responded_ = true;
    password_ = !response->authentication.empty();
    deprecate_eof_ = (response->capabilities & my::cap::deprecate_eof) != 0;
    return {Kind::log_in, size};
  }

  Step command(protocol::Bytes payload, std::size_t size, std::string& out) {
    const std::string_view text = protocol::text_of(payload.subspan(1));
    switch (payload.front()) {
      case kQuit: return {Kind::close, size};
      case kStatistics: packet(out, [](Writer& body) { body.text("Uptime: 1"); }); break;
      case kQuery: return query(text, size, out);
      default: ok(out); break;
    }
    return {Kind::on, size};
  }

  Step query(std::string_view text, std::size_t size, std::string& out) {
    constexpr std::string_view kKill = "KILL QUERY ";
    if (text.find("work") != text.npos) {
      return {Kind::work, size, 0, text.find("lock") != text.npos};
    }
    if (text.starts_with(kKill)) {
      ok(out);
      const auto id = std::stoul(std::string(text.substr(kKill.size())));
      return {Kind::cancel, size, static_cast<std::uint32_t>(id)};
    }
    if (text.starts_with("SELECT") || text.starts_with("select")) {
      answer(out);
    } else {
      ok(out);
    }
    return {Kind::on, size};
  }

  template <class Fill>
  void packet(std::string& out, Fill fill) {
    Writer writer;
    const std::size_t at = my::begin_packet(writer, sequence_++);
    fill(writer);
    my::end_packet(writer, at);
    out += protocol::text_of(writer.view());
  }

  void ok(std::string& out, std::uint8_t header = 0) {
    packet(out, [header](Writer& body) {
      body.u8(header);
      body.lenenc(0);
      body.lenenc(0);
      body.le16(my::status::autocommit);
      body.le16(0);
    });
  }

  /// EOF, or in its place an OK that looks like one.
  void end(std::string& out) {
    constexpr std::uint8_t kEnd = 0xFE;
    if (deprecate_eof_) return ok(out, kEnd);
    packet(out, [](Writer& body) {
      body.u8(kEnd);
      body.le16(0);
      body.le16(my::status::autocommit);
    });
  }

  void error(std::string& out, std::uint16_t code, std::string_view state, std::string_view text) {
    packet(out, [&](Writer& body) {
      body.u8(0xFF);
      body.le16(code);
      body.text("#");
      body.text(state);
      body.text(text);
    });
  }

  std::uint32_t id_;
  std::uint8_t sequence_ = 0;
  bool responded_ = false;
  bool password_ = true;
  bool deprecate_eof_ = true;
};

}  // namespace

std::unique_ptr<DoubleWire> mysql_double(std::uint32_t id) {
  return std::make_unique<MysqlDouble>(id);
}

}  // namespace weirpool::bench
