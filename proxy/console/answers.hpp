// Commands that need nothing but a report, and the forms an answer takes.
#pragma once

#include <string>

#include "protocol/console.hpp"
#include "proxy/console/command.hpp"
#include "proxy/console/show.hpp"

namespace weirpool::console {

using protocol::console::Answer;

enum class Role : std::uint8_t { none, stats, admin };

/// By admin.users and admin.stats_users.
Role role_of(const config::Config& config, const std::string& user);

/// What needs no report: the error of a command that is not one or not allowed, constants,
/// SHOW HELP, and what Describe wants to know. No value: the command has to be carried out.
std::optional<Answer> answer_at_once(const Command& command,
                                     const protocol::console::Request& asked, Role role);

Answer table_of(const Show& show, const Report& report);

/// A table as a JSON array of objects, numbers as numbers.
std::string json_of(const Table& table);

}  // namespace weirpool::console
