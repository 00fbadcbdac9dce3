// Who is next: hierarchical fair queueing by deficit round robin (Shreedhar and Varghese 1995) in
// the form of FQ-CoDel (RFC 8290): a flow that has just become busy goes before those that have had
// their turn, so that a polite source hardly notices a greedy one.
//
//   line -> class (weights 8:4:2:1) -> source (equal) -> application (equal) -> tickets
//
// The currency is the time that backends were held, as measured: a source that sends slow
// statements pays for them. What a pick will cost is not known beforehand, so the mean is charged
// at the pick and the difference when the backend comes back. When nobody waits nothing is scarce:
// debts are forgotten whenever the line has been empty.
//
// A source is a web node's address. Applications only divide what their source gets, hashed into a
// few buckets, so neither names nor addresses (an IPv6 node owns a /64) can mint shares. One
// thread.
#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/admission/source.hpp"
#include "proxy/admission/time.hpp"

namespace weirpool::proxy::admission {

/// In the order of importance.
enum class Class : std::uint8_t { critical, high, normal, sheddable, count_ };
inline constexpr std::size_t kClasses = static_cast<std::size_t>(Class::count_);
inline constexpr std::array<std::string_view, kClasses> kClassLabels{"critical", "high", "normal",
                                                                     "sheddable"};

struct FlowNode;

namespace detail {
struct InFlow;
struct ByAge;
template <class Tag>
using Hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>,
                                     boost::intrusive::link_mode<boost::intrusive::safe_link>>;
}  // namespace detail

/// A place in the line; whoever waits derives from it. Linked from push() to pick() or erase().
class Ticket : public detail::Hook<detail::InFlow>, public detail::Hook<detail::ByAge> {
 public:
  bool queued() const { return detail::Hook<detail::InFlow>::is_linked(); }
  TimePoint since() const { return since_; }
  Class importance() const;

 protected:
  Ticket() = default;
  ~Ticket() = default;

 private:
  friend class FairQueue;
  FlowNode* flow_ = nullptr;
  TimePoint since_{};
};

/// Keeps the flow of a session known to the queue. The queue outlives it.
class Flow {
 public:
  Flow() = default;
  explicit Flow(FlowNode& node);
  Flow(Flow&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Flow& operator=(Flow&& other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Flow();

  explicit operator bool() const { return node_ != nullptr; }
  FlowNode* node() const { return node_; }
  Class importance() const;

 private:
  FlowNode* node_ = nullptr;
};

class FairQueue {
 public:
  enum class Order : std::uint8_t { oldest_first, newest_first };

  FairQueue();
  ~FairQueue();
  FairQueue(const FairQueue&) = delete;
  FairQueue& operator=(const FairQueue&) = delete;

  Flow flow(Class importance, const Source& source, std::string_view application);
  /// Of the same source and application, in another class.
  Flow sibling(const Flow& flow, Class importance);

  void push(Ticket& ticket, const Flow& flow, TimePoint now);
  void erase(Ticket& ticket);
  /// The next ticket, taken out and charged `cost`, which is also the quantum; null: nobody waits.
  Ticket* pick(Order order, Duration cost, TimePoint now);
  /// A backend was held for `cost` more (or less) than was charged before. `node` may be null.
  void charge(FlowNode* node, Duration cost, TimePoint now);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  std::size_t waiting(Class importance) const;
  /// The class that who waits is of, the least important of several. The line must not be empty.
  Class least_important() const;
  /// Tickets of this class and of more important ones.
  std::size_t waiting_up_to(Class importance) const;
  /// Tickets of the source that `flow` belongs to, within its class.
  static std::size_t waiting_beside(const Flow& flow);
  /// Sources of its class that take turns when it waits, its own among them.
  static std::size_t turns_beside(const Flow& flow);
  /// How long it takes at the source's pace until those who stand there are served; zero while that
  /// is not known.
  Duration standing(const Flow& flow) const;
  /// Backend time that its source has had beyond its turns, and that others are served for first.
  Duration debt(const Flow& flow) const;
  /// Null: nobody of this class waits.
  const Ticket* oldest(Class importance) const;
  /// When the one that has waited longest began; max: nobody waits.
  TimePoint oldest_since() const;
  /// Its source stands here with less than a quarter of what the others do on average.
  static bool modest(const Ticket& ticket);
  /// Its source stands here with no less than the others do on average; there is always one.
  static bool greedy(const Ticket& ticket);
  enum class Sift : std::uint8_t { leave, take, stop };
  /// Judges those of this class, oldest first, in one walk; whom it takes leave the line.
  template <class Judge>
  void sift(Class importance, Judge judge, std::vector<Ticket*>& taken) {
    AgeList& ages = ages_[static_cast<std::size_t>(importance)];
    for (auto it = ages.begin(); it != ages.end();) {
      Ticket& ticket = *it++;
      const Sift judged = judge(std::as_const(ticket));
      if (judged == Sift::stop) return;
      if (judged == Sift::leave) continue;
      erase(ticket);
      taken.push_back(&ticket);
    }
  }
  /// Who has to go when there is no room: the oldest of the fattest source of the least important
  /// class present. The line must not be empty.
  Ticket& victim();
  /// In the order of age of their class.
  template <class Each>
  void visit(Each each) {
    for (AgeList& list : ages_) {
      for (auto it = list.begin(); it != list.end();) each(*it++);
    }
  }

  /// Every source known and when it last waited or held a backend; once per class it appears in.
  void visit_sources(const std::function<void(std::uint64_t key, TimePoint used)>& each) const;
  /// Forgets flows that no session has and that were not used for `idle`.
  void sweep(TimePoint now, Duration idle);

 private:
  using AgeList =
      boost::intrusive::list<Ticket, boost::intrusive::base_hook<detail::Hook<detail::ByAge>>,
                             boost::intrusive::constant_time_size<false>>;

  FlowNode& child(FlowNode& parent, std::uint64_t key, double weight);
  FlowNode& source_node(Class importance, std::uint64_t key);
  void unlink(Ticket& ticket);

  static constexpr std::uint64_t kApplications = 16;
  /// Sources known by name; those beyond share this many buckets.
  static constexpr std::size_t kExactSources = 4096;
  static constexpr std::uint64_t kBuckets = 1024;

  std::unique_ptr<FlowNode> root_;
  std::array<FlowNode*, kClasses> classes_{};
  std::array<AgeList, kClasses> ages_;
  std::uint64_t salt_;
  std::uint64_t epoch_ = 1;  ///< advances when the line becomes empty; debts of older ones are void
};

}  // namespace weirpool::proxy::admission
