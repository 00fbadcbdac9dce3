// The login to a backend that may be anything. Input: one byte of switches, then what it sends in
// pieces of the size of the second byte.
#include <cstdlib>

#include "protocol/postgres/backend_login.hpp"
#include "tests/support/wire_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weirpool;
  namespace postgres = protocol::postgres;
  if (size < 2) return 0;
  const unsigned switches = data[0];
  const std::size_t piece = data[1] == 0 ? size : data[1];
  protocol::BackendIdentity as;
  as.user = "app";
  as.password = "secret";
  as.database = "db";
  as.tls_wanted = (switches & 1) != 0;
  as.tls_required = (switches & 2) != 0;
  as.tls_direct = (switches & 4) != 0;
  as.newest_protocol = (switches & 8) != 0;
  static const auto catalog = std::make_shared<postgres::Catalog>(10);
  postgres::PostgresBackendLogin login(as, catalog);
  test::Wire wire(login, [&](const protocol::Verdict& verdict, test::Wire&) {
    if (verdict.kind == test::Kind::start_tls)
      login.tls_established({std::vector<std::uint8_t>(32, 9), "postgresql"});
    if (verdict.kind == test::Kind::derive) {
      if (login.derivation().iterations > postgres::kMaxScramIterations) std::abort();
      login.derived(postgres::Digest{});
    }
  });
  std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  wire.pump();
  while (!text.empty() && !wire.ended()) {
    wire.feed(protocol::Party::backend, text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  if (!wire.breach().empty()) std::abort();
  if (wire.count(test::Kind::done) != 0) {
    protocol::Writer out;
    login.take_state()->write_cancel(out);
  }
  return 0;
}
