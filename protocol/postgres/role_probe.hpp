// Is this server a primary, and does it write? Source: libpq's own questions for
// target_session_attrs.
#pragma once

#include "protocol/postgres/round_trip.hpp"

namespace weirpool::protocol::postgres {

class RoleProbe final : public protocol::RoleProbe {
 public:
  explicit RoleProbe(Backend& backend) : question_(*this, backend) {}

  Verdict step(Party from, MutableBytes unread) override { return question_.step(from, unread); }
  ServerRole role() const override { return role_; }

 private:
  class Question final : public RoundTrip {
   public:
    Question(RoleProbe& owner, Backend& backend)
        : RoundTrip(backend,
                    "select pg_catalog.pg_is_in_recovery(), "
                    "pg_catalog.current_setting('transaction_read_only')"),
          owner_(owner) {}

   private:
    bool succeeded() override { return answered_; }
    bool failed(const ErrorResponse&) override { return false; }
    void row(Bytes payload) override;

    RoleProbe& owner_;
    bool answered_ = false;
  };

  Question question_;
  ServerRole role_;
};

}  // namespace weirpool::protocol::postgres
