#include "protocol/mysql/backend_state.hpp"

#include <utility>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/commands.hpp"

namespace weirpool::protocol::mysql {

ServerState::ServerState(std::shared_ptr<const Facts> facts, std::uint32_t variant,
                         std::string database, std::uint32_t thread_id, std::size_t max_statements)
    : statements(max_statements),
      ansi_quotes(facts->ansi_quotes),
      facts_(std::move(facts)),
      login_schema_(std::move(database)),
      variant_(variant),
      thread_id_(thread_id) {
  login_.collation = facts_->collation;
  login_.multi_statements = (variant & cap::multi_statements) != 0;
  login_.ignore_space = (variant & cap::ignore_space) != 0;
  login_.schema = login_schema_;
  session = login_;
}

void ServerState::write_goodbye(Writer& out) const { write_command(out, com::quit); }

bool ServerState::write_cancel(Writer& /*out*/) const { return false; }

void ServerState::write_query(Writer& out, std::string_view sql) const {
  const std::size_t at = begin_packet(out, 0);
  out.u8(com::query);
  if (capabilities_of(variant_) & cap::query_attributes) {
    out.lenenc(0);
    out.lenenc(1);
  }
  out.text(sql);
  end_packet(out, at);
}

unsigned ServerState::write_reset(Writer& out) const {
  write_command(out, com::reset_connection);
  // Whether a reset touches this option differs between servers.
  write_set_multi_statements(out, login_.multi_statements);
  return 2 + write_setup(out);
}

unsigned ServerState::write_setup(Writer& out) const {
  write_query(out, collation_sql(login_.collation));
  std::string sql =
      "SET @@session.session_track_system_variables='*',@@session.session_track_schema=ON,"
      "@@session.session_track_state_change=ON,"
      "@@session.session_track_transaction_info='CHARACTERISTICS',";
  sql += kFollowCollation;
  // Set in any case, to itself, so that the tracker tells what it is.
  sql += (variant_ & cap::ignore_space) != 0
             ? ",@@session.sql_mode=CONCAT(@@session.sql_mode,',IGNORE_SPACE')"
             : ",@@session.sql_mode=@@session.sql_mode";
  write_query(out, sql);
  return 2;
}

void ServerState::was_reset() {
  std::string schema = std::move(session.schema);
  session = login_;
  session.schema = std::move(schema);
  statements.clear();
  warned = false;
}

}  // namespace weirpool::protocol::mysql
