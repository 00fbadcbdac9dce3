// A client of the console: weirpool answers everything itself, one message after the other.
//
//   client                            weirpool
//   Query, one or several   ->        (look_up each) [NoticeResponse] RowDescription DataRow*
//                           <-        CommandComplete ... ReadyForQuery
//   Parse                   ->  <-    ParseComplete
//   Describe                ->  <-    (look_up) [ParameterDescription] RowDescription | NoData
//   Bind                    ->  <-    BindComplete
//   Execute                 ->  <-    (look_up) DataRow* CommandComplete | PortalSuspended
//   Close                   ->  <-    CloseComplete
//   Sync                    ->  <-    ReadyForQuery
//
// After an error inside the extended protocol everything up to the next Sync is skipped. PostgreSQL
// documentation, 55.2.2 and 55.2.3.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/console.hpp"
#include "protocol/postgres/backend_state.hpp"
#include "protocol/postgres/console_messages.hpp"
#include "protocol/postgres/frame.hpp"

namespace weirpool::protocol::postgres {

/// Named statements, and portals, of one client.
inline constexpr std::size_t kMaxConsoleNames = 64;

class PostgresConsole final : public console::Engine {
 public:
  explicit PostgresConsole(std::string user) { request_.user = std::move(user); }

  Verdict step(Party from, MutableBytes unread) override;
  const console::Request& request() const override { return request_; }
  void answer(console::Answer answer) override;
  void write_fault(Fault fault, std::string_view detail, Writer& out) override;

 private:
  using Step = std::optional<Verdict>;
  enum class Awaiting : std::uint8_t { nothing, simple, statement, portal, execute };

  struct Portal {
    std::string text;
    std::vector<std::uint16_t> formats;
    std::optional<console::Answer> result;  ///< once executed
    std::size_t next_row = 0;
  };

  Step advance(MutableBytes unread);
  Step handle(const Header& header, Bytes payload);
  void on_query(std::string_view text);
  void next_statement();
  void on_parse(Bytes payload);
  void on_bind(Bytes payload);
  void on_describe(Bytes payload);
  void on_execute(Bytes payload);
  void on_close(Bytes payload);
  void ask(Awaiting awaiting, std::string text, bool describe);
  void fail(std::string_view sqlstate, std::string_view message);
  void malformed();
  void show_portal(Portal& portal, std::uint32_t max_rows);
  void complete(const console::Answer& answer);
  void describe(const console::Answer& answer, const std::vector<std::uint16_t>& formats);
  Portal* find_portal(std::string_view name);

  Gather gather_;
  Outbox outbox_{Party::client};
  console::Request request_;
  Awaiting awaiting_ = Awaiting::nothing;
  std::deque<std::string> statements_;  ///< of a Query, still to be answered
  std::map<std::string, std::string, std::less<>> prepared_;
  std::map<std::string, Portal, std::less<>> portals_;
  std::string portal_name_;  ///< what is awaited is for this portal
  std::uint32_t max_rows_ = 0;
  char status_ = 'I';
  bool skipping_ = false;  ///< up to the next Sync
};

/// What a client of the console is told about the server it talks to.
std::shared_ptr<const Facts> console_facts();

}  // namespace weirpool::protocol::postgres
