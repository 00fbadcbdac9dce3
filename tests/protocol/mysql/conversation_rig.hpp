// A conversation on a wire, with backends to lease.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "protocol/mysql/conversation.hpp"
#include "tests/protocol/mysql/wire_text.hpp"
#include "tests/support/wire_script.hpp"

namespace weirpool::test::mysql {

inline constexpr std::uint64_t kModern =
    kOfferedToClients & ~kVariantBits & ~cap::compress & ~cap::zstd;
inline constexpr std::uint64_t kOldEof = kModern & ~(cap::deprecate_eof | cap::session_track);

inline std::shared_ptr<const Facts> facts(std::string version = "9.7.0") {
  auto made = std::make_shared<Facts>();
  made->version = std::move(version);
  made->plugin = kSha2Plugin;
  made->collation = 45;
  made->status = status::autocommit;
  return made;
}

inline ConversationStart start(std::uint64_t capabilities = kModern,
                               std::string version = "9.7.0") {
  ConversationStart made;
  made.capabilities = capabilities;
  made.collation = 45;
  made.schema = "shop";
  made.catalog = std::make_shared<Catalog>(2);
  made.facts = facts(std::move(version));
  return made;
}

/// A result of one column and two rows.
inline std::string rows_reply() { return count(1, 1) + definition(2) + row(3) + row(4) + end(5); }

/// What SHOW WARNINGS says where there is nothing to say.
inline std::string no_warnings() {
  return count(1, 3) + definition(2) + definition(3) + definition(4) + end(5);
}

/// One client and one backend, logged in to schema `login_schema`.
struct Rig {
  explicit Rig(ConversationStart from = start(), const std::string& login_schema = "shop")
      : backend(from.facts, variant_of(from.capabilities), login_schema, 7,
                from.catalog->max_backend_statements()),
        conversation(std::move(from)),
        wire(conversation, [this](const Verdict& verdict, Wire&) { answer(verdict); }) {
    backend.status = status::autocommit;
  }

  void answer(const Verdict& verdict) {
    if (verdict.kind == Kind::lease && refusal == Fault::none) conversation.attach(backend);
    if (verdict.kind == Kind::lease && refusal != Fault::none) conversation.refuse(refusal, "");
    if (verdict.kind == Kind::kill) conversation.killed(kill_result);
    if (verdict.kind == Kind::release) {
      EXPECT_TRUE(conversation.at_boundary());
      reset_on_release = conversation.needs_reset();
      resets += reset_on_release ? 1U : 0U;
      conversation.detach();
    }
  }
  void client(const std::string& bytes) { wire.feed(Party::client, bytes); }
  void server(const std::string& bytes) { wire.feed(Party::backend, bytes); }
  std::size_t releases() const { return wire.count(Kind::release); }
  std::size_t leases() const { return wire.count(Kind::lease); }
  std::string pin() const { return std::string(conversation.pin_reason()); }

  ServerState backend;
  ServerConversation conversation;
  Wire wire;
  Fault refusal = Fault::none;
  bool reset_on_release = false;
  KillResult kill_result = KillResult::done;
  unsigned resets = 0;  ///< releases after which the backend is to be washed
};

}  // namespace weirpool::test::mysql
