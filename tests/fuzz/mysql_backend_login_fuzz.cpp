// A backend that says anything at all while weirpool logs in to it.
#include <cstdlib>

#include "protocol/mysql/backend_login.hpp"
#include "tests/support/wire_script.hpp"

using namespace weirpool;  // NOLINT: fuzzers only

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  protocol::BackendIdentity as;
  as.user = "bob";
  as.password = (data[0] & 1) != 0 ? "secret" : "";
  as.database = (data[0] & 2) != 0 ? "shop" : "";
  as.tls_wanted = (data[0] & 4) != 0;
  as.tls_required = (data[0] & 8) != 0;
  as.allow_public_key_retrieval = (data[0] & 16) != 0;
  as.allow_cleartext_password = (data[0] & 32) != 0;
  const std::size_t piece = data[1] + std::size_t{1};
  protocol::mysql::ClientSideLogin login(as);
  test::Wire wire(login, [&](const protocol::Verdict& verdict, test::Wire&) {
    if (verdict.kind == test::Kind::start_tls) login.tls_established({});
  });
  std::string_view rest(reinterpret_cast<const char*>(data + 2), size - 2);
  while (!rest.empty() && !wire.ended()) {
    wire.feed(protocol::Party::backend, rest.substr(0, piece));
    rest.remove_prefix(std::min(piece, rest.size()));
  }
  if (!wire.breach().empty()) std::abort();
  if (wire.count(test::Kind::done) == 1 && login.take_state() == nullptr) std::abort();
  return 0;
}
