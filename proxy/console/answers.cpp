#include "proxy/console/answers.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace weirpool::console {
namespace {

// PgBouncer's code for whatever its console does not understand.
constexpr const char* kInvalid = "08P01";
constexpr const char* kNotAllowed = "42501";

std::string help_text() {
  std::string text = "\n\tSHOW HELP";
  for (const Show& show : shows()) text += "|" + std::string(show.name);
  return text +
         "\n\tSET key = value\n\tRELOAD\n\tPAUSE [<db>]\n\tRESUME [<db>]\n\tDISABLE <db>\n\t"
         "ENABLE <db>\n\tRECONNECT [<db>]\n\tKILL [<db>]\n\tKILL_CLIENT <client_id>\n\t"
         "SUSPEND\n\tWAIT_CLOSE [<db>]\n\tSHUTDOWN [WAIT_FOR_SERVERS|WAIT_FOR_CLIENTS]\n";
}

Answer help() {
  Answer answer = Answer::done("SHOW");
  answer.notice = "Console usage";
  answer.notice_detail = help_text();
  return answer;
}

Answer constant(const Command& command) {
  Answer answer = Answer::done("SELECT 1");
  answer.table.columns = {{command.name, Type::text}};
  answer.table.rows = {{command.value}};
  return answer;
}

Answer invalid(const std::string& text) {
  return Answer::failed(kInvalid, "invalid command '" + text + "', use SHOW HELP;");
}

Answer columns_only(const Command& command) {
  Answer answer = Answer::done(std::string(tag_of(command.verb)));
  if (const Show* show = find_show(command.name); show && command.verb == Verb::show) {
    answer.table.columns = show->columns;
  }
  return answer;
}

}  // namespace

Role role_of(const config::Config& config, const std::string& user) {
  const auto listed = [&user](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), user) != names.end();
  };
  if (listed(config.admin.users)) return Role::admin;
  return listed(config.admin.stats_users) ? Role::stats : Role::none;
}

std::optional<Answer> answer_at_once(const Command& command,
                                     const protocol::console::Request& asked, Role role) {
  if (role == Role::none) return Answer::failed(kNotAllowed, "not allowed");
  switch (command.verb) {
    case Verb::invalid: return invalid(asked.text);
    case Verb::harmless: return Answer::done(command.name);
    case Verb::constant: return constant(command);
    case Verb::show:
      if (command.name == "HELP") return help();
      if (find_show(command.name) == nullptr) return invalid(asked.text);
      if (find_show(command.name)->for_admins && role != Role::admin) {
        return Answer::failed(kNotAllowed, "admin access needed");
      }
      break;
    default:
      if (role != Role::admin) return Answer::failed(kNotAllowed, "admin access needed");
  }
  if (asked.describe) return columns_only(command);
  return std::nullopt;
}

Answer table_of(const Show& show, const Report& report) {
  Answer answer = Answer::done("SHOW");
  answer.table.columns = show.columns;
  answer.table.rows = show.rows(report);
  return answer;
}

std::string json_of(const Table& table) {
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& row : table.rows) {
    nlohmann::json object = nlohmann::json::object();
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      nlohmann::json& value = object[table.columns[i].name];
      if (!row[i]) continue;
      const Type type = table.columns[i].type;
      if (type == Type::text || type == Type::bytes) {
        value = *row[i];
      } else if (row[i]->find('.') != std::string::npos) {
        value = std::stod(*row[i]);
      } else {
        value = std::stoll(*row[i]);
      }
    }
    rows.push_back(std::move(object));
  }
  return rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace weirpool::console
