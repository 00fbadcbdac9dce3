#include "protocol/mysql/client_login.hpp"

#include <algorithm>
#include <utility>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/compression.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::size_t kMaxApplication = 64;
constexpr std::size_t kMaxShownUser = 80;

}  // namespace

ServerSideLogin::ServerSideLogin(const LoginContext& context, std::shared_ptr<Catalog> catalog)
    : context_(context), catalog_(std::move(catalog)), packet_(kMaxLoginPacket) {}

ServerSideLogin::ServerSideLogin(const ConversationStart& again)
    : catalog_(again.catalog),
      phase_(Phase::change_user),
      tls_(again.tls),
      again_(true),
      capabilities_(again.capabilities),
      scramble_(again.scramble),
      facts_(again.facts),
      packet_(kMaxLoginPacket) {
  context_.connection_id = again.connection_id;
  proof_.begin(tls_, (capabilities_ & cap::plugin_auth) != 0, facts_->plugin, scramble_);
}

Verdict ServerSideLogin::step(Party from, MutableBytes unread) {
  if (from == Party::backend) return Verdict::hold();
  switch (phase_) {
    case Phase::facts:
    case Phase::pool_facts: return Verdict::learn();
    case Phase::greet: return send_greeting();
    case Phase::response:
    case Phase::change_user: return receive(unread);
    case Phase::start_tls: phase_ = Phase::starting_tls; return Verdict::start_tls();
    case Phase::starting_tls: return Verdict::hold();
    case Phase::proof: return prove(unread);
    case Phase::pool: phase_ = Phase::pool_facts; return Verdict::learn();
    case Phase::welcome: return welcome();
    case Phase::done: return Verdict::done();
    case Phase::failed: break;
  }
  return Verdict::close(fault_);
}

Verdict ServerSideLogin::prove(MutableBytes unread) {
  switch (proof_.turn()) {
    case ClientProof::Turn::client: return receive(unread);
    case ClientProof::Turn::look_up: return Verdict::look_up();
    case ClientProof::Turn::derive: return Verdict::derive();
    case ClientProof::Turn::weirpool: {
      out_.clear();
      const std::size_t at = begin_packet(out_, sequence_++);
      proof_.write(out_);
      return send_packet(at);
    }
    case ClientProof::Turn::proven: phase_ = Phase::pool; return step(Party::client, unread);
    case ClientProof::Turn::denied: return Verdict::close(Fault::login_denied);
    case ClientProof::Turn::violation: break;
  }
  return Verdict::close(Fault::protocol_violation);
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

void ServerSideLogin::tls_established(const TlsFacts&) {
  tls_ = true;
  phase_ = Phase::response;
}

void ServerSideLogin::answer(const Account& account) {
  proof_.answer(std::static_pointer_cast<const Credentials>(account.secret),
                static_cast<const Credentials*>(account.like.get()));
}

std::uint64_t ServerSideLogin::offered() const {
  const std::uint64_t tls = context_.tls_available ? cap::ssl : 0;
  const std::uint64_t all = kOfferedToClients | tls | (facts_->capabilities & kMirroredBits);
  // A server with extended bits says so by leaving this one out.
  return facts_->capabilities & kExtendedBits ? all & ~cap::long_password : all;
}

Verdict ServerSideLogin::send_greeting() {
  scramble_ = make_scramble();
  Greeting greeting;
  greeting.version = facts_->version;
  greeting.thread_id = context_.connection_id;
  greeting.scramble = scramble_;
  greeting.capabilities = offered();
  greeting.collation = static_cast<std::uint8_t>(facts_->collation);
  greeting.status = facts_->status & status::lasting;
  greeting.plugin = facts_->plugin == kSha2Plugin ? kSha2Plugin : kNativePlugin;
  out_.clear();
  const std::size_t at = begin_packet(out_, sequence_++);
  greeting.serialize(out_);
  phase_ = Phase::response;
  return send_packet(at);
}

Verdict ServerSideLogin::receive(MutableBytes unread) {
  const PacketCollector::Step step = packet_.feed(unread);
  switch (step.outcome) {
    case PacketCollector::Outcome::need: return Verdict::need(step.count);
    case PacketCollector::Outcome::piece: return Verdict::skip(step.count);
    case PacketCollector::Outcome::too_long:
      ++sequence_;  // of the error, which answers this packet
      return Verdict::close(Fault::message_too_large);
    case PacketCollector::Outcome::whole: break;
  }
  if (packet_.sequence() != sequence_) return Verdict::close(Fault::protocol_violation);
  ++sequence_;
  accept(packet_.payload());
  packet_.release();
  // Nobody may speak ahead during a first login, but the handshake follows its request unanswered.
  if (unread.size() > step.count && phase_ != Phase::start_tls && !again_) {
    return Verdict::close(Fault::protocol_violation);
  }
  return Verdict::skip(step.count);
}

void ServerSideLogin::accept(Bytes payload) {
  switch (phase_) {
    case Phase::response: return accept_response(payload);
    case Phase::change_user: return accept_change(payload);
    default: return proof_.accept(payload);
  }
}

void ServerSideLogin::accept_response(Bytes payload) {
  if (payload.size() < 4) return fail(Fault::protocol_violation);
  const std::uint64_t asked = Reader(payload).le32();
  if (payload.size() == kSslRequestSize && asked & cap::ssl && !tls_) {
    if (!context_.tls_available) return fail(Fault::protocol_violation);
    phase_ = Phase::start_tls;
    return;
  }
  if (context_.tls_required && !tls_) return fail(Fault::tls_required);
  if ((asked & kRequiredOfClients) != kRequiredOfClients) return fail(Fault::unsupported);
  const Result<HandshakeResponse> response = HandshakeResponse::parse(payload);
  if (!response) return fail(Fault::protocol_violation);
  capabilities_ = response->capabilities & offered();
  zstd_level_ = response->zstd_level;
  collation_ = response->collation;
  identify(response->user, response->database, response->attributes);
  const bool named = (capabilities_ & cap::plugin_auth) != 0;
  proof_.begin(tls_, named, facts_->plugin, scramble_);
  proof_.handshake(named ? response->plugin : kNativePlugin, response->authentication);
  phase_ = Phase::proof;
}

void ServerSideLogin::accept_change(Bytes payload) {
  const Result<ChangeUser> change = ChangeUser::parse(payload, capabilities_);
  if (!change) return fail(Fault::protocol_violation);
  collation_ = change->collation;
  identify(change->user, change->database, change->attributes);
  if (capabilities_ & cap::plugin_auth) {
    proof_.change_user(change->plugin, change->authentication);
  } else {
    proof_.handshake(kNativePlugin, change->authentication);
  }
  phase_ = Phase::proof;
}

void ServerSideLogin::identify(std::string_view user, std::string_view database, Bytes attributes) {
  identity_.user = user;
  identity_.database = database;
  identity_.application = attribute_of(attributes, "program_name");
  if (identity_.application.size() > kMaxApplication) identity_.application.resize(kMaxApplication);
  identity_.variant = variant_of(capabilities_);
}

Verdict ServerSideLogin::welcome() {
  out_.clear();
  const std::size_t at = begin_packet(out_, sequence_++);
  write_ok(out_, facts_->status & status::lasting, 0);
  phase_ = Phase::done;
  return send_packet(at);
}

Verdict ServerSideLogin::send_packet(std::size_t at) {
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
  message.append("'@'%' (using password: ").append(proof_.with_password() ? "YES)" : "NO)");
  const FaultRow& row = row_of(fault);
  const std::size_t at = begin_packet(out, sequence_);
  ErrPacket{row.mysql_errno, row.mysql_sqlstate, message}.serialize(out);
  end_packet(out, at);
}

std::unique_ptr<Codec> ServerSideLogin::take_codec() {
  if (again_) return nullptr;  // compression is the connection's, whoever uses it
  if (capabilities_ & cap::compress) {
    return std::make_unique<CompressedFrames>(CompressedFrames::Side::server, Compression::zlib, 0);
  }
  if (capabilities_ & cap::zstd) {
    return std::make_unique<CompressedFrames>(CompressedFrames::Side::server, Compression::zstd,
                                              zstd_level_);
  }
  return nullptr;
}

std::unique_ptr<Conversation> ServerSideLogin::take_conversation() {
  ConversationStart start;
  start.capabilities = capabilities_;
  start.collation = collation_;
  start.schema = identity_.database;
  start.catalog = catalog_;
  start.facts = facts_;
  start.connection_id = context_.connection_id;
  start.tls = tls_;
  start.scramble = scramble_;
  return std::make_unique<ServerConversation>(std::move(start));
}

}  // namespace weirpool::protocol::mysql
