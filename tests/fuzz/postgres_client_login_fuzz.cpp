// The login of a client, from its first byte: nobody has been authenticated here.
// Input: one byte of switches, then what the client sends in pieces of the size of the second byte.
#include <cstdlib>

#include "protocol/postgres/client_login.hpp"
#include "tests/support/wire_script.hpp"

namespace {

using namespace weirpool;
namespace postgres = protocol::postgres;

const std::shared_ptr<const postgres::Secret>& secret(bool md5) {
  static const auto scram = std::make_shared<const postgres::Secret>(
      "app", std::vector<std::string>{"secret of many words that nobody guesses"});
  static const auto hashed = std::make_shared<const postgres::Secret>(
      "app", std::vector<std::string>{"md5" + std::string(32, 'a')});
  return md5 ? hashed : scram;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const unsigned switches = data[0];
  const std::size_t piece = data[1] == 0 ? size : data[1];
  protocol::LoginContext context;
  context.tls_available = (switches & 1) != 0;
  context.tls_required = (switches & 2) != 0;
  static const auto catalog = std::make_shared<postgres::Catalog>(10);
  postgres::PostgresClientLogin login(context, catalog);
  test::Wire wire(login, [&](const protocol::Verdict& verdict, test::Wire&) {
    if (verdict.kind == test::Kind::start_tls) {
      login.tls_established({std::vector<std::uint8_t>((switches & 16) != 0 ? 32 : 0, 9),
                             (switches & 32) != 0 ? "postgresql" : ""});
    }
    if (verdict.kind == test::Kind::look_up) {
      const auto known = secret((switches & 8) != 0);
      const auto proof =
          (switches & 64) != 0 ? protocol::Proof::cleartext : protocol::Proof::by_secret;
      login.answer({(switches & 4) != 0 ? nullptr : known, known, proof});
    }
    if (verdict.kind == test::Kind::derive) {
      static_cast<void>(login.derivation());
      login.derived(postgres::Digest{});
    }
    // Nobody can know the password, so nothing may get this far.
    if (verdict.kind == test::Kind::learn) std::abort();
  });
  std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  while (!text.empty() && !wire.ended()) {
    wire.feed(protocol::Party::client, text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  protocol::Writer out;
  login.write_fault(wire.fault(), {}, out);
  if (!wire.breach().empty()) std::abort();
  return 0;
}
