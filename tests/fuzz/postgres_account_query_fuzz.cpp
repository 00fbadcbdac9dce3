// The answer to a look-up, from a backend that may be anything. Input: what it sends, in pieces of
// the size of the first byte.
#include <cstdlib>

#include "protocol/postgres/account_query.hpp"
#include "tests/support/wire_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weirpool;
  if (size < 1) return 0;
  const std::size_t piece = data[0] == 0 ? size : data[0];
  protocol::postgres::PostgresAccountQuery query("select $1", "app");
  test::Wire wire(query);
  std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  wire.pump();
  while (!text.empty() && !wire.ended()) {
    wire.feed(protocol::Party::backend, text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  if (!wire.breach().empty()) std::abort();
  const auto account = query.take_account();
  if (account && (account->verifier.empty() || account->seconds_left.value_or(1) <= 0))
    std::abort();
  return 0;
}
