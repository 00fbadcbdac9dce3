// One query on weirpool's own account whose whole result is kept, to be told to a client later.
//   p->b  command   p<-b  count, definitions, rows, end   then done
// An ERR ends it with done and nothing kept; anything that is no result, with close.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/mysql/backend_state.hpp"
#include "protocol/mysql/frame.hpp"

namespace weirpool::protocol::mysql {

/// The most that is kept, bytes. Of a longer result the rows that fit are kept, and its end.
inline constexpr std::size_t kMaxRecording = 64 * 1024;

class Recording final : public Engine {
 public:
  Recording(const ServerState& backend, std::string_view sql);

  Verdict step(Party from, MutableBytes unread) override;
  /// After done: the packets as a backend sends them, numbered from 1; empty: there is no result.
  std::vector<std::uint8_t> take() { return std::move(kept_); }
  /// After done: the only value of a result of one row and one column.
  const std::string& value() const { return value_; }
  /// The status of the result's end.
  std::uint16_t status() const { return status_; }

 private:
  enum class Phase : std::uint8_t { send, count, definitions, rows, finished };
  /// False: the reply is not one.
  bool accept(Bytes payload);
  void keep(Bytes payload);

  Phase phase_ = Phase::send;
  const bool numbered_;        ///< the ids of the backend's packets count
  std::uint8_t sequence_ = 1;  ///< of the next packet
  std::uint8_t kept_packets_ = 0;
  std::uint64_t definitions_ = 0;
  std::uint16_t status_ = 0;
  std::string value_;
  Writer command_;
  PacketCollector packet_;
  std::vector<std::uint8_t> kept_;
};

}  // namespace weirpool::protocol::mysql
