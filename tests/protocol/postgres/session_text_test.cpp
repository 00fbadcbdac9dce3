#include "protocol/postgres/session_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weirpool::protocol::postgres {
namespace {

const std::vector<std::pair<std::string, Effects>> kTexts{
    // What follows the client by itself, or ends with its transaction.
    {"", 0},
    {"select 1", 0},
    {"set timezone = 'UTC'", 0},
    {"SET TIME ZONE 'UTC'", 0},
    {"set application_name to 'x'", 0},
    {"set session DateStyle = iso", 0},
    {"set names 'utf8'", 0},
    {"set local work_mem = '1MB'", 0},
    {"set transaction isolation level serializable", 0},
    {"set constraints all deferred", 0},
    {"reset timezone", 0},
    {"update t set a = 1", 0},
    {"begin; update t set a = 1; commit", 0},
    {"prepare transaction 'x'", 0},
    {"declare c cursor for select 1", 0},
    {"declare c cursor without hold for select 1", 0},
    {"create table template (temporary int)", 0},
    {"select temp from weather", 0},
    {"select pg_advisory_xact_lock(1)", 0},
    {"select pg_advisory_unlock(1)", 0},
    {"discard all", 0},
    {"unlisten *", 0},
    // What stays.
    {"set work_mem = '1MB'", kPinSet},
    {"/* hi */ -- there\n SET\nsearch_path = x", kPinSet},
    {"set standard_conforming_strings = off", kPinSet},
    {"set role admin", kPinSet},
    {"set session authorization x", kPinSet},
    {"set session characteristics as transaction read only", kPinSet},
    {"set \"work_mem\" = 1", kPinSet},
    {"set a_name_that_is_far_too_long_to_be_a_parameter = 1", kPinSet},
    {"reset work_mem", kPinSet},
    {"reset role", kPinSet},
    {"reset all", kResetAll},
    {"select 1;set work_mem = 1", kPinSet},
    {"select 1; ;\n set work_mem = 1; select 2", kPinSet},
    {"listen x", kPinListen},
    {"prepare p as select 1", kPinPrepare},
    {"declare c cursor with hold for select 1", kPinWithHold},
    {"create temp table t (a int)", kPinTemporary},
    {"CREATE LOCAL TEMPORARY TABLE t (a int)", kPinTemporary},
    {"create or replace temp view v as select 1", kPinTemporary},
    {"select 1 into temp t", kPinTemporary},
    {"explain analyze create temp table t as select 1", kPinTemporary},
    {"create table pg_temp.t (a int)", kPinTemporary},
    {"load 'lib'", kPinLoad},
    {"select set_config('work_mem', '1MB', false)", kPinSetConfig},
    {"select pg_catalog.\"set_config\"('a', 'b', false)", kPinSetConfig},
    {"select pg_advisory_lock(1)", kPinAdvisoryLock},
    {"select pg_try_advisory_lock_shared(1, 2)", kPinAdvisoryLock},
    {"listen a; set b = 1", kPinListen | kPinSet},
    // Quoted and commented text says nothing, and hides nothing behind it.
    {"select 'a; set b = 1'", 0},
    {"select 'it''s; set b = 1'", 0},
    {"select E'it\\'s; set b = 1'", 0},
    {"select 'x\\'; set b = 1", kPinSet},
    {"select \"a; set b = 1\"", 0},
    {"select 1 -- ; set b = 1", 0},
    {"select 1 -- \n; set b = 1", kPinSet},
    {"select 1 /* ; set b = 1 */", 0},
    {"select 1 /* /* */ ; set b = 1 */", 0},
    {"select 1 /*/ ; set b = 1 */", 0},
    {"select 1 /**/; set b = 1", kPinSet},
    {"select 1 /* */* 2; set b = 1 /* */", kPinSet},
    {"do $$ ; set b = 1; $$", 0},
    {"do $x$ $$ ; set b = 1; $$ $x$", 0},
    {"do $x$ $y$ $x$; set b = 1", kPinSet},
    {"do $$ $ $$; set b = 1", kPinSet},
    {"select $1; set b = 1", kPinSet},
    {"select $1, $2 ; set b = $3", kPinSet},
    {"select 1$$ $$; set b = 1", kPinSet},
    {"select a$b; set b = 1", kPinSet},
    {"select name'x'; set b = 1", kPinSet},
    {"select \"e\"'a\\'; set b = 1", kPinSet},
};

TEST(SessionText, EveryTextHasItsEffects) {
  for (const auto& [text, effects] : kTexts) EXPECT_EQ(effects_of(text), effects) << text;
}

TEST(SessionText, PiecesDoNotMatter) {
  for (const auto& [text, effects] : kTexts) {
    TextScan bytewise;
    for (const char c : text) bytewise.feed(std::string_view(&c, 1));
    EXPECT_EQ(bytewise.finish(), effects) << text;
    for (std::size_t at = 0; at <= text.size(); ++at) {
      TextScan scan;
      scan.feed(std::string_view(text).substr(0, at));
      scan.feed(std::string_view(text).substr(at));
      EXPECT_EQ(scan.finish(), effects) << text << " at " << at;
    }
  }
}

TEST(SessionText, EveryPinHasALabel) {
  for (Effects bit = 1; bit <= kPins; bit = static_cast<Effects>(bit << 1)) {
    EXPECT_FALSE(pin_label(bit).empty()) << bit;
  }
  EXPECT_EQ(pin_label(0), "");
  EXPECT_EQ(pin_label(kResetAll), "");
}

}  // namespace
}  // namespace weirpool::protocol::postgres
