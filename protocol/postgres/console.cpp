#include "protocol/postgres/console.hpp"

#include <algorithm>
#include <utility>

#include "protocol/postgres/query_messages.hpp"

namespace weirpool::protocol::postgres {
Verdict PostgresConsole::step(Party from, MutableBytes unread) {
  if (from != Party::client) return Verdict::hold();
  while (true) {
    if (const Step queued = outbox_.next()) return *queued;
    if (awaiting_ != Awaiting::nothing) return Verdict::hold();
    if (const Step verdict = advance(unread)) return *verdict;
  }
}

PostgresConsole::Step PostgresConsole::advance(MutableBytes unread) {
  if (!statements_.empty()) {
    next_statement();
    return std::nullopt;
  }
  Header header;
  if (gather_.collecting()) {
    header.length = static_cast<std::uint32_t>(gather_.total() - 1);
  } else {
    if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
    header = peek_header(unread);
    if (header.length < 4) return Verdict::close(Fault::protocol_violation);
    if (header.length > console::kMaxText) return Verdict::close(Fault::message_too_large);
  }
  if (const auto verdict = gather_.collect(unread, header.total())) return *verdict;
  const Bytes message = gather_.message();
  const Step verdict = handle(peek_header(message), message.subspan(kHeaderSize));
  outbox_.skip(gather_.consume());
  return verdict;
}

PostgresConsole::Step PostgresConsole::handle(const Header& header, Bytes payload) {
  if (header.tag == 'X') return Verdict::done();
  if (header.tag == 'S') {
    skipping_ = false;
    if (status_ == 'I') portals_.clear();
    write_ready(status_, outbox_.out());
    return std::nullopt;
  }
  if (skipping_) return std::nullopt;
  switch (header.tag) {
    case 'Q': {
      const std::string_view text = text_of(payload);
      if (text.empty() || text.find('\0') != text.size() - 1) {
        return Verdict::close(Fault::protocol_violation);
      }
      on_query(text.substr(0, text.size() - 1));
      break;
    }
    case 'P': on_parse(payload); break;
    case 'B': on_bind(payload); break;
    case 'D': on_describe(payload); break;
    case 'E': on_execute(payload); break;
    case 'C': on_close(payload); break;
    // Everything is answered at once, so there is nothing to flush; CopyData and its end are left
    // over from a COPY that never began.
    case 'H':
    case 'd':
    case 'c':
    case 'f': break;
    case 'F':
      write_error(Fault::unsupported, "the console has no functions", {}, outbox_.out());
      write_ready(status_, outbox_.out());
      break;
    default: return Verdict::close(Fault::protocol_violation);
  }
  return std::nullopt;
}

// --- the simple protocol -------------------------------------------------------------------------

void PostgresConsole::on_query(std::string_view text) {
  prepared_.erase("");
  portals_.clear();
  for (std::string& statement : console::split(text)) statements_.push_back(std::move(statement));
  if (!statements_.empty()) return;
  write_bare('I', outbox_.out());
  write_ready(status_, outbox_.out());
}

void PostgresConsole::next_statement() {
  std::string text = std::move(statements_.front());
  statements_.pop_front();
  ask(Awaiting::simple, std::move(text), false);
}

void PostgresConsole::ask(Awaiting awaiting, std::string text, bool describe) {
  awaiting_ = awaiting;
  request_.text = std::move(text);
  request_.describe = describe;
  outbox_.then(Verdict::look_up());
}

// --- answers -------------------------------------------------------------------------------------

void PostgresConsole::answer(console::Answer answer) {
  const Awaiting what = std::exchange(awaiting_, Awaiting::nothing);
  if (!answer.error.empty()) {
    statements_.clear();
    fail(answer.sqlstate, answer.error);
    if (what == Awaiting::simple) {
      skipping_ = false;
      write_ready(status_, outbox_.out());
    }
    return;
  }
  switch (what) {
    case Awaiting::simple:
      if (!answer.notice.empty()) write_notice(answer.notice, answer.notice_detail, outbox_.out());
      if (!answer.table.columns.empty()) describe(answer, {});
      for (const auto& row : answer.table.rows) {
        write_data_row(answer.table.columns, row, {}, outbox_.out());
      }
      complete(answer);
      if (statements_.empty()) write_ready(status_, outbox_.out());
      break;
    case Awaiting::statement:
      write_no_parameters(outbox_.out());
      describe(answer, {});
      break;
    case Awaiting::portal: {
      const Portal* portal = find_portal(portal_name_);
      if (portal != nullptr) describe(answer, portal->formats);
      break;
    }
    case Awaiting::execute: {
      Portal* portal = find_portal(portal_name_);
      if (portal == nullptr) break;
      if (!answer.notice.empty()) write_notice(answer.notice, answer.notice_detail, outbox_.out());
      portal->result = std::move(answer);
      show_portal(*portal, max_rows_);
      break;
    }
    case Awaiting::nothing: break;
  }
}

void PostgresConsole::describe(const console::Answer& answer,
                               const std::vector<std::uint16_t>& formats) {
  if (answer.table.columns.empty()) {
    write_bare('n', outbox_.out());
  } else if (formats.size() > 1 && formats.size() != answer.table.columns.size()) {
    fail("08P01", "bind message has a number of result formats that is not that of the columns");
  } else {
    write_row_description(answer.table.columns, formats, outbox_.out());
  }
}

void PostgresConsole::complete(const console::Answer& answer) {
  if (answer.tag == "BEGIN") status_ = 'T';
  if (answer.tag == "COMMIT" || answer.tag == "ROLLBACK") status_ = 'I';
  write_command_complete(answer.tag, outbox_.out());
}

void PostgresConsole::show_portal(Portal& portal, std::uint32_t max_rows) {
  const console::Table& table = portal.result->table;
  if (portal.formats.size() > 1 && portal.formats.size() != table.columns.size()) {
    fail("08P01", "bind message has a number of result formats that is not that of the columns");
    return;
  }
  const std::size_t left = table.rows.size() - portal.next_row;
  const std::size_t count = max_rows == 0 ? left : std::min<std::size_t>(left, max_rows);
  for (std::size_t i = 0; i < count; ++i) {
    write_data_row(table.columns, table.rows[portal.next_row++], portal.formats, outbox_.out());
  }
  if (count < left) {
    write_bare('s', outbox_.out());
  } else {
    complete(*portal.result);
  }
}

void PostgresConsole::fail(std::string_view sqlstate, std::string_view message) {
  ErrorResponse error;
  error.severity = "ERROR";
  error.sqlstate = sqlstate;
  error.message = message;
  error.serialize(outbox_.out());
  skipping_ = true;
}

void PostgresConsole::malformed() { fail("08P01", "invalid message format"); }

// --- the extended protocol -----------------------------------------------------------------------

void PostgresConsole::on_parse(Bytes payload) {
  const auto message = ParseMessage::parse(payload);
  if (!message) return malformed();
  std::vector<std::string> statements = console::split(message->text);
  if (statements.size() > 1) {
    return fail("42601", "cannot insert multiple commands into a prepared statement");
  }
  if (!message->name.empty()) {
    if (prepared_.contains(message->name)) {
      return fail("42P05",
                  "prepared statement \"" + std::string(message->name) + "\" already exists");
    }
    if (prepared_.size() >= kMaxConsoleNames) {
      return fail("53400", "too many prepared statements in the console");
    }
  }
  std::string& text = prepared_[std::string(message->name)];
  text = statements.empty() ? std::string() : std::move(statements.front());
  write_bare('1', outbox_.out());
}

void PostgresConsole::on_bind(Bytes payload) {
  const auto message = BindMessage::parse(payload);
  if (!message) return malformed();
  const auto found = prepared_.find(message->statement);
  if (found == prepared_.end()) {
    return fail("26000",
                "prepared statement \"" + std::string(message->statement) + "\" does not exist");
  }
  if (message->parameters != 0) {
    return fail("08P01", "bind message supplies " + std::to_string(message->parameters) +
                             " parameters, but prepared statement requires 0");
  }
  const auto binary_or_text = [](std::uint16_t format) {
    return format == kTextFormat || format == kBinaryFormat;
  };
  const auto& formats = message->result_formats;
  if (!std::all_of(formats.begin(), formats.end(), binary_or_text)) {
    return fail("22023", "unsupported format code");
  }
  if (find_portal(message->portal) != nullptr && !message->portal.empty()) {
    return fail("42P03", "cursor \"" + std::string(message->portal) + "\" already exists");
  }
  if (portals_.size() >= kMaxConsoleNames && !message->portal.empty()) {
    return fail("53400", "too many portals in the console");
  }
  Portal portal;
  portal.text = found->second;
  portal.formats = formats;
  portals_.insert_or_assign(std::string(message->portal), std::move(portal));
  write_bare('2', outbox_.out());
}

PostgresConsole::Portal* PostgresConsole::find_portal(std::string_view name) {
  const auto found = portals_.find(name);
  return found == portals_.end() ? nullptr : &found->second;
}

void PostgresConsole::on_describe(Bytes payload) {
  const auto message = NameMessage::parse(payload);
  if (!message) return malformed();
  if (message->kind == 'P') {
    const Portal* portal = find_portal(message->name);
    if (portal == nullptr) {
      return fail("34000", "portal \"" + std::string(message->name) + "\" does not exist");
    }
    if (portal->text.empty()) return write_bare('n', outbox_.out());
    portal_name_ = message->name;
    return ask(Awaiting::portal, portal->text, true);
  }
  const auto found = prepared_.find(message->name);
  if (found == prepared_.end()) {
    return fail("26000",
                "prepared statement \"" + std::string(message->name) + "\" does not exist");
  }
  if (found->second.empty()) {
    write_no_parameters(outbox_.out());
    return write_bare('n', outbox_.out());
  }
  ask(Awaiting::statement, found->second, true);
}

void PostgresConsole::on_execute(Bytes payload) {
  const auto message = ExecuteMessage::parse(payload);
  if (!message) return malformed();
  Portal* portal = find_portal(message->portal);
  if (portal == nullptr) {
    return fail("34000", "portal \"" + std::string(message->portal) + "\" does not exist");
  }
  if (portal->text.empty()) return write_bare('I', outbox_.out());
  if (portal->result) return show_portal(*portal, message->max_rows);
  portal_name_ = message->portal;
  max_rows_ = message->max_rows;
  ask(Awaiting::execute, portal->text, false);
}

void PostgresConsole::on_close(Bytes payload) {
  const auto message = NameMessage::parse(payload);
  if (!message) return malformed();
  if (message->kind == 'P') {
    portals_.erase(std::string(message->name));
  } else {
    prepared_.erase(std::string(message->name));
  }
  write_bare('3', outbox_.out());
}

// --- the rest ------------------------------------------------------------------------------------

void PostgresConsole::write_fault(Fault fault, std::string_view detail, Writer& out) {
  if (fault != Fault::none) write_error(fault, {}, detail, out);
}

std::shared_ptr<const Facts> console_facts() {
  auto facts = std::make_shared<Facts>();
  // PgBouncer's, which its clients are written for: psycopg asks for DateStyle, pgx for
  // standard_conforming_strings and client_encoding, pg_exporter for the "bouncer" in the version.
  facts->parameters = {{"server_version", "1.25.2/bouncer"},
                       {"client_encoding", "UTF8"},
                       {"server_encoding", "UTF8"},
                       {"DateStyle", "ISO"},
                       {"TimeZone", "GMT"},
                       {"standard_conforming_strings", "on"},
                       {"is_superuser", "on"}};
  return facts;
}

}  // namespace weirpool::protocol::postgres
