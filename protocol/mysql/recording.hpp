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

/// The most that is kept, bytes. Of a longer result the rows that fit are kept, and its end. What a
/// server says by default are 64 warnings of at most half a kilobyte.
inline constexpr std::size_t kMaxRecording = 64 * 1024;

class Recording final : public Engine {
 public:
  Recording(const ServerState& backend, std::string_view sql);

  Verdict step(Party from, MutableBytes unread) override;
  /// After done: the packets as a backend sends them, numbered from 1; empty: there is no result.
  std::vector<std::uint8_t> take() { return std::move(kept_); }
  /// After done: of the last row, if it was kept; NULL is empty. Before take().
  std::string_view value(std::size_t column = 0) const;
  /// The status of the result's end.
  std::uint16_t status() const { return status_; }
  /// The result's end said that the session has changed: what MySQL could not report with an error
  /// it reports then.
  bool session_changed() const { return session_changed_; }
  /// Not all of it was kept.
  bool cut() const { return cut_; }

 private:
  enum class Phase : std::uint8_t { send, count, definitions, rows, finished };
  /// False: the reply is not one.
  bool accept(Bytes payload);
  Verdict pass_over(FrameHeader header);
  void note_changes(Bytes changes);
  void keep(Bytes payload);

  Phase phase_ = Phase::send;
  const bool numbered_;        ///< the ids of the backend's packets count
  std::uint8_t sequence_ = 1;  ///< of the next packet
  std::uint8_t kept_packets_ = 0;
  std::uint64_t definitions_ = 0;
  std::uint16_t status_ = 0;
  bool session_changed_ = false;
  bool cut_ = false;
  std::size_t row_at_ = 0;  ///< in kept_; 0: none
  Writer command_;
  PacketCollector packet_;
  std::vector<std::uint8_t> kept_;
};

}  // namespace weirpool::protocol::mysql
