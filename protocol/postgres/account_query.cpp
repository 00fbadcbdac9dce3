#include "protocol/postgres/account_query.hpp"

#include <charconv>
#include <cmath>
#include <utility>

#include "protocol/postgres/query_messages.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::postgres {
namespace {

constexpr std::uint32_t kMaxMessages = 1000;  // notices and parameters included
constexpr std::uint32_t kAtMostRows = 2;      // the second one is one too many

/// int32 length | text; no value: null.
std::optional<std::string_view> column(Reader& in) {
  const std::uint32_t length = in.be32();
  if (length == 0xFFFFFFFF) return std::nullopt;
  return text_of(in.take(length));
}

/// Seconds; no value: not a number.
std::optional<double> seconds(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

PostgresAccountQuery::PostgresAccountQuery(std::string_view query, std::string user)
    : user_(std::move(user)) {
  Writer& out = outbox_.out();
  {
    const Framed parse(out, 'P');
    out.cstr("");
    out.cstr(query);
    out.be16(0);
  }
  {
    const Framed bind(out, 'B');
    out.cstr("");
    out.cstr("");
    out.be16(0);
    out.be16(1);
    out.be32(static_cast<std::uint32_t>(user_.size()));
    out.text(user_);
    out.be16(0);
  }
  {
    const Framed execute(out, 'E');
    out.cstr("");
    out.be32(kAtMostRows);
  }
  write_bare('S', out);
}

Verdict PostgresAccountQuery::fail(Fault fault, std::string_view why) {
  error_ = why;
  return Verdict::close(fault);
}

Verdict PostgresAccountQuery::step(Party from, MutableBytes unread) {
  if (from != Party::backend) return Verdict::hold();
  for (;;) {
    if (const auto queued = outbox_.next()) return *queued;
    if (const auto verdict = on_bytes(unread)) return *verdict;
  }
}

std::optional<Verdict> PostgresAccountQuery::on_bytes(MutableBytes unread) {
  std::uint64_t total = gather_.total();
  if (!gather_.collecting()) {
    if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
    const Header header = peek_header(unread);
    total = header.total();
    if (!legal_length(header, 2 * kMaxLoginLength)) {
      return fail(Fault::backend_violation, "answer of illegal length");
    }
  }
  if (const auto verdict = gather_.collect(unread, total)) return *verdict;
  if (++messages_ > kMaxMessages) return fail(Fault::backend_violation, "too many messages");
  const Bytes message = gather_.message();
  const auto failed = on_message(static_cast<char>(message[0]), message.subspan(kHeaderSize));
  outbox_.skip(gather_.consume());
  return failed;
}

std::optional<Verdict> PostgresAccountQuery::on_message(char tag, Bytes payload) {
  switch (tag) {
    case '1':
    case '2':
    case 'C':
    case 'N':
    case 'S':
    case 'A': return std::nullopt;
    case 'D': return on_row(payload);
    case 'E': {
      const ErrorResponse error = ErrorResponse::parse(payload);
      const std::string words = error.brief();
      if (error.fatal()) return fail(Fault::backend_lost, words);
      refused_ = true;
      error_ = words;
      return std::nullopt;
    }
    case 's': return fail(Fault::internal, "the query answers with more than one row");
    case 'Z':
      if (payload.size() != 1 || payload[0] != 'I') {
        return fail(Fault::internal, "the query leaves a transaction open");
      }
      outbox_.then(refused_ ? Verdict::close(Fault::backend_unavailable) : Verdict::done());
      return std::nullopt;
    default: return fail(Fault::backend_violation, "unexpected message");
  }
}

std::optional<Verdict> PostgresAccountQuery::on_row(Bytes payload) {
  if (std::exchange(answered_, true)) {
    return fail(Fault::internal, "the query answers with more than one row");
  }
  Reader in(payload);
  const std::uint16_t columns = in.be16();
  if (columns != 2 && columns != 3) {
    return fail(Fault::internal, "the query must answer with a name and a password");
  }
  const auto name = column(in);
  const auto password = column(in);
  const auto left = columns == 3 ? column(in) : std::nullopt;
  if (in.finish()) return fail(Fault::backend_violation, "malformed row");
  // A query that compares names loosely must not let one user in with another one's password.
  if (!name || *name != user_ || !password || password->empty()) return std::nullopt;
  StoredAccount account{std::string(*password), std::nullopt};
  if (left) {
    account.seconds_left = seconds(*left);
    if (!account.seconds_left || std::isnan(*account.seconds_left)) {
      return fail(Fault::internal, "the query's third column must be a number of seconds");
    }
    if (*account.seconds_left <= 0) return std::nullopt;
  }
  account_ = std::move(account);
  return std::nullopt;
}

}  // namespace weirpool::protocol::postgres
