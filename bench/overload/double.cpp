// A database that is none: it speaks PostgreSQL's or MySQL's protocol and takes as long for
// a statement as it is told to.
//
// usage: database_double protocol=postgresql|mysql port=N [KNOB=VALUE]...
//   service_us  mean time of a statement that is alone     spread  0: always that; 1: exponential
//   alpha beta  how concurrency slows it, see database.hpp connections  how many it lets in
//   connect_us  what a login takes                         hold    1: nothing is answered any more
// Reads orders from its standard input, one a line, and ends with it:
//   KNOB VALUE | die (all connections end, none is taken) | live | stats (a line of JSON) | forget
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <sstream>
#include <vector>

#include "bench/overload/database.hpp"
#include "bench/overload/double_wire.hpp"

namespace weirpool::bench {

namespace {

class Double {
 public:
  Double(Loop& loop, const Settings& settings)
      : loop_(loop),
        database_(loop, settings),
        port_(static_cast<std::uint16_t>(number(settings, "port", 0))),
        mysql_(text(settings, "protocol", "postgresql") == "mysql") {
    live();
    loop_.watch(STDIN_FILENO, EPOLLIN, [this](std::uint32_t) { read_orders(); });
  }

 private:
  struct Connection {
    int fd = -1;
    Loop::Id watch = 0;
    std::unique_ptr<DoubleWire> wire;
    std::string unread;
    Outgoing out;
    bool entered = false;
    bool busy = false;  ///< logs in or works: what it has sent meanwhile waits
    Database::Statement statement = 0;
  };

  void live() {
    if (listener_ != 0) return;
    const int fd = listen_on(port_);
    listener_ = loop_.watch(fd, EPOLLIN, [this, fd](std::uint32_t) { accept_from(fd); });
  }

  void end_all() {
    loop_.forget(listener_);
    listener_ = 0;
    std::vector<std::uint32_t> all;
    for (const auto& [id, connection] : connections_) all.push_back(id);
    for (const std::uint32_t id : all) drop(id);
  }

  void accept_from(int listener) {
    for (;;) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      no_delay(fd);
      const std::uint32_t id = next_++;
      Connection& connection = connections_[id];
      connection.fd = fd;
      connection.wire = mysql_ ? mysql_double(id) : postgres_double(id);
      connection.watch =
          loop_.watch(fd, EPOLLIN, [this, id](std::uint32_t events) { ready(id, events); });
      std::string words;
      connection.wire->greet(words);
      say(id, words);
    }
  }

  void ready(std::uint32_t id, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) say(id, {});
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0 || !connections_.contains(id)) return;
    Connection& connection = connections_[id];
    const ssize_t got = recv(connection.fd, chunk_.data(), chunk_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return drop(id);
    connection.unread.append(chunk_.data(), static_cast<std::size_t>(got));
    advance(id);
  }

  void advance(std::uint32_t id) {
    while (connections_.contains(id) && !connections_[id].busy) {
      Connection& connection = connections_[id];
      std::string out;
      const DoubleWire::Step step = connection.wire->step(connection.unread, out);
      connection.unread.erase(0, step.consumed);
      say(id, out);
      if (!connections_.contains(id)) return;
      switch (step.kind) {
        case DoubleWire::Kind::need: return;
        case DoubleWire::Kind::on: break;
        case DoubleWire::Kind::log_in: log_in(id); break;
        case DoubleWire::Kind::work: work(id, step.locks); break;
        case DoubleWire::Kind::cancel: cancel(step.id); break;
        case DoubleWire::Kind::close: return drop(id);
      }
    }
  }

  void log_in(std::uint32_t id) {
    Connection& connection = connections_[id];
    connection.entered = database_.enter();
    if (!connection.entered) {
      std::string out;
      connection.wire->refuse(out);
      say(id, out);
      return drop(id);
    }
    connection.busy = true;
    loop_.at(now() + database_.connect_time(), [this, id] {
      if (connections_.contains(id)) database_.logged_in();
      done(id, &DoubleWire::welcome);
    });
  }

  void work(std::uint32_t id, bool locks) {
    Connection& connection = connections_[id];
    connection.busy = true;
    connection.statement = database_.begin(locks, [this, id] {
      if (!connections_.contains(id)) return database_.leave();
      done(id, &DoubleWire::answer);
    });
  }

  void cancel(std::uint32_t id) {
    const auto found = connections_.find(id);
    if (found == connections_.end() || !database_.cancel(found->second.statement)) return;
    done(id, &DoubleWire::cancelled);
  }

  void done(std::uint32_t id, void (DoubleWire::*words)(std::string&)) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    found->second.busy = false;
    found->second.statement = 0;
    std::string out;
    (found->second.wire.get()->*words)(out);
    say(id, out);
    advance(id);
  }

  void say(std::uint32_t id, std::string_view words) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    found->second.out.add(words);
    if (!found->second.out.flush(found->second.fd)) return drop(id);
    loop_.change(found->second.watch, found->second.out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
  }

  /// The place of one who leaves in the middle of a statement is free when that has ended.
  void drop(std::uint32_t id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const bool working = found->second.statement != 0;
    if (working) database_.abandoned();
    if (found->second.entered && !working) database_.leave();
    loop_.forget(found->second.watch);
    connections_.erase(found);
  }

  void read_orders() {
    const ssize_t got = read(STDIN_FILENO, chunk_.data(), chunk_.size());
    if (got <= 0) return loop_.stop();
    orders_.append(chunk_.data(), static_cast<std::size_t>(got));
    for (std::size_t end; (end = orders_.find('\n')) != orders_.npos;) {
      const std::string line = orders_.substr(0, end);
      orders_.erase(0, end + 1);
      obey(line);
    }
  }

  void obey(const std::string& line) {
    std::istringstream words(line);
    std::string order;
    double value = 0;
    words >> order;
    if (order == "die") {
      end_all();
    } else if (order == "live") {
      live();
    } else if (order == "forget") {
      database_.forget_stats();
    } else if (order == "stats") {
      std::puts(database_.stats().c_str());
      std::fflush(stdout);
    } else if (!(words >> value) || !database_.set(order, value)) {
      die("no such order: " + line);
    }
  }

  Loop& loop_;
  Database database_;
  std::uint16_t port_;
  bool mysql_;
  Loop::Id listener_ = 0;
  std::uint32_t next_ = 1;
  std::unordered_map<std::uint32_t, Connection> connections_;
  std::array<char, 16384> chunk_{};
  std::string orders_;
};

}  // namespace

}  // namespace weirpool::bench

int main(int count, char** words) {
  using namespace weirpool::bench;
  const auto groups = settings(count, words, "");
  Loop loop;
  const Double database(loop, groups.front());
  std::puts("ready");
  std::fflush(stdout);
  loop.run();
}
