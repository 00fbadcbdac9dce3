// Clients that do not wait for each other: queries arrive at the times that the schedule says,
// whatever became of those before. Each comes from one of many web nodes (addresses of
// 127.0.0.0/8), takes a connection of its node's own pool or opens one, gives up at its deadline by
// closing the connection, as client libraries do, and may try again.
//
// usage: overload_clients protocol=… port=N user=… password=… database=… record=FILE
//          [deadline_ms=1000] [retries=2] [backoff_ms=100] [statement=…] [seed=1] [linger=1]
//          flow=NAME rates=PER_SECOND@SECONDS,… [nodes=100] [connections=100] [fresh=0] [close=0]
//          [tls=0] [silent=0] [flow=…]…
//   linger       0: the end is the end of the schedule, whoever still waits then
//   connections  of one node at most; further queries wait inside the node
//   fresh        1: each query opens a connection, which then stays
//   close        share of the connections that are closed after a query
//   silent       1: to be logged in is all that is wanted
//
// FILE gets 12 bytes for each thing that happened: u32 intended start (us), u32 duration (us),
// u8 number of the flow, u8 Outcome, u16 0, little endian. Prints "begun" at time 0 and a line
// about the run at its end.
#include <sys/epoll.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <fstream>
#include <random>
#include <sstream>

#include "bench/overload/link.hpp"

namespace weirpool::bench {

namespace {

enum class Outcome : std::uint8_t {
  answered,
  refused,  ///< by an error, on a connection that goes on
  gave_up,  ///< at the deadline
  failed,   ///< the connection was refused or ended
  login,    ///< a connection is ready; its duration is from the first packet on
};

struct Phase {
  double per_second;
  Micros until;
};

struct Node {
  in_addr address{};
  std::vector<std::uint64_t> idle;
  std::deque<std::uint64_t> waiting;
  double open = 0;
};

struct Flow {
  std::uint8_t number = 0;
  std::vector<Phase> phases;
  std::vector<Node> nodes;
  double connections = 100;
  double close = 0;
  bool fresh = false;
  bool tls = false;
  bool silent = false;
};

struct Attempt {
  Flow* flow;
  Node* node;
  Micros began;
  int number;
  std::uint64_t link = 0;
};

struct Open {
  Flow* flow;
  Node* node;
  std::unique_ptr<Link> link;
  Loop::Id watch = 0;
  Micros began;
  bool ready = false;
  std::uint64_t attempt = 0;
};

std::vector<Phase> phases_of(const std::string& rates) {
  std::vector<Phase> phases;
  std::istringstream parts(rates);
  Micros end = 0;
  for (std::string part; std::getline(parts, part, ',');) {
    double per_second = 0;
    double seconds = 0;
    if (std::sscanf(part.c_str(), "%lf@%lf", &per_second, &seconds) != 2)
      die("not a rate: " + part);
    end += static_cast<Micros>(seconds * 1e6);
    phases.push_back({per_second, end});
  }
  return phases;
}

class Clients {
 public:
  Clients(Loop& loop, const std::vector<Settings>& groups)
      : loop_(loop),
        random_(static_cast<std::uint64_t>(number(groups[0], "seed", 1))),
        port_(static_cast<std::uint16_t>(number(groups[0], "port", 0))),
        deadline_(static_cast<Micros>(number(groups[0], "deadline_ms", 1000) * 1000)),
        backoff_(number(groups[0], "backoff_ms", 100) * 1000),
        retries_(static_cast<int>(number(groups[0], "retries", 2))),
        linger_(number(groups[0], "linger", 1) != 0),
        statement_(text(groups[0], "statement", "select 1 /* work */")),
        record_(text(groups[0], "record", "/dev/null"), std::ios::binary) {
    account_.dialect =
        text(groups[0], "protocol", "postgresql") == "mysql" ? Dialect::mysql : Dialect::postgresql;
    account_.user = text(groups[0], "user", "app");
    account_.password = text(groups[0], "password", "");
    account_.database = text(groups[0], "database", "app");
    std::uint32_t address = 1 << 16;  // 127.1.0.0
    for (std::size_t i = 1; i < groups.size(); ++i) {
      flows_.push_back(std::make_unique<Flow>());
      Flow& flow = *flows_.back();
      flow.number = static_cast<std::uint8_t>(i - 1);
      flow.phases = phases_of(text(groups[i], "rates", ""));
      flow.connections = number(groups[i], "connections", flow.connections);
      flow.close = number(groups[i], "close", 0);
      flow.fresh = number(groups[i], "fresh", 0) != 0;
      flow.tls = number(groups[i], "tls", 0) != 0;
      flow.silent = number(groups[i], "silent", 0) != 0;
      flow.nodes.resize(static_cast<std::size_t>(number(groups[i], "nodes", 100)));
      for (Node& node : flow.nodes) node.address = loopback(++address);
    }
  }

  void begin() {
    for (const auto& flow : flows_) plan(*flow, 0);
    check_end();
  }

  std::string summary() const {
    return std::to_string(arrivals_) + " arrivals, at most " + std::to_string(latest_) +
           " us late" + (first_failure_.empty() ? "" : "; a login failed: " + first_failure_);
  }

 private:
  double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  void note(const Flow& flow, Micros began, Outcome outcome) {
    const auto start = static_cast<std::uint32_t>(began);
    const auto took = static_cast<std::uint32_t>(now() - began);
    const std::uint8_t rest[] = {flow.number, static_cast<std::uint8_t>(outcome), 0, 0};
    record_.write(reinterpret_cast<const char*>(&start), sizeof start);
    record_.write(reinterpret_cast<const char*>(&took), sizeof took);
    record_.write(reinterpret_cast<const char*>(rest), sizeof rest);
  }

  /// The next arrival after `when`, as a Poisson process has it.
  void plan(Flow& flow, Micros when) {
    Micros start = when;
    for (const Phase& phase : flow.phases) {
      if (phase.until <= start) continue;
      if (phase.per_second > 0) {
        const double gap = -std::log(1 - chance()) / phase.per_second;
        const Micros next = start + static_cast<Micros>(gap * 1e6);
        if (next < phase.until) {
          ++pending_;
          return loop_.at(next, [this, &flow, next] { arrive(flow, next); });
        }
      }
      start = phase.until;
    }
  }

  void arrive(Flow& flow, Micros intended) {
    latest_ = std::max(latest_, now() - intended);
    ++arrivals_;
    plan(flow, intended);
    const auto which = static_cast<std::size_t>(chance() * static_cast<double>(flow.nodes.size()));
    attempt(flow, flow.nodes[std::min(which, flow.nodes.size() - 1)], intended, 0);
    --pending_;
  }

  void attempt(Flow& flow, Node& node, Micros began, int number) {
    const std::uint64_t id = next_++;
    attempts_[id] = {&flow, &node, began, number};
    loop_.at(began + deadline_, [this, id] { give_up(id); });
    if (!flow.fresh && !node.idle.empty()) {
      const std::uint64_t link = node.idle.back();
      node.idle.pop_back();
      return ask(link, id);
    }
    if (flow.fresh || node.open < flow.connections) return open(flow, node, id);
    node.waiting.push_back(id);
  }

  void open(Flow& flow, Node& node, std::uint64_t attempt) {
    const int fd = connect_from(node.address, port_);
    if (fd < 0) return finish(attempt, Outcome::failed);
    const std::uint64_t id = next_++;
    Open& one = opened_[id];
    one = {&flow, &node, std::make_unique<Link>(fd, account_, flow.tls), 0, now()};
    one.attempt = attempt;
    attempts_[attempt].link = id;
    ++node.open;
    one.watch = loop_.watch(fd, EPOLLIN | EPOLLOUT, [this, id](std::uint32_t) { advance(id); });
  }

  void ask(std::uint64_t link, std::uint64_t attempt) {
    Open& one = opened_[link];
    one.attempt = attempt;
    attempts_[attempt].link = link;
    if (one.link->query(statement_) == ClientWire::State::broken) lose(link, Outcome::failed);
  }

  void advance(std::uint64_t id) {
    const auto found = opened_.find(id);
    if (found == opened_.end()) return;
    Open& one = found->second;
    const ClientWire::State state = one.link->advance();
    loop_.change(one.watch, one.link->wants_to_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
    switch (state) {
      case ClientWire::State::broken: return lose(id, Outcome::failed);
      case ClientWire::State::answered: return release(id, Outcome::answered);
      case ClientWire::State::refused: return release(id, Outcome::refused);
      case ClientWire::State::idle:
        if (one.ready) return;
        one.ready = true;
        note(*one.flow, one.began, Outcome::login);
        if (one.flow->silent) return release(id, Outcome::answered);
        return ask(id, one.attempt);
      default: return;
    }
  }

  void release(std::uint64_t id, Outcome outcome) {
    Open& one = opened_[id];
    finish(std::exchange(one.attempt, 0), outcome);
    if (one.flow->close > 0 && chance() < one.flow->close) return drop(id);
    Node& node = *one.node;
    const std::uint64_t next = next_waiting(node);
    if (next != 0) return ask(id, next);
    node.idle.push_back(id);
  }

  std::uint64_t next_waiting(Node& node) {
    while (!node.waiting.empty()) {
      const std::uint64_t attempt = node.waiting.front();
      node.waiting.pop_front();
      if (attempts_.contains(attempt)) return attempt;
    }
    return 0;
  }

  void lose(std::uint64_t id, Outcome outcome) {
    const Open& one = opened_[id];
    if (outcome == Outcome::failed && first_failure_.empty()) first_failure_ = one.link->error();
    const std::uint64_t attempt = one.attempt;
    opened_[id].attempt = 0;
    drop(id);
    if (attempt != 0) finish(attempt, outcome);
  }

  void drop(std::uint64_t id) {
    const auto found = opened_.find(id);
    Flow& flow = *found->second.flow;
    Node& node = *found->second.node;
    loop_.forget(found->second.watch);
    opened_.erase(found);
    std::erase(node.idle, id);
    --node.open;
    const std::uint64_t next = next_waiting(node);
    if (next != 0) open(flow, node, next);
  }

  void give_up(std::uint64_t id) {
    const auto found = attempts_.find(id);
    if (found == attempts_.end()) return;
    const std::uint64_t link = found->second.link;
    if (link != 0) return lose(link, Outcome::gave_up);
    finish(id, Outcome::gave_up);
  }

  void finish(std::uint64_t id, Outcome outcome) {
    const auto found = attempts_.find(id);
    const Attempt done = found->second;
    attempts_.erase(found);
    note(*done.flow, done.began, outcome);
    if (outcome == Outcome::answered || done.number >= retries_) return;
    const double wait = backoff_ * std::exp2(done.number) * (0.5 + chance());
    const Micros when = now() + static_cast<Micros>(wait);
    ++pending_;
    loop_.at(when, [this, done, when] {
      --pending_;
      attempt(*done.flow, *done.node, when, done.number + 1);
    });
  }

  /// The end: nothing more arrives, nobody waits.
  void check_end() {
    constexpr Micros kOften = 10'000;
    const bool over = std::all_of(flows_.begin(), flows_.end(), [](const auto& flow) {
      return flow->phases.empty() || flow->phases.back().until <= now();
    });
    if (over && (!linger_ || (pending_ == 0 && attempts_.empty()))) return loop_.stop();
    loop_.at(now() + kOften, [this] { check_end(); });
  }

  Loop& loop_;
  std::mt19937_64 random_;
  std::uint16_t port_;
  Micros deadline_;
  double backoff_;
  int retries_;
  bool linger_;
  std::string statement_;
  std::ofstream record_;
  Account account_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::unordered_map<std::uint64_t, Attempt> attempts_;
  std::unordered_map<std::uint64_t, Open> opened_;
  std::uint64_t next_ = 1;
  std::uint64_t pending_ = 0;  ///< planned arrivals and retries
  std::uint64_t arrivals_ = 0;
  std::string first_failure_;
  Micros latest_ = 0;  ///< how late an arrival was at most: this program's own fault
};

}  // namespace

}  // namespace weirpool::bench

int main(int count, char** words) {
  using namespace weirpool::bench;
  const auto groups = settings(count, words, "flow");
  if (groups.size() < 2) die("no flow: see the top of bench/overload/clients.cpp");
  now();
  Loop loop;
  Clients clients(loop, groups);
  std::puts("begun");
  std::fflush(stdout);
  clients.begin();
  loop.run();
  std::puts(clients.summary().c_str());
}
