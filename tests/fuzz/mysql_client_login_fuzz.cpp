// A client that says anything at all while it logs in, at first or in the middle of its session.
#include <cstdlib>
#include <memory>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/client_login.hpp"
#include "tests/support/wire_script.hpp"

using namespace weirpool;  // NOLINT: fuzzers only

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static const auto credentials =
      std::make_shared<protocol::mysql::Credentials>(std::vector<std::string>{"secret"});
  static const auto nothing =
      std::make_shared<protocol::mysql::Credentials>(std::vector<std::string>{""});
  const auto facts = std::make_shared<protocol::mysql::Facts>();
  facts->version = "9.7.0";
  facts->plugin =
      (data[0] & 1) != 0 ? protocol::mysql::kSha2Plugin : protocol::mysql::kNativePlugin;
  facts->collation = 45;
  protocol::LoginContext context;
  context.tls_available = (data[0] & 2) != 0;
  context.tls_required = (data[0] & 4) != 0;
  const std::size_t piece = data[1] + std::size_t{1};
  protocol::mysql::ConversationStart before;
  before.capabilities = protocol::mysql::kOfferedToClients;
  if ((data[0] & 32) != 0) before.capabilities &= ~protocol::mysql::cap::plugin_auth;
  before.facts = facts;
  before.tls = (data[0] & 2) != 0;
  const auto made = (data[0] & 16) != 0
                        ? std::make_unique<protocol::mysql::ServerSideLogin>(before)
                        : std::make_unique<protocol::mysql::ServerSideLogin>(context, nullptr);
  protocol::mysql::ServerSideLogin& login = *made;
  test::Wire wire(login, [&](const protocol::Verdict& verdict, test::Wire&) {
    if (verdict.kind == test::Kind::start_tls) login.tls_established({});
    if (verdict.kind == test::Kind::learn) login.learned(facts, protocol::Fault::none, "");
    if (verdict.kind == test::Kind::look_up) {
      login.answer({(data[0] & 8) != 0 ? credentials : nothing});
    }
  });
  std::string_view rest(reinterpret_cast<const char*>(data + 2), size - 2);
  while (!rest.empty() && !wire.ended()) {
    wire.feed(protocol::Party::client, rest.substr(0, piece));
    rest.remove_prefix(std::min(piece, rest.size()));
  }
  protocol::Writer out;
  login.write_fault(wire.fault(), "", out);
  if (!wire.breach().empty()) std::abort();
  // Nobody can know the password, so only the account without one lets anybody in.
  if (wire.count(test::Kind::done) > 0 && (data[0] & 8) != 0) std::abort();
  return 0;
}
