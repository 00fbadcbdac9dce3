// Both directions of a conversation. Input: pieces, each one byte (bit 7: who speaks, rest: how
// many bytes follow). Two backends take turns; both keep their state, as in a pool.
#include <array>
#include <cstdlib>
#include <memory>

#include "protocol/postgres/conversation.hpp"
#include "tests/support/wire_script.hpp"

namespace {

using namespace weirpool;
namespace postgres = protocol::postgres;
using protocol::Party;
using protocol::Verdict;

std::unique_ptr<postgres::Backend> backend() {
  auto state = std::make_unique<postgres::Backend>(2);
  state->parameters.report("TimeZone", "UTC");
  state->parameters.report("is_superuser", "off");
  state->parameters.login_finished();
  return state;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  // With none kept, all named statements are the backend's.
  const auto catalog = std::make_shared<postgres::Catalog>((data[0] & 4) != 0 ? 0 : 2);
  const bool wants = (data[0] & 1) != 0;
  const bool refuses = (data[0] & 2) != 0;
  postgres::PostgresConversation conversation(
      catalog, catalog->profiles.of(wants ? std::vector<postgres::NamedValue>{{"timezone", "x"}}
                                          : std::vector<postgres::NamedValue>{}));
  std::array<std::unique_ptr<postgres::Backend>, 2> backends{backend(), backend()};
  std::size_t leases = 0;
  bool attached = false;
  test::Wire wire(conversation, [&](const protocol::Verdict& verdict, test::Wire& w) {
    if (verdict.kind == test::Kind::lease) {
      if (attached) std::abort();
      ++leases;
      attached = !refuses || leases % 2 == 0;
      if (attached) conversation.attach(*backends[leases / 2 % 2]);
      if (!attached) conversation.refuse(protocol::Fault::pool_timeout, "busy");
    } else if (verdict.kind == test::Kind::release) {
      if (!attached || !conversation.at_boundary()) std::abort();
      if (w.streaming(Party::client) != 0 || w.streaming(Party::backend) != 0) std::abort();
      if (!w.unread(Party::backend).empty()) std::abort();
      conversation.detach();
      attached = false;
    } else {
      std::abort();
    }
  });
  std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  while (!text.empty() && !wire.ended()) {
    const auto head = static_cast<std::uint8_t>(text[0]);
    text.remove_prefix(1);
    const Party from = (head & 0x80) != 0 ? Party::backend : Party::client;
    const std::string_view piece = text.substr(0, head & 0x7F);
    text.remove_prefix(piece.size());
    if (from == Party::backend && !attached) continue;
    wire.feed(from, piece);
  }
  if (!wire.breach().empty()) std::abort();
  if (attached && !wire.ended()) {
    // The backend goes; whatever survives is driven on by what the client has sent.
    const bool torn = wire.torn() || (data[0] & 0x40) != 0;
    const Verdict lost = conversation.backend_lost(torn);
    conversation.detach();
    attached = false;
    if (lost.kind != Verdict::Kind::close) {
      wire.pump();
      if (!wire.breach().empty()) std::abort();
    }
  }
  conversation.detach();
  return 0;
}
