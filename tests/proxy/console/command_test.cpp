#include "proxy/console/command.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weirpool::console {
namespace {

std::string read(std::string_view text) {
  const Command command = parse(text);
  return std::to_string(static_cast<int>(command.verb)) + "|" + command.name + "|" + command.value;
}

std::string made(Verb verb, const std::string& name = {}, const std::string& value = {}) {
  return std::to_string(static_cast<int>(verb)) + "|" + name + "|" + value;
}

TEST(CommandTest, ShowWhatever) {
  EXPECT_EQ(read("show pools"), made(Verb::show, "POOLS"));
  EXPECT_EQ(read("SELECT Stats"), made(Verb::show, "STATS"));
  EXPECT_EQ(read("show stats_totals"), made(Verb::show, "STATS_TOTALS"));
  EXPECT_EQ(read("SHOW STATS TOTALS"), made(Verb::show, "STATS_TOTALS"));
  EXPECT_EQ(read("SHOW"), made(Verb::invalid));
}

TEST(CommandTest, WhatDriversAskAServerAboutItself) {
  EXPECT_EQ(read("show transaction isolation level"),
            made(Verb::constant, "transaction_isolation", "read committed"));
  EXPECT_EQ(read("SHOW client_encoding"), made(Verb::constant, "client_encoding", "UTF8"));
  EXPECT_EQ(read("select 1"), made(Verb::constant, "?column?", "1"));
  EXPECT_EQ(read("SELECT version()"), made(Verb::show, "VERSION"));
  EXPECT_EQ(read("select pg_catalog.version()"), made(Verb::show, "VERSION"));
}

TEST(CommandTest, VerbsWithTheirArguments) {
  EXPECT_EQ(read("PAUSE"), made(Verb::pause));
  EXPECT_EQ(read("pause app"), made(Verb::pause, "app"));
  EXPECT_EQ(read("RESUME \"My App\""), made(Verb::resume, "My App"));
  EXPECT_EQ(read("DISABLE a"), made(Verb::disable, "a"));
  EXPECT_EQ(read("enable \"a\"\"b\""), made(Verb::enable, "a\"b"));
  EXPECT_EQ(read("RECONNECT"), made(Verb::reconnect));
  EXPECT_EQ(read("KILL app"), made(Verb::kill, "app"));
  EXPECT_EQ(read("KILL_CLIENT 17"), made(Verb::kill_client, "17"));
  EXPECT_EQ(read("WAIT_CLOSE"), made(Verb::wait_close));
  EXPECT_EQ(read("RELOAD"), made(Verb::reload));
  EXPECT_EQ(read("SHUTDOWN wait_for_clients"), made(Verb::shutdown, "WAIT_FOR_CLIENTS"));
  EXPECT_EQ(read("DRAIN"), made(Verb::shutdown, "WAIT_FOR_CLIENTS"));
  EXPECT_EQ(read("SUSPEND"), made(Verb::suspend));
}

TEST(CommandTest, WrongNumbersOfArgumentsAreNoCommands) {
  for (const char* text : {"DISABLE", "ENABLE", "KILL_CLIENT", "PAUSE a b", "RELOAD now", "FDS",
                           "SHOWPOOLS", "", "'PAUSE'", "=", "SET", "SET x", "SET x ="}) {
    EXPECT_EQ(read(text), made(Verb::invalid)) << text;
  }
}

TEST(CommandTest, Settings) {
  EXPECT_EQ(read("SET query_wait_timeout = 5"), made(Verb::set, "query_wait_timeout", "5"));
  EXPECT_EQ(read("set log.level to 'debug'"), made(Verb::set, "log.level", "debug"));
  EXPECT_EQ(read("SET max_client_conn='100'"), made(Verb::set, "max_client_conn", "100"));
}

TEST(CommandTest, HarmlessOnes) {
  for (const char* text :
       {"SET client_encoding TO 'UTF8'", "set DateStyle = 'ISO, MDY'", "SET extra_float_digits = 3",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET TIME ZONE 'UTC'",
        "SET LOCAL search_path = a", "SET application_name = 'x'", "SET NAMES 'utf8'"}) {
    EXPECT_EQ(read(text), made(Verb::harmless, "SET")) << text;
  }
  EXPECT_EQ(read("begin"), made(Verb::harmless, "BEGIN"));
  EXPECT_EQ(read("START TRANSACTION"), made(Verb::harmless, "BEGIN"));
  EXPECT_EQ(read("END"), made(Verb::harmless, "COMMIT"));
  EXPECT_EQ(read("rollback"), made(Verb::harmless, "ROLLBACK"));
  EXPECT_EQ(read("DISCARD ALL"), made(Verb::harmless, "DISCARD ALL"));
  EXPECT_EQ(read("DEALLOCATE ALL"), made(Verb::harmless, "DEALLOCATE"));
  EXPECT_EQ(read("CLOSE ALL"), made(Verb::harmless, "CLOSE CURSOR"));
  EXPECT_EQ(read("UNLISTEN *"), made(Verb::harmless, "UNLISTEN"));
  EXPECT_EQ(read("DISCARD"), made(Verb::invalid));
}

TEST(CommandTest, OnlyVerbsChangeAnything) {
  for (const Verb verb : {Verb::show, Verb::harmless, Verb::constant, Verb::invalid}) {
    EXPECT_FALSE(changes(verb));
  }
  for (const Verb verb : {Verb::set, Verb::pause, Verb::kill, Verb::kill_client, Verb::reload,
                          Verb::shutdown, Verb::wait_close, Verb::reconnect}) {
    EXPECT_TRUE(changes(verb));
  }
  EXPECT_EQ(tag_of(Verb::kill_client), "KILL_CLIENT");
  EXPECT_EQ(tag_of(Verb::shutdown), "SHUTDOWN");
  EXPECT_EQ(tag_of(Verb::set), "SET");
  EXPECT_EQ(tag_of(Verb::show), "SHOW");
}

}  // namespace
}  // namespace weirpool::console
