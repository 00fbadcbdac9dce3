// Commands weirpool sends to a backend on its own account, replies swallowed. All of them go out in
// one write, so they may not depend on each other's success.
//   p->b  command …   p<-b  OK …   then done
// ERR or anything else ends it with close: the backend is not what it was thought to be.
#pragma once

#include <optional>
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
  /// COM_STMT_PREPARE has been appended; once. That it is refused is no failure of the exchange.
  void expect_prepared() {
    prepare_at_ = replies_;
    ++replies_;
  }
  /// A refused command does not end the exchange: see refused(). Without it, and behind a PREPARE,
  /// ERR closes.
  void go_on_after_errors() { tolerant_ = true; }
  /// Variables that the replies report are recorded in the backend's session too.
  void keep_tracking() { tracking_ = true; }

  Verdict step(Party from, MutableBytes unread) override;
  /// The first command that was refused.
  struct Refusal {
    std::uint16_t code = 0;  ///< 0: none was
    std::string state;
    std::string message;
  };
  const Refusal& refused() const { return refused_; }
  const std::optional<PrepareOk>& prepared() const { return prepared_; }
  /// The variables that keep_tracking() has recorded.
  const std::vector<std::string>& reported() const { return reported_; }
  /// The server's own words after close.
  const std::string& error() const { return error_; }

 private:
  enum class Phase : std::uint8_t { send, replies, finished };
  static constexpr unsigned kNoPrepare = ~0U;

  Verdict skip_definition(Bytes unread);
  bool accept(Bytes payload);
  bool accept_prepared(Bytes payload);
  bool accept_error(Bytes payload);

  ServerState* state_;
  Phase phase_ = Phase::send;
  bool tracking_ = false;
  bool tolerant_ = false;
  unsigned replies_ = 0;  ///< in all
  unsigned received_ = 0;
  unsigned prepare_at_ = kNoPrepare;  ///< which reply is PREPARE's
  std::uint32_t definitions_ = 0;     ///< still to come behind it
  std::optional<PrepareOk> prepared_;
  std::vector<std::string> reported_;
  Refusal refused_;
  Writer commands_;
  PacketCollector reply_;
  std::string error_;
};

}  // namespace weirpool::protocol::mysql
