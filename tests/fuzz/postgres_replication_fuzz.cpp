// Both directions of a replication session: whatever comes, nothing is lost and nothing is shared.
// Input: pieces, each one byte (bit 7: who speaks, rest: how many bytes follow).
#include <cstdlib>

#include "protocol/postgres/backend_state.hpp"
#include "protocol/postgres/replication.hpp"
#include "tests/support/wire_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weirpool;
  using protocol::Party;
  protocol::postgres::Backend backend(1);
  protocol::postgres::ReplicationConversation conversation;
  bool attached = false;
  bool refuses = size > 0 && (data[0] & 1) != 0;
  test::Wire wire(conversation, [&](const protocol::Verdict& verdict, test::Wire&) {
    if (verdict.kind != test::Kind::lease || attached) std::abort();
    attached = !refuses;
    if (attached) conversation.attach(backend);
    if (refuses) conversation.refuse(protocol::Fault::pool_timeout, "busy");
    refuses = false;
  });
  std::string_view text(reinterpret_cast<const char*>(data), size);
  while (!text.empty() && !wire.ended()) {
    const auto head = static_cast<std::uint8_t>(text[0]);
    text.remove_prefix(1);
    const std::string_view piece = text.substr(0, head & 0x7F);
    text.remove_prefix(piece.size());
    const Party from = (head & 0x80) != 0 ? Party::backend : Party::client;
    if (from == Party::client || attached) wire.feed(from, piece);
  }
  if (!wire.breach().empty() || conversation.at_boundary() == attached) std::abort();
  return 0;
}
