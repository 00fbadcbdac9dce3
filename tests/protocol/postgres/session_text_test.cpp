#include "protocol/postgres/session_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weirpool::protocol::postgres {
namespace {

/// Names in the order of the text, those that go back to their default with a minus in front.
struct Text {
  std::string text;
  Effects bits;
  std::string settings;
};

const std::vector<Text> kTexts{
    // What ends with its transaction, or is nothing.
    {"", 0, ""},
    {"select 1", 0, ""},
    {"update t set a = 1", 0, ""},
    {"begin; update t set a = 1; commit", 0, ""},
    {"insert into t values (1) on conflict do update set a = 1", 0, ""},
    {"prepare transaction 'x'", 0, ""},
    {"declare c cursor for select 1", 0, ""},
    {"declare c cursor without hold for select 1", 0, ""},
    {"create table template (temporary int)", 0, ""},
    {"select temp from weather", 0, ""},
    {"select pg_advisory_xact_lock(1)", 0, ""},
    {"set local work_mem = '1MB'", kLocal, ""},
    {"set local role x", kLocal, ""},
    {"set transaction isolation level serializable", kLocal, ""},
    {"set transaction_isolation = serializable", kLocal, ""},
    {"set constraints all deferred", kLocal, ""},
    {"select set_config('a.b', $1, true), set_config($2, x || '(,', TRUE)", kLocal, ""},
    // Parameters by name.
    {"set timezone = 'UTC'", kSettings, "timezone"},
    {"SET TIME ZONE 'UTC'", kSettings, "timezone"},
    {"set time zone local", kSettings, "-timezone"},
    {"set application_name to 'x'", kSettings, "application_name"},
    {"set session DateStyle = iso", kSettings, "datestyle"},
    {"set names 'utf8'", kSettings, "client_encoding"},
    {"set schema 'a'", kSettings, "search_path"},
    {"set xml option document", kSettings, "xmloption"},
    {"set work_mem = '1MB'", kSettings, "work_mem"},
    {"set work_mem to default", kSettings, "-work_mem"},
    {"set work_mem = DEFAULT", kSettings, "-work_mem"},
    {"set work_mem = \"default\"", kSettings, "work_mem"},
    {"set x = 1, default", kSettings, "x"},
    {"/* hi */ -- there\n SET\nsearch_path = x, \"default\"", kSettings, "search_path"},
    {"set standard_conforming_strings = off", kSettings, "standard_conforming_strings"},
    {"set \"Work_Mem\" = 1", kSettings, "work_mem"},
    {"set my.var = 1", kSettings, "my.var"},
    {"set \"my\" /* x */ . \"var\" = 1", kSettings, "my.var"},
    {"set role admin", kRoles, "role"},
    {"set role none", kRoles, "role"},
    {"set session authorization x", kRoles, "-role session_authorization"},
    {"set session authorization default", kRoles, "-role -session_authorization"},
    {"set session characteristics as transaction read only", kSettings,
     "default_transaction_isolation default_transaction_read_only "
     "default_transaction_deferrable"},
    {"reset work_mem", kSettings, "-work_mem"},
    {"reset my.var", kSettings, "-my.var"},
    {"reset timezone", kSettings, "-timezone"},
    {"reset time zone", kSettings, "-timezone"},
    {"reset role", kRoles, "-role"},
    {"reset session authorization", kRoles, "-role -session_authorization"},
    {"reset all", kResetAll | kForgets, ""},
    {"select 1;set work_mem = 1", kSettings, "work_mem"},
    {"select 1; ;\n set a = 1; select 2;set b=default", kSettings, "a -b"},
    {"select set_config('work_mem', '1MB', false)", kSettings, "work_mem"},
    {"select set_config ( 'work_mem' , f(a, 'true'), $1)", kSettings, "work_mem"},
    {"select pg_catalog.\"set_config\"('a', 'b', not true)", kSettings, "a"},
    {"select set_config('a', 'b', true and false)", kSettings, "a"},
    {"select set_config('a', 'b', false), set_config('b', 'c', true)", kSettings | kLocal, "a"},
    // Parameters whose name cannot be told.
    {"set a_name_that_is_far_too_long_to_be_a_parameter_for_the_server_cuts_it = 1", kPinSet, ""},
    {"set U&\"work_mem\" = 1", kPinSet | kPinLoad, ""},
    {"set \"work mem\" = 1", kPinSet, ""},
    {"select set_config($1, '1MB', false)", kPinSetConfig, ""},
    {"select set_config(E'a', '1MB', false)", kPinSetConfig, ""},
    {"select set_config('a' || 'b', '1MB', false)", kPinSetConfig, ""},
    {"select set_config('a''b', '1MB', false)", kPinSetConfig, ""},
    {"select set_config('a', set_config('b', 'c', true), false)", kPinSetConfig | kSettings, "a"},
    {"select set_config", kPinSetConfig, ""},
    {"select set_config('a', 'b'", kPinSetConfig, ""},
    {"update pg_settings set setting = '1' where name = 'work_mem'", kPinSet, ""},
    // What only its backend has.
    {"listen x", kPinListen, ""},
    {"listen a; set b = 1", kPinListen | kSettings, "b"},
    {"prepare p as select 1", kPinPrepare | kOnePrepare, ""},
    {"/* a */ PREPARE p (int) AS select ';', $1; -- b", kPinPrepare | kOnePrepare, ""},
    {"prepare p as select 1; select 2", kPinPrepare, ""},
    {"select 1; prepare p as select 2", kPinPrepare, ""},
    {"prepare p as select 1; prepare q as select 2", kPinPrepare, ""},
    {"prepare transaction 'x'", 0, ""},
    {"prepare p as select set_config('a', '', false)", kPinPrepare | kPinSet | kSettings, "a"},
    {"select pg_advisory_lock(1); prepare p as select pg_advisory_lock(1)",
     kPinPrepare | kPinSet | kPinAdvisoryLock | kEndsState | kPinLoad, ""},
    {"declare c cursor with hold for select 1", kPinWithHold, ""},
    {"create temp table t (a int)", kPinTemporary, ""},
    {"CREATE LOCAL TEMPORARY TABLE t (a int)", kPinTemporary, ""},
    {"create global temporary table t (a int)", kPinTemporary, ""},
    {"create or replace temp view v as select 1", kPinTemporary, ""},
    {"select 1 into temp t", kPinTemporary, ""},
    {"explain analyze create temp table t as select 1", kPinTemporary, ""},
    {"create table pg_temp.t (a int)", kPinTemporary, ""},
    {"load 'lib'", kPinLoad, ""},
    {"select dblink_connect('a', 'b')", kPinLoad, ""},
    {"select dblink_connect_u('a', 'b')", kPinLoad, ""},
    {"select pg_create_logical_replication_slot('a', 'b', true)", kPinLoad, ""},
    {"select pg_create_physical_replication_slot('a', true, true)", kPinLoad, ""},
    {"select pg_replication_origin_session_setup('a')", kPinLoad, ""},
    {"select pg_replication_origin_session_reset()", kPinLoad, ""},
    {"select pg_advisory_lock(1)", kPinAdvisoryLock | kEndsState, ""},
    {"select pg_advisory_lock_shared(1)", kPinAdvisoryLock | kEndsState, ""},
    {"select pg_try_advisory_lock(1)", kPinAdvisoryLock | kEndsState, ""},
    {"select pg_try_advisory_lock_shared(1, 2)", kPinAdvisoryLock | kEndsState, ""},
    {"select lastval()", kPinSequence, ""},
    {"select currval('s')", kPinSequence, ""},
    {"set seed to 0.5", kPinSeed, ""},
    {"set seed = 0.5", kPinSeed, ""},
    {"select setseed(0.5)", kPinSeed, ""},
    // What may end some of it.
    {"select pg_advisory_unlock(1)", kEndsState, ""},
    {"select pg_advisory_unlock_shared(1)", kEndsState, ""},
    {"select pg_advisory_unlock_all()", kEndsState, ""},
    {"discard all", kEndsState | kForgets, ""},
    {"unlisten *", kEndsState, ""},
    {"close c", kEndsState, ""},
    {"drop table t", kEndsState, ""},
    {"deallocate p", kEndsState | kForgets, ""},
    // Quoted and commented text says nothing, and hides nothing behind it.
    {"select 'a; set b = 1'", 0, ""},
    {"select 'it''s; set b = 1'", 0, ""},
    {"select E'it\\'s; set b = 1'", 0, ""},
    {"select 'x\\'; set b = 1", kSettings, "b"},
    {"select \"a; set b = 1\"", 0, ""},
    {"select 1 -- ; set b = 1", 0, ""},
    {"select 1 -- \n; set b = 1", kSettings, "b"},
    {"select 1 /* ; set b = 1 */", 0, ""},
    {"select 1 /* /* */ ; set b = 1 */", 0, ""},
    {"select 1 /*/ ; set b = 1 */", 0, ""},
    {"select 1 /**/; set b = 1", kSettings, "b"},
    {"select 1 /* */* 2; set b = 1 /* */", kSettings, "b"},
    {"select $x$ $$ ; set b = 1; $$ $x$", 0, ""},
    {"select $x$ $y$ $x$; set b = 1", kSettings, "b"},
    {"select $$ $ $$; set b = 1", kSettings, "b"},
    {"select $1; set b = 1", kSettings, "b"},
    {"select $1, $2 ; set b = $3", kSettings, "b"},
    {"select 1$$ $$; set b = 1", kSettings, "b"},
    {"select a$b; set b = 1", kSettings, "b"},
    {"select name'x'; set b = 1", kSettings, "b"},
    {"select \"e\"'a\\'; set b = 1", kSettings, "b"},
    // The body of a DO is executed at once.
    {"do $$ begin update t set a = 1; end $$", 0, ""},
    {"do $$begin set b = 1; end$$", kPinSet, ""},
    {"do $body$set local b = 1;$body$", kLocal, ""},
    {"do $$ begin raise notice '--'; if x then set b = 1; end if; end $$", kPinSet, ""},
    {"do $$ begin if x then null else listen x; end if; end $$", kPinListen, ""},
    {"do $$ begin loop listen x; end loop; end $$", kPinListen, ""},
    {"do $$ begin\n -- become tenant\n set role tenant; end $$", kPinSet, ""},
    {"do $$ begin -- x\r set b = 1; end $$", kPinSet, ""},
    {"do $$ begin /* x; y */ set b = 1; end $$", kPinSet, ""},
    {"do $$ begin perform 1; /* x\n y */ -- z\n listen y; end $$", kPinListen, ""},
    {"do $$ begin x := '-- '; set b = 1; end $$", kPinSet, ""},
    {"do $$ begin -- x\n update t\n set a = 1; end $$", 0, ""},
    {"do $$ begin update t -- x\n set a = 1; end $$", 0, ""},
    {"do language plperl $$ spi_exec_query(\"set b to x\") $$", kPinSet, ""},
    {"do $$ begin set \"b\" = 1; end $$", kPinSet, ""},
    {"select pg_backup_start('x')", kPinLoad, ""},
    {"select set_limit(0.8)", kPinLoad, ""},
    {"do 'begin execute ''set b = 1''; end'", kPinSet | kUnknown, ""},
    {"do $$ begin execute 'crea' || 'te temp table t ()'; end $$", kUnknown, ""},
    {"do $$ begin execute 'deallocate weirpool_1'; end $$",
     kUnknown | kEndsState | kForgets | kPinLoad, ""},
    // E'...' goes on behind a doubled quote and in the next line.
    {"select E'a''\\''; listen x; --'", kPinListen, ""},
    {"select E'a'\n'\\''; listen x; --'", kPinListen, ""},
    {"select E'a' -- x\n '\\''; listen x; --'", kPinListen, ""},
    {"select E'a' - '\\'; listen x; --'", kPinListen, ""},
    {"select 'a'\n'\\'; listen x; --'", kPinListen, ""},
    // A path for the transaction, whatever it is quoted with.
    {"set local search_path = pg_temp", kLocal | kPinTemporary, ""},
    {"set local search_path = 'pg_temp'", kLocal | kPinTemporary, ""},
    {"set local search_path to 'a', 'PG_TEMP'", kLocal | kPinTemporary, ""},
    {"set local \"search_path\" = 'pg_temp'", kLocal | kPinTemporary, ""},
    {"set local search_path = E'pg\\x5ftemp'", kLocal | kPinTemporary, ""},
    {"set local search_path = E'pg_temp'", kLocal | kPinTemporary, ""},
    {"set local search_path = U&'pg!005ftemp' uescape '!'", kLocal | kPinTemporary, ""},
    {"set local schema 'pg_temp'; select 1", kLocal | kPinTemporary, ""},
    {"select set_config('search_path', 'pg_temp', true)", kLocal | kPinTemporary, ""},
    {"select set_config('Search_Path', E'pg\\137temp', true)", kLocal | kPinTemporary, ""},
    {"set local \"Search_Path\" = $$pg_temp$$", kLocal | kPinTemporary, ""},
    {"set search_path = a, 'pg_temp'", kSettings | kPinTemporary, "search_path"},
    {"set session search_path to $x$pg_temp$x$", kSettings | kPinTemporary, "search_path"},
    {"set schema 'pg_temp'", kSettings | kPinTemporary, "search_path"},
    {"select set_config('search_path', 'pg_temp', false)", kSettings | kPinTemporary,
     "search_path"},
    {"set search_path = 'a'; select 'pg_temp'", kSettings, "search_path"},
    {"select set_config('search_path', $1, true)", kLocal, ""},
    {"set local search_path = 'a', b, ''; select 'pg_temp'", kLocal, ""},
    {"select set_config('search_path', 'a', true), 'pg_temp'", kLocal, ""},
    {"select set_config('a.b', 'pg_temp', true)", kLocal, ""},
    {"set local work_mem = 'pg_temp'", kLocal, ""},
    // Names that cannot be read, or are weirpool's.
    {"create table U&\"pg\\005ftemp\".t ()", kPinLoad, ""},
    {"select u & \"a\"", 0, ""},
    {"create table pg_temp_3.t ()", kPinTemporary, ""},
    {"deallocate weirpool_1", kEndsState | kForgets | kPinLoad, ""},
    {"prepare p as select pg_advisory_lock(1)",
     kPinPrepare | kPinAdvisoryLock | kEndsState | kPinSet | kPinLoad, ""},
    {"do $$ begin perform set_config('a', 'b', true); end $$", kPinSetConfig, ""},
    {"do $$ begin create temp table t (); listen x; end $$", kPinTemporary | kPinListen, ""},
};

std::string names_of(const TextEffects& effects) {
  std::string names;
  for (const auto& [name, reset] : effects.settings) {
    names += (names.empty() ? "" : " ") + std::string(reset ? "-" : "") + name;
  }
  return names;
}

TEST(SessionText, EveryTextHasItsEffects) {
  for (const auto& [text, bits, settings] : kTexts) {
    EXPECT_EQ(effects_of(text).bits, bits) << text;
    EXPECT_EQ(names_of(effects_of(text)), settings) << text;
  }
}

TEST(SessionText, PiecesDoNotMatter) {
  for (const auto& [text, bits, settings] : kTexts) {
    TextScan bytewise;
    for (const char c : text) bytewise.feed(std::string_view(&c, 1));
    EXPECT_EQ(bytewise.finish(), effects_of(text)) << text;
    for (std::size_t at = 0; at <= text.size(); ++at) {
      TextScan scan;
      scan.feed(std::string_view(text).substr(0, at));
      scan.feed(std::string_view(text).substr(at));
      EXPECT_EQ(scan.finish(), effects_of(text)) << text << " at " << at;
    }
  }
}

TEST(SessionText, BackslashesAreReadAsTheServerDoes) {
  const std::string text = "select 'x\\'; set b = 1; select '";
  EXPECT_EQ(names_of(effects_of(text)), "b");
  EXPECT_EQ(names_of(effects_of(text, {Strings::escapes})), "");
}

TEST(SessionText, ABackslashMayBeHalfACharacter) {
  const std::vector<std::string> texts{
      "select E'\x83\\'; set b = 1; select '", "select \"\x83\"\"; set b = 1; select \"",
      "select \x83\x65'\\'; set b = 1; select '",  // not the e of E'...'
      "select $\x83\x40$ ' $\x83\x41$ $\x83\x40$; set b = 1; select '"};
  const Reading sjis{Strings::standard, Encoding::shift_jis};
  for (const std::string& text : texts) {
    const TextEffects whole = effects_of(text, sjis);
    EXPECT_EQ(names_of(whole), "b") << text;
    for (std::size_t at = 0; at <= text.size(); ++at) {
      TextScan scan(sjis);
      scan.feed(std::string_view(text).substr(0, at));
      scan.feed(std::string_view(text).substr(at));
      EXPECT_EQ(scan.finish(), whole) << text << " at " << at;
    }
  }
  EXPECT_EQ(names_of(effects_of(texts[0])), "");
}

TEST(SessionText, ItKnowsWhetherItIsInsideSomething) {
  for (const char* inside : {"'", "\"a", "-- ", "/* ", "$$ ", "E'"}) {
    TextScan scan;
    scan.feed(inside);
    EXPECT_FALSE(scan.in_code()) << inside;
  }
  TextScan scan;
  scan.feed("select 'a' /* b */ x");
  EXPECT_TRUE(scan.in_code());
}

}  // namespace
}  // namespace weirpool::protocol::postgres
