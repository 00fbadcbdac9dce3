#include "protocol/postgres/lost_transaction.hpp"

#include <algorithm>

#include "protocol/postgres/query_messages.hpp"

namespace weirpool::protocol::postgres {
namespace {

void write_rolled_back(Outbox& out) {
  const Framed message(out.out(), 'C');
  out.out().text("ROLLBACK");
  out.out().u8(0);
}

std::string_view up_to_zero(std::string_view text) { return text.substr(0, text.find('\0')); }

bool ends(Ending ending) { return ending == Ending::commit || ending == Ending::rollback; }

}  // namespace

LostTransaction::Step LostTransaction::step(Bytes unread, Outbox& out,
                                            ClientStatements& statements) {
  if (heard_ == Heard::part_of_query || heard_ == Heard::part_of_batch) {
    write_error(Fault::transaction_lost, {}, {}, out.out());
    if (heard_ == Heard::part_of_query) write_ready('E', out.out());
    skipping_ = heard_ == Heard::part_of_batch;
    heard_ = Heard::error;
    return std::nullopt;
  }
  if (heard_ == Heard::error_in_batch) {
    skipping_ = true;
    heard_ = Heard::error;
  }
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const Header header = peek_header(unread);
  if (!legal_length(header)) return Verdict::close(Fault::protocol_violation);
  const auto visible = std::min<std::uint64_t>(header.total(), kMaxNeed);
  if (unread.size() < visible) return Verdict::need(visible);
  if (header.tag == 'X') return Verdict::done();
  const Step verdict =
      message(header, unread.first(static_cast<std::size_t>(visible)), out, statements);
  if (!verdict) out.skip(header.total());
  return verdict;
}

LostTransaction::Step LostTransaction::message(const Header& header, Bytes unread, Outbox& out,
                                               ClientStatements& statements) {
  const Bytes payload = unread.subspan(kHeaderSize);
  if (header.tag == 'S') {
    skipping_ = false;
    over_ = over_at_sync_;
    write_ready(over_ ? 'I' : 'E', out.out());
    return std::nullopt;
  }
  if (skipping_) return std::nullopt;
  switch (header.tag) {
    case 'Q': on_query(up_to_zero(text_of(payload)), out); return std::nullopt;
    case 'F':
      fail(out);
      write_ready('E', out.out());
      return std::nullopt;
    case 'P': on_parse(payload, header.total() <= kMaxNeed, out, statements); return std::nullopt;
    case 'B': on_bind(payload, out, statements); return std::nullopt;
    case 'D': on_describe(payload, out, statements); return std::nullopt;
    case 'E': on_execute(out); return std::nullopt;
    case 'C': on_close(payload, out, statements); return std::nullopt;
    case 'H':
    case 'd':
    case 'c':
    case 'f': return std::nullopt;
    default: return Verdict::close(Fault::protocol_violation);
  }
}

void LostTransaction::fail(Outbox& out) {
  const bool first = heard_ == Heard::nothing;
  write_error(first ? Fault::transaction_lost : Fault::transaction_failed, {}, {}, out.out());
  heard_ = Heard::error;
}

void LostTransaction::fail_batch(Outbox& out) {
  fail(out);
  skipping_ = true;
}

void LostTransaction::on_query(std::string_view text, Outbox& out) {
  const Ending ending = ending_of(text);
  // A client that has heard of no error must not take its COMMIT for done.
  const bool fails = !ends(ending) || (ending == Ending::commit && heard_ == Heard::nothing);
  fails ? fail(out) : write_rolled_back(out);
  over_ = ends(ending);
  write_ready(over_ ? 'I' : 'E', out.out());
}

void LostTransaction::on_parse(Bytes message, bool whole, Outbox& out,
                               ClientStatements& statements) {
  const auto parsed = ParseMessage::parse(message);
  if (!whole || !parsed || !ends(ending_of(parsed->text))) return fail_batch(out);
  if (parsed->name.empty()) {
    unnamed_ = ending_of(parsed->text);
  } else {
    const bool room = statements.size() < catalog_->max_client_statements();
    if (!room || statements.contains(parsed->name)) return fail_batch(out);
    // Its text holds no literal that could be read in two ways.
    statements.add(parsed->name,
                   catalog_->statements.named(parsed->body, parsed->text, meaning_, Reading{}));
  }
  write_bare('1', out.out());
}

Ending LostTransaction::ending_of_statement(std::string_view name,
                                            const ClientStatements& statements) const {
  if (name.empty()) return unnamed_;
  const auto found = statements.find(name);
  return found == statements.end() ? Ending::none
                                   : ending_of(up_to_zero(found->second.statement->body()));
}

void LostTransaction::on_bind(Bytes message, Outbox& out, const ClientStatements& statements) {
  const auto head = BindHead::parse(message);
  portal_ = head ? ending_of_statement(head->statement, statements) : Ending::none;
  if (!ends(portal_)) return fail_batch(out);
  write_bare('2', out.out());
}

void LostTransaction::on_describe(Bytes message, Outbox& out, const ClientStatements& statements) {
  const auto name = NameMessage::parse(message);
  if (!name) return fail_batch(out);
  const bool statement = name->kind == 'S';
  const Ending ending = statement ? ending_of_statement(name->name, statements) : portal_;
  if (!ends(ending)) return fail_batch(out);
  if (statement) {
    const Framed parameters(out.out(), 't');
    out.out().be16(0);
  }
  write_bare('n', out.out());
}

void LostTransaction::on_execute(Outbox& out) {
  if (!ends(portal_)) return fail_batch(out);
  if (portal_ == Ending::commit && heard_ == Heard::nothing) {
    over_at_sync_ = true;
    return fail_batch(out);
  }
  write_rolled_back(out);
  over_ = true;
}

void LostTransaction::on_close(Bytes message, Outbox& out, ClientStatements& statements) {
  const auto name = NameMessage::parse(message);
  if (!name) return fail_batch(out);
  const auto found = statements.find(name->name);
  if (name->kind == 'S' && found != statements.end()) statements.erase(found);
  if (name->name.empty()) (name->kind == 'S' ? unnamed_ : portal_) = Ending::none;
  write_bare('3', out.out());
}

}  // namespace weirpool::protocol::postgres
