// The database server of toy_dialect.hpp on a real TCP port, and a client for the other side. The
// server lives on a thread of its own; tests script it and wait on its counters from any thread.
//
//   echo T     = T                        die        closes at once
//   begin      opens a transaction        die half   closes inside a data message
//   commit     ends it                    die word   closes behind a whole "= text"
//   slow T     = T when released          garbage    a line that is no answer
//   big N      data N                     extra      a line behind the end of the answer
//   put N      = put N SUM                dirty      leaves state behind
//   state      = clean or = dirty          deny       = read only
//   rollback   as commit                  slow stubborn   no cancel request ends it
//                                         begin stubborn  no rollback ends it
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weirpool::test {

/// How long any test waits for anything before it fails.
inline constexpr std::chrono::seconds kPatience{20};

struct ToyCounts {
  unsigned open = 0;  ///< logged in or trying to, until closed here; without cancel connections
  unsigned most_open = 0;
  unsigned accepted = 0;
  unsigned logins = 0;  ///< answered with ok
  unsigned refused = 0;
  unsigned resets = 0;
  unsigned pings = 0;
  unsigned cancels = 0;
  unsigned goodbyes = 0;
  unsigned ends = 0;       ///< ends of stream heard from weirpool without a goodbye
  unsigned slow = 0;       ///< commands waiting to be released
  std::uint64_t sent = 0;  ///< bytes taken by the sockets
};

class ToyServer {
 public:
  /// The answer to a login without its newline; empty: none at all.
  using LoginAnswer = std::function<std::string(
      const std::string& user, const std::string& database, const std::string& password)>;

  ToyServer();
  ~ToyServer();
  ToyServer(const ToyServer&) = delete;
  ToyServer& operator=(const ToyServer&) = delete;

  std::uint16_t port() const { return port_; }
  ToyCounts counts() const;
  /// Commands in the order in which they were understood, logins and resets not among them.
  std::vector<std::string> commands() const;
  /// Blocks until `holds`; false: patience is over.
  bool wait(const std::function<bool(const ToyCounts&)>& holds) const;

  void answer_logins(LoginAnswer answer);
  /// Asks every login for a derived key first.
  void ask_for_keys(std::string salt);
  std::string last_key() const;
  /// While held, a connection stays open after weirpool has ended it.
  void hold_closes(bool held);
  /// The same for cancel connections, which have been obeyed by then.
  void hold_cancels(bool held);
  /// From now on they are reset instead of closed.
  void reset_cancels();
  /// What reset and ping are answered with, newline included.
  void answer_resets(std::string answer);
  void answer_pings(std::string answer);
  /// primary, standby or read-only.
  void play_role(std::string role);
  /// Lets `count` of the slow commands go, oldest first.
  void release_slow(unsigned count = 1);
  /// Closes every connection, as a restarting server does.
  void kill_all();
  /// Bytes to every connection, out of turn.
  void say_to_all(const std::string& bytes);
  /// Off the network: nobody listens, nothing is connected. start() comes back on the same port.
  void stop();
  void start();

 private:
  struct Peer;

  void listen_on(std::uint16_t port);
  void serve();
  void accept_all();
  void read(Peer& peer);
  void write(Peer& peer);
  void understand(Peer& peer);
  void command(Peer& peer, const std::string& line);
  void login(Peer& peer, const std::string& line);
  void cancel(unsigned id);
  void finish(Peer& peer, const std::string& answer);
  bool may_close(const Peer& peer) const;
  void close(Peer& peer);
  void close_what_ended();
  void wake() const;

  mutable std::mutex mutex_;  ///< guards everything below but the thread
  mutable std::condition_variable changed_;
  std::list<Peer> peers_;
  ToyCounts counts_;
  std::vector<std::string> commands_;
  LoginAnswer login_answer_;
  std::string salt_;
  std::string last_key_;
  std::string reset_answer_ = "idle\n";
  std::string ping_answer_ = "pong\n";
  std::string role_ = "primary\n";
  bool hold_closes_ = false;
  bool hold_cancels_ = false;
  bool reset_cancels_ = false;
  bool stopping_ = false;
  unsigned next_id_ = 1;
  int listener_ = -1;
  int wake_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// A client of the toy protocol. While it waits it calls `turn`, by default a wait on the socket.
class ToyClient {
 public:
  using Turn = std::function<void()>;

  explicit ToyClient(std::uint16_t port, Turn turn = {}, int receive_buffer = 0);
  ToyClient(ToyClient&& other) noexcept;
  ToyClient& operator=(ToyClient&&) = delete;
  ~ToyClient();

  /// All of it goes out; false: the other side has gone.
  bool send(const std::string& bytes);
  /// The next line without its end; "<closed>" or "<timeout>" instead.
  std::string line();
  /// The next `count` bytes; fewer when the stream ends or patience does.
  std::string bytes(std::size_t count);
  /// Lines up to and including the next status or fault, joined by commas.
  std::string answer();
  /// send and answer.
  std::string ask(const std::string& command);
  /// "user NAME DATABASE", and what comes back: welcome or a fault.
  std::string log_in(const std::string& user = "app", const std::string& database = "shop");
  /// Of the welcome: "ID KEY".
  const std::string& cancel_key() const { return cancel_key_; }

  /// A whole line has arrived; does not wait.
  bool has_line();
  /// The other side has closed and left nothing; does not wait.
  bool ended();
  void close();
  void close_with_reset();
  int fd() const { return fd_; }

 private:
  bool receive();
  bool wait_for_more(std::chrono::steady_clock::time_point until);

  int fd_ = -1;
  Turn turn_;
  std::string in_;
  bool ended_ = false;
  std::string cancel_key_;
};

/// Calls `turn` until `holds`; false: patience is over.
bool eventually(const std::function<bool()>& holds, const std::function<void()>& turn = {});

}  // namespace weirpool::test
