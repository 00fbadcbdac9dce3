// What weirpool says to a toy server or a toy administrator on its own behalf: everything but
// logins and conversations.
#include <optional>
#include <utility>

#include "tests/support/toy_dialect.hpp"
#include "tests/support/toy_words.hpp"

namespace weirpool::test {
namespace {

/// One line there, one line back.
class ToyRoundTrip final : public protocol::Engine {
 public:
  ToyRoundTrip(std::string question, std::string answer)
      : question_(std::move(question)), answer_(std::move(answer)) {}

  Verdict step(Party, MutableBytes unread) override {
    if (done_) return Verdict::done();
    if (!sent_) {
      sent_ = true;
      return Verdict::send(Party::backend, protocol::bytes_of(question_));
    }
    std::string_view line;
    if (!first_line(unread, line)) return more(unread);
    if (line != answer_) return Verdict::close(Fault::backend_violation);
    done_ = true;
    return Verdict::skip(line.size() + 1);
  }

 private:
  const std::string question_;
  const std::string answer_;
  bool sent_ = false;
  bool done_ = false;
};

class ToyRoleProbe final : public protocol::RoleProbe {
 public:
  Verdict step(Party, MutableBytes unread) override {
    if (done_) return Verdict::done();
    if (!sent_) {
      sent_ = true;
      return Verdict::send(Party::backend, protocol::bytes_of("role\n"));
    }
    std::string_view line;
    if (!first_line(unread, line)) return more(unread);
    role_ = {line == "standby", line != "primary"};
    done_ = true;
    return Verdict::skip(line.size() + 1);
  }
  protocol::ServerRole role() const override { return role_; }

 private:
  bool sent_ = false;
  bool done_ = false;
  protocol::ServerRole role_;
};

class ToyConsole final : public protocol::console::Engine {
 public:
  explicit ToyConsole(std::string user) { request_.user = std::move(user); }

  Verdict step(Party, MutableBytes unread) override {
    if (asking_) return Verdict::hold();
    if (std::exchange(told_, false)) return Verdict::send(Party::client, out_.view());
    if (look_up_) {
      look_up_ = false;
      asking_ = true;
      return Verdict::look_up();
    }
    std::string_view line;
    if (!first_line(unread, line)) return more(unread);
    if (line == "bye") return Verdict::done();
    if (line.empty()) return Verdict::close(Fault::protocol_violation);
    request_.text = line;
    look_up_ = true;
    return Verdict::skip(line.size() + 1);
  }
  const protocol::console::Request& request() const override { return request_; }
  void answer(protocol::console::Answer answer) override {
    asking_ = false;
    told_ = true;
    out_.clear();
    for (const auto& row : answer.table.rows) out_.text("= " + row.front().value_or("") + "\n");
    out_.text(answer.tag + answer.error + "\n");
  }
  void write_fault(Fault fault, std::string_view, protocol::Writer& out) override {
    write_toy_fault(fault, out);
  }

 private:
  protocol::console::Request request_;
  bool look_up_ = false;
  bool asking_ = false;
  bool told_ = false;
  protocol::Writer out_;
};

/// Asks with an echo; everybody but "nobody" is known, with "stored of USER".
class ToyAccountQuery final : public protocol::AccountQuery {
 public:
  explicit ToyAccountQuery(std::string user)
      : user_(std::move(user)), round_trip_("echo " + user_ + "\n", "= " + user_) {}

  Verdict step(Party from, MutableBytes unread) override {
    const Verdict verdict = round_trip_.step(from, unread);
    if (verdict.kind != Verdict::Kind::done) return verdict;
    if (idle_) return verdict;
    std::string_view line;
    if (!first_line(unread, line)) return more(unread);
    if (line != "idle") return Verdict::close(Fault::backend_violation);
    idle_ = true;
    return Verdict::skip(line.size() + 1);
  }
  std::optional<protocol::StoredAccount> take_account() override {
    if (user_ == "nobody") return std::nullopt;
    protocol::StoredAccount account{"stored of " + user_, std::nullopt};
    if (user_ == "expiring") account.seconds_left = 0.001;
    return account;
  }
  std::string_view error() const override { return "the toy server said something else"; }

 private:
  const std::string user_;
  ToyRoundTrip round_trip_;
  bool idle_ = false;
};

}  // namespace

std::unique_ptr<protocol::console::Engine> ToyDialect::console(
    const protocol::Identity& identity) const {
  return std::make_unique<ToyConsole>(identity.user);
}

std::unique_ptr<protocol::Engine> ToyDialect::reset(protocol::BackendState&) const {
  return std::make_unique<ToyRoundTrip>("reset\n", "idle");
}

std::unique_ptr<protocol::Engine> ToyDialect::ping(protocol::BackendState&) const {
  return std::make_unique<ToyRoundTrip>("ping\n", "pong");
}

std::unique_ptr<protocol::RoleProbe> ToyDialect::role_probe(protocol::BackendState&) const {
  return std::make_unique<ToyRoleProbe>();
}

std::unique_ptr<protocol::Engine> ToyDialect::kill(protocol::BackendState&,
                                                   std::uint64_t remote_id) const {
  return std::make_unique<ToyRoundTrip>("kill " + std::to_string(remote_id) + "\n", "killed");
}

std::unique_ptr<protocol::AccountQuery> ToyDialect::account_query(const std::string&,
                                                                  const std::string& user) const {
  return std::make_unique<ToyAccountQuery>(user);
}

}  // namespace weirpool::test
