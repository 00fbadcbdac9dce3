#include "protocol/mysql/prepared.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::mysql {
namespace {

SessionState with(Variables variables, std::string schema = "shop") {
  SessionState state;
  state.collation = 45;
  state.schema = std::move(schema);
  state.variables = std::move(variables);
  return state;
}

struct Shelf {
  Catalog catalog{2};
  ContextRef context = catalog.context(with({}), nullptr);
  StatementRef make(std::string_view text) { return catalog.statement(context, text, {}); }
};

TEST(MysqlPrepared, AStatementIsItsTextUnderItsSettings) {
  Catalog catalog(1);
  const ContextRef plain = catalog.context(with({{"autocommit", "OFF"}}), nullptr);
  EXPECT_EQ(plain, catalog.context(with({{"wait_timeout", "5"}}), plain));
  EXPECT_EQ(plain, catalog.context(with({}), nullptr));
  const ContextRef ansi = catalog.context(with({{"sql_mode", "ANSI"}}), plain);
  const ContextRef other = catalog.context(with({}, "other"), plain);
  EXPECT_NE(plain, ansi);
  EXPECT_NE(plain, other);
  const StatementRef one = catalog.statement(plain, "select 1", {});
  EXPECT_EQ(one->text(), "select 1");
  EXPECT_EQ(one, catalog.statement(plain, "select 1", {}));
  EXPECT_NE(one, catalog.statement(other, "select 1", {}));
  EXPECT_NE(one, catalog.statement(plain, "select 2", {}));
  SessionText quoting;
  quoting.begin({.ansi_quotes = true});
  const StatementRef quoted = catalog.statement(plain, "select 1", quoting);
  EXPECT_NE(one, quoted) << "what it leaves behind depends on how quotes are read";
  EXPECT_EQ(quoted->text(), "select 1");
}

TEST(MysqlPrepared, OnlyWhatPrepareLooksAtIsSetForIt) {
  Catalog catalog(1);
  const auto then = catalog.context(with({{"autocommit", "ON"}, {"sql_mode", "ANSI"}}), nullptr);
  const SessionState now = with({{"autocommit", "OFF"}, {"time_zone", "+00:00"}}, "other");
  const SessionState target = with_context(now, *then);
  EXPECT_EQ(target.schema, "shop");
  EXPECT_EQ(target.variables, (Variables{{"autocommit", "OFF"}, {"sql_mode", "ANSI"}}));
  const auto nowhere = catalog.context(with({}, ""), nullptr);
  EXPECT_EQ(with_context(now, *nowhere).schema, "other");
}

TEST(MysqlPrepared, ClientsIds) {
  Shelf shelf;
  ClientStatements mine;
  EXPECT_EQ(mine.find(kLastPrepared), nullptr);
  const std::uint32_t a = mine.add({.statement = shelf.make("a")});
  const std::uint32_t b = mine.add({.statement = shelf.make("b")});
  EXPECT_NE(a, b);
  EXPECT_EQ(mine.find(kLastPrepared), mine.find(b));
  EXPECT_EQ(mine.find(0), nullptr);
  mine.erase(b);
  EXPECT_EQ(mine.find(kLastPrepared), nullptr);
  mine.add({.statement = shelf.make("c")});
  mine.none_last();
  EXPECT_EQ(mine.find(kLastPrepared), nullptr);
  mine.clear();
  EXPECT_EQ(mine.find(a), nullptr);
  EXPECT_NE(mine.add({.statement = shelf.make("a")}), a) << "an id that was valid once stays dead";
}

TEST(MysqlPrepared, WhatPinsAndWhatADetachedClientKeeps) {
  Shelf shelf;
  ClientStatements mine;
  const std::uint32_t shared = mine.add({.statement = shelf.make("a")});
  EXPECT_EQ(mine.pins(), 0u);
  mine.find(shared)->cursor = true;
  EXPECT_EQ(reason_of(mine.pins()), "cursor");
  mine.find(shared)->cursor = false;
  mine.find(shared)->long_data = true;
  EXPECT_EQ(reason_of(mine.pins()), "long_data");
  const std::uint32_t bound = mine.add({.statement = shelf.make("b"), .backend_id = 9});
  EXPECT_EQ(reason_of(mine.pins()), "prepared_statement");
  mine.detached();
  EXPECT_EQ(mine.pins(), 0u);
  EXPECT_NE(mine.find(shared), nullptr);
  EXPECT_EQ(mine.find(bound), nullptr);
}

TEST(MysqlPrepared, TextsOfAClientAreBounded) {
  Shelf shelf;
  ClientStatements mine;
  const std::string text(kMaxStatementText, 'x');
  std::uint32_t last = 0;
  for (std::size_t size = 0; size < kMaxClientText; size += text.size()) {
    EXPECT_TRUE(mine.room_for(text.size()));
    last = mine.add({.statement = shelf.make(text)});
  }
  EXPECT_FALSE(mine.room_for(1));
  mine.erase(last);
  EXPECT_TRUE(mine.room_for(text.size()));
}

TEST(MysqlPrepared, ABackendForgetsTheLeastRecentlyUsed) {
  Shelf shelf;
  BackendStatements there(2);
  const StatementRef a = shelf.make("a"), b = shelf.make("b"), c = shelf.make("c");
  there.add({a, 1});
  there.add({b, 2});
  EXPECT_EQ(there.find(*a)->id, 1u);
  there.add({c, 3});
  EXPECT_EQ(there.closing(), std::vector<std::uint32_t>{2});
  EXPECT_EQ(there.find(*b), nullptr);
  there.closed();
  there.add({a, 7});
  EXPECT_EQ(there.closing(), std::vector<std::uint32_t>{1}) << "the newer one stays";
  there.find(*a)->busy = true;
  there.add({b, 8});
  EXPECT_NE(there.find(*a), nullptr) << "it has a cursor";
  there.drop(*a);
  EXPECT_EQ(there.closing(), (std::vector<std::uint32_t>{1, 3, 7}));
  there.clear();
  EXPECT_EQ(there.size(), 0u);
  EXPECT_TRUE(there.closing().empty());
}

TEST(MysqlPrepared, AFullServerGetsSomeBack) {
  Shelf shelf;
  BackendStatements there(8);
  EXPECT_FALSE(there.shrink());
  for (std::uint32_t id = 1; id <= 4; ++id) there.add({shelf.make(std::to_string(id)), id});
  EXPECT_TRUE(there.shrink());
  EXPECT_EQ(there.closing(), (std::vector<std::uint32_t>{1, 2}));
  for (std::uint32_t id = 5; id <= 9; ++id) there.add({shelf.make(std::to_string(id)), id});
  EXPECT_EQ(there.size(), 3u) << "and no more are kept than it could bear";
}

TEST(MysqlPrepared, TheOthersOfAFullServerGiveSomeBackWhenTheyAreLent) {
  Shelf shelf;
  Catalog catalog(8);
  BackendStatements here(8), there(8), elsewhere(8);
  here.share(catalog.room_of("a"));
  there.share(catalog.room_of("a"));
  elsewhere.share(catalog.room_of("b"));
  for (BackendStatements* one : {&here, &there, &elsewhere}) {
    one->keep_to_room();
    for (std::uint32_t id = 1; id <= 7; ++id) one->add({shelf.make(std::to_string(id)), id});
  }
  EXPECT_TRUE(here.shrink());
  EXPECT_TRUE(there.closing().empty()) << "it is nobody's now, and its socket another thread's";
  there.keep_to_room();
  EXPECT_EQ(there.closing(), (std::vector<std::uint32_t>{1, 2, 3}));
  elsewhere.keep_to_room();
  EXPECT_TRUE(elsewhere.closing().empty()) << "another server";
  EXPECT_EQ(catalog.max_backend_statements(), 8u);
}

TEST(MysqlPrepared, WhoHasSeenTheSameRoomHalvesItOnce) {
  StatementRoom room(8);
  room.lower(8);
  room.lower(8);
  EXPECT_EQ(room.most(), 4u);
  for (int again = 0; again < 5; ++again) room.lower(room.most());
  EXPECT_EQ(room.most(), 1u);
}

}  // namespace
}  // namespace weirpool::protocol::mysql
