// A conversation between one client and backends that a script plays.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "protocol/postgres/conversation.hpp"
#include "tests/protocol/postgres/wire_text.hpp"
#include "tests/support/wire_script.hpp"

namespace weirpool::test::pg {

namespace postgres = protocol::postgres;

/// A backend as it is after its login.
inline std::unique_ptr<postgres::Backend> fresh_backend(std::size_t max_prepared = 100) {
  auto backend = std::make_unique<postgres::Backend>(max_prepared);
  backend->process_id = 77;
  backend->parameters.report("server_version", "15.4");
  backend->parameters.report("client_encoding", "UTF8");
  backend->parameters.report("DateStyle", "ISO, MDY");
  backend->parameters.report("TimeZone", "UTC");
  backend->parameters.report("application_name", "");
  backend->parameters.report("is_superuser", "off");
  backend->parameters.login_finished();
  return backend;
}

/// Leases are answered with `backends` in turn, one per lease; the last one stays.
struct Rig {
  explicit Rig(std::vector<postgres::NamedValue> wanted = {}, std::uint32_t max_prepared = 100,
               const postgres::SessionPolicy& policy = {})
      : catalog(std::make_shared<postgres::Catalog>(max_prepared, policy)),
        conversation(catalog, catalog->profiles.of(std::move(wanted))),
        wire(conversation, [this](const Verdict& verdict, Wire&) { on_event(verdict); }) {
    backends.push_back(fresh_backend(max_prepared));
  }

  postgres::Backend& backend() { return *backends.back(); }

  void on_event(const Verdict& verdict) {
    if (verdict.kind == Kind::lease) {
      attached = true;
      if (refuse_with != Fault::none) {
        conversation.refuse(refuse_with, "busy");
        attached = false;
      } else {
        conversation.attach(*backends[std::min(leases, backends.size() - 1)]);
      }
      ++leases;
    } else if (verdict.kind == Kind::release) {
      ++releases;
      released_clean = conversation.at_boundary() && !conversation.needs_reset();
      conversation.detach();
      attached = false;
    }
  }

  postgres::CatalogRef catalog;
  std::vector<std::unique_ptr<postgres::Backend>> backends;
  postgres::PostgresConversation conversation;
  Wire wire;
  Fault refuse_with = Fault::none;
  std::size_t leases = 0;
  std::size_t releases = 0;
  bool attached = false;
  bool released_clean = false;
};

/// What both sides must have heard in the end, whatever pieces the script arrives in.
struct Outcome {
  std::string to_client;
  std::string to_backend;
  bool attached = false;
  Fault fault = Fault::none;
  bool operator==(const Outcome&) const = default;
};

using MakeRig = std::function<std::unique_ptr<Rig>()>;

inline Outcome outcome_of(Rig& rig, const Script& script, Cut cut = {}) {
  play(rig.wire, script, cut);
  EXPECT_EQ(rig.wire.breach(), "");
  return {rig.wire.to_client(), rig.wire.to_backend(), rig.attached, rig.wire.fault()};
}

/// Plays the script whole and cut at every byte of every line.
inline Outcome play_all_ways(
    const Script& script, const MakeRig& make = [] { return std::make_unique<Rig>(); }) {
  const auto whole_rig = make();
  const Outcome whole = outcome_of(*whole_rig, script);
  std::vector<std::size_t> lengths;
  for (const Line& line : script) lengths.push_back(line.make(whole_rig->wire).size());
  for_every_cut(lengths, [&](Cut cut) {
    const auto rig = make();
    EXPECT_EQ(outcome_of(*rig, script, cut), whole) << "line " << cut.line << " at " << cut.at;
  });
  return whole;
}

inline std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << "client heard " << tags(o.to_client) << ", backend heard " << tags(o.to_backend)
             << (o.attached ? ", attached" : ", detached") << ", fault "
             << protocol::row_of(o.fault).label;
}

}  // namespace weirpool::test::pg
