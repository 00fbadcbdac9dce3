// Asks a PostgreSQL server who a user is: one extended query with the name as its only parameter,
// on a backend that nothing else uses.
//
//   weirpool                             backend
//   Parse Bind Execute Sync          ->
//                                    <-  ParseComplete BindComplete DataRow? CommandComplete
//                                    <-  ReadyForQuery
//
// The query answers with the name, what is stored as its password (null: may not log in) and, where
// a third column is given, how many seconds that stays valid (null: for good).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/engine.hpp"
#include "protocol/postgres/frame.hpp"

namespace weirpool::protocol::postgres {

/// Reads pg_authid, which needs a superuser or a grant. Without a search_path every name and
/// operator here is pg_catalog's.
inline constexpr std::string_view kAccountQuery =
    "SELECT rolname, rolpassword, CASE WHEN isfinite(rolvaliduntil) THEN "
    "extract(epoch FROM rolvaliduntil - pg_catalog.now()) END "
    "FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin";

class PostgresAccountQuery final : public AccountQuery {
 public:
  PostgresAccountQuery(std::string_view query, std::string user);

  Verdict step(Party from, MutableBytes unread) override;
  std::optional<StoredAccount> take_account() override { return std::move(account_); }
  std::string_view error() const override { return error_; }

 private:
  std::optional<Verdict> on_bytes(MutableBytes unread);
  std::optional<Verdict> on_message(char tag, Bytes payload);
  std::optional<Verdict> on_row(Bytes payload);
  Verdict fail(Fault fault, std::string_view why);

  std::string user_;
  Outbox outbox_{Party::backend};
  Gather gather_;
  std::uint32_t messages_ = 0;
  bool answered_ = false;  ///< a row has come
  bool refused_ = false;   ///< an error has come: error_ says which
  std::optional<StoredAccount> account_;
  std::string error_;
};

}  // namespace weirpool::protocol::postgres
