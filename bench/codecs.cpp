// Micro-benchmarks of what the engines do per transaction, without sockets: the steps of a
// conversation and the look at a statement's text. Google Benchmark; build/bench/bench/codecs.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "protocol/mysql/conversation.hpp"
#include "protocol/mysql/session_text.hpp"
#include "protocol/postgres/conversation.hpp"
#include "protocol/postgres/session_text.hpp"
#include "tests/protocol/mysql/wire_text.hpp"
#include "tests/protocol/postgres/wire_text.hpp"

namespace {

using namespace weirpool::protocol;
namespace pg = weirpool::test::pg;
namespace my = weirpool::test::mysql;

const std::string kSelect = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;";

/// Plays the proxy: moves all bytes, leases when asked to, releases when told to.
void play(Conversation& conversation, Party from, std::string& bytes, BackendState& backend) {
  std::size_t at = 0;
  for (;;) {
    const MutableBytes unread(reinterpret_cast<std::uint8_t*>(bytes.data()) + at,
                              bytes.size() - at);
    const Verdict verdict = conversation.step(from, unread);
    switch (verdict.kind) {
      case Verdict::Kind::forward:
      case Verdict::Kind::skip: at += static_cast<std::size_t>(verdict.count); break;
      case Verdict::Kind::send: break;
      case Verdict::Kind::lease: conversation.attach(backend); break;
      case Verdict::Kind::release: conversation.detach(); return;
      default: return;
    }
  }
}

/// One request and its answer, again and again. Engines may rewrite in place, hence the copies.
void repeat(benchmark::State& state, Conversation& conversation, BackendState& backend,
            const std::string& request, const std::string& answer) {
  std::string asked;
  std::string told;
  for (auto _ : state) {
    asked = request;
    told = answer;
    play(conversation, Party::client, asked, backend);
    play(conversation, Party::backend, told, backend);
    if (!conversation.at_boundary()) state.SkipWithError("the transaction does not end");
  }
}

struct Postgres {
  Postgres() { backend.parameters.login_finished(); }

  std::shared_ptr<postgres::Catalog> catalog = std::make_shared<postgres::Catalog>(100);
  postgres::Backend backend{100};
  postgres::PostgresConversation conversation{catalog, catalog->profiles.of({})};
};

void postgres_simple(benchmark::State& state) {
  Postgres rig;
  repeat(state, rig.conversation, rig.backend, pg::query(kSelect),
         pg::row_description() + pg::row() + pg::command("SELECT 1") + pg::ready());
}
BENCHMARK(postgres_simple);

void postgres_extended(benchmark::State& state) {
  Postgres rig;
  repeat(state, rig.conversation, rig.backend,
         pg::parse("", kSelect) + pg::bind_to("", "") + pg::describe('P', "") + pg::execute() +
             pg::sync(),
         pg::parse_complete() + pg::bind_complete() + pg::row_description() + pg::row() +
             pg::command("SELECT 1") + pg::ready());
}
BENCHMARK(postgres_extended);

void postgres_prepared(benchmark::State& state) {
  Postgres rig;
  std::string parsed = pg::parse("p1", kSelect) + pg::sync();
  std::string told = pg::parse_complete() + pg::ready();
  play(rig.conversation, Party::client, parsed, rig.backend);
  play(rig.conversation, Party::backend, told, rig.backend);
  repeat(state, rig.conversation, rig.backend,
         pg::bind_to("", "p1") + pg::describe('P', "") + pg::execute() + pg::sync(),
         pg::bind_complete() + pg::row_description() + pg::row() + pg::command("SELECT 1") +
             pg::ready());
}
BENCHMARK(postgres_prepared);

void postgres_text(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(postgres::effects_of(kSelect));
}
BENCHMARK(postgres_text);

void mysql_query(benchmark::State& state) {
  auto facts = std::make_shared<mysql::Facts>();
  facts->version = "9.7.0";
  facts->plugin = mysql::kSha2Plugin;
  facts->collation = 45;
  facts->status = mysql::status::autocommit;
  mysql::ConversationStart start;
  start.capabilities = mysql::kOfferedToClients & ~mysql::kVariantBits;
  start.collation = 45;
  start.schema = "shop";
  start.facts = facts;
  mysql::ServerState backend(facts, 0, "shop", 7);
  backend.status = mysql::status::autocommit;
  mysql::ServerConversation conversation(std::move(start));
  repeat(state, conversation, backend, my::query(kSelect),
         my::count(1, 1) + my::definition(2) + my::row(3) + my::end(4));
}
BENCHMARK(mysql_query);

}  // namespace

BENCHMARK_MAIN();
