// Does this server write? read_only is what operators and failover tools set on a replica,
// innodb_read_only what Aurora's readers have.
//
//   p->b  COM_QUERY   p<-b  column count, definitions, one row, OK   then done
#pragma once

#include "protocol/engine.hpp"
#include "protocol/mysql/backend_state.hpp"
#include "protocol/mysql/frame.hpp"

namespace weirpool::protocol::mysql {

class ServerRoleProbe final : public RoleProbe {
 public:
  ServerRoleProbe();

  Verdict step(Party from, MutableBytes unread) override;
  ServerRole role() const override { return role_; }

 private:
  enum class Phase : std::uint8_t { send, count, definitions, row, end, finished };
  bool accept(Bytes payload);

  Phase phase_ = Phase::send;
  unsigned definitions_ = 0;
  Writer command_;
  PacketCollector packet_;
  ServerRole role_;
};

}  // namespace weirpool::protocol::mysql
