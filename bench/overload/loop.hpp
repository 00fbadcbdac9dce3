// What the load and the double stand on: an epoll loop with timers, and sockets that never block.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

namespace weirpool::bench {

/// Microseconds since the program began.
using Micros = std::int64_t;
Micros now();

[[noreturn]] void die(const std::string& what);

class Loop {
 public:
  /// Never used twice: what belongs to something that has gone finds nothing.
  using Id = std::uint64_t;
  using Ready = std::function<void(std::uint32_t events)>;

  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Id watch(int fd, std::uint32_t events, Ready ready);
  void change(Id id, std::uint32_t events);
  /// Closes the descriptor, too.
  void forget(Id id);
  void at(Micros when, std::function<void()> what);
  /// Until stop().
  void run();
  void stop() { stopped_ = true; }

 private:
  struct Watched {
    int fd;
    std::uint32_t events;
    std::shared_ptr<Ready> ready;  // kept while it runs, whatever it forgets
  };
  struct Timer {
    Micros when;
    std::uint64_t order;
    std::shared_ptr<std::function<void()>> what;
    bool operator>(const Timer& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  void run_timers();
  int milliseconds_to_next() const;

  int epoll_;
  bool stopped_ = false;
  Id next_ = 1;
  std::unordered_map<Id, Watched> watched_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
};

/// Bytes towards a socket that may take only some of them.
class Outgoing {
 public:
  void add(std::string_view bytes) { waiting_ += bytes; }
  /// False: the connection is broken.
  bool flush(int fd);
  bool empty() const { return waiting_.empty(); }

 private:
  std::string waiting_;
};

/// An address of 127.0.0.0/8: the `number`th after `base`.
in_addr loopback(std::uint32_t base, std::uint32_t number = 0);
int listen_on(std::uint16_t port);
/// A connection being made to a port of 127.0.0.1, from `source`; -1: it could not even begin.
int connect_from(in_addr source, std::uint16_t port);
void no_delay(int fd);

/// key=value words of a command line, a group for each time that `opening` stands there; the first
/// group is what comes before.
using Settings = std::unordered_map<std::string, std::string>;
std::vector<Settings> settings(int count, char** words, const std::string& opening);
double number(const Settings& settings, const std::string& key, double otherwise);
std::string text(const Settings& settings, const std::string& key, const std::string& otherwise);

}  // namespace weirpool::bench
