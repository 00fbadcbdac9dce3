#include "proxy/admission/fair_queue.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <random>

namespace weirpool::proxy::admission {

/// One level of the hierarchy: a class, a source, or an application (the leaf, which has tickets).
struct FlowNode
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>> {
  using Round = boost::intrusive::list<FlowNode, boost::intrusive::constant_time_size<false>>;
  using Tickets =
      boost::intrusive::list<Ticket, boost::intrusive::base_hook<detail::Hook<detail::InFlow>>,
                             boost::intrusive::constant_time_size<false>>;

  FlowNode* parent = nullptr;
  std::uint64_t key = 0;
  double weight = 1;
  Class importance = Class::normal;
  double credit = 0;   ///< nanoseconds of backend time; below zero: a debt
  double rounds = 0;   ///< that its children have gone through
  double turn = 1;     ///< quantum of the last round, nanoseconds
  double left_at = 0;  ///< its parent's rounds when it became idle
  std::uint64_t epoch = 0;
  TimePoint used{};
  TimePoint served{};       ///< the last of it, or when it became busy
  Duration pace{};          ///< between two of it that were served, smoothed; zero: not known
  std::size_t waiting = 0;  ///< tickets here and below
  std::size_t busy = 0;     ///< children with tickets
  std::uint32_t holders = 0;
  bool in_fresh = false;  ///< which of its parent's rounds it stands in, while linked

  Round fresh;    ///< children that have just become busy
  Round old;      ///< children that have had a turn
  Tickets queue;  ///< leaf: in the order of arrival
  std::unordered_map<std::uint64_t, std::unique_ptr<FlowNode>> children;

  Round& round_of(bool is_fresh) { return is_fresh ? fresh : old; }
};

namespace {

double ns(Duration duration) { return static_cast<double>(duration.count()); }

/// May be picked now. One that has just become busy needs no credit beforehand.
bool may_go(const FlowNode& node) { return node.credit > 0 || (node.in_fresh && node.credit >= 0); }

/// The child whose turn it is. Each turn buys a quantum; when a whole round cannot pay, all advance
/// by as many rounds as the first one needs, so that large debts cost no walking.
FlowNode& next_child(FlowNode& node, double quantum) {
  node.turn = quantum;
  std::size_t turns = 0;
  for (;;) {
    FlowNode::Round& round = node.fresh.empty() ? node.old : node.fresh;
    FlowNode& child = round.front();
    if (may_go(child)) return child;
    round.pop_front();
    child.credit += quantum * child.weight;
    child.in_fresh = false;
    node.old.push_back(child);
    node.rounds += 1.0 / static_cast<double>(node.busy);
    if (++turns <= node.busy) continue;
    turns = 0;
    double rounds = std::numeric_limits<double>::max();
    for (const FlowNode& one : node.old) {
      rounds = std::min(rounds, std::max(-one.credit / (quantum * one.weight), 0.0));
    }
    for (FlowNode& one : node.old) one.credit += rounds * quantum * one.weight;
    node.rounds += rounds;
  }
}

/// By the rounds that went by while it was away.
double paid_away(const FlowNode& node) {
  return (node.parent->rounds - node.left_at) * node.parent->turn * node.weight;
}

/// What was paid while it was away settles what it owes, but leaves it nothing to spend.
void settle(FlowNode& node, std::uint64_t epoch) {
  if (node.epoch != epoch) {
    node.credit = 0;
  } else {
    node.credit = std::min(node.credit + paid_away(node), 0.0);
  }
  node.epoch = epoch;
  node.left_at = node.parent->rounds;
}

void become_busy(FlowNode& node, std::uint64_t epoch, TimePoint now) {
  FlowNode& parent = *node.parent;
  ++parent.busy;
  if (node.epoch != epoch) node.pace = Duration::zero();
  node.served = now;
  settle(node, epoch);
  // Newcomers go first; who owes waits for the round to come by.
  node.in_fresh = node.credit >= 0;
  parent.round_of(node.in_fresh).push_back(node);
}

void note_pace(FlowNode& node, TimePoint now) {
  constexpr int kMemory = 16;
  const Duration last = now - std::exchange(node.served, now);
  node.pace = node.pace == Duration::zero() ? last : node.pace + (last - node.pace) / kMemory;
}

void become_idle(FlowNode& node) {
  FlowNode& parent = *node.parent;
  --parent.busy;
  node.left_at = parent.rounds;
  parent.round_of(node.in_fresh).erase(FlowNode::Round::s_iterator_to(node));
}

}  // namespace

Class Ticket::importance() const { return flow_->importance; }

Flow::Flow(FlowNode& node) : node_(&node) { ++node.holders; }

Flow::~Flow() {
  if (node_) --node_->holders;
}

Class Flow::importance() const { return node_->importance; }

FairQueue::FairQueue() : root_(std::make_unique<FlowNode>()), salt_(std::random_device{}()) {
  constexpr std::array<double, kClasses> kWeights{8, 4, 2, 1};
  for (std::size_t i = 0; i < kClasses; ++i) {
    classes_[i] = &child(*root_, i, kWeights[i]);
    classes_[i]->importance = static_cast<Class>(i);
  }
}

FairQueue::~FairQueue() {
  visit([this](Ticket& ticket) { erase(ticket); });
}

FlowNode& FairQueue::child(FlowNode& parent, std::uint64_t key, double weight) {
  std::unique_ptr<FlowNode>& node = parent.children[key];
  if (!node) {
    node = std::make_unique<FlowNode>();
    node->parent = &parent;
    node->key = key;
    node->weight = weight;
    node->importance = parent.importance;
  }
  return *node;
}

FlowNode& FairQueue::source_node(Class importance, std::uint64_t key) {
  FlowNode& top = *classes_[static_cast<std::size_t>(importance)];
  if (top.children.size() >= kExactSources && !top.children.contains(key)) {
    key = ~(std::hash<std::uint64_t>{}(key ^ salt_) * 0x9E3779B97F4A7C15U >> 32U) % kBuckets;
  }
  return child(top, key, 1);
}

Flow FairQueue::flow(Class importance, const Source& source, std::string_view application) {
  const std::uint64_t name = std::hash<std::string_view>{}(application) ^ salt_;
  return Flow(child(source_node(importance, source.key), name % kApplications, 1));
}

Flow FairQueue::sibling(const Flow& flow, Class importance) {
  const FlowNode& leaf = *flow.node();
  return Flow(child(source_node(importance, leaf.parent->key), leaf.key, 1));
}

void FairQueue::push(Ticket& ticket, const Flow& flow, TimePoint now) {
  FlowNode& leaf = *flow.node();
  ticket.flow_ = &leaf;
  ticket.since_ = now;
  leaf.queue.push_back(ticket);
  ages_[static_cast<std::size_t>(leaf.importance)].push_back(ticket);
  for (FlowNode* node = &leaf; node; node = node->parent) {
    node->used = now;
    if (node->waiting++ == 0 && node->parent) become_busy(*node, epoch_, now);
  }
}

void FairQueue::unlink(Ticket& ticket) {
  FlowNode& leaf = *ticket.flow_;
  leaf.queue.erase(FlowNode::Tickets::s_iterator_to(ticket));
  ages_[static_cast<std::size_t>(leaf.importance)].erase(AgeList::s_iterator_to(ticket));
  for (FlowNode* node = &leaf; node; node = node->parent) {
    if (--node->waiting == 0 && node->parent) become_idle(*node);
  }
}

void FairQueue::erase(Ticket& ticket) {
  unlink(ticket);
  if (root_->waiting == 0) ++epoch_;
}

Ticket* FairQueue::pick(Order order, Duration cost, TimePoint now) {
  if (root_->waiting == 0) return nullptr;
  const double quantum = std::max(ns(cost), 1.0);
  FlowNode* node = root_.get();
  while (node->queue.empty()) {
    FlowNode& chosen = next_child(*node, quantum);
    node = &chosen;
  }
  Ticket& ticket = order == Order::newest_first ? node->queue.back() : node->queue.front();
  charge(node, Duration(static_cast<Duration::rep>(quantum)), now);
  note_pace(*node->parent, now);
  unlink(ticket);
  if (root_->waiting == 0) ++epoch_;
  return &ticket;
}

void FairQueue::charge(FlowNode* node, Duration cost, TimePoint now) {
  for (; node && node->parent; node = node->parent) {
    node->used = now;
    if (root_->waiting == 0) continue;
    if (node->waiting == 0) settle(*node, epoch_);
    // Cheaper than was charged in advance is worth one turn at most: refunds saved up would let it
    // run ahead of all others.
    node->credit = std::min(node->credit - ns(cost), node->parent->turn * node->weight);
  }
}

std::size_t FairQueue::size() const { return root_->waiting; }

std::size_t FairQueue::waiting(Class importance) const {
  return classes_[static_cast<std::size_t>(importance)]->waiting;
}

Class FairQueue::least_important() const {
  std::size_t least = kClasses - 1;
  while (classes_[least]->waiting == 0) --least;
  return static_cast<Class>(least);
}

std::size_t FairQueue::waiting_up_to(Class importance) const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(importance); ++i)
    sum += classes_[i]->waiting;
  return sum;
}

std::size_t FairQueue::waiting_beside(const Flow& flow) { return flow.node()->parent->waiting; }

std::size_t FairQueue::turns_beside(const Flow& flow) {
  const FlowNode& source = *flow.node()->parent;
  return source.parent->busy + (source.waiting == 0 ? 1 : 0);
}

Duration FairQueue::standing(const Flow& flow) const {
  const FlowNode& source = *flow.node()->parent;
  return source.epoch == epoch_ ? source.pace * static_cast<Duration::rep>(source.waiting)
                                : Duration::zero();
}

Duration FairQueue::debt(const Flow& flow) const {
  const FlowNode& source = *flow.node()->parent;
  if (source.epoch != epoch_) return Duration::zero();
  const double credit = source.waiting != 0 ? source.credit : source.credit + paid_away(source);
  return Duration(static_cast<Duration::rep>(std::max(-credit, 0.0)));
}

const Ticket* FairQueue::oldest(Class importance) const {
  const AgeList& list = ages_[static_cast<std::size_t>(importance)];
  return list.empty() ? nullptr : &list.front();
}

TimePoint FairQueue::oldest_since() const {
  TimePoint since = TimePoint::max();
  for (const AgeList& list : ages_) {
    if (!list.empty()) since = std::min(since, list.front().since());
  }
  return since;
}

bool FairQueue::modest(const Ticket& ticket) {
  const FlowNode& source = *ticket.flow_->parent;
  return source.waiting * 4 * source.parent->busy < source.parent->waiting;
}

bool FairQueue::greedy(const Ticket& ticket) {
  const FlowNode& source = *ticket.flow_->parent;
  return source.waiting * source.parent->busy >= source.parent->waiting;
}

Ticket& FairQueue::victim() {
  const auto least = static_cast<std::size_t>(least_important());
  const FlowNode* fattest = nullptr;
  // Who waits is in one of the rounds, and in the queue of one of its source's leaves.
  for (const auto* round : {&classes_[least]->fresh, &classes_[least]->old}) {
    for (const FlowNode& source : *round) {
      if (!fattest || source.waiting > fattest->waiting) fattest = &source;
    }
  }
  assert(fattest != nullptr);
  Ticket* oldest = nullptr;
  for (const auto& [key, leaf] : fattest->children) {
    if (leaf->queue.empty()) continue;
    if (!oldest || leaf->queue.front().since() < oldest->since()) oldest = &leaf->queue.front();
  }
  assert(oldest != nullptr);
  return *oldest;
}

void FairQueue::visit_sources(
    const std::function<void(std::uint64_t key, TimePoint used)>& each) const {
  for (const FlowNode* top : classes_) {
    for (const auto& [key, source] : top->children) each(key, source->used);
  }
}

void FairQueue::sweep(TimePoint now, Duration idle) {
  for (FlowNode* top : classes_) {
    std::erase_if(top->children, [&](auto& entry) {
      FlowNode& source = *entry.second;
      if (source.waiting > 0 || now - source.used < idle) return false;
      std::erase_if(source.children, [](const auto& leaf) { return leaf.second->holders == 0; });
      return source.children.empty();
    });
  }
}

}  // namespace weirpool::proxy::admission
