// Commands weirpool sends to a backend on its own account, replies swallowed. All of them go out in
// one write, so they may not depend on each other's success.
//   p->b  command …   p<-b  OK …   then done
// ERR or anything else ends it with close: the backend is not what it was thought to be.
#pragma once

#include <string>

#include "protocol/engine.hpp"
#include "protocol/mysql/backend_state.hpp"
#include "protocol/mysql/command_messages.hpp"
#include "protocol/mysql/frame.hpp"

namespace weirpool::protocol::mysql {

/// The longest OK or ERR packet that is put together, payload bytes.
inline constexpr std::size_t kMaxReply = 64 * 1024;

class Exchange final : public Engine {
 public:
  explicit Exchange(ServerState& state) : state_(&state), reply_(kMaxReply) {}

  /// Where to append the commands before the first step().
  Writer& commands() { return commands_; }
  void expect(unsigned replies) { replies_ += replies; }
  /// Variables that the replies report are recorded in the backend's session too.
  void keep_tracking() { tracking_ = true; }

  Verdict step(Party from, MutableBytes unread) override;
  /// The server's own words after close.
  const std::string& error() const { return error_; }

 private:
  enum class Phase : std::uint8_t { send, replies, finished };
  bool accept(Bytes payload);

  ServerState* state_;
  Phase phase_ = Phase::send;
  bool tracking_ = false;
  unsigned replies_ = 0;
  Writer commands_;
  PacketCollector reply_;
  std::string error_;
};

}  // namespace weirpool::protocol::mysql
