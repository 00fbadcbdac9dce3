// The command phase of one client, over many backends in turn.
//
//   c->p  command            no backend: lease, then attach()
//         p->b  RESET, SET, USE …     only where the backend is set differently; replies swallowed
//   c->p->b  command         forwarded, SQL scanned on its way
//   c<-p<-b  reply           translated by Response
//         release            outside a transaction and nothing pinned: detach() follows
//
// One command at a time: what a client sends ahead is held and answered in order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/mysql/backend_state.hpp"
#include "protocol/mysql/conversation_table.hpp"
#include "protocol/mysql/diagnostics.hpp"
#include "protocol/mysql/exchange.hpp"
#include "protocol/mysql/execute_head.hpp"
#include "protocol/mysql/given_numbers.hpp"
#include "protocol/mysql/plain_query.hpp"
#include "protocol/mysql/prepared.hpp"
#include "protocol/mysql/recording.hpp"
#include "protocol/mysql/response.hpp"
#include "protocol/mysql/routines.hpp"
#include "protocol/mysql/session_text.hpp"
#include "protocol/mysql/session_tracker.hpp"

namespace weirpool::protocol::mysql {

struct ConversationStart {
  std::uint64_t capabilities = 0;  ///< what both sides of this hop have
  std::uint16_t collation = 0;     ///< of the client's handshake; 0: the server's
  std::string schema;
  std::shared_ptr<Catalog> catalog;  ///< of prepared statements
  std::shared_ptr<const Facts> facts;
  // For COM_CHANGE_USER, a login within the session.
  std::uint32_t connection_id = 0;
  bool tls = false;
  Scramble scramble{};  ///< of the handshake
};

/// What a CALL leaves is to be undone.
inline bool forgets_calls(const ConversationStart& start) {
  return start.catalog && start.catalog->routines() == RoutinePolicy::allow;
}

class ServerConversation final : public Conversation, private ResponseObserver {
 public:
  explicit ServerConversation(ConversationStart start);

  Verdict step(Party from, MutableBytes unread) override;
  void place(Pooling pooling, std::string_view database, bool reset_always) override;
  void attach(BackendState& backend) override;
  void detach() override;
  void refuse(Fault fault, std::string_view detail) override;
  KillRequest kill_request() const override { return kill_request_; }
  void killed(KillResult result) override;
  bool at_boundary() const override;
  bool needs_reset() const override;
  std::string_view pin_reason() const override;
  std::uint32_t idle_limit_seconds() const override;
  std::uint32_t statement_limit_ms() const override;
  std::string_view request_text(Bytes unread) const override;
  bool says_goodbye(Bytes unread) const override;
  bool awaits_client() const override { return asking(); }
  void write_rollback(Writer& out) const override;
  std::string_view application() const override { return {}; }
  std::size_t prepared_statements() const override { return 0; }
  bool executing() const override;
  std::uint32_t answered() const override { return answered_; }
  bool refused_to_write() const override { return flag_.refused_to_write; }
  bool endless() const override { return flag_.replica; }
  std::string_view replication() const override { return flag_.replica ? "logical" : ""; }
  Verdict backend_lost(bool torn) override;
  std::unique_ptr<ClientLogin> take_login() override;
  void write_fault(Fault fault, std::string_view detail, Writer& out) override;

 private:
  /// What happens with the client's bytes.
  enum class Intake : std::uint8_t {
    command,  ///< at the front of a command
    text,     ///< inside SQL that is scanned and forwarded piece by piece
    payload,  ///< between the packets of a long command
    head,     ///< taking the front of EXECUTE out of the stream
    tail,     ///< its front has been sent, the rest is to be forwarded
    discard,  ///< dropping a command; answered with answer_ at its end
    answer,   ///< dropped: now answer it
    file,     ///< sending the file the backend has asked for
  };
  /// A transaction that went with its backend, and what the client has heard of that.
  enum class Lost : std::uint8_t {
    no,
    unsaid,   ///< the answer it waits for is to say it
    unheard,  ///< nothing: it waits for no answer
    heard,
  };
  /// What the running exchange is for.
  enum class Errand : std::uint8_t {
    none,
    replay,
    reset,
    collation,
    prepare,
    diagnostics,
    locks,
    insert_id,
    routine,
    parting,
    patience,
    scope,
  };
  struct Answer {
    std::uint16_t code = 0;  ///< 0: OK; kSilence: nothing
    std::string state;
    std::string message;
    std::optional<PlainResult> result{};      ///< instead of OK
    std::vector<std::uint8_t> diagnostics{};  ///< instead of OK: of what has been recorded
  };
  static constexpr std::uint16_t kSilence = 0xFFFF;
  static constexpr std::uint16_t kUnknownStatementCode = 1243;
  static constexpr std::uint16_t kTooManyStatementsCode = 1461;
  static constexpr std::uint16_t kMalformedCode = 1835;
  static constexpr std::uint16_t kUnknownErrorCode = 1105;

  // conversation_client.cpp
  Verdict from_client(MutableBytes unread);
  Verdict command(MutableBytes unread);
  Verdict dispatch(const CommandRow& row, MutableBytes unread, FrameHeader header);
  Verdict text_command(MutableBytes unread, FrameHeader header);
  void note_given(std::string_view sql);
  bool refuses_call() const;
  void note_call(std::string_view sql, bool whole, std::string_view schema);
  void scan(MutableBytes unread, FrameHeader header);
  SessionText::Mode lexing_there() const;
  void note_lexing();
  void feed(Bytes sql);
  Verdict file_packet(MutableBytes unread);
  bool in_order(MutableBytes unread);
  Verdict log_packet(MutableBytes unread);
  Verdict kill_command(MutableBytes unread, FrameHeader header);
  Verdict kill_text(std::string_view sql, MutableBytes unread);
  Verdict refuse_kill(MutableBytes unread);
  bool ends_nothing(std::string_view sql) const;
  bool asks_backend() const;
  std::optional<Answer> own_answer(std::string_view sql);
  std::optional<Answer> own_past(std::string_view sql);
  PlainResult result_of(PlainQuery query);
  std::int64_t known_value(Asked what) const;
  std::optional<Answer> own_diagnostics(std::string_view sql, bool binary) const;
  void write_diagnostics();
  Verdict reset_command(MutableBytes unread);
  Verdict forward_command(MutableBytes unread, FrameHeader header);
  Verdict more_text(MutableBytes unread);
  Verdict next_frame(MutableBytes unread);
  void drop(Answer answer);
  Verdict drop(Answer answer, MutableBytes unread);
  Verdict discard(MutableBytes unread);
  Verdict reply(MutableBytes unread);

  // conversation_prepared.cpp
  bool may_prepare() const;
  Verdict refuse_prepare(MutableBytes unread);
  bool make_room();
  Verdict prepare_again();
  void write_closes(Writer& out);
  std::optional<std::uint32_t> backend_id(const ClientStatement& statement);
  void leave_to_holder(const StatementRef& statement);
  void write_prepare(Writer& out);
  void end_prepare(const Exchange& exchange);
  Verdict statement_command(const CommandRow& row, MutableBytes unread, FrameHeader header);
  Verdict use_statement(ClientStatement& statement, MutableBytes unread, FrameHeader header);
  void hold(ClientStatement& statement, bool cursor, bool long_data);
  Verdict close_statement(std::uint32_t id, const ClientStatement& statement, MutableBytes unread,
                          FrameHeader header);
  std::optional<Answer> own_row(const ClientStatement& statement);
  Verdict execute(MutableBytes unread, FrameHeader header);
  ExecuteLayout execute_layout() const;
  void name_lock(const ExecuteHead& head, Bytes payload);
  Verdict refuse_execute(std::string_view why, MutableBytes unread);
  bool never_bound() const;
  bool needs_types() const;
  Verdict collect_head(MutableBytes unread, std::size_t size);
  Verdict more_head(MutableBytes unread);
  Verdict send_head(const ExecuteHead& head);
  Verdict forward_tail(MutableBytes unread);
  Verdict forward_execute(std::string_view types, MutableBytes unread, FrameHeader header);
  void begin_execute(std::string_view types);
  void read_again(const Statement& statement);
  void statement_answered(const OkPacket& ok);
  void statement_failed();
  std::uint32_t on_prepared(const PrepareOk& ok) override;

  // conversation_errand.cpp
  Verdict run_errand(Party from, MutableBytes unread);
  std::optional<Errand> last_errand(bool pinned) const;
  void end_patience(bool refused);
  void begin_scope();
  void end_scope(const Exchange& exchange);
  bool synchronize(bool whole_text);
  /// Appends what turns `have` into `want`; returns the number of replies to come.
  unsigned write_settings(Writer& out, const SessionState& have, const SessionState& want) const;
  void start(Errand errand);
  void end_errand();
  bool wants_diagnostics() const;
  bool looks_back() const;
  bool reads_insert_id() const;
  void end_replay(bool refused);
  void follow(std::string_view sql);
  void end_question(Errand asked);
  void pin_call(bool perhaps_a_role);
  void end_routine(const Recording& answer);
  void end_call();

  // conversation_backend.cpp
  Verdict from_backend(MutableBytes unread);
  Verdict early_answer(MutableBytes unread);
  void settle();
  void note_warning();
  bool may_part() const;
  bool locks_changed() const;
  // conversation_loss.cpp: the backend goes.
  void note_ending(std::string_view sql, bool whole);
  bool expendable() const;
  Verdict say_lost();
  std::optional<Verdict> lost_command(const CommandRow& row, MutableBytes unread,
                                      FrameHeader header);
  Verdict last_words(MutableBytes unread);

  void on_ok(const OkPacket& ok, std::uint64_t rows) override;
  bool on_error(const ErrPacket& error) override;
  bool may_ask_for_file() const override;
  bool may_give_parameters() const override {
    return command_ == com::stmt_execute && text_.calls_procedure();
  }

  // conversation.cpp
  bool at_rest() const;
  bool leaves_traces() const;
  Pins pins() const;
  bool asking() const;
  bool owes_nothing() const;
  void reset_virtual_session();
  void forget_diagnostics();
  void keep_error(std::uint16_t code, std::string_view message);

  ConversationStart start_;
  SessionTracker tracker_;
  ServerState* backend_ = nullptr;
  Response response_;
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<Recording> recording_;
  std::vector<std::uint8_t> diagnostics_;  ///< SHOW WARNINGS of the last statement; empty: nothing
  SessionText text_;
  /// How the server reads quotes, as far as it is known without a backend.
  SessionText::Mode lexing_;
  GivenNumbers given_;  ///< by text_
  Calls calls_;
  /// The backend's settings in front of SET STATEMENT … FOR; null: they may have changed since.
  std::unique_ptr<SessionState> outside_;
  Answer answer_;
  std::string last_words_;  ///< of a backend that answered before it was asked: an ERR payload
  KillRequest kill_request_;
  Writer out_;
  ClientStatements statements_;
  ContextRef context_;                         ///< of the last PREPARE
  ClientStatement* current_ = nullptr;         ///< what the command at hand names
  BackendStatements::Entry* entry_ = nullptr;  ///< the same on the backend; null: not shared
  StatementRef preparing_;                     ///< what an errand prepares
  std::string prepare_text_;                   ///< of the client's PREPARE
  std::vector<std::uint8_t> head_;             ///< of an EXECUTE
  std::size_t head_size_ = 0;                  ///< to be collected
  std::uint32_t execute_id_ = 0;               ///< the backend's id of current_
  std::size_t sql_at_ = 0;                     ///< in a command with SQL, header included
  std::uint64_t scanned_ = 0;                  ///< bytes at the front of unread that text_ has seen
  std::uint64_t left_ = 0;                     ///< of the packet that is being forwarded as text
  std::uint32_t answered_ = 0;                 ///< replies of backends to the client's commands
  std::uint8_t command_ = 0;
  std::uint8_t sequence_ = 0;  ///< of the client's last packet
  Intake intake_ = Intake::command;
  Pooling pooling_ = Pooling::transaction;
  Errand errand_ = Errand::none;
  Lost lost_ = Lost::no;
  // Facts of the tracker and of the relay; each has its own writer and reader.
  struct {
    bool fresh : 1 = false;        ///< attached, and the client's command still to be forwarded
    bool foreign : 1 = false;      ///< attached, and nothing of this client has run there yet
    bool more_frames : 1 = false;  ///< the packet at hand is followed by another one
    bool streaming : 1 = false;    ///< a forward to the backend exceeds what had been read
    bool unsettled : 1 = false;    ///< a reply has ended, settle() has not run
    bool reset_first : 1 = false;  ///< a replay begins with a reset
    bool whole_text : 1 = true;    ///< text_ has seen all of the statement
    bool remember : 1 = false;     ///< the text at hand is a PREPARE's, and short enough
    bool again : 1 = false;        ///< the client's PREPARE is to be sent once more
    bool open : 1 = false;         ///< EXECUTE went to a statement with a cursor or long data
    bool cut : 1 = false;          ///< the backend went in the middle of a reply
    bool replica : 1 = false;      ///< the backend sends its log: it serves nobody else afterwards
    bool multi_on : 1 = false;     ///< what the COM_SET_OPTION at hand asks for
    bool doubtful : 1 = false;     ///< what is under way may end the transaction
    bool refused_to_write : 1 = false;
    bool refused : 1 = false;           ///< the last command that needed a backend was
    bool leaving : 1 = false;           ///< the backend has taken its leave
    bool scoped : 1 = false;            ///< the backend is still to say what it has set back
    bool questioned : 1 = false;        ///< the backend's last statement was weirpool's own
    bool diagnostics_lost : 1 = false;  ///< the statement left some, and the backend went with them
  } flag_;
};

}  // namespace weirpool::protocol::mysql
