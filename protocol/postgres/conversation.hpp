// The command phase of a PostgreSQL client: which bytes go where, when a backend is needed and when
// it is free again.
//
//   client                       weirpool                             backend
//   Query | Parse ...     ->     lease, attach
//                                SET of what differs           ->
//                                                              <-     (swallowed) ReadyForQuery
//                                Query, Parse, Bind ... Sync   ->
//                         <-     answers, in order             <-     ... ReadyForQuery 'I'
//                                what has become of the session? (only if it may have changed)
//                                release, when every Sync, Query and FunctionCall has its
//                                ReadyForQuery and no state of the client stays behind
//
// Named statements are shared: a client's name stands for a text, the text has one name on all
// backends, and a backend that lacks it is given it on the way (see prepared.hpp). Answers weirpool
// makes up stand in the queue of expected replies like real ones, so their order is exact.
//
// Whatever goes to the client is sent by steps of the backend and the other way round, since only
// then no forward in that direction is unfinished; without a backend the client's steps answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/postgres/backend_state.hpp"
#include "protocol/postgres/catalog.hpp"
#include "protocol/postgres/conversation_table.hpp"
#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/lost_transaction.hpp"
#include "protocol/postgres/query_messages.hpp"
#include "protocol/postgres/reply_queue.hpp"
#include "protocol/postgres/session_check.hpp"
#include "protocol/postgres/session_text.hpp"

namespace weirpool::protocol::postgres {

/// Parse messages up to here are read whole, bytes, and kept for the client.
inline constexpr std::uint32_t kMaxParse = 1U << 20;

/// Among these effects texts mean what nobody else's do: parameters are unknown, or temporary
/// objects may stand in front of others.
inline constexpr Effects kForeignMeaning = kPinSet | kPinSetConfig | kPinTemporary | kPinLoad;

/// So much of a client's named statements is kept, bytes; drivers keep less (pgjdbc: 5 MiB).
inline constexpr std::size_t kMaxParsed = std::size_t{8} << 20;

class PostgresConversation final : public Conversation {
 public:
  /// `wanted`: the session parameters of the startup message.
  PostgresConversation(CatalogRef catalog, ProfileRef wanted)
      : catalog_(std::move(catalog)), startup_(std::move(wanted)), wanted_(startup_) {}

  Verdict step(Party from, MutableBytes unread) override;
  void place(Pooling pooling, std::string_view, bool reset_always) override {
    pooling_ = pooling;
    reset_always_ = reset_always;
  }
  void attach(BackendState& backend) override;
  void detach() override;
  void refuse(Fault fault, std::string_view detail) override;
  bool at_boundary() const override;
  bool needs_reset() const override {
    return (effects_ & kPins) != 0 || check_ || (used_ && resets_always()) ||
           (backend_ != nullptr && backend_->left_behind != 0);
  }
  std::string_view pin_reason() const override;
  std::uint32_t statement_limit_ms() const override;
  std::string_view request_text(Bytes unread) const override;
  bool says_goodbye(Bytes unread) const override;
  bool awaits_client() const override { return unsynced_ || phase_ == Phase::copy_in; }
  /// Whoever has said Flush waits for answers.
  bool kept_waiting() const override {
    return (unsynced_ && !asks_flush_) || text_left_ != 0 || phase_ == Phase::copy_in;
  }
  void write_rollback(Writer& out) const override;
  std::string_view application() const override;
  std::size_t prepared_statements() const override { return statements_.size(); }
  bool executing() const override { return !queue_.empty(); }
  std::uint32_t answered() const override { return answered_; }
  bool refused_to_write() const override { return refused_to_write_; }
  Verdict backend_lost(bool torn) override;
  void write_fault(Fault fault, std::string_view detail, Writer& out) override;

 private:
  using Step = std::optional<Verdict>;
  struct Own;

  /// A run of messages that can be passed on with one forward.
  struct Run {
    Bytes unread;
    std::uint64_t size = 0;  ///< may exceed unread: the last message streams

    Bytes rest() const { return unread.subspan(static_cast<std::size_t>(size)); }
    bool streams() const { return size > unread.size(); }
  };

  // conversation.cpp
  bool releasable() const;
  bool owes_nothing() const;
  bool quiet() const { return status_ == 'I' && owes_nothing(); }
  bool resets_always() const { return reset_always_ || catalog_->policy.reset_always; }
  void note_left_behind();
  void undo(Expected& entry);
  void forget_queue();

  // conversation_client.cpp: messages of the client. A handler either lengthens the run (no value
  // and a longer run), leaves work in an outbox (no value and the same run) or says a verdict.
  Verdict client_step(Bytes unread);
  Verdict client_verdict(Bytes unread);
  Step attached_message(Run& run);
  Step handle(FromClient action, const Header& header, Run& run);
  Step detached_message(Bytes unread);
  Step refused_message(Bytes unread);
  bool asks_nothing(const Header& header, Bytes unread);
  bool ends_nothing(const Header& header, Bytes unread);
  Verdict stream_text(Bytes unread);
  Step on_query(const Header& header, Run& run);
  Step on_function(const Header& header, Run& run);
  void refuse_query(const Header& header, std::string words);
  void replace_query(const Header& header, std::string_view text);
  Step on_bare(FromClient action, const Header& header, Run& run);
  Step pass(const Header& header, Run& run);
  Step pass(const Header& header, Run& run, Reply owed);
  Step skip(const Header& header, Run& run);
  Step when_full();

  // conversation_loss.cpp: the backend goes.
  void note_ending(std::string_view text, bool whole);
  void note_bound(std::string_view portal, std::string_view text);
  bool expendable() const;
  LostTransaction::Heard heard() const;
  Step lost_message(Bytes unread);

  // conversation_prepared.cpp: prepared statements.
  Step on_parse(const Header& header, Run& run);
  Step on_named_parse(const ParseMessage& message, const Run& run);
  bool parses_again(const ParseMessage& message) const;
  Step on_unnamed_parse(const ParseMessage& message, const Run& run);
  bool refuse_parse(Effects effects);
  void fail_parse(std::string words);
  Step on_bind(const Header& header, Run& run);
  Step on_describe(const Header& header, Run& run);
  Step on_close(const Header& header, Run& run);
  Step close_unattached(Bytes unread, const Header& header);
  bool in_doubt(const Statement& statement);
  bool holds_unnamed();
  bool awaits_bind() const { return streamed_ != nullptr && streamed_ == unnamed_; }
  /// The backend will have the unnamed statement this client means, or none.
  void inject_unnamed();
  void inject(const StatementRef& statement);
  bool may_have_failed() const;
  void inject_close(const BackendStatements::Known& known);
  std::string_view meaning(std::string_view text);
  bool fits(ClientStatement& mine);
  bool backend_has(ClientStatement& mine);
  StatementRef on_backend(ClientStatement& mine);
  Step bind_named(const Header& header, const BindHead& head, ClientStatement& mine, bool asks);
  void rewrite_bind(const Header& header, const BindHead& head, std::string_view name);

  // conversation_backend.cpp: messages of the backend.
  Verdict backend_step(Bytes unread);
  Step backend_message(Run& run);
  void make_up_replies();
  Step on_error(const Header& header, Run& run);
  void fail_batch();
  bool listens() const;
  bool for_nobody(std::uint8_t tag);
  Step on_copy_in(const Header& header, Run& run);
  Step on_ready(Run& run);
  Step on_command(const Header& header, Run& run, bool last);
  void on_tag(std::string_view tag);
  void forgotten_by_backend(bool everything);
  void keep_what_is_underway();

  // conversation_deallocate.cpp
  ClientStatements::const_iterator deallocated_by(const TextEffects& effects,
                                                  std::string_view text) const;
  bool deallocates(const TextEffects& effects, std::string_view text, const Header& header,
                   const Run& run);
  void deallocate(ClientStatements::const_iterator named, Reply owed);
  static std::string missing_error(std::string_view name);
  Step bind_nothing(const Header& header, const BindHead& head, const Statement& statement);
  Step on_execute(const Header& header, Run& run);
  Step on_deallocated(const Header& header, const Run& run, bool last);

  // conversation_execute.cpp: EXECUTE in SQL of a statement of the protocol.
  bool executes(std::string_view text) const;
  Step execute_named(const Header& header, std::string_view text, TextEffects effects, Run& run);
  void supply(StatementRef statement);
  void supplied(Own& own);

  // conversation_unkept.cpp: statements that only the backend has.
  Step on_long_parse(const Header& header, Run& run);
  bool not_for_keeping(const ParseMessage& message) const;
  std::string not_for_backend(std::string_view name) const;
  Step leave_to_backend(const ParseMessage& message, const Run& run);
  void note_unkept(const TextEffects& effects);
  void doubt_unkept();
  Step cleanse_for_unkept(const Run& run);

  // conversation_healing.cpp: statements that have changed.
  void keep_batch();
  void keep(const Verdict& verdict, Bytes unread);
  ClientStatement* client_statement(std::uint64_t number);
  bool columns_in_question(ClientStatement& mine);
  static bool knows_columns(ClientStatement& mine);
  bool describing(const Statement& statement);
  Step ask_columns(ClientStatement& mine);
  Step on_columns(const Header& header, Run& run);
  void learn_columns(std::uint64_t number, std::uint32_t digest);
  bool outdated();
  void doubt_types(std::string_view sqlstate);
  Verdict heal_step(Bytes unread);
  void send_again();
  static std::string outdated_error();

  // conversation_state.cpp: session state, and weirpool's own statements about it.
  /// One that is being executed.
  enum class Purpose : std::uint8_t { settle, check, cleanse, agree, restore, supply };
  struct Own {
    Purpose purpose = Purpose::settle;
    bool interrupted = false;
    std::vector<std::string> names;  ///< of the parameters in the columns of the row
    Gather gather;                   ///< of a ParameterStatus that is long
    Row row;
    std::string error;  ///< an ErrorResponse for the client
    std::string sqlstate;
    std::size_t results = 0;         ///< check: that have been read to their end
    std::vector<Row> list;           ///< check: what the backend has prepared in SQL
    bool list_unread = false;        ///< it is longer than anybody could have
    std::vector<SqlErrand> errands;  ///< agree
    std::size_t answered = 0;        ///< of them
    std::vector<SqlStatement> held;  ///< what the backend has; without a text: something else
    std::string unfinished;          ///< as error
    StatementRef supplied;
  };
  void execute_effects(const TextEffects& effects, std::string_view text = {});
  void touch_settings(const std::vector<Setting>& settings);
  SessionCheck& check();
  void touch_everything();
  Step check_step();
  void begin_own(Purpose purpose, std::string_view text, std::vector<std::string> names = {});
  Verdict own_step(Bytes unread);
  Verdict own_parameter(Bytes unread, std::uint64_t total);
  void own_done();
  void settle();
  void note_search_path();
  void settled(const Own& own);
  void want(ProfileRef next);
  void adopt(const ProfileRef& spelled);
  bool read_row(Bytes payload);
  void checked(const Own& own);
  void back_to_startup(const SessionCheck::Touched& touched);
  void learn(const SessionCheck::Touched& touched, const std::optional<std::string>& now);
  bool is_default(std::string_view name, std::string_view value) const;
  Step on_parameter(const Header& header, Run& run);
  const Reading& reading() const { return backend_->parameters.reading(); }
  bool doubtful_reading() const;
  bool texts_behind() const;
  void texts_misread();

  // conversation_restore.cpp
  bool between_requests() const;
  Step restore_step();
  void restored(const Own& own);

  // conversation_sequences.cpp
  Step cleanse(const TextEffects& effects, const Run& run);
  void inject_cleansing();

  // conversation_sql.cpp: statements prepared in SQL.
  void follow_sql(Effects bits, std::string_view text);
  void doubt_sql();
  void meaning_moved();
  void agree();
  bool agreed();
  void note_agreement(Own& own);
  void take_list(const SessionCheck& asked, const Own& own);
  void judge_sql();
  static std::string taken_error(std::string_view name);

  CatalogRef catalog_;
  ProfileRef startup_;  ///< what RESET leads back to
  ProfileRef wanted_;
  ClientStatements statements_;
  std::string private_meaning_;  ///< of statements parsed while parameters are unsettled
  StatementRef unnamed_;         ///< with an empty body: it exists only on the attached backend
  SqlStatementsRef sql_;         ///< prepared in SQL; null: none

  Backend* backend_ = nullptr;
  ReplyQueue queue_;
  Outbox to_client_{Party::client};
  Outbox to_backend_{Party::backend};
  Gather gather_;
  std::unique_ptr<TextScan> scan_;  ///< of a text that arrives in pieces
  /// The unnamed statement, too long to be kept, that has not been bound.
  std::shared_ptr<Statement> streamed_;
  std::uint64_t text_left_ = 0;  ///< bytes of that message still to come
  enum class Streams : std::uint8_t { query, unnamed, unkept };
  std::uint16_t text_head_ = 0;       ///< bytes in front of the text
  Streams streams_ = Streams::query;  ///< whose text it is
  std::uint64_t carry_ = 0;           ///< bytes of a message whose head has been rewritten
  std::unique_ptr<Writer> refusal_;
  std::unique_ptr<LostTransaction> lost_;  ///< the client's transaction, which no backend has
  std::unique_ptr<SessionCheck> check_;    ///< due at the next boundary
  std::unique_ptr<Own> own_;
  std::unique_ptr<std::string> not_supplied_;  ///< why the statement to be executed is not there
  StatementRef healing_;                       ///< its batch will be sent again
  ClientStatement* bound_ = nullptr;           ///< by the last Bind of this batch
  std::string deallocates_;            ///< the name that executing the unnamed portal will drop
  std::uint32_t answered_ = 0;         ///< ReadyForQuery messages of backends
  std::uint32_t settings_number_ = 1;  ///< another one whenever wanted_ has another meaning
  Effects effects_ = 0;
  Effects unsettled_ = 0;  ///< how parameters have been changed since the last boundary
  Phase phase_ = Phase::relay;
  Pooling pooling_ = Pooling::transaction;
  bool reset_always_ = false;
  char status_ = 'I';
  bool used_ = false;      ///< the attached backend has been given something
  bool unsynced_ = false;  ///< an extended batch waits for its Sync
  bool settle_failed_ = false;
  bool sql_lost_ = false;    ///< more is prepared in SQL than sql_ says
  bool keeping_ = false;     ///< what is sent is kept in Backend::sent
  bool served_ = false;      ///< the attached backend has finished something of this client's
  bool cleansed_ = false;    ///< it remembers no sequence of anybody else's
  bool drew_ = false;        ///< it may remember one of this client's
  bool forgetting_ = false;  ///< the backend has been told to forget, and has not answered yet
  bool resets_all_ = false;  ///< a RESET ALL that nothing has undone is under way
  std::uint8_t own_tries_ = 0;
  bool asks_flush_ = false;  ///< Flush is the last that the client has said
  bool flushed_ = false;     ///< the backend has been asked to answer a full queue
  bool last_words_ = false;  ///< the backend said FATAL
  bool refused_to_write_ = false;
  bool may_begin_ = false;         ///< what may begin a transaction is under way
  bool doubtful_ = false;          ///< what may end it is
  bool named_ends_ = false;        ///< a portal with a name may, when it is executed
  bool unnamed_ends_ = false;      ///< so may the one without
  bool settings_changed_ = false;  ///< a parameter has, inside this transaction
  bool altered_ = false;           ///< it has changed what statements mean, by DDL
  bool retyped_ = false;           ///< that may have changed the types of their parameters
  bool refused_ = false;           ///< the last request that needed a backend was
  bool client_moving_ = false;     ///< a forward of the client's bytes may be unfinished
  bool backend_moving_ = false;
  bool backend_partial_ = false;  ///< the front of a message of the backend has been seen
};

}  // namespace weirpool::protocol::postgres
