// Which message may stand where in the command phase: (phase x tag) for the client's, (what is owed
// next x tag) for the backend's. The engine asks nothing else about a tag.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "protocol/postgres/reply_queue.hpp"

namespace weirpool::protocol::postgres {

/// What the client's next message means.
enum class Phase : std::uint8_t {
  relay,
  copy_in,   ///< the backend reads rows
  skipping,  ///< after an error the backend ignores everything up to Sync
  refusing,  ///< weirpool does the same after refuse()
  count_,
};

enum class FromClient : std::uint8_t {
  violation,
  query,
  function,
  parse,
  bind,
  describe,
  execute,
  close,
  sync,
  flush,
  copy_data,
  copy_end,
  skip,
  terminate,
};

enum class FromBackend : std::uint8_t {
  violation,
  pass,         ///< part of an answer
  complete,     ///< its end
  skip,         ///< part of an answer the client did not ask for
  swallow,      ///< its end
  columns,      ///< the end of the answer to a Describe
  command,      ///< CommandComplete: pass after a look at its tag
  command_end,  ///< the same, and the end of an Execute
  copy_in,
  error,
  ready,
  notice,
  parameter,
};

template <class Action>
using ActionsByTag = std::array<Action, 256>;

struct ConversationTable {
  std::array<ActionsByTag<FromClient>, static_cast<std::size_t>(Phase::count_)> client{};
  std::array<ActionsByTag<FromBackend>, static_cast<std::size_t>(Reply::count_)> backend{};
};

consteval ConversationTable make_conversation_table() {
  ConversationTable table;
  const auto client = [&table](Phase phase, std::string_view tags, FromClient action) {
    for (const char tag : tags) {
      table.client[static_cast<std::size_t>(phase)][static_cast<unsigned char>(tag)] = action;
    }
  };
  client(Phase::relay, "Q", FromClient::query);
  client(Phase::relay, "F", FromClient::function);
  client(Phase::relay, "P", FromClient::parse);
  client(Phase::relay, "B", FromClient::bind);
  client(Phase::relay, "D", FromClient::describe);
  client(Phase::relay, "E", FromClient::execute);
  client(Phase::relay, "C", FromClient::close);
  client(Phase::relay, "S", FromClient::sync);
  client(Phase::relay, "H", FromClient::flush);
  client(Phase::relay, "d", FromClient::copy_data);
  client(Phase::relay, "cf", FromClient::copy_end);
  client(Phase::copy_in, "d", FromClient::copy_data);
  client(Phase::copy_in, "cf", FromClient::copy_end);
  client(Phase::copy_in, "SH", FromClient::skip);  // The backend ignores both while it reads rows.
  client(Phase::skipping, "QFPBDECHdcf", FromClient::skip);
  client(Phase::skipping, "S", FromClient::sync);
  client(Phase::refusing, "QFPBDECHdcf", FromClient::skip);
  client(Phase::refusing, "S", FromClient::sync);
  for (std::size_t phase = 0; phase < table.client.size(); ++phase) {
    table.client[phase]['X'] = FromClient::terminate;
  }

  const auto backend = [&table](Reply owed, std::string_view tags, FromBackend action) {
    for (const char tag : tags) {
      table.backend[static_cast<std::size_t>(owed)][static_cast<unsigned char>(tag)] = action;
    }
  };
  for (std::size_t owed = 0; owed < table.backend.size(); ++owed) {
    backend(static_cast<Reply>(owed), "NA", FromBackend::notice);
    backend(static_cast<Reply>(owed), "S", FromBackend::parameter);
    backend(static_cast<Reply>(owed), "E", FromBackend::error);
  }
  backend(Reply::query, "TDIHdc", FromBackend::pass);
  backend(Reply::query, "C", FromBackend::command);
  backend(Reply::query, "G", FromBackend::copy_in);
  backend(Reply::query, "Z", FromBackend::ready);
  backend(Reply::deallocate, "C", FromBackend::command);
  backend(Reply::deallocate, "Z", FromBackend::ready);
  backend(Reply::function, "V", FromBackend::pass);
  backend(Reply::function, "Z", FromBackend::ready);
  backend(Reply::sync, "Z", FromBackend::ready);
  backend(Reply::parse, "1", FromBackend::complete);
  backend(Reply::parse_injected, "1", FromBackend::swallow);
  backend(Reply::bind, "2", FromBackend::complete);
  backend(Reply::describe_statement, "t", FromBackend::pass);
  backend(Reply::describe_statement, "Tn", FromBackend::columns);
  backend(Reply::describe_injected, "t", FromBackend::skip);
  backend(Reply::describe_injected, "Tn", FromBackend::columns);
  backend(Reply::describe_portal, "Tn", FromBackend::columns);
  backend(Reply::execute, "DHdc", FromBackend::pass);
  backend(Reply::execute, "Is", FromBackend::complete);
  backend(Reply::execute, "C", FromBackend::command_end);
  backend(Reply::execute, "G", FromBackend::copy_in);
  backend(Reply::close, "3", FromBackend::complete);
  backend(Reply::close_injected, "3", FromBackend::swallow);
  backend(Reply::deallocate_portal, "C", FromBackend::command_end);
  backend(Reply::errand, "123C", FromBackend::swallow);
  return table;
}

inline constexpr ConversationTable conversation_table = make_conversation_table();

constexpr FromClient client_action(Phase phase, std::uint8_t tag) {
  return conversation_table.client[static_cast<std::size_t>(phase)][tag];
}

constexpr FromBackend backend_action(Reply owed, std::uint8_t tag) {
  return conversation_table.backend[static_cast<std::size_t>(owed)][tag];
}

}  // namespace weirpool::protocol::postgres
