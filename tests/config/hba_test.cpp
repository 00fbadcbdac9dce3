#include "config/hba.hpp"

#include <gtest/gtest.h>

namespace weirpool::config {
namespace {

std::vector<LineProblem> problems_of(const std::string& text) {
  std::vector<LineProblem> problems;
  parse_hba(text, problems);
  return problems;
}

Hba rules(const std::string& text) {
  std::vector<LineProblem> problems;
  Hba hba = parse_hba(text, problems);
  EXPECT_TRUE(problems.empty()) << (problems.empty() ? "" : problems.front().message);
  return hba;
}

Arrival arrival(const std::string& host, std::string_view user = "app",
                std::string_view database = "shop", bool encrypted = false) {
  Arrival made;
  made.address = *parse_host(host);
  made.user = user;
  made.database = database;
  made.encrypted = encrypted;
  return made;
}

/// The line that decides; 0: none.
unsigned line(const Hba& hba, const Arrival& who) {
  const HbaRule* rule = hba.find(who);
  return rule == nullptr ? 0 : rule->line;
}

TEST(Hba, TheFirstMatchDecidesAndNoneTurnsAway) {
  const Hba hba = rules(
      "host shop app 10.0.0.0/8 md5\n"
      "host shop all 10.1.0.0/16 reject\n"
      "host all all 10.1.2.3/32 trust\n");
  EXPECT_EQ(line(hba, arrival("10.1.2.3")), 1U);
  EXPECT_EQ(line(hba, arrival("10.1.2.3", "bob")), 2U);
  EXPECT_EQ(line(hba, arrival("10.1.2.3", "bob", "blog")), 3U);
  EXPECT_EQ(line(hba, arrival("10.2.2.3", "bob", "blog")), 0U);
  EXPECT_EQ(line(hba, arrival("192.168.0.1")), 0U);
}

TEST(Hba, EncryptionTellsLinesApart) {
  const Hba hba = rules(
      "hostssl all all all scram-sha-256\n"
      "hostnossl all all all reject\n");
  EXPECT_EQ(line(hba, arrival("1.2.3.4", "a", "b", true)), 1U);
  EXPECT_EQ(line(hba, arrival("1.2.3.4", "a", "b", false)), 2U);
  EXPECT_EQ(line(rules("hostgssenc all all all trust"), arrival("1.2.3.4")), 0U);
  EXPECT_EQ(line(rules("hostnogssenc all all all trust"), arrival("1.2.3.4")), 1U);
}

TEST(Hba, LocalIsForUnixSocketsAlone) {
  const Hba hba = rules("local all all trust\nhost all all all md5");
  EXPECT_EQ(line(hba, arrival("127.0.0.1")), 2U);
  Arrival local = arrival("::");
  local.local = true;
  EXPECT_EQ(line(hba, local), 1U);
}

TEST(Hba, AddressesOfBothFamilies) {
  EXPECT_EQ(line(rules("host all all 10.0.0.0 255.0.0.0 md5"), arrival("10.9.9.9")), 1U);
  EXPECT_EQ(line(rules("host all all 10.0.0.0 255.0.0.0 md5"), arrival("11.9.9.9")), 0U);
  EXPECT_EQ(line(rules("host all all 0.0.0.0/0 md5"), arrival("11.9.9.9")), 1U);
  EXPECT_EQ(line(rules("host all all 0.0.0.0/0 md5"), arrival("2001:db8::1")), 0U);
  EXPECT_EQ(line(rules("host all all ::/0 md5"), arrival("2001:db8::1")), 1U);
  EXPECT_EQ(line(rules("host all all 2001:db8::/33 md5"), arrival("2001:db8:7fff::1")), 1U);
  EXPECT_EQ(line(rules("host all all 2001:db8::/33 md5"), arrival("2001:db8:8000::1")), 0U);
  EXPECT_EQ(line(rules("host all all ::/0 trust"), arrival("10.0.0.1")), 0U);
  EXPECT_EQ(line(rules("host all all ::/64 trust\nhost all all 0.0.0.0/0 reject"),
                 arrival("::ffff:10.0.0.1")),
            2U);
  // An IPv4 client on a socket of both families.
  EXPECT_EQ(line(rules("host all all 10.0.0.0/8 md5"), arrival("::ffff:10.0.0.1")), 1U);
  // Host bits in the rule do not count.
  EXPECT_EQ(line(rules("host all all 10.1.2.3/8 md5"), arrival("10.9.9.9")), 1U);
}

TEST(Hba, NamesAndKeywords) {
  EXPECT_EQ(line(rules("host sameuser all all md5"), arrival("::1", "app", "app")), 1U);
  EXPECT_EQ(line(rules("host sameuser all all md5"), arrival("::1", "app", "shop")), 0U);
  EXPECT_EQ(line(rules("host a,shop x,app all md5"), arrival("::1")), 1U);
  EXPECT_EQ(line(rules("host \"all\" all all md5"), arrival("::1")), 0U);
  EXPECT_EQ(line(rules("host \"all\" all all md5"), arrival("::1", "app", "all")), 1U);
  EXPECT_EQ(line(rules("host all APP all md5"), arrival("::1")), 0U);
}

TEST(Hba, ReplicationIsNoDatabase) {
  const Hba hba = rules("host all all all md5\nhost replication all all trust");
  Arrival who = arrival("::1");
  EXPECT_EQ(line(hba, who), 1U);
  who.replication = true;
  EXPECT_EQ(line(hba, who), 2U);
  EXPECT_EQ(line(rules("host replication all all md5"), arrival("::1", "app", "replication")), 0U);
}

TEST(Hba, MethodsAndOptions) {
  const std::vector<std::pair<std::string, AuthMethod>> methods{
      {"trust", AuthMethod::trust},
      {"reject", AuthMethod::reject},
      {"md5", AuthMethod::md5},
      {"password", AuthMethod::password},
      {"scram-sha-256", AuthMethod::scram_sha_256}};
  for (const auto& [name, method] : methods) {
    EXPECT_EQ(rules("host all all all " + name).rules.at(0).method, method) << name;
  }
  const HbaRule cert = rules("hostssl all all all cert map=web").rules.at(0);
  EXPECT_TRUE(cert.certificate && cert.certificate_name);
  EXPECT_EQ(cert.map, "web");
  const HbaRule ca = rules("hostssl all all all md5 clientcert=verify-ca").rules.at(0);
  EXPECT_TRUE(ca.certificate && !ca.certificate_name);
  const HbaRule full = rules("hostssl all all all md5 clientcert=verify-full").rules.at(0);
  EXPECT_TRUE(full.certificate && full.certificate_name);
}

TEST(Hba, WhatCannotBeHonouredIsAnError) {
  for (const std::string& text : {std::string("everyone all all all md5"),
                                  std::string("host"),
                                  std::string("host all"),
                                  std::string("host all all"),
                                  std::string("host all all all"),
                                  std::string("host all all 10.0.0.0 md5"),
                                  std::string("host all all 10.0.0.0/33 md5"),
                                  std::string("host all all 10.0.0.0/x md5"),
                                  std::string("host all all ::/129 md5"),
                                  std::string("host all all 10.0.0.0 ffff:: md5"),
                                  std::string("host all all db.example md5"),
                                  std::string("host all all samehost md5"),
                                  std::string("host all +staff all md5"),
                                  std::string("host samerole all all md5"),
                                  std::string("host all @file all md5"),
                                  std::string("host all /^a all md5"),
                                  std::string("host all all all ident"),
                                  std::string("host all all all ldap ldapserver=x"),
                                  std::string("host all all all md5 clientcert=verify-ca"),
                                  std::string("host all all all cert"),
                                  std::string("hostssl all all all md5 map=x"),
                                  std::string("hostssl all all all cert clientname=DN"),
                                  std::string("host all all all,10.0.0.0/8 md5"),
                                  std::string("host all all all md5,trust")}) {
    EXPECT_EQ(problems_of(text).size(), 1U) << text;
  }
  const auto problems = problems_of("host all all all md5\n\nhost all +a all md5\nhost x\n");
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].line, 3U);
  EXPECT_EQ(problems[1].line, 4U);
}

TEST(Hba, IdentMapsNameUsers) {
  std::vector<LineProblem> problems;
  const IdentMap map = parse_ident(
      "web  node-1.example  app\n"
      "web  node-1.example  report\n"
      "ops  \"Jane Doe\"    admin\n"
      "dba  root            all\n"
      "dba  other           \"all\"\n",
      problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_TRUE(map.admits("web", "node-1.example", "app"));
  EXPECT_TRUE(map.admits("web", "node-1.example", "report"));
  EXPECT_FALSE(map.admits("web", "node-1.example", "admin"));
  EXPECT_TRUE(map.admits("ops", "Jane Doe", "admin"));
  EXPECT_FALSE(map.admits("ops", "node-1.example", "app"));
  EXPECT_TRUE(map.admits("dba", "root", "whoever"));
  EXPECT_FALSE(map.admits("dba", "other", "whoever"));
  EXPECT_TRUE(map.admits("dba", "other", "all"));
  EXPECT_TRUE(map.admits("", "app", "app"));
  EXPECT_FALSE(map.admits("", "node-1.example", "app"));
  parse_ident("web only-two\nweb /^(.*)$ \\1\nweb a b c\n", problems);
  EXPECT_EQ(problems.size(), 3U);
}

}  // namespace
}  // namespace weirpool::config
