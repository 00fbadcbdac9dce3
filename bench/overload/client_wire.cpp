#include "bench/overload/client_wire.hpp"

#include <openssl/evp.h>

#include <array>
#include <map>
#include <utility>

#include "protocol/mysql/backend_login.hpp"
#include "protocol/mysql/frame.hpp"
#include "protocol/postgres/backend_login.hpp"

namespace weirpool::bench {

namespace {

using protocol::Party;
using protocol::Verdict;
using protocol::Writer;

std::unique_ptr<protocol::BackendLogin> login_of(const Account& account, bool tls) {
  static const auto catalog = std::make_shared<protocol::postgres::Catalog>(1);
  protocol::BackendIdentity as;
  as.user = account.user;
  as.password = account.password;
  as.database = account.database;
  as.tls_wanted = as.tls_required = tls;
  as.allow_public_key_retrieval = true;
  if (account.dialect == Dialect::mysql) {
    return std::make_unique<protocol::mysql::ClientSideLogin>(as);
  }
  return std::make_unique<protocol::postgres::PostgresBackendLogin>(as, catalog);
}

/// Kept: a web node derives its key once, too, and it is not the load that is measured.
protocol::Bytes derive(const protocol::KeyDerivation& what) {
  using Key = std::array<std::uint8_t, 32>;
  static std::map<std::pair<std::vector<std::uint8_t>, std::uint32_t>, Key> keys;
  const auto [found, fresh] = keys.try_emplace({what.salt, what.iterations});
  if (fresh) {
    PKCS5_PBKDF2_HMAC(what.password.data(), static_cast<int>(what.password.size()),
                      what.salt.data(), static_cast<int>(what.salt.size()),
                      static_cast<int>(what.iterations), EVP_sha256(),
                      static_cast<int>(found->second.size()), found->second.data());
  }
  return found->second;
}

/// A command: the login is over, and what follows is what a proxy asks of its backends only.
bool begins_exchange(protocol::Bytes packet) {
  return packet.size() > protocol::mysql::kHeaderSize &&
         protocol::mysql::header_of(packet).sequence == 0;
}

std::uint32_t be32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

}  // namespace

ClientWire::ClientWire(const Account& account, bool tls)
    : dialect_(account.dialect), login_(login_of(account, tls)) {}

ClientWire::State ClientWire::log_in(std::string& unread, std::string& out) {
  for (;;) {
    const Verdict verdict = login_->step(
        Party::backend, {reinterpret_cast<std::uint8_t*>(unread.data()), unread.size()});
    switch (verdict.kind) {
      case Verdict::Kind::need: return State::login;
      case Verdict::Kind::skip: {
        const auto size = static_cast<std::size_t>(verdict.count);
        if (size > unread.size()) return State::broken;
        unread.erase(0, size);
        break;
      }
      case Verdict::Kind::send:
        if (dialect_ == Dialect::mysql && begins_exchange(verdict.bytes)) {
          login_.reset();
          return State::idle;
        }
        out += protocol::text_of(verdict.bytes);
        break;
      case Verdict::Kind::derive: login_->derived(derive(login_->derivation())); break;
      case Verdict::Kind::start_tls: return State::start_tls;
      case Verdict::Kind::done: login_.reset(); return State::idle;
      default: return State::broken;
    }
  }
}

ClientWire::State ClientWire::step(std::string& unread, std::string& out) {
  if (login_) return state_ = log_in(unread, out);
  const bool complete = dialect_ == Dialect::mysql ? mysql_answer(unread) : postgres_answer(unread);
  if (state_ == State::broken || !complete) return state_;
  // Nobody has asked: an error that announces the end.
  if (state_ != State::waiting) return state_ = State::broken;
  return state_ = error_ ? State::refused : State::answered;
}

void ClientWire::query(std::string_view text, std::string& out) {
  Writer writer;
  if (dialect_ == Dialect::mysql) {
    const std::size_t at = protocol::mysql::begin_packet(writer, 0);
    writer.u8(0x03);
    writer.text(text);
    protocol::mysql::end_packet(writer, at);
  } else {
    writer.u8('Q');
    writer.be32(static_cast<std::uint32_t>(text.size() + 5));
    writer.cstr(text);
  }
  out += protocol::text_of(writer.view());
  state_ = State::waiting;
  error_ = false;
  packets_ = 0;
}

/// True: ReadyForQuery has come.
bool ClientWire::postgres_answer(std::string& unread) {
  bool ready = false;
  std::size_t at = 0;
  while (!ready && unread.size() - at >= 5) {
    const std::size_t size = 1 + std::size_t{be32(std::string_view(unread).substr(at + 1))};
    if (unread.size() - at < size) break;
    ready = unread[at] == 'Z';
    error_ |= unread[at] == 'E';
    at += size;
  }
  unread.erase(0, at);
  return ready;
}

/// True: the result of one row, an OK or an error has come whole. The count, the definition and
/// the row are three packets; the login has negotiated DEPRECATE_EOF, so that only the end follows.
bool ClientWire::mysql_answer(std::string& unread) {
  constexpr std::uint64_t kPacketsOfRow = 4;
  while (unread.size() >= protocol::mysql::kHeaderSize) {
    const std::size_t size = protocol::mysql::kHeaderSize +
                             protocol::mysql::header_of(protocol::bytes_of(unread)).length;
    if (unread.size() < size) break;
    const auto first = size > protocol::mysql::kHeaderSize
                           ? static_cast<std::uint8_t>(unread[protocol::mysql::kHeaderSize])
                           : std::uint8_t{0};
    unread.erase(0, size);
    ++packets_;
    error_ = first == 0xFF;
    if (error_ || (packets_ == 1 && first == 0x00) || packets_ == kPacketsOfRow) return true;
  }
  return false;
}

}  // namespace weirpool::bench
