// An invented protocol of newline-terminated lines, spoken by engines of protocol/engine.hpp: it
// proves the core without any database and without its own protocols in the way.
//
//   client login          client: user NAME DATABASE           weirpool: welcome ID KEY
//   client becomes another  the same, in the middle of its session
//   client cancels        client: cancel ID KEY                weirpool: (closes)
//   backend login         weirpool: login NAME DATABASE PASSWORD
//                         backend: ok ID | refused | nodb | salt TEXT (weirpool: key HEX, again)
//   command               client: any other line (put N: N bytes follow), passed on; needs a lease
//   answer                backend: any number of "= text", "data N" (N bytes follow) and "aside N"
//                         (the same, for weirpool: when the backend goes, the session stays), then
//                         one
//   of
//                           idle    outside a transaction
//                           idle!   the same, and the backend holds state that needs a reset
//                           open    inside a transaction
//   client's patience     client: patience SECONDS, a command too: how long it wants to be let idle
//   client kills          client: kill ID (its statement) | end ID (its session)
//                           weirpool: done | unknown | not_owner
//   client's goodbye      client: bye
//   what weirpool says    weirpool: fault LABEL (the label of fault_table.hpp)
//   between two clients   weirpool: reset -> idle,  ping -> pong,  role -> primary, standby or
//                           read-only
//   weirpool's goodbye    weirpool: bye
//   cancel connection     weirpool: cancel ID
//   kill connection       weirpool: (logs in) kill ID -> killed
//   console               client logs in to database console; any line is a statement
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/dialect.hpp"

namespace weirpool::test {

/// Iterations of the key derivation a toy backend may ask for with "salt".
inline constexpr std::uint32_t kToyIterations = 16;

class ToyDialect final : public proxy::Dialect {
 public:
  /// `kills_by_login`: statements are ended as MySQL does it, with "kill ID" on a backend of its
  /// own.
  explicit ToyDialect(bool kills_by_login = false) : kills_by_login_(kills_by_login) {}

  std::string_view name() const override { return "toy"; }
  bool chooses_proof() const override { return choosy; }
  std::unique_ptr<protocol::ClientLogin> client_login(
      const protocol::LoginContext& context) const override;
  std::unique_ptr<protocol::BackendLogin> backend_login(
      const protocol::BackendIdentity& as) const override;
  std::unique_ptr<protocol::Engine> reset(protocol::BackendState& state) const override;
  std::unique_ptr<protocol::Engine> ping(protocol::BackendState& state) const override;
  std::unique_ptr<protocol::RoleProbe> role_probe(protocol::BackendState& state) const override;
  /// Database console; its statements are lines, its answers "= CELL" lines and the tag.
  bool is_console(const protocol::Identity& identity) const override {
    return identity.database == "console";
  }
  std::shared_ptr<const protocol::BackendFacts> console_facts() const override;
  std::unique_ptr<protocol::console::Engine> console(
      const protocol::Identity& identity) const override;
  std::vector<proxy::SharedStatement> shared_statements() const override { return {}; }
  bool kill_needs_login() const override { return kills_by_login_; }
  std::unique_ptr<protocol::Engine> kill(protocol::BackendState& via,
                                         std::uint64_t remote_id) const override;
  std::unique_ptr<protocol::AccountQuery> account_query(const std::string& query,
                                                        const std::string& user) const override;
  std::shared_ptr<const protocol::PreparedSecret> prepare(
      const std::string& user, const std::vector<std::string>& passwords) const override;

  bool choosy = true;

  /// How many secrets have been prepared, for tests of the runtime.
  unsigned prepared() const { return prepared_.load(); }
  /// Whether the last backend login might have sent its password as it is.
  bool cleartext_allowed() const { return cleartext_allowed_.load(); }

 private:
  bool kills_by_login_;
  mutable std::atomic<unsigned> prepared_{0};
  mutable std::atomic<bool> cleartext_allowed_{false};
};

/// What ToyDialect::prepare made.
struct ToySecret final : protocol::PreparedSecret {
  std::string user;
  std::vector<std::string> passwords;
};

std::string to_hex(protocol::Bytes bytes);
/// Empty if `text` is not hexadecimal.
std::vector<std::uint8_t> from_hex(std::string_view text);

}  // namespace weirpool::test
