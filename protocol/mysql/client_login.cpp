#include "protocol/mysql/client_login.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/conversation.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::size_t kMaxApplication = 64;
constexpr std::size_t kMaxShownUser = 80;

}  // namespace

ServerSideLogin::ServerSideLogin(const LoginContext& context, std::uint32_t max_statements)
    : context_(context), max_statements_(max_statements), packet_(kMaxLoginPacket) {}

Verdict ServerSideLogin::step(Party from, MutableBytes unread) {
  if (from == Party::backend) return Verdict::hold();
  switch (phase_) {
    case Phase::facts:
    case Phase::pool_facts: return Verdict::learn();
    case Phase::greet: return send_greeting();
    case Phase::response:
    case Phase::token:
    case Phase::secret: return receive(unread);
    case Phase::start_tls: phase_ = Phase::starting_tls; return Verdict::start_tls();
    case Phase::starting_tls: return Verdict::hold();
    case Phase::look_up: phase_ = Phase::looking_up; return Verdict::look_up();
    case Phase::looking_up: return Verdict::look_up();
    case Phase::check: check(); return step(from, unread);
    case Phase::send_switch:
    case Phase::send_fast_ok:
    case Phase::send_full:
    case Phase::send_key:
    case Phase::welcome: return send_packet(phase_);
    case Phase::pool: phase_ = Phase::pool_facts; return Verdict::learn();
    case Phase::done: return Verdict::done();
    case Phase::failed: break;
  }
  return Verdict::close(fault_);
}

void ServerSideLogin::fail(Fault fault) {
  fault_ = fault;
  phase_ = Phase::failed;
}

void ServerSideLogin::learned(std::shared_ptr<const BackendFacts> facts, Fault why,
                              std::string_view detail) {
  if (!facts) {
    detail_ = detail;
    return fail(why);
  }
  // One dialect makes both.
  facts_ = std::static_pointer_cast<const Facts>(std::move(facts));
  phase_ = phase_ == Phase::facts ? Phase::greet : Phase::welcome;
}

void ServerSideLogin::tls_established() {
  tls_ = true;
  phase_ = Phase::response;
}

void ServerSideLogin::answer(std::shared_ptr<const PreparedSecret> secret) {
  auto known = std::static_pointer_cast<const Credentials>(std::move(secret));
  credentials_ = known ? std::move(known) : Credentials::of_nobody();
  phase_ = Phase::check;
}

Verdict ServerSideLogin::send_greeting() {
  scramble_ = make_scramble();
  Greeting greeting;
  greeting.version = facts_->version;
  greeting.thread_id = context_.connection_id;
  greeting.scramble = scramble_;
  greeting.capabilities = kOfferedToClients | (context_.tls_available ? cap::ssl : 0);
  greeting.collation = static_cast<std::uint8_t>(facts_->collation);
  greeting.status = facts_->status & status::lasting;
  greeting.plugin = greeted_plugin();
  out_.clear();
  const std::size_t at = begin_packet(out_, sequence_++);
  greeting.serialize(out_);
  end_packet(out_, at);
  phase_ = Phase::response;
  return Verdict::send(Party::client, out_.view());
}

Verdict ServerSideLogin::receive(MutableBytes unread) {
  const PacketCollector::Step step = packet_.feed(unread);
  switch (step.outcome) {
    case PacketCollector::Outcome::need: return Verdict::need(step.count);
    case PacketCollector::Outcome::piece: return Verdict::skip(step.count);
    case PacketCollector::Outcome::too_long: return Verdict::close(Fault::message_too_large);
    case PacketCollector::Outcome::whole: break;
  }
  if (packet_.sequence() != sequence_) return Verdict::close(Fault::protocol_violation);
  ++sequence_;
  accept(packet_.payload());
  packet_.release();
  // Nobody may speak ahead during a login, but the handshake follows its request unanswered.
  if (unread.size() > step.count && phase_ != Phase::start_tls) {
    return Verdict::close(Fault::protocol_violation);
  }
  return Verdict::skip(step.count);
}

void ServerSideLogin::accept(Bytes payload) {
  switch (phase_) {
    case Phase::response: return accept_response(payload);
    case Phase::token:
      token_ = text_of(payload);
      // caching_sha2_password says "no password" with a single zero byte.
      if (sha2_ && token_.size() == 1 && token_[0] == '\0') token_.clear();
      phase_ = Phase::look_up;
      return;
    default: return accept_secret(payload);
  }
}

void ServerSideLogin::accept_response(Bytes payload) {
  if (payload.size() < 4) return fail(Fault::protocol_violation);
  const std::uint32_t asked = Reader(payload).le32();
  if (payload.size() == kSslRequestSize && asked & cap::ssl && !tls_) {
    if (!context_.tls_available) return fail(Fault::protocol_violation);
    phase_ = Phase::start_tls;
    return;
  }
  if (context_.tls_required && !tls_) return fail(Fault::tls_required);
  if ((asked & kRequiredOfClients) != kRequiredOfClients) return fail(Fault::unsupported);
  const Result<HandshakeResponse> response = HandshakeResponse::parse(payload);
  if (!response) return fail(Fault::protocol_violation);
  capabilities_ = asked & kOfferedToClients;
  collation_ = response->collation;
  identity_.user = response->user;
  identity_.database = response->database;
  identity_.application = attribute_of(response->attributes, "program_name");
  if (identity_.application.size() > kMaxApplication) identity_.application.resize(kMaxApplication);
  identity_.variant = capabilities_ & kVariantBits;
  token_ = text_of(response->authentication);
  std::string_view plugin = response->plugin;
  if ((capabilities_ & cap::plugin_auth) == 0) plugin = kNativePlugin;
  sha2_ = plugin == kSha2Plugin;
  if (sha2_ && token_.size() == 1 && token_[0] == '\0') token_.clear();
  const bool known = sha2_ || plugin == kNativePlugin;
  // A client that does not know the greeting's plugin names its own and waits to be asked again.
  const bool asks_again = token_.empty() && plugin != greeted_plugin();
  const bool checkable = known && !asks_again;
  if (!known) {
    token_.clear();
    sha2_ = facts_->plugin == kSha2Plugin;
  }
  // The switch comes before the look-up, for known and unknown users alike.
  phase_ = checkable ? Phase::look_up : Phase::send_switch;
}

void ServerSideLogin::check() {
  const Bytes token = bytes_of(token_);
  if (!sha2_) {
    if (!credentials_->native(scramble_, token)) return fail(Fault::login_denied);
    phase_ = Phase::pool;
    return;
  }
  if (credentials_->sha2(scramble_, token)) {
    phase_ = token.empty() ? Phase::pool : Phase::send_fast_ok;
  } else if (token.empty()) {
    fail(Fault::login_denied);
  } else {
    phase_ = Phase::send_full;
  }
}

std::string_view ServerSideLogin::greeted_plugin() const {
  return facts_->plugin == kSha2Plugin ? kSha2Plugin : kNativePlugin;
}

void ServerSideLogin::accept_secret(Bytes payload) {
  std::string password;
  if (tls_) {
    if (payload.empty() || payload.back() != 0) return fail(Fault::protocol_violation);
    password = text_of(payload.first(payload.size() - 1));
  } else if (payload.size() == 1 && payload[0] == kPublicKeyRequest) {
    phase_ = Phase::send_key;
    return;
  } else {
    password = RsaKey::of_process().decrypt_password(payload, scramble_);
  }
  const bool right = !password.empty() && credentials_->plain(password);
  OPENSSL_cleanse(password.data(), password.size());
  if (!right) return fail(Fault::login_denied);
  phase_ = Phase::pool;
}

Verdict ServerSideLogin::send_packet(Phase what) {
  out_.clear();
  const std::size_t at = begin_packet(out_, sequence_++);
  switch (what) {
    case Phase::send_switch:
      scramble_ = make_scramble();
      AuthSwitch{sha2_ ? kSha2Plugin : kNativePlugin, scramble_}.serialize(out_);
      phase_ = Phase::token;
      break;
    case Phase::send_fast_ok:
      out_.u8(kAuthMoreData);
      out_.u8(kFastAuthOk);
      phase_ = Phase::pool;
      break;
    case Phase::send_full:
      out_.u8(kAuthMoreData);
      out_.u8(kFullAuthNeeded);
      phase_ = Phase::secret;
      break;
    case Phase::send_key:
      out_.u8(kAuthMoreData);
      out_.text(RsaKey::of_process().public_pem());
      phase_ = Phase::secret;
      break;
    default:
      write_ok(out_, facts_->status & status::lasting, 0);
      phase_ = Phase::done;
      break;
  }
  end_packet(out_, at);
  return Verdict::send(Party::client, out_.view());
}

void ServerSideLogin::write_fault(Fault fault, std::string_view detail, Writer& out) {
  if (fault != Fault::login_denied) {
    // Before the greeting nothing has been negotiated, not even the form of an error.
    write_fault_packet(out, sequence_, fault, detail.empty() ? detail_ : detail, sequence_ > 0);
    return;
  }
  std::string message = "Access denied for user '";
  message.append(identity_.user, 0, kMaxShownUser);
  message.append("'@'%' (using password: ").append(token_.empty() ? "NO)" : "YES)");
  const FaultRow& row = row_of(fault);
  const std::size_t at = begin_packet(out, sequence_);
  ErrPacket{row.mysql_errno, row.mysql_sqlstate, message}.serialize(out);
  end_packet(out, at);
}

std::unique_ptr<Conversation> ServerSideLogin::take_conversation() {
  ConversationStart start;
  start.capabilities = capabilities_;
  start.collation = collation_;
  start.schema = identity_.database;
  start.max_statements = max_statements_;
  start.facts = facts_;
  return std::make_unique<ServerConversation>(std::move(start));
}

}  // namespace weirpool::protocol::mysql
