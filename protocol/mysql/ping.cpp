#include "protocol/mysql/ping.hpp"

#include "protocol/mysql/commands.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::uint16_t kInterrupted = 1317;

class Ping final : public Engine {
 public:
  explicit Ping(ServerState& state) : exchange_(state) {
    exchange_.go_on_after_errors();
    write_command(exchange_.commands(), com::ping);
    exchange_.expect(1);
  }

  Verdict step(Party from, MutableBytes unread) override {
    const Verdict verdict = exchange_.step(from, unread);
    const std::uint16_t refused = exchange_.refused().code;
    const bool failed = verdict.kind == Verdict::Kind::done && refused != 0;
    // A KILL QUERY that came too late for its statement hits this instead: that is the fence.
    return failed && refused != kInterrupted ? Verdict::close(Fault::backend_lost) : verdict;
  }

 private:
  Exchange exchange_;
};

}  // namespace

std::unique_ptr<Engine> make_ping(ServerState& state) { return std::make_unique<Ping>(state); }

}  // namespace weirpool::protocol::mysql
