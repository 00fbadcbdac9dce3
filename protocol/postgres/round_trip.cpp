#include "protocol/postgres/round_trip.hpp"

#include <algorithm>

#include "protocol/postgres/conversation_table.hpp"

namespace weirpool::protocol::postgres {

RoundTrip::RoundTrip(Backend& backend, std::string_view query) : backend_(backend) {
  // A simple Query takes the unnamed statement with it.
  backend_.unnamed.reset();
  backend_.unnamed_certain = true;
  write_query(query, outbox_.out());
}

Verdict RoundTrip::give_up() {
  ended_ = true;
  return Verdict::close(Fault::backend_lost);
}

Verdict RoundTrip::step(Party from, MutableBytes unread) {
  if (from != Party::backend) return Verdict::hold();
  if (const auto queued = outbox_.next()) return *queued;
  return ended_ ? Verdict::hold() : message(unread);
}

Verdict RoundTrip::parameter(Bytes unread, std::uint64_t total) {
  if (total > kMaxParameterStatus) return give_up();
  if (const auto verdict = gather_.collect(unread, total)) return *verdict;
  const auto status = ParameterStatus::parse(gather_.message().subspan(kHeaderSize));
  if (!status) return give_up();
  backend_.parameters.report(status->name, status->value);
  // Nothing is left of one that has been collected.
  const std::uint64_t in_place = gather_.consume();
  return in_place != 0 ? Verdict::skip(in_place) : message(unread);
}

Verdict RoundTrip::message(Bytes unread) {
  if (gather_.collecting()) return parameter(unread, gather_.total());
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const Header header = peek_header(unread);
  if (!legal_length(header)) return give_up();
  const auto action = backend_action(Reply::query, header.tag);
  if (action == FromBackend::parameter) return parameter(unread, header.total());
  const std::uint64_t front = std::min<std::uint64_t>(header.total(), kMaxNeed);
  if (unread.size() < front) return Verdict::need(front);
  const Bytes payload = unread.first(static_cast<std::size_t>(front)).subspan(kHeaderSize);
  if (action == FromBackend::error) {
    const ErrorResponse error = ErrorResponse::parse(payload);
    if (error.fatal() || !failed(error)) return give_up();
  } else if (header.tag == 'D') {
    row(payload);
  } else if (action == FromBackend::ready) {
    // Bytes behind it would belong to nobody.
    const bool clean = payload.size() == 1 && payload[0] == 'I' && unread.size() == front;
    if (!clean || !succeeded()) return give_up();
    ended_ = true;
    outbox_.then(Verdict::done());
  } else if (action == FromBackend::violation || action == FromBackend::copy_in) {
    return give_up();
  }
  return Verdict::skip(header.total());
}

}  // namespace weirpool::protocol::postgres
