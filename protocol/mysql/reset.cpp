#include "protocol/mysql/reset.hpp"

#include "protocol/mysql/commands.hpp"

namespace weirpool::protocol::mysql {
namespace {

class Reset final : public Engine {
 public:
  explicit Reset(ServerState& state) : state_(state), exchange_(state) {
    exchange_.expect(state.write_reset(exchange_.commands()));
    if (state.session.schema != state.login_schema()) {
      write_command(exchange_.commands(), com::init_db, state.login_schema());
      exchange_.expect(1);
    }
  }

  Verdict step(Party from, MutableBytes unread) override {
    if (state_.beyond_reset()) return Verdict::close(Fault::backend_lost);
    const Verdict verdict = exchange_.step(from, unread);
    if (verdict.kind == Verdict::Kind::done) {
      state_.was_reset();
      state_.session.schema = state_.login_schema();
    }
    return verdict;
  }

 private:
  ServerState& state_;
  Exchange exchange_;
};

}  // namespace

std::unique_ptr<Engine> make_reset(ServerState& state) { return std::make_unique<Reset>(state); }

}  // namespace weirpool::protocol::mysql
