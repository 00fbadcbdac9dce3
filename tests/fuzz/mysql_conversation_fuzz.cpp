// Both parties of a conversation say anything at all, in any order.
// Input: u8 flags, then pieces: u8 (bit 0: party, the rest: length), bytes.
#include <cstdio>
#include <cstdlib>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/conversation.hpp"
#include "tests/support/wire_script.hpp"

using namespace weirpool;  // NOLINT: fuzzers only
namespace mysql = protocol::mysql;

namespace {

std::shared_ptr<const mysql::Facts> facts_of(bool mariadb) {
  auto facts = std::make_shared<mysql::Facts>();
  facts->version = mariadb ? "5.5.5-10.11.0-MariaDB" : "9.7.0";
  facts->collation = 45;
  facts->status = mysql::status::autocommit;
  return facts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const unsigned flags = data[0];
  mysql::ConversationStart start;
  start.capabilities = mysql::kOfferedToClients;
  if ((flags & 128) == 0) start.capabilities |= mysql::cap::query_attributes;
  if ((flags & 1) != 0) start.capabilities &= ~mysql::cap::deprecate_eof;
  if ((flags & 2) != 0) start.capabilities &= ~mysql::cap::session_track;
  if ((flags & 32) != 0) start.capabilities |= mysql::cap::optional_metadata;
  start.collation = (flags & 4) != 0 ? 45 : 8;
  start.schema = "shop";
  start.catalog = std::make_shared<mysql::Catalog>(2);
  start.facts = facts_of((flags & 8) != 0);
  mysql::ServerState backend(start.facts, mysql::cap::multi_statements, "shop", 7, 2);
  mysql::ServerConversation conversation(start);
  bool leased = false;
  test::Wire wire(conversation, [&](const protocol::Verdict& verdict, test::Wire&) {
    if (verdict.kind == test::Kind::lease && (flags & 16) != 0) {
      conversation.refuse(protocol::Fault::pool_timeout, "");
    } else if (verdict.kind == test::Kind::lease) {
      conversation.attach(backend);
      leased = true;
    } else if (verdict.kind == test::Kind::kill) {
      conversation.killed(protocol::KillResult::unknown);
    } else if (verdict.kind == test::Kind::release) {
      if (!conversation.at_boundary() || !conversation.pin_reason().empty()) std::abort();
      if (conversation.needs_reset()) backend.was_reset();
      conversation.detach();
      leased = false;
    }
  });
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  while (!rest.empty() && !wire.ended()) {
    const auto head = static_cast<std::uint8_t>(rest[0]);
    rest.remove_prefix(1);
    const bool client = (head & 1) != 0;
    // A backend that is not attached has nobody to talk to.
    const bool attached = wire.count(test::Kind::lease) > wire.count(test::Kind::release);
    if (client || attached) {
      wire.feed(client ? protocol::Party::client : protocol::Party::backend,
                rest.substr(0, head >> 1));
    }
    rest.remove_prefix(std::min<std::size_t>(head >> 1, rest.size()));
  }
  if (leased && !wire.ended()) {
    // The backend goes; whatever survives is driven on by what the client has sent.
    const bool torn = wire.torn() || (flags & 64) != 0;
    const protocol::Verdict lost = conversation.backend_lost(torn);
    conversation.detach();
    if (lost.kind != test::Kind::close) wire.pump();
  }
  protocol::Writer out;
  conversation.write_fault(protocol::Fault::shutting_down, "", out);
  if (!wire.breach().empty()) {
    std::fprintf(stderr, "%s\n", wire.breach().c_str());
    std::abort();
  }
  return 0;
}
