#include "protocol/postgres/session_check.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/postgres/sql_statements.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::postgres {
namespace {

/// True while the state exists. Names and operators are qualified, since the client's search_path
/// is in force.
constexpr std::array<std::pair<Effects, std::string_view>, 5> kQuestions{{
    {kPinListen, "EXISTS(SELECT 1 FROM pg_catalog.pg_listening_channels())"},
    {kPinWithHold, "EXISTS(SELECT 1 FROM pg_catalog.pg_cursors)"},
    // Whatever lives in a schema depends on it.
    {kPinTemporary,
     "EXISTS(SELECT 1 FROM pg_catalog.pg_depend WHERE refclassid OPERATOR(pg_catalog.=) "
     "'pg_catalog.pg_namespace'::pg_catalog.regclass AND refobjid OPERATOR(pg_catalog.=) "
     "pg_catalog.pg_my_temp_schema())"},
    {kPinAdvisoryLock,
     "EXISTS(SELECT 1 FROM pg_catalog.pg_locks WHERE locktype OPERATOR(pg_catalog.=) 'advisory' "
     "AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())"},
    // Beside those that weirpool has named.
    {kPinLongStatement,
     "EXISTS(SELECT 1 FROM pg_catalog.pg_prepared_statements WHERE NOT from_sql AND "
     "name OPERATOR(pg_catalog.!~) '^weirpool_')"},
}};

/// One more than can be followed tells that there are too many.
constexpr std::string_view kList =
    "SELECT name,statement FROM pg_catalog.pg_prepared_statements WHERE from_sql LIMIT ";

}  // namespace

Result<Row> parse_row(Bytes payload) {
  Reader in(payload);
  Row row;
  for (std::uint16_t left = in.be16(); left > 0 && in.ok(); --left) {
    const std::uint32_t length = in.be32();
    if (length == 0xFFFFFFFFU) {
      row.emplace_back();
    } else {
      row.emplace_back(text_of(in.take(length)));
    }
  }
  if (const auto error = in.finish()) return error;
  return row;
}

void SessionCheck::touch(std::string_view lower, bool reset) {
  for (Touched& known : touched_) {
    if (known.name != lower) continue;
    known.reset = known.reset && reset;
    known.led_back = reset;
    return;
  }
  touched_.push_back({std::string(lower), reset, reset, std::nullopt});
}

void SessionCheck::rolled_back() {
  rolled_back_ = true;
  for (Touched& known : touched_) known.led_back = false;
}

bool SessionCheck::touched(std::string_view lower) const {
  return std::any_of(touched_.begin(), touched_.end(),
                     [lower](const Touched& t) { return t.name == lower; });
}

bool SessionCheck::led_back(std::string_view lower) const {
  return std::any_of(touched_.begin(), touched_.end(),
                     [lower](const Touched& t) { return t.led_back && t.name == lower; });
}

void SessionCheck::prepares(std::string_view text) {
  prepared_bytes_ += text.size();
  if (prepared_.size() >= kMaxSqlStatements || prepared_bytes_ > kMaxSqlBytes) return;
  prepared_.emplace_back(text);
}

bool SessionCheck::has_prepared(std::string_view text) const {
  return !muddled() && std::find(prepared_.begin(), prepared_.end(), text) != prepared_.end();
}

bool SessionCheck::may_have_muddled(std::string_view text) const {
  if (!muddled()) return false;
  const bool all = prepared_.size() < kMaxSqlStatements && prepared_bytes_ <= kMaxSqlBytes;
  return !all || std::find(prepared_.begin(), prepared_.end(), text) != prepared_.end();
}

std::string SessionCheck::query(const BackendParameters& backend, const Profile& wanted) {
  std::string text;
  const auto column = [this, &text] {
    text += columns_ == 0 ? "SELECT " : ",";
    return columns_++;
  };
  columns_ = 0;
  for (const auto& [pin, question] : kQuestions) {
    if ((pins_ & pin) == 0) continue;
    column();
    text += question;
  }
  for (Touched& touched : touched_) {
    touched.column.reset();
    if (backend.following(touched.name) != nullptr) continue;
    touched.column = column();
    // A name is letters, digits, '_', '$' and dots: SessionWords and startup_options see to it.
    const std::string name = "'" + touched.name + "'";
    const std::string value = "pg_catalog.current_setting(" + name + ",true)";
    // Costly, hence only where it matters: is what a rollback left behind the default again?
    const bool doubtful = rolled_back_ && wanted.find(touched.name) == nullptr &&
                          name.find('.') == name.npos && !sets_identity(touched.name);
    if (doubtful) {
      text.append(
          "CASE WHEN EXISTS(SELECT 1 FROM pg_catalog.pg_settings WHERE "
          "pg_catalog.lower(name) OPERATOR(pg_catalog.=) ");
      text.append(name).append(" AND source OPERATOR(pg_catalog.=) 'session') THEN ");
      text.append(value).append(" END");
    } else {
      text.append(value);
    }
  }
  if (lists()) {
    if (columns_ != 0) text += ';';
    text.append(kList).append(std::to_string(kMaxSqlStatements + 1));
  }
  return text;
}

std::optional<Effects> SessionCheck::over(const Row& row) const {
  if (row.size() != columns_) return std::nullopt;
  Effects over = 0;
  std::size_t at = 0;
  for (const auto& [pin, question] : kQuestions) {
    if ((pins_ & pin) == 0) continue;
    const auto& exists = row[at++];
    if (!exists) return std::nullopt;
    if (*exists == "f") over |= pin;
  }
  return over;
}

}  // namespace weirpool::protocol::postgres
