// Equal values of many clients kept once: the same pointer means the same value, and another one
// another value unless it has been retired. Thread-safe; the mutex is touched when a value is made
// or its last user goes, never to use one.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weirpool::protocol {

/// T has `std::string_view key() const`, constant and unique to its value. Must be owned by a
/// std::shared_ptr; values may outlive it.
template <class T>
class Interner : public std::enable_shared_from_this<Interner<T>> {
 public:
  /// The value with this key, made by `make()` if nobody holds it.
  template <class Make>
  std::shared_ptr<const T> intern(std::string_view key, Make make) {
    const std::lock_guard lock(mutex_);
    const auto found = table_.find(key);
    if (found != table_.end()) {
      if (auto live = found->second.lock()) return live;
      table_.erase(found);
    }
    std::unique_ptr<const T> owned(new T(make()));  // in place: T need not be movable
    const auto forget = [table = this->weak_from_this()](const T* gone) {
      if (const auto self = table.lock()) self->forget(*gone);
      delete gone;
    };
    std::shared_ptr<const T> fresh(owned.release(), forget);
    table_.emplace(fresh->key(), fresh);
    return fresh;
  }

  /// From now on `value` is nobody's any more: who asks for it gets another one, who has it keeps
  /// it.
  void retire(const T& value) { forget(value); }
  void retire_all() {
    const std::lock_guard lock(mutex_);
    table_.clear();
  }

  /// each(value, how many hold it), of those that have not been retired
  template <class Each>
  void visit(Each each) const {
    std::vector<std::shared_ptr<const T>> held;  // the last holder's deleter takes the mutex
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [key, value] : table_) {
        if (auto live = value.lock()) held.push_back(std::move(live));
      }
    }
    for (const auto& value : held) {
      each(*value, static_cast<std::size_t>(value.use_count() - 1));
    }
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return table_.size();
  }

 private:
  void forget(const T& gone) {
    const std::lock_guard lock(mutex_);
    const auto found = table_.find(gone.key());
    // A value that expired may already have been replaced by its successor, whose key is elsewhere.
    if (found != table_.end() && found->first.data() == gone.key().data()) table_.erase(found);
  }

  mutable std::mutex mutex_;
  std::unordered_map<std::string_view, std::weak_ptr<const T>> table_;
};

}  // namespace weirpool::protocol
