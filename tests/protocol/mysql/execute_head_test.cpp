#include "protocol/mysql/execute_head.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/prepared_rig.hpp"

namespace weirpool::test::mysql {
namespace {

constexpr ExecuteLayout kPlain{com::stmt_execute, 2, false};
constexpr ExecuteLayout kCounted{com::stmt_execute, 2, true};
constexpr ExecuteLayout kBulk{com::stmt_bulk_execute, 2, false};
const std::string kTwoTypes("\xFD\0\x08\x80", 4);

/// Up to the count, or the NULL bits.
std::string front() { return std::string("\x17\1\0\0\0\x08\1\0\0\0", 10); }
std::string name(std::string_view text) { return lenenc(text); }

struct Head : ExecuteHead {
  Head(const ExecuteLayout& layout, std::string_view payload)
      : ExecuteHead(layout, protocol::bytes_of(payload)) {}
};

/// All of `head` is needed to know it, and no more than that is ever asked for.
void expect_found(const ExecuteLayout& layout, const std::string& head, bool types) {
  const std::string payload = head + "values";
  for (std::size_t size = 0; size < head.size(); ++size) {
    const Head cut(layout, std::string_view(payload).substr(0, size));
    EXPECT_TRUE(cut.sound()) << size;
    EXPECT_GT(cut.size(), size);
    EXPECT_LE(cut.size(), head.size()) << size;
  }
  const Head whole(layout, payload);
  EXPECT_TRUE(whole.sound());
  EXPECT_EQ(whole.size(), head.size());
  EXPECT_EQ(whole.brings_types(), types);
  EXPECT_EQ(whole.types(), types ? kTwoTypes : "");
}

TEST(MysqlExecuteHead, TypesStandBehindTheNullBits) {
  expect_found(kPlain, front() + std::string("\0\1", 2) + kTwoTypes, true);
  expect_found(kPlain, front() + std::string("\0\0", 2), false);
}

TEST(MysqlExecuteHead, BulkExecutionSaysItInItsFlags) {
  const std::string command("\xFA\1\0\0\0", 5);
  expect_found(kBulk, command + std::string("\x80\0", 2) + kTwoTypes, true);
  expect_found(kBulk, command + std::string("\x40\0", 2), false);
}

TEST(MysqlExecuteHead, AttributesAreCountedBehindTheParameters) {
  const std::string first = kTwoTypes.substr(0, 2), second = kTwoTypes.substr(2);
  expect_found(kCounted, front() + std::string("\2\0\0", 3), false);
  expect_found(kCounted, front() + std::string("\2\0\1", 3) + first + name("") + second + name(""),
               true);
  expect_found(kCounted,
               front() + std::string("\3\0\1", 3) + first + name("") + second + name("b") +
                   std::string("\x06\0", 2) + name(std::string(300, 'n')),
               true);
  std::string many = front() + "\xFC" + std::string("\0\1", 2) + std::string(32, '\0') + '\1';
  for (int i = 0; i < 128; ++i) many += first + name(i == 0 ? "" : "n") + second + name("nn");
  const Head head(kCounted, many);
  EXPECT_EQ(head.size(), many.size());
  EXPECT_EQ(head.types(), kTwoTypes);
}

TEST(MysqlExecuteHead, WhatAServerRefusesIsNotSound) {
  EXPECT_FALSE(Head(kCounted, front() + std::string("\1\0\0", 3)).sound()) << "too few";
  EXPECT_FALSE(Head(kCounted, front() + std::string("\3\0\0", 3)).sound()) << "without types";
  EXPECT_FALSE(Head(kCounted, front() + "\xFB").sound());
  EXPECT_FALSE(Head(kCounted, front() + std::string("\2\0\1\x08\0\xFF", 6)).sound());
  const std::string huge("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9);
  EXPECT_FALSE(Head(kCounted, front() + std::string("\2\0\1\x08\0", 5) + huge).sound());
  EXPECT_GT(Head(kCounted, front() + huge).size(), kMaxExecuteHead);
}

TEST(MysqlExecuteHead, TypesAreSplicedInFrontOfTheValues) {
  const auto spliced = [](const ExecuteLayout& layout, const std::string& head) {
    const std::string payload = head + "values";
    const std::string framed = packet(0, payload);
    std::vector<std::uint8_t> bytes(framed.begin(), framed.end());
    const Head found(layout, payload);
    found.splice(bytes, kTwoTypes);
    EXPECT_EQ(bytes.size(), framed.size() + found.growth());
    return std::string(bytes.begin() + 4, bytes.end());
  };
  EXPECT_EQ(spliced(kPlain, front() + std::string("\3\0", 2)),
            front() + "\3\1" + kTwoTypes + "values");
  EXPECT_EQ(spliced(kCounted, front() + std::string("\2\3\0", 3)),
            front() + "\2\3\1" + std::string("\xFD\0\0\x08\x80\0", 6) + "values");
  EXPECT_EQ(spliced(kBulk, std::string("\xFA\1\0\0\0\x40\0", 7)),
            std::string("\xFA\1\0\0\0\xC0\0", 7) + kTwoTypes + "values");
}

/// With QUERY_ATTRIBUTES: `names` of one parameter and of the attributes behind it, all strings.
std::string counted(std::uint32_t id, const std::vector<std::string>& names,
                    const std::string& values) {
  std::string body = id_of(id) + std::string("\x08\1\0\0\0", 5) + static_cast<char>(names.size()) +
                     std::string("\0\1", 2);
  for (const std::string& name : names) body += kString + lenenc(name);
  return command(com::stmt_execute, body + values);
}
std::string counted_untyped(std::uint32_t id, const std::string& values) {
  return command(com::stmt_execute, id_of(id) + std::string("\x08\1\0\0\0\1\0\0", 8) + values);
}
constexpr std::uint64_t kAttributes = kModern | cap::query_attributes;

TEST(MysqlExecuteHead, AttributesDoNotPin) {
  Prepared rig(1, start(kAttributes));
  EXPECT_EQ(rig.releases(), 1u);
  const std::vector<std::string> names{"", "n", std::string(5000, 'n')};
  rig.client(counted(1, names, lenenc("a") + lenenc("b") + lenenc("c")));
  EXPECT_EQ(rig.fresh(), counted(55, names, lenenc("a") + lenenc("b") + lenenc("c")));
  rig.server(binary_rows());
  rig.mark();
  rig.client(counted_untyped(1, lenenc("b")));
  EXPECT_EQ(rig.fresh(), counted_untyped(55, lenenc("b"))) << "the parameter's type is bound";
  rig.server(binary_rows());
  rig.elsewhere();
  rig.mark();
  rig.client(counted_untyped(1, lenenc("c")));
  rig.server(prepared(7, 1, 1));
  EXPECT_EQ(rig.fresh(), prepare("select ?") + counted(7, {""}, lenenc("c")));
  rig.server(binary_rows());
  EXPECT_EQ(rig.releases(), 4u);
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(MysqlExecuteHead, EveryCutOfAttributesGivesTheSame) {
  const std::string with = counted(1, {"", "n"}, lenenc("a") + lenenc("of n"));
  const auto run = [&](std::size_t first, std::size_t second) {
    Prepared rig(1, start(kAttributes));
    rig.client(with.substr(0, first));
    rig.client(with.substr(first));
    rig.server(binary_rows());
    rig.elsewhere();
    const std::string without = counted_untyped(1, lenenc("b"));
    rig.client(without.substr(0, second));
    rig.client(without.substr(second));
    rig.server(prepared(7, 1, 1));
    rig.server(binary_rows());
    EXPECT_EQ(rig.wire.breach(), "");
    EXPECT_EQ(rig.releases(), 3u);
    return rig.fresh();
  };
  const std::string whole = run(with.size(), 0);
  EXPECT_NE(whole.find(counted(7, {""}, lenenc("b"))), std::string::npos);
  for (std::size_t at = 1; at < with.size(); ++at) {
    EXPECT_EQ(run(at, std::min(at, counted_untyped(1, lenenc("b")).size())), whole) << at;
  }
}

TEST(MysqlExecuteHead, AttributesThatMakeNoSenseLeaveTheTypesAlone) {
  Prepared rig(1, start(kAttributes));
  rig.client(counted(1, {""}, lenenc("a")));
  rig.server(binary_rows());
  const std::string two_untyped = id_of(1) + std::string("\x08\1\0\0\0\2\0\0\1b\1c", 12);
  rig.client(command(com::stmt_execute, two_untyped));
  rig.server(err(1, 1835) + no_warnings());
  rig.mark();
  rig.client(counted_untyped(1, lenenc("d")));
  EXPECT_EQ(rig.fresh(), counted(55, {""}, lenenc("d"))) << "bound anew, to be sure";
  rig.server(binary_rows());
  rig.mark();
  const std::string endless = std::string("\x08\1\0\0\0\xFD\xFF\xFF\x7F", 9);
  rig.client(command(com::stmt_execute, id_of(1) + endless + std::string(2'000'000, '\0')));
  EXPECT_NE(rig.answer().find("too long"), std::string::npos);
  EXPECT_EQ(rig.fresh(), "");
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(MysqlExecuteHead, TheFirstParameterIfItIsAPlainText) {
  const std::string text("\xFD\0", 2);
  const auto first = [&](const std::string& types, const std::string& values,
                         const std::string& bound = {}, char nulls = 0) {
    const std::string payload = front() + nulls + (types.empty() ? '\0' : '\1') + types + values;
    const Head head({com::stmt_execute, 1, false}, payload);
    return std::string(
        head.first_text(protocol::bytes_of(payload), types.empty() ? bound : head.types()));
  };
  EXPECT_EQ(first(text, lenenc("job")), "job");
  EXPECT_EQ(first("", lenenc("job"), text), "job");
  EXPECT_EQ(first("", lenenc("job")), "") << "nobody knows its type";
  EXPECT_EQ(first(text, lenenc("job"), "", 1), "") << "NULL";
  EXPECT_EQ(first(std::string("\x08\0", 2), lenenc("1234567")), "") << "a number";
  for (const char* value : {"it's", "a\"b", "a\\b", "\xC3\xA4", "a\nb"}) {
    EXPECT_EQ(first(text, lenenc(value)), "") << value;
  }
  EXPECT_EQ(first(text, "\5job"), "") << "cut short";
}

}  // namespace
}  // namespace weirpool::test::mysql
