#include "protocol/postgres/session_check.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/reader.hpp"

namespace weirpool::protocol::postgres {
namespace {

/// True while the state exists. Names and operators are qualified, since the client's search_path
/// is in force.
constexpr std::array<std::pair<Effects, std::string_view>, 5> kQuestions{{
    {kPinListen, "EXISTS(SELECT 1 FROM pg_catalog.pg_listening_channels())"},
    {kPinPrepare, "EXISTS(SELECT 1 FROM pg_catalog.pg_prepared_statements WHERE from_sql)"},
    {kPinWithHold, "EXISTS(SELECT 1 FROM pg_catalog.pg_cursors)"},
    // Whatever lives in a schema depends on it.
    {kPinTemporary,
     "EXISTS(SELECT 1 FROM pg_catalog.pg_depend WHERE refclassid OPERATOR(pg_catalog.=) "
     "'pg_catalog.pg_namespace'::pg_catalog.regclass AND refobjid OPERATOR(pg_catalog.=) "
     "pg_catalog.pg_my_temp_schema())"},
    {kPinAdvisoryLock,
     "EXISTS(SELECT 1 FROM pg_catalog.pg_locks WHERE locktype OPERATOR(pg_catalog.=) 'advisory' "
     "AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())"},
}};

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
    return;
  }
  touched_.push_back({std::string(lower), reset, std::nullopt});
}

bool SessionCheck::touched(std::string_view lower) const {
  return std::any_of(touched_.begin(), touched_.end(),
                     [lower](const Touched& t) { return t.name == lower; });
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
