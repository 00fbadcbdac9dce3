// What all engines of one dialect share. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "protocol/postgres/parameters.hpp"
#include "protocol/postgres/prepared.hpp"
#include "protocol/postgres/replication.hpp"
#include "protocol/postgres/session_policy.hpp"
#include "protocol/postgres/sql_statements.hpp"

namespace weirpool::protocol::postgres {

struct Catalog {
  explicit Catalog(std::uint32_t limit, const SessionPolicy& session_policy = {})
      : max_prepared_statements(limit < 1 ? 1 : limit), policy(session_policy) {}

  const std::uint32_t max_prepared_statements;  ///< per backend
  const SessionPolicy policy;
  /// A client may name more than a backend keeps: what was evicted is prepared again.
  std::size_t max_client_statements() const { return std::size_t{max_prepared_statements} * 16; }

  /// A meaning (Statement::meaning) nobody else has.
  std::string private_meaning() {
    return '\1' + std::to_string(next_private_.fetch_add(1, std::memory_order_relaxed));
  }

  StatementCatalog statements;
  ProfileCatalog profiles;
  SqlStatementsCatalog sql_statements;
  ReplicationStartups replication;

 private:
  std::atomic<std::uint64_t> next_private_{1};
};

using CatalogRef = std::shared_ptr<Catalog>;

}  // namespace weirpool::protocol::postgres
