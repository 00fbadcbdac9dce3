#include "config/validate.hpp"

#include <gtest/gtest.h>

#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

void expect_complaint(const std::string& yaml, const std::string& about) {
  const std::string text = complaint(yaml);
  EXPECT_NE(text.find(about), std::string::npos) << "expected: " << about << "\n" << text;
}

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kSmall;
  return text.replace(text.find(from), from.size(), to);
}

TEST(Validate, ReferencesMustExist) {
  expect_complaint(replaced("backend: shop", "backend: shpo"),
                   "listeners[0].backend: there is no backend 'shpo'; did you mean 'shop'?");
  expect_complaint(replaced("backend: shop", "backend: shpo"),
                   "backends.shop: no listener leads to this backend");
  expect_complaint(kSmall + "admin: {users: [ap]}\n",
                   "admin.users[0]: there is no user 'ap'; did you mean 'app'?");
}

TEST(Validate, NetworksMustBeNetworks) {
  const auto with = [](const std::string& list) {
    return replaced("backend: shop", "backend: shop\n    proxy_protocol_from: " + list);
  };
  EXPECT_EQ(complaint(with("[10.0.0.0/8, '::1']")), "");
  expect_complaint(with("[10.0.0.0/8, balancer]"),
                   "listeners[0].proxy_protocol_from[1]: 'balancer' is not a network");
}

TEST(Validate, AddressesMustNotCollide) {
  const std::string second = "  - address: ADDRESS\n    backend: shop\nusers:";
  const auto with = [&](const std::string& address) {
    std::string more = second;
    return replaced("users:", more.replace(more.find("ADDRESS"), 7, address));
  };
  expect_complaint(with("127.0.0.1:6432"), "is already taken by listeners[0].address");
  expect_complaint(with("0.0.0.0:6432"), "is already taken by listeners[0].address");
  expect_complaint(with("127.0.0.1:9127"), "is already taken by admin.http");
  EXPECT_EQ(complaint(with("'[::]:6432'")), "");
  EXPECT_EQ(complaint(with("127.0.0.2:6432")), "");
}

TEST(Validate, TlsNeedsItsFiles) {
  const std::string at = "backend: shop\nusers";
  expect_complaint(replaced(at, "backend: shop\n    tls: {mode: require}\nusers"),
                   "listeners[0].tls.mode: needs tls.cert_file and tls.key_file");
  const TempFile pem("x");
  const std::string files = "cert_file: " + pem.path() + ", key_file: " + pem.path();
  expect_complaint(replaced(at, "backend: shop\n    tls: {" + files + "}\nusers"),
                   "would never be used");
  EXPECT_EQ(complaint(replaced(at, "backend: shop\n    tls: {mode: allow, " + files + "}\nusers")),
            "");
  expect_complaint(replaced("max_connections: 20", "max_connections: 20\n    tls: {ca_file: /no}"),
                   "backends.shop.tls.ca_file: /no: No such file or directory");
  expect_complaint(replaced("max_connections: 20", "max_connections: 20\n    tls: {ca_file: /tmp}"),
                   "is not a regular file");
  expect_complaint(replaced("max_connections: 20",
                            "max_connections: 20\n    tls: {cert_file: " + pem.path() + "}"),
                   "cert_file and key_file belong together");
}

TEST(Validate, RulesOfAdmissionNameWhatThereIs) {
  const std::string rules = kSmall + "admission:\n  rules:\n    - ";
  expect_complaint(rules + "{listener: \"127.0.0.1:6433\"}\n",
                   "admission.rules[0].listener: there is no listener 127.0.0.1:6433");
  expect_complaint(rules + "{tag: priority}\n", "needs the form key=value");
  EXPECT_EQ(complaint(rules + "{listener: \"127.0.0.1:6432\", tag: priority=high}\n"), "");
}

TEST(Validate, OddCombinations) {
  expect_complaint(kSmall + "timeouts: {connect_backoff_min: 9s}\n",
                   "is longer than connect_backoff_max");
  expect_complaint(
      replaced("max_connections: 20", "max_connections: 20\n    allow_public_key_retrieval: true"),
      "is for MySQL only");
  expect_complaint(
      replaced("max_connections: 20", "max_connections: 20\n    allow_cleartext_password: true"),
      "is for MySQL only");
  expect_complaint(replaced("max_connections: 20", "max_connections: 20\n    compression: zlib"),
                   "is for MySQL only");
}

}  // namespace
}  // namespace weirpool::config
