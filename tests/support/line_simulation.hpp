// Minutes of a pool under load in milliseconds: clients that arrive whether or not anybody answers,
// give up, and try again; backends that serve; and between them the waiting line as it ships.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <vector>

#include "proxy/admission/waiting_line.hpp"

namespace weirpool::test {

namespace admission = proxy::admission;

/// One web node, or many alike.
struct SimulatedNodes {
  std::size_t count = 1;
  /// Statements per second of each, at a time in seconds.
  std::function<double(double at)> rate;
  /// Mean service time in seconds of its statements, beside `service` of the pool; 0: the pool's.
  double service = 0;
  admission::Class importance = admission::Class::normal;
};

struct SimulatedPool {
  std::size_t backends = 50;
  /// Mean service time in seconds at a time in seconds; drawn exponentially.
  std::function<double(double at)> service;
  std::vector<SimulatedNodes> nodes;
  double patience = 1;    ///< seconds until a client gives up
  unsigned retries = 2;   ///< after 50 ms, doubling, half of it random
  double query_wait = 5;  ///< seconds
  admission::Duration target = config::kLineTarget;
  double duration = 30;       ///< seconds
  std::size_t most = 10'000;  ///< in line
  double count_from = 0;      ///< seconds; what was refused before is not in refused_after
};

/// Of one kind of nodes.
struct Tally {
  std::vector<double> latencies;      ///< of successes, from the intended start
  std::vector<double> refused_after;  ///< from joining the line to the refusal
  std::map<int, unsigned> successes;  ///< by second
  std::uint64_t shed = 0;
  std::uint64_t abandoned = 0;

  static double quantile(std::vector<double> values, double q) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
  }
  double latency(double q) const { return quantile(latencies, q); }
  double refusal(double q) const { return quantile(refused_after, q); }
  double per_second(int from, int to) const {
    double sum = 0;
    for (int second = from; second < to; ++second) {
      const auto found = successes.find(second);
      if (found != successes.end()) sum += found->second;
    }
    return sum / (to - from);
  }
};

class LineSimulation {
 public:
  explicit LineSimulation(SimulatedPool pool)
      : pool_(std::move(pool)), free_(pool_.backends), tallies_(pool_.nodes.size()) {
    line_.supply({pool_.backends, 0, pool_.target}, time(0) - config::kWarmUp);
    line_.supply({pool_.backends, 0, pool_.target}, time(0));
    for (std::size_t kind = 0; kind < pool_.nodes.size(); ++kind) {
      for (std::size_t i = 0; i < pool_.nodes[kind].count; ++i) {
        nodes_.push_back(
            {kind, line_.queue().flow(pool_.nodes[kind].importance, {nodes_.size() + 1}, "")});
        schedule_arrival(nodes_.size() - 1, 0);
      }
    }
  }

  const std::vector<Tally>& run() {
    while (!events_.empty() && events_.top().at < pool_.duration) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      event.what();
    }
    return tallies_;
  }

 private:
  struct Node {
    std::size_t kind;
    admission::Flow flow;
  };
  struct Job : admission::Ticket {
    enum class State : std::uint8_t { waiting, running, over } state = State::waiting;
    std::size_t node = 0;
    double intended = 0;
    double joined = 0;
    unsigned attempt = 0;
  };
  using JobRef = std::shared_ptr<Job>;
  struct Event {
    double at;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  static admission::TimePoint time(double at) {
    return admission::TimePoint(std::chrono::hours(1)) + span(at);
  }
  static admission::Duration span(double length) {
    return std::chrono::duration_cast<admission::Duration>(std::chrono::duration<double>(length));
  }
  void at(double when, std::function<void()> what) {
    events_.push({when, ++order_, std::move(what)});
  }
  double exponential(double mean) {
    return std::exponential_distribution<double>(1 / mean)(random_);
  }

  void schedule_arrival(std::size_t node, double from) {
    const double rate = pool_.nodes[nodes_[node].kind].rate(from);
    if (rate <= 0) {
      at(from + 0.01, [this, node] { schedule_arrival(node, now_); });
      return;
    }
    at(from + exponential(1 / rate), [this, node] {
      auto job = std::make_shared<Job>();
      job->node = node;
      job->intended = now_;
      arrive(job);
      schedule_arrival(node, now_);
    });
  }

  void arrive(const JobRef& job) {
    Node& node = nodes_[job->node];
    job->state = Job::State::waiting;
    job->joined = now_;
    const unsigned attempt = job->attempt;
    at(now_ + pool_.patience, [this, job, attempt] { give_up(job, attempt); });
    if (free_ > 0 && line_.queue().empty()) {
      start(job, admission::Duration::zero());
      return;
    }
    const auto patience =
        admission::WaitingLine::patience_of(node.flow.importance(), span(pool_.query_wait));
    if (line_.admit(node.flow, patience, time(now_)) != admission::WaitingLine::Answer::queue) {
      refuse(job);
      return;
    }
    line_.push(*job, node.flow, time(now_));
    in_line_[job.get()] = job;
    if (line_.queue().size() > pool_.most) {
      admission::Ticket& victim = line_.queue().victim();
      line_.erase(victim, time(now_));
      refuse(take(victim));
    }
    watch();
  }

  JobRef take(admission::Ticket& ticket) {
    const auto found = in_line_.find(static_cast<Job*>(&ticket));
    JobRef job = found->second;
    in_line_.erase(found);
    return job;
  }

  void refuse(const JobRef& job) {
    Tally& tally = tallies_[nodes_[job->node].kind];
    ++tally.shed;
    if (now_ >= pool_.count_from) tally.refused_after.push_back(now_ - job->joined);
    again(job);
  }

  void again(const JobRef& job) {
    job->state = Job::State::over;
    if (job->attempt >= pool_.retries) return;
    const double pause = 0.05 * (1U << job->attempt) * (0.5 + uniform_(random_));
    ++job->attempt;
    at(now_ + pause, [this, job] { arrive(job); });
  }

  void give_up(const JobRef& job, unsigned attempt) {
    if (job->attempt != attempt || job->state == Job::State::over) return;
    ++tallies_[nodes_[job->node].kind].abandoned;
    if (job->state == Job::State::waiting) {
      line_.erase(*job, time(now_));
      in_line_.erase(job.get());
    } else {
      // The statement is cancelled; the backend is clean again in a moment.
      at(now_ + 0.002, [this] { come_back(); });
    }
    again(job);
  }

  void start(const JobRef& job, admission::Duration advance) {
    --free_;
    job->state = Job::State::running;
    const SimulatedNodes& kind = pool_.nodes[nodes_[job->node].kind];
    const double held = exponential(kind.service > 0 ? kind.service : pool_.service(now_));
    const unsigned attempt = job->attempt;
    at(now_ + held, [this, job, attempt, advance, held] {
      if (job->attempt != attempt || job->state != Job::State::running) return;
      job->state = Job::State::over;
      Tally& tally = tallies_[nodes_[job->node].kind];
      tally.latencies.push_back(now_ - job->intended);
      ++tally.successes[static_cast<int>(now_)];
      line_.served(nodes_[job->node].flow.node(), span(held), advance, time(now_));
      come_back();
    });
  }

  void come_back() {
    ++free_;
    dispatch();
  }

  void dispatch() {
    expire();
    while (free_ > 0) {
      admission::Ticket* next = line_.next(time(now_));
      if (!next) break;
      start(take(*next), line_.advance());
    }
    watch();
  }

  void expire() {
    for (admission::Ticket* late : line_.expired(time(now_))) refuse(take(*late));
  }

  void watch() {
    const admission::TimePoint wake = line_.wake_at(time(now_));
    if (wake == admission::TimePoint::max() || watching_) return;
    watching_ = true;
    const double in = std::chrono::duration<double>(wake - time(now_)).count();
    at(now_ + std::max(in, 0.001), [this] {
      watching_ = false;
      expire();
      watch();
    });
  }

  // Jobs outlive the line they may stand in.
  std::map<Job*, JobRef> in_line_;
  std::priority_queue<Event> events_;
  SimulatedPool pool_;
  admission::WaitingLine line_;
  std::size_t free_;
  std::vector<Node> nodes_;
  std::vector<Tally> tallies_;
  std::uint64_t order_ = 0;
  double now_ = 0;
  bool watching_ = false;
  std::mt19937_64 random_{1};
  std::uniform_real_distribution<double> uniform_{0, 1};
};

}  // namespace weirpool::test
