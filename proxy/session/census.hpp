// How many clients there are of each source, user and database, all workers together. Thread-safe;
// touched when a client comes, is known, and leaves.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace weirpool::proxy {

class Census {
  struct Count {
    std::uint32_t clients = 0;
    std::uint8_t kind = 0;
  };
  using Counts = std::unordered_map<std::string, Count>;

 public:
  enum class Kind : std::uint8_t { source, user, database, count_ };
  static constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::count_);

  /// One client counted under one name; its end takes it off.
  class Entry {
   public:
    Entry() = default;
    Entry(Entry&& other) noexcept
        : census_(std::exchange(other.census_, nullptr)), at_(other.at_) {}
    Entry& operator=(Entry&& other) noexcept {
      std::swap(census_, other.census_);
      std::swap(at_, other.at_);
      return *this;
    }
    ~Entry() {
      if (census_) census_->leave(*at_);
    }
    explicit operator bool() const { return census_ != nullptr; }

   private:
    friend class Census;
    Census* census_ = nullptr;
    const Counts::value_type* at_ = nullptr;  ///< does not move while it is counted
  };

  /// Empty when `most` are there already; zero: any number.
  Entry enter(Kind kind, const std::string& name, std::uint32_t most) {
    const auto number = static_cast<std::uint8_t>(kind);
    Entry entry;
    const std::lock_guard lock(mutex_);
    const auto at = counts_[number].try_emplace(name, Count{0, number}).first;
    if (most != 0 && at->second.clients >= most) return entry;
    ++at->second.clients;
    entry.census_ = this;
    entry.at_ = &*at;
    return entry;
  }

 private:
  void leave(const Counts::value_type& entry) {
    const std::lock_guard lock(mutex_);
    Counts& counts = counts_[entry.second.kind];
    const auto at = counts.find(entry.first);
    if (--at->second.clients == 0) counts.erase(at);
  }

  std::mutex mutex_;
  std::array<Counts, kKinds> counts_;
};

}  // namespace weirpool::proxy
