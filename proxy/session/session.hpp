// One client's stay, from its first byte to its last. One coroutine waits; what bytes mean is the
// engines' business (protocol/engine.hpp), where they go is the flows' (flow.hpp).
//
//   run:  log_in -> { relay -> (lease? obtain_lease) (log_in? log_in_again) -> wait } ... ->
//   farewell; for a client of the console: log_in -> serve_console -> farewell
//
// Thread: its worker's only.
#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/console.hpp"
#include "protocol/engine.hpp"
#include "proxy/admission/fair_queue.hpp"
#include "proxy/metrics/link.hpp"
#include "proxy/net/deadlines.hpp"
#include "proxy/net/peer_address.hpp"
#include "proxy/net/stream.hpp"
#include "proxy/net/task.hpp"
#include "proxy/pool/lease.hpp"
#include "proxy/session/flow.hpp"
#include "proxy/session/session_host.hpp"

namespace weirpool::proxy {

class Session final : public Watcher,
                      public boost::intrusive::list_base_hook<
                          boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// `refusal` other than none: the client is only led to the point where it understands why.
  Session(SessionHost& host, std::shared_ptr<const ListenerSite> site, Stream::Parts client,
          std::uint32_t id, protocol::Fault refusal);
  ~Session();

  /// The whole stay; owns the session and destroys it at the end.
  static Task<void> run(std::unique_ptr<Session> session);

  std::uint32_t id() const { return id_; }
  /// A cancel request with this key (the part behind the id) has come in.
  void cancel(protocol::Bytes key);
  /// Somebody who uses `asker`'s pool wants this statement or session to end.
  protocol::KillResult kill(const protocol::KillRequest& request, const PoolKey& asker);
  /// Look again whether the drain lets you stay.
  void nudge();
  /// The configuration has changed: who is not `known` to it leaves at its boundary, as does who
  /// has a database that is not.
  void reconsider(const std::function<bool(const std::string& user)>& known);
  /// Is the client that has a backend, or is owed bytes, still there? Once per sweep interval.
  void sweep(TimePoint now);
  /// Leave now, whatever you are doing: the drain's time is over.
  void evict();

  // inspect.cpp: what an administrator sees and does.
  /// None before the login is finished.
  std::optional<metrics::Link> inspect() const;
  bool of_database(std::string_view database) const;
  bool of_console() const { return console_ != nullptr; }
  /// Bytes that have been read and decided about wait for a peer to take them.
  bool unflushed() const;
  void kill();

  void stream_ready() override;

 private:
  using State = metrics::ClientState;
  enum class Next : std::uint8_t { wait, lease, log_in, kill, leave };
  /// The client has gone, what it has begun has not.
  enum class Departure : std::uint8_t {
    none,
    goodbye,   ///< the database server would finish it, and so does weirpool
    vanished,  ///< nobody wants it any more: it is cancelled
  };

  // login.cpp
  Task<bool> log_in();
  Task<bool> log_in_again();
  Task<bool> conduct_login();
  Task<bool> take_proxy_header();
  Task<bool> move_login_bytes();
  Task<TlsChannel::Status> handshake_step();
  Task<bool> start_client_tls();
  Task<bool> flush_login_bytes();
  Task<bool> login_pause();
  Task<bool> look_up();
  Task<bool> derive();
  config::Arrival arrival() const;
  void doubt_user();
  BackendTarget& directory() const;
  Task<bool> learn();
  bool finish_login();
  /// Where the client belongs that has proven who it is; a fault: it may not be there.
  protocol::Fault find_pool();
  bool for_console() const;
  void begin_conversation();

  // console_session.cpp
  Task<void> serve_console();
  Task<bool> move_console_bytes();
  Task<bool> ask_console();

  // departure.cpp: what the client has begun and left behind.
  void depart(Departure how);
  void turn_deaf();
  bool winding_up() const { return departure_ != Departure::none; }
  /// The engine may be asked about what `flow` holds.
  bool steppable(const Flow& flow) const {
    return flow.steppable() && !up_.inserting() && !down_.inserting();
  }
  /// Nothing is read until the administrator says so. Who has gone holds nobody up.
  bool stands_still() const { return host_.suspended() && !winding_up(); }
  bool wound_up();
  void roll_back(protocol::Bytes words);
  /// Bytes of the client, or in its name, are taken.
  bool speaks() { return (!winding_up() || rolled_back_) && !(cancelling_ && awaits_cancel()); }

  // session.cpp
  Task<void> serve();
  Task<bool> obtain_lease();
  // session_line.cpp: what stands in line, for how long, and what it hears.
  struct Patience {
    admission::Duration time = admission::Duration::max();
    bool own = false;  ///< the client's, not the configuration's
  };
  Patience patience(admission::Class importance) const;
  void join_pool();
  const admission::Flow& flow_of_request();
  protocol::Fault in_its_terms(protocol::Fault fault) const;
  void refuse(protocol::Fault fault, std::string_view detail);
  // session_cancel.cpp: statements that are ended before their time.
  void cancel_statement();
  void order_cancel();
  bool awaits_cancel();
  bool cancel_uncertain() const;
  Task<void> cancel_other(protocol::Bytes key);
  Task<void> kill_other();
  Task<void> linger();
  void attach(Lease lease);
  Next relay();
  bool drive(protocol::Party from);
  /// False: stop asking, wait for bytes.
  bool apply(protocol::Party from, const protocol::Verdict& verdict);
  bool flush();
  void ended(protocol::Party party);
  void release_backend();
  void end_lease(bool backend_healthy);
  void leave(protocol::Fault fault, std::string_view detail = {});
  Task<void> farewell();
  void arm();
  void note_pin();
  void set_clock();
  bool stalls() const;
  TimePoint idle_transaction_end();
  config::Duration idle_limit(config::Duration configured) const;
  void take_timeouts();
  /// The user's own, if it has one.
  config::Duration timeout(config::Duration general,
                           config::Duration config::UserTimeouts::*own) const {
    if (!own_timeouts_ || (*own_timeouts_.*own).count() == 0) return general;
    return *own_timeouts_.*own;
  }
  bool time_is_up();
  bool drained();
  void enter(State state);

  Flow& flow_from(protocol::Party party) { return party == protocol::Party::client ? up_ : down_; }

  SessionHost& host_;
  std::shared_ptr<const ListenerSite> site_;
  PeerAddress address_;
  Stream client_;
  Signal signal_;
  Deadline clock_;
  Flow up_;
  Flow down_;
  std::unique_ptr<protocol::ClientLogin> login_;
  std::unique_ptr<protocol::Conversation> conversation_;
  std::unique_ptr<protocol::console::Engine> console_;  ///< instead of a conversation
  std::shared_ptr<PoolShard> shard_;
  std::string user_;      ///< the client's own, whoever the pool logs in as
  admission::Flow line_;  ///< of the shard
  /// Who it said it was, for rules that look into statements; null: there are none.
  struct Asker {
    std::string user;
    std::string database;
    std::string application;
  };
  std::unique_ptr<Asker> asker_;
  admission::Flow tagged_line_;  ///< the same for a request of another class; often none
  config::RefuseWith refuse_with_ = config::RefuseWith::too_many_connections;
  std::array<Census::Entry, Census::kKinds> counted_;
  Lease lease_;
  std::array<std::uint8_t, 32> cancel_key_{};
  std::size_t cancel_key_size_ = 0;  ///< bytes of it that the client knows; zero: none yet
  std::string parting_words_;
  std::unique_ptr<config::UserTimeouts> own_timeouts_;  ///< null: the user has none
  std::string_view pin_;                                ///< the reason last counted
  // Beginnings of what is under way, kept where a timeout bounds it.
  TimePoint transaction_since_{};
  TimePoint query_since_{};
  std::uint32_t query_number_ = 0;  ///< answers before the query that query_since_ is about
  TimePoint idle_since_{};          ///< inside a transaction, or since it stalls()
  TimePoint since_;
  TimePoint requested_{};  ///< when it last asked for a backend that was not there
  std::uint32_t id_;
  std::uint32_t answered_before_ = 0;  ///< the lease: answers when it began
  std::uint32_t cancelled_at_ = 0;     ///< answers before the statement that was cancelled last
  bool cancelled_ = false;             ///< while waiting in line
  bool cancel_wanted_ = false;         ///< as soon as the backend executes the client's request
  bool cancelling_ = false;        ///< the lease: a cancel has been ordered, see awaits_cancel()
  std::uint8_t fresh_losses_ = 0;  ///< backends lost in a row before they were given anything
  bool retry_refused_ = false;     ///< the request at hand is not given to another backend
  Departure departure_ = Departure::none;
  bool deaf_ = false;          ///< nobody takes the answers any more
  bool rolled_back_ = false;   ///< as the last word of a client that has gone
  bool reset_always_ = false;  ///< the backend's session is never what it was
  Next next_ = Next::wait;
  protocol::Fault parting_ = protocol::Fault::none;
  protocol::Fault refusal_;
  protocol::Fault dismissal_ = protocol::Fault::none;  ///< why it is to leave at its next boundary
  protocol::Fault overdue_ = protocol::Fault::none;    ///< what clock_ means when it passes
  State state_;
};

}  // namespace weirpool::proxy
