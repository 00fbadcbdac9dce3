#include "tests/support/toy_dialect.hpp"

#include <array>
#include <optional>
#include <utility>

#include "tests/support/toy_words.hpp"

namespace weirpool::test {
namespace {

struct ToyFacts final : protocol::BackendFacts {};

struct ToyState final : protocol::BackendState {
  std::shared_ptr<const protocol::BackendFacts> facts() const override { return facts_; }
  void write_goodbye(protocol::Writer& out) const override { out.text("bye\n"); }
  bool write_cancel(protocol::Writer& out) const override {
    out.text("cancel " + std::to_string(id) + "\n");
    return true;
  }
  std::uint64_t remote_id() const override { return id; }

  std::uint64_t id = 0;
  std::shared_ptr<const ToyFacts> facts_ = std::make_shared<ToyFacts>();
};

class ToyConversation final : public protocol::Conversation {
 public:
  explicit ToyConversation(const protocol::LoginContext& context) : context_(context) {}

  Verdict step(Party from, MutableBytes unread) override {
    return from == Party::client ? client(unread) : backend(unread);
  }
  void place(protocol::Pooling pooling, std::string_view, bool) override { pooling_ = pooling; }
  void attach(protocol::BackendState&) override { attached_ = true; }
  void detach() override {
    attached_ = false;
    owed_ = 0;
    in_transaction_ = false;
    dirty_ = false;
    refused_to_write_ = false;
  }
  void refuse(Fault fault, std::string_view) override { refusing_ = fault; }
  protocol::KillRequest kill_request() const override { return request_; }
  void killed(protocol::KillResult result) override {
    killed_ = result;
    out_.clear();
  }
  bool at_boundary() const override { return owed_ == 0 && !in_transaction_; }
  bool needs_reset() const override { return dirty_; }
  std::string_view pin_reason() const override { return {}; }
  std::string_view application() const override { return "toys"; }
  std::size_t prepared_statements() const override { return 0; }
  bool executing() const override { return owed_ > 0; }
  std::uint32_t idle_limit_seconds() const override { return patience_; }
  std::uint32_t statement_limit_ms() const override { return limit_; }
  std::string_view request_text(Bytes unread) const override {
    const std::string_view text = protocol::text_of(unread);
    return text.substr(0, text.find('\n'));
  }
  bool says_goodbye(Bytes unread) const override {
    return protocol::text_of(unread).starts_with("bye\n");
  }
  void write_rollback(protocol::Writer& out) const override {
    if (in_transaction_ && owed_ == 0) out.text("rollback\n");
  }
  std::uint32_t answered() const override { return answers_; }
  bool refused_to_write() const override { return refused_to_write_; }
  Verdict backend_lost(bool) override {
    if (std::exchange(doomed_, false)) return Verdict::lease();
    if (!aside_) return Verdict::close(Fault::backend_lost);
    aside_ = in_transaction_ = false;
    owed_ = 0;
    refusing_ = Fault::backend_lost;
    say_refusal_ = true;
    return Verdict::hold();
  }
  std::unique_ptr<protocol::ClientLogin> take_login() override {
    return ToyDialect().client_login(context_);
  }
  void write_fault(Fault fault, std::string_view, protocol::Writer& out) override {
    write_toy_fault(fault, out);
  }

 private:
  Verdict client(MutableBytes unread) {
    if (say_refusal_) {
      say_refusal_ = false;
      out_.clear();
      write_toy_fault(std::exchange(refusing_, Fault::none), out_);
      return Verdict::send(Party::client, out_.view());
    }
    std::string_view line;
    if (!first_line(unread, line)) return more(unread);
    if (line == "bye") return Verdict::done();
    if (line.starts_with("patience "))
      patience_ = static_cast<std::uint32_t>(number(line.substr(9)));
    if (line.starts_with("limit ")) limit_ = static_cast<std::uint32_t>(number(line.substr(6)));
    if (line.starts_with("user ")) return Verdict::log_in();
    if (line.starts_with("kill ") || line.starts_with("end ")) return kill(line);
    if (line.empty()) return Verdict::close(Fault::protocol_violation);
    if (refusing_ != Fault::none) {
      say_refusal_ = true;
      return Verdict::skip(size_of(line, "put"));
    }
    if (!attached_) return Verdict::lease();
    if (line == "doomed") return doom();
    ++owed_;
    return Verdict::forward(size_of(line, "put"));
  }

  /// Whatever backend gets this dies before it is given a byte of it.
  Verdict doom() {
    if (std::exchange(doomed_, true)) return Verdict::hold();
    ++owed_;
    return Verdict::send(Party::backend, protocol::bytes_of("die\n"));
  }

  Verdict kill(std::string_view line) {
    if (!killed_) {
      std::string_view rest = line;
      request_.whole_session = word(rest) == "end";
      request_.id = static_cast<std::uint32_t>(number(rest));
      return Verdict::kill();
    }
    if (out_.empty()) {
      constexpr std::array<std::string_view, 3> words{"done", "unknown", "not_owner"};
      out_.text(words[static_cast<std::size_t>(*killed_)]);
      out_.text("\n");
      return Verdict::send(Party::client, out_.view());
    }
    out_.clear();
    killed_.reset();
    return Verdict::skip(line.size() + 1);
  }

  Verdict backend(MutableBytes unread) {
    if (answered_) {
      answered_ = false;
      if (in_transaction_ && pooling_ == protocol::Pooling::statement) {
        return Verdict::close(Fault::transaction_refused);
      }
      if (at_boundary() && pooling_ != protocol::Pooling::session) return Verdict::release();
    }
    if (unread.empty()) return Verdict::need(1);
    if (owed_ == 0) return Verdict::close(Fault::backend_violation);
    std::string_view line;
    if (!first_line(unread, line)) return more(unread);
    aside_ = line.starts_with("aside ");
    if (aside_) return Verdict::skip(size_of(line, "aside"));
    const std::uint64_t size = size_of(line, "data");
    if (line == "= read only") refused_to_write_ = true;
    if (line == "idle" || line == "idle!" || line == "open") {
      --owed_;
      ++answers_;
      answered_ = true;
      in_transaction_ = line == "open";
      dirty_ = dirty_ || line == "idle!";
    } else if (!line.starts_with("= ") && !line.starts_with("data ")) {
      return Verdict::close(Fault::backend_violation);
    }
    return Verdict::forward(size);
  }

  /// Of a line and of what follows it, if it begins with `announcer`.
  static std::uint64_t size_of(std::string_view line, std::string_view announcer) {
    std::string_view rest = line;
    const std::uint64_t own = line.size() + 1;
    return word(rest) == announcer ? own + number(rest) : own;
  }

  protocol::LoginContext context_;
  protocol::Pooling pooling_ = protocol::Pooling::transaction;
  bool attached_ = false;
  bool in_transaction_ = false;
  bool dirty_ = false;
  bool refused_to_write_ = false;
  bool answered_ = false;
  bool aside_ = false;
  bool doomed_ = false;
  unsigned owed_ = 0;
  std::uint32_t patience_ = 0;
  std::uint32_t limit_ = 0;
  std::uint32_t answers_ = 0;
  Fault refusing_ = Fault::none;
  bool say_refusal_ = false;
  protocol::KillRequest request_;
  std::optional<protocol::KillResult> killed_;
  protocol::Writer out_;
};

class ToyClientLogin final : public protocol::ClientLogin {
 public:
  explicit ToyClientLogin(const protocol::LoginContext& context) : context_(context) {}

  Verdict step(Party, MutableBytes unread) override {
    switch (state_) {
      case State::start: return start(unread);
      case State::named: return go(State::asked, Verdict::look_up());
      case State::known: return go(State::learning, Verdict::learn());
      case State::welcome: return go(State::done, Verdict::send(Party::client, out_.view()));
      case State::done: return Verdict::done();
      case State::cancelling: return Verdict::cancel(key_);
      default: return Verdict::close(fault_);
    }
  }
  const protocol::Identity& identity() const override { return identity_; }
  void answer(const protocol::Account& account) override {
    state_ = account.secret ? State::known : State::failed;
    fault_ = Fault::login_denied;
  }
  void learned(std::shared_ptr<const protocol::BackendFacts> facts, Fault why,
               std::string_view) override {
    state_ = facts ? State::welcome : State::failed;
    fault_ = why;
    out_.text("welcome " + std::to_string(context_.connection_id) + " " +
              to_hex(context_.cancel_key) + "\n");
  }
  void tls_established(const protocol::TlsFacts&) override {}
  void write_fault(Fault fault, std::string_view, protocol::Writer& out) override {
    write_toy_fault(fault, out);
  }
  std::unique_ptr<protocol::Conversation> take_conversation() override {
    return std::make_unique<ToyConversation>(context_);
  }

 private:
  enum class State : std::uint8_t {
    start,
    named,
    asked,
    known,
    learning,
    welcome,
    done,
    cancelling,
    failed,
  };

  Verdict go(State next, const Verdict& verdict) {
    state_ = next;
    return verdict;
  }

  Verdict start(MutableBytes unread) {
    std::string_view line;
    if (!first_line(unread, line)) return more(unread);
    const std::uint64_t size = line.size() + 1;
    const std::string_view command = word(line);
    if (command == "user") {
      identity_.user = word(line);
      identity_.database = word(line);
      return go(State::named, Verdict::skip(size));
    }
    if (command != "cancel") {
      fault_ = Fault::protocol_violation;
      return go(State::failed, Verdict::skip(size));
    }
    protocol::Writer key;
    const auto id = static_cast<std::uint32_t>(number(word(line)));
    for (const unsigned shift : {24U, 16U, 8U, 0U}) key.u8(static_cast<std::uint8_t>(id >> shift));
    key.bytes(from_hex(word(line)));
    key_.assign(key.view().begin(), key.view().end());
    return go(State::cancelling, Verdict::skip(size));
  }

  protocol::LoginContext context_;
  State state_ = State::start;
  Fault fault_ = Fault::internal;
  protocol::Identity identity_;
  std::vector<std::uint8_t> key_;
  protocol::Writer out_;
};

class ToyBackendLogin final : public protocol::BackendLogin {
 public:
  explicit ToyBackendLogin(const protocol::BackendIdentity& as) {
    wish_.password = as.password;
    wish_.iterations = kToyIterations;
    out_.text("login " + as.user + " " + as.database + " " + as.password + "\n");
  }

  Verdict step(Party, MutableBytes unread) override {
    if (done_) return Verdict::done();
    if (wanting_key_) return Verdict::derive();
    if (!sent_) {
      sent_ = true;
      return Verdict::send(Party::backend, out_.view());
    }
    std::string_view line;
    if (!first_line(unread, line)) return more(unread);
    error_ = line;
    const std::uint64_t size = line.size() + 1;
    const std::string_view command = word(line);
    if (command == "ok") {
      state_->id = number(line);
      done_ = true;
    } else if (command == "salt") {
      wish_.salt.assign(line.begin(), line.end());
      wanting_key_ = true;
    } else if (command == "refused") {
      secret_refused_ = true;
      return Verdict::close(Fault::backend_refused_login);
    } else if (command == "nodb") {
      return Verdict::close(Fault::unknown_database);
    } else {
      return Verdict::close(Fault::backend_violation);
    }
    return Verdict::skip(size);
  }
  protocol::KeyDerivation derivation() const override { return wish_; }
  void derived(Bytes key) override {
    wanting_key_ = false;
    sent_ = false;
    out_.clear();
    out_.text("key " + to_hex(key) + "\n");
  }
  void tls_established(const protocol::TlsFacts&) override {}
  std::unique_ptr<protocol::BackendState> take_state() override { return std::move(state_); }
  std::string_view error() const override { return error_; }
  bool secret_refused() const override { return secret_refused_; }

 private:
  protocol::KeyDerivation wish_;
  protocol::Writer out_;
  bool secret_refused_ = false;
  bool sent_ = false;
  bool wanting_key_ = false;
  bool done_ = false;
  std::string error_;
  std::unique_ptr<ToyState> state_ = std::make_unique<ToyState>();
};

}  // namespace

std::shared_ptr<const protocol::BackendFacts> ToyDialect::console_facts() const {
  return std::make_shared<ToyFacts>();
}

std::string to_hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    std::uint8_t byte = 0;
    const char* const end = text.data() + at + 2;
    if (std::from_chars(text.data() + at, end, byte, 16).ptr != end) return {};
    bytes.push_back(byte);
  }
  return bytes;
}

std::unique_ptr<protocol::ClientLogin> ToyDialect::client_login(
    const protocol::LoginContext& context) const {
  return std::make_unique<ToyClientLogin>(context);
}

std::unique_ptr<protocol::BackendLogin> ToyDialect::backend_login(
    const protocol::BackendIdentity& as) const {
  cleartext_allowed_ = as.allow_cleartext_password;
  return std::make_unique<ToyBackendLogin>(as);
}

std::shared_ptr<const protocol::PreparedSecret> ToyDialect::prepare(
    const std::string& user, const std::vector<std::string>& passwords) const {
  prepared_.fetch_add(1);
  auto secret = std::make_shared<ToySecret>();
  secret->user = user;
  secret->passwords = passwords;
  return secret;
}

}  // namespace weirpool::test
