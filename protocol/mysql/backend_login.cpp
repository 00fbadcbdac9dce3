#include "protocol/mysql/backend_login.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "protocol/mysql/auth_caching_sha2.hpp"
#include "protocol/mysql/auth_ed25519.hpp"
#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/compression.hpp"
#include "protocol/mysql/credentials.hpp"
#include "protocol/mysql/verifier.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::uint32_t kMaxPacketAnnounced = 1U << 30;  // the most a server can be set to
constexpr std::uint16_t kFallbackCollation = 45;         // utf8mb4_general_ci: every server has it

constexpr std::uint16_t kWrongPassword = 1045;
constexpr std::uint16_t kWrongPasswordMariaDb = 1698;  // its socket plugins

std::uint64_t bit_of(Compressing compressing) {
  switch (compressing) {
    case Compressing::zlib: return cap::compress;
    case Compressing::zstd: return cap::zstd;
    case Compressing::none: break;
  }
  return 0;
}

Fault fault_of(std::uint16_t code) {
  switch (code) {
    case 1040:
    case 1129:  // this host has been blocked for failing too often
      return Fault::backend_full;
    case 1203:  // max_user_connections
    case 1226:  // a limit of the account's own
      return Fault::account_full;
    case 1049: return Fault::unknown_database;
    case 1044:  // no right to this schema
    case kWrongPassword:
    case 1251:  // plugin refused
    case kWrongPasswordMariaDb:
    case 1862:  // password expired
    case 3118:  // account locked
    case 4151:  // account locked, MariaDB
      return Fault::backend_refused_login;
    default: return Fault::backend_unavailable;
  }
}

}  // namespace

ClientSideLogin::ClientSideLogin(BackendIdentity as, std::size_t max_statements,
                                 std::uint32_t defaults, std::shared_ptr<StatementRoom> room)
    : as_(std::move(as)),
      key_(parse_pass(as_.password)),
      only_verifier_(!key_ && parse_verifier(as_.password)),
      max_statements_(max_statements),
      defaults_(defaults),
      room_(std::move(room)),
      packet_(kMaxReply) {}

ClientSideLogin::~ClientSideLogin() {
  wipe(as_.password);
  if (key_) OPENSSL_cleanse(key_->data(), key_->size());
  wipe(reply_);
}

Verdict ClientSideLogin::step(Party from, MutableBytes unread) {
  if (phase_ == Phase::setup) return set_up(from, unread);
  if (from == Party::client) return Verdict::hold();
  switch (phase_) {
    case Phase::greeting:
    case Phase::authentication: return receive(unread);
    case Phase::send_tls:
      out_.clear();
      write_ssl_request(out_, asked(true), static_cast<std::uint8_t>(facts_->collation));
      return send(Phase::start_tls);
    case Phase::start_tls:
      if (!unread.empty()) return Verdict::close(Fault::backend_violation);
      phase_ = Phase::starting_tls;
      return Verdict::start_tls();
    case Phase::starting_tls: return Verdict::hold();
    case Phase::send_response: write_response(); return send(Phase::authentication);
    case Phase::send_reply:
      out_.clear();
      out_.text(reply_);
      wipe(reply_);
      return send(Phase::authentication);
    case Phase::start_codec: phase_ = Phase::setup; return Verdict::start_codec();
    case Phase::done: return Verdict::done();
    default: return Verdict::close(fault_);
  }
}

/// MariaDB reads the extended bits of clients only that leave LONG_PASSWORD out, as it does itself.
std::uint64_t ClientSideLogin::asked(bool tls) const {
  std::uint64_t bits = kAskedOfBackends | capabilities_of(as_.variant);
  if ((facts_->capabilities & cap::long_password) == 0) bits &= ~cap::long_password;
  if (!as_.database.empty()) bits |= cap::connect_with_db;
  if (tls) bits |= cap::ssl;
  return bits | (bit_of(as_.compressing) & facts_->capabilities);
}

/// Frames what is in out_ and sends it.
Verdict ClientSideLogin::send(Phase next) {
  std::vector<std::uint8_t> payload = out_.take();
  const std::size_t at = begin_packet(out_, sequence_++);
  out_.bytes(payload);
  end_packet(out_, at);
  OPENSSL_cleanse(payload.data(), payload.size());
  phase_ = next;
  return Verdict::send(Party::backend, out_.view());
}

void ClientSideLogin::fail(Fault fault, std::string_view why) {
  fault_ = fault;
  error_ = why;
  phase_ = Phase::failed;
}

Verdict ClientSideLogin::receive(MutableBytes unread) {
  const PacketCollector::Step step = packet_.feed(unread);
  switch (step.outcome) {
    case PacketCollector::Outcome::need: return Verdict::need(step.count);
    case PacketCollector::Outcome::piece: return Verdict::skip(step.count);
    case PacketCollector::Outcome::too_long:
      fail(Fault::backend_violation, "packet of the login is too long");
      return Verdict::close(fault_);
    case PacketCollector::Outcome::whole: break;
  }
  const bool in_order = packet_.sequence() == sequence_++;
  accept(packet_.payload());
  packet_.release();
  if (!in_order && phase_ != Phase::failed) {
    fail(Fault::backend_violation, "packets of the login are out of order");
  }
  return Verdict::skip(step.count);
}

void ClientSideLogin::accept(Bytes payload) {
  if (payload.empty()) return fail(Fault::backend_violation, "empty packet");
  if (payload[0] == 0xFF) return accept_error(payload);
  if (phase_ == Phase::greeting) return accept_greeting(payload);
  switch (payload[0]) {
    case 0x00: return accept_ok(payload);
    case 0xFE: return accept_switch(payload);
    case kAuthMoreData: return accept_more_data(payload.subspan(1));
    default: return fail(Fault::backend_violation, "unexpected packet");
  }
}

void ClientSideLogin::accept_error(Bytes payload) {
  const Result<ErrPacket> err = ErrPacket::parse(payload);
  if (!err) return fail(Fault::backend_violation, "malformed error");
  secret_refused_ = err->code == kWrongPassword || err->code == kWrongPasswordMariaDb;
  fail(fault_of(err->code), err->describe());
}

void ClientSideLogin::accept_greeting(Bytes payload) {
  const Result<Greeting> greeting = Greeting::parse(payload);
  if (!greeting) return fail(Fault::backend_violation, "malformed greeting");
  if ((greeting->capabilities & kRequiredOfBackends) != kRequiredOfBackends) {
    return fail(Fault::backend_unavailable,
                "server lacks session tracking or DEPRECATE_EOF: needs MySQL 5.7.5, MariaDB 10.2");
  }
  const std::uint64_t mirrored = capabilities_of(as_.variant) & kMirroredBits;
  if ((greeting->capabilities & mirrored) != mirrored) {
    return fail(Fault::backend_unavailable, "server lacks what another one has offered clients");
  }
  facts_ = std::make_shared<Facts>();
  facts_->capabilities = greeting->capabilities;
  facts_->version = greeting->version;
  facts_->plugin = greeting->plugin;
  facts_->status = greeting->status;
  facts_->collation = usable_collation(greeting->collation, facts_->mariadb(), kFallbackCollation);
  thread_id_ = greeting->thread_id;
  scramble_ = greeting->scramble;
  if (only_verifier_) {
    return fail(Fault::backend_refused_login,
                "only a hash of the user's password is known until the user logs in");
  }
  // Another plugin's data would be useless to the server: it then switches to the account's own.
  plugin_ = greeting->plugin == kSha2Plugin && !key_ ? kSha2Plugin : kNativePlugin;
  const bool offered = (greeting->capabilities & cap::ssl) != 0;
  if (as_.tls_required && !offered) {
    return fail(Fault::backend_unavailable, "TLS is required but the server does not offer it");
  }
  phase_ = as_.tls_wanted && offered ? Phase::send_tls : Phase::send_response;
}

void ClientSideLogin::tls_established(const TlsFacts&) {
  tls_ = true;
  phase_ = Phase::send_response;
}

void ClientSideLogin::write_response() {
  Writer attributes;
  attributes.lenenc_text("_client_name");
  attributes.lenenc_text("weirpool");
  attributes.lenenc_text("program_name");
  attributes.lenenc_text("weirpool");
  make_token(scramble_);
  HandshakeResponse response;
  response.capabilities = asked(tls_);
  response.zstd_level = kUsualZstdLevel;
  response.max_packet = kMaxPacketAnnounced;
  response.collation = static_cast<std::uint8_t>(facts_->collation);
  response.user = as_.user;
  response.authentication = bytes_of(reply_);
  response.database = as_.database;
  response.plugin = plugin_;
  response.attributes = attributes.view();
  out_.clear();
  response.serialize(out_);
  wipe(reply_);
}

/// Fills reply_ with what plugin_ answers to `challenge`. False: it has failed.
bool ClientSideLogin::make_token(Bytes challenge) {
  reply_.clear();
  if (plugin_ == kNativePlugin) {
    make_native_token();
    return true;
  }
  if (key_) return refuse_to_pass_on();
  if (plugin_ == kClearPlugin || plugin_ == kSha256Plugin) return make_secret();
  if (plugin_ == kEd25519Plugin) {
    reply_ = text_of(ed25519_sign(as_.password, challenge));
  } else if (plugin_ == kSha2Plugin) {
    if (!as_.password.empty()) reply_ = text_of(sha2_token(as_.password, scramble_));
  } else {
    fail(Fault::backend_refused_login,
         "server asks for authentication plugin '" + plugin_ + "', which is not supported");
    return false;
  }
  return true;
}

void ClientSideLogin::make_native_token() {
  if (as_.password.empty()) return;
  Sha1Digest key = key_ ? *key_ : native_key(as_.password);
  reply_ = text_of(native_token(key, scramble_));
  OPENSSL_cleanse(key.data(), key.size());
}

/// The client has proven what one plugin wants to know, and no more.
bool ClientSideLogin::refuse_to_pass_on() {
  fail(Fault::backend_refused_login,
       "server asks for authentication plugin '" + plugin_ +
           "', but of the user's password only what mysql_native_password uses is known");
  return false;
}

/// The password itself inside TLS, or the request for the key it is sent under. False: neither may
/// be done here.
bool ClientSideLogin::make_secret() {
  const bool by_key = plugin_ == kSha256Plugin || plugin_ == kSha2Plugin;
  // Whoever answers in the server's place, inside TLS that verifies nobody, names this plugin.
  const bool protects = tls_ && (by_key || as_.allow_cleartext_password);
  if (protects || as_.password.empty()) {
    reply_ = as_.password;
    reply_.push_back('\0');
    return true;
  }
  if (by_key && as_.allow_public_key_retrieval) {
    reply_.assign(
        1, static_cast<char>(plugin_ == kSha256Plugin ? kSha256KeyRequest : kPublicKeyRequest));
    key_asked_ = true;
    return true;
  }
  fail(Fault::backend_refused_login,
       plugin_ + (by_key ? " needs TLS, or allow_public_key_retrieval for this backend"
                         : " needs TLS with verify-ca or verify-full, or allow_cleartext_password "
                           "for this backend"));
  return false;
}

void ClientSideLogin::accept_switch(Bytes payload) {
  const Result<AuthSwitch> request = AuthSwitch::parse(payload);
  if (!request || switched_) return fail(Fault::backend_violation, "malformed auth switch");
  switched_ = true;
  plugin_ = request->plugin;
  scramble_ = {};
  // Servers put a zero byte behind a scramble, or do not.
  const std::size_t length = std::min(request->data.size(), scramble_.size());
  std::copy_n(request->data.begin(), length, scramble_.begin());
  if (plugin_ == kEd25519Plugin && request->data.size() != kEd25519Challenge) {
    return fail(Fault::backend_violation, "challenge of client_ed25519 is not 32 bytes long");
  }
  if (make_token(request->data)) phase_ = Phase::send_reply;
}

void ClientSideLogin::accept_more_data(Bytes payload) {
  if ((plugin_ != kSha2Plugin && !key_asked_) || payload.empty()) {
    return fail(Fault::backend_violation, "unexpected authentication data");
  }
  if (key_asked_) {
    key_asked_ = false;
    const auto cipher = rsa_encrypt_password(text_of(payload), as_.password, scramble_);
    if (cipher.empty()) return fail(Fault::backend_violation, "unusable public key");
    reply_ = text_of(cipher);
    phase_ = Phase::send_reply;
    return;
  }
  if (payload.size() != 1) return fail(Fault::backend_violation, "unexpected authentication data");
  if (payload[0] == kFastAuthOk) return;
  if (payload[0] == kFullAuthNeeded) {
    if (make_secret()) phase_ = Phase::send_reply;
    return;
  }
  fail(Fault::backend_violation, "unexpected authentication data");
}

void ClientSideLogin::accept_ok(Bytes payload) {
  const Result<OkPacket> ok = OkPacket::parse(payload);
  if (!ok) return fail(Fault::backend_violation, "malformed OK");
  facts_->status = ok->status;
  state_ =
      std::make_unique<ServerState>(facts_, as_.variant, as_.database, thread_id_, max_statements_);
  state_->defaults = defaults_;
  state_->statements.share(room_);
  setup_ = std::make_unique<Exchange>(*state_);
  setup_->keep_tracking();
  setup_->expect(state_->write_setup(setup_->commands()));
  state_->compressed = (asked(tls_) & (cap::compress | cap::zstd)) != 0;
  phase_ = state_->compressed ? Phase::start_codec : Phase::setup;
}

Verdict ClientSideLogin::set_up(Party from, MutableBytes unread) {
  const Verdict verdict = setup_->step(from, unread);
  if (verdict.kind == Verdict::Kind::done && phase_ == Phase::setup) {
    const std::string* sql_mode = state_->session.find("sql_mode");
    facts_->ansi_quotes = sql_mode != nullptr && has_ansi_quotes(*sql_mode);
    state_->was_reset();  // what the tracker has told is what every backend starts with
    phase_ = Phase::done;
  }
  if (verdict.kind != Verdict::Kind::close) return verdict;
  fail(Fault::backend_unavailable, "session tracking: " + setup_->error());
  return Verdict::close(fault_);
}

std::unique_ptr<Codec> ClientSideLogin::take_codec() {
  const auto algorithm =
      as_.compressing == Compressing::zlib ? Compression::zlib : Compression::zstd;
  return std::make_unique<CompressedFrames>(CompressedFrames::Side::client, algorithm,
                                            kUsualZstdLevel);
}

std::unique_ptr<BackendState> ClientSideLogin::take_state() { return std::move(state_); }

}  // namespace weirpool::protocol::mysql
