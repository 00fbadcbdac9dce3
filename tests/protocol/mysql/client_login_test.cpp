// Logins of clients as scripts, for both plugins and every way out.
#include "protocol/mysql/client_login.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

protocol::LoginContext listener(bool tls_available = false, bool tls_required = false) {
  protocol::LoginContext context;
  context.connection_id = 77;
  context.tls_available = tls_available;
  context.tls_required = tls_required;
  return context;
}

struct ClientLoginRig {
  explicit ClientLoginRig(protocol::LoginContext context = listener(),
                          std::string version = "9.7.0", std::string_view plugin = kSha2Plugin)
      : login(context, std::make_shared<Catalog>(10)),
        wire(login, [this](const Verdict& v, Wire&) { answer(v); }) {
    auto made = std::make_shared<Facts>(*facts(std::move(version)));
    made->plugin = plugin;
    server = made;
  }

  void answer(const Verdict& verdict) {
    if (verdict.kind == Kind::start_tls) login.tls_established({});
    if (verdict.kind == Kind::look_up) {
      const bool known = login.identity().user == "bob";
      login.answer({known ? std::make_shared<Credentials>(passwords) : nullptr});
    }
    if (verdict.kind != Kind::learn) return;
    const bool pool = !login.identity().user.empty();
    if (pool && pool_fault != Fault::none) {
      login.learned(nullptr, pool_fault, "");
    } else {
      login.learned(server, Fault::none, "");
    }
  }
  Greeting greeting() {
    wire.pump();
    const auto parsed = Greeting::parse(protocol::bytes_of(wire.to_client()).subspan(kHeaderSize));
    EXPECT_TRUE(parsed);
    return *parsed;
  }
  /// What the client has heard since the last call.
  std::string heard() {
    std::string fresh = wire.to_client().substr(read);
    read = wire.to_client().size();
    return fresh;
  }

  std::shared_ptr<const Facts> server;
  std::vector<std::string> passwords{"secret", "older"};
  Fault pool_fault = Fault::none;
  ServerSideLogin login;
  Wire wire;
  std::size_t read = 0;
};

std::string token(std::string_view plugin, std::string_view password, const Scramble& scramble) {
  if (password.empty()) return "";
  if (plugin == kSha2Plugin) return std::string(protocol::text_of(sha2_token(password, scramble)));
  return std::string(protocol::text_of(native_token(native_key(password), scramble)));
}

struct Sent {
  std::string user = "bob";
  std::string password = "secret";
  std::string_view plugin = kSha2Plugin;
  std::uint64_t capabilities = kModern | cap::found_rows;
  unsigned sequence = 1;
};

std::string response(const Scramble& scramble, const Sent& sent = {}) {
  HandshakeResponse message;
  message.capabilities = sent.capabilities;
  message.user = sent.user;
  const std::string proof = token(sent.plugin, sent.password, scramble);
  message.authentication = protocol::bytes_of(proof);
  message.database = "shop";
  message.plugin = sent.plugin;
  const std::string attributes = lenenc("program_name") + lenenc(std::string(100, 'p'));
  message.attributes = protocol::bytes_of(attributes);
  Writer out;
  message.serialize(out);
  return packet(sent.sequence, protocol::text_of(out.view()));
}

/// What `plugin` says is given, not made.
std::string raw_response(std::string_view plugin, std::string_view says, unsigned sequence) {
  HandshakeResponse message;
  message.capabilities = kModern;
  message.user = "bob";
  message.authentication = protocol::bytes_of(says);
  message.plugin = plugin;
  Writer out;
  message.serialize(out);
  return packet(sequence, protocol::text_of(out.view()));
}

std::string ssl_request() {
  Writer out;
  write_ssl_request(out, cap::ssl | cap::protocol_41, 45);
  return packet(1, protocol::text_of(out.view()));
}

TEST(MysqlClientLogin, GreetingRepeatsTheBackend) {
  ClientLoginRig rig;
  const Greeting greeting = rig.greeting();
  EXPECT_EQ(greeting.version, "9.7.0");
  EXPECT_EQ(greeting.thread_id, 77u);
  EXPECT_EQ(greeting.plugin, kSha2Plugin);
  EXPECT_EQ(greeting.capabilities, kOfferedToClients);
  ClientLoginRig maria(listener(true), "5.5.5-10.11.19-MariaDB", kNativePlugin);
  EXPECT_EQ(maria.greeting().plugin, kNativePlugin);
  EXPECT_EQ(maria.greeting().capabilities, kOfferedToClients | cap::ssl);
}

TEST(MysqlClientLogin, LayoutsAreOfferedWhereTheServerHasThem) {
  ClientLoginRig rig;
  auto modern = std::make_shared<Facts>(*rig.server);
  modern->capabilities = cap::query_attributes | cap::optional_metadata | cap::long_password;
  rig.server = modern;
  EXPECT_EQ(rig.greeting().capabilities,
            kOfferedToClients | cap::query_attributes | cap::optional_metadata);
  ClientLoginRig maria(listener(), "11.4.2-MariaDB", kNativePlugin);
  auto extended = std::make_shared<Facts>(*maria.server);
  extended->capabilities = kExtendedBits | 1ULL << 32;
  maria.server = extended;
  const Greeting greeting = maria.greeting();
  EXPECT_EQ(greeting.capabilities, (kOfferedToClients & ~cap::long_password) | kExtendedBits);
  maria.wire.feed(Party::client,
                  response(greeting.scramble, {.plugin = kNativePlugin,
                                               .capabilities = (kModern & ~cap::long_password) |
                                                               cap::bulk_operations | 1ULL << 33}));
  EXPECT_EQ(capabilities_of(maria.login.identity().variant), cap::bulk_operations);
}

TEST(MysqlClientLogin, CompressionBeginsBehindTheOk) {
  for (const std::uint64_t asked : {cap::compress, cap::zstd, std::uint64_t{0}}) {
    ClientLoginRig rig;
    const std::uint64_t other = kModern;
    rig.wire.feed(Party::client,
                  response(rig.greeting().scramble, {.capabilities = other | asked}));
    EXPECT_TRUE(rig.wire.to_client().ends_with(ok(3)));
    EXPECT_EQ(rig.login.take_codec() != nullptr, asked != 0);
  }
}

TEST(MysqlClientLogin, FastPathAtEveryCut) {
  ClientLoginRig first;
  const std::size_t size = response(first.greeting().scramble).size();
  for (std::size_t cut = 1; cut < size; ++cut) {
    ClientLoginRig rig;
    const std::string bytes = response(rig.greeting().scramble);
    rig.heard();
    rig.wire.feed(Party::client, bytes.substr(0, cut));
    rig.wire.feed(Party::client, bytes.substr(cut));
    EXPECT_EQ(rig.heard(), packet(2, kFastOk) + ok(3));
    EXPECT_EQ(rig.wire.count(Kind::done), 1u);
    EXPECT_EQ(rig.wire.breach(), "");
  }
}

TEST(MysqlClientLogin, IdentityIsComplete) {
  ClientLoginRig rig;
  rig.wire.feed(Party::client, response(rig.greeting().scramble));
  const protocol::Identity& who = rig.login.identity();
  EXPECT_EQ(who.user, "bob");
  EXPECT_EQ(who.database, "shop");
  EXPECT_EQ(who.application, std::string(64, 'p'));
  EXPECT_EQ(who.variant, cap::found_rows);
  EXPECT_NE(rig.login.take_conversation(), nullptr);
}

TEST(MysqlClientLogin, NativeAndTheOlderPassword) {
  ClientLoginRig rig;
  rig.wire.feed(Party::client,
                response(rig.greeting().scramble, {.password = "older", .plugin = kNativePlugin}));
  EXPECT_TRUE(rig.wire.to_client().ends_with(ok(2)));
  EXPECT_EQ(rig.wire.count(Kind::done), 1u);
}

TEST(MysqlClientLogin, UnknownPluginIsSwitched) {
  for (const std::string_view plugin : {kSha2Plugin, kNativePlugin}) {
    ClientLoginRig rig(listener(), "9.7.0", plugin);
    const Greeting greeting = rig.greeting();
    rig.heard();
    rig.wire.feed(Party::client, response(greeting.scramble, {.plugin = "dialog"}));
    const std::string asked = rig.heard();
    const auto request = AuthSwitch::parse(protocol::bytes_of(asked).subspan(kHeaderSize));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->plugin, plugin);
    Scramble scramble;
    ASSERT_EQ(request->data.size(), scramble.size() + 1);
    std::copy_n(request->data.begin(), scramble.size(), scramble.begin());
    EXPECT_EQ(scramble, greeting.scramble) << "one challenge per connection";
    rig.wire.feed(Party::client, packet(3, token(plugin, "secret", scramble)));
    EXPECT_EQ(rig.wire.count(Kind::done), 1u);
  }
}

TEST(MysqlClientLogin, WrongPasswordAndUnknownUserLookTheSame) {
  std::string told;
  for (const std::string user : {"bob", "eve"}) {
    ClientLoginRig rig;
    const Greeting greeting = rig.greeting();
    rig.heard();
    rig.wire.feed(Party::client, response(greeting.scramble, {.user = user, .password = "guess"}));
    EXPECT_EQ(rig.heard(), packet(2, kFull));
    rig.wire.feed(Party::client, packet(3, std::string(1, '\2')));
    const std::string key = rig.heard().substr(kHeaderSize + 1);
    const auto cipher = rsa_encrypt_password(key, "guess", greeting.scramble);
    rig.wire.feed(Party::client, packet(5, protocol::text_of(cipher)));
    EXPECT_EQ(rig.wire.fault(), Fault::login_denied);
    Writer out;
    rig.login.write_fault(Fault::login_denied, "", out);
    EXPECT_EQ(out.view()[3], 6);
    EXPECT_NE(text_of(out).find("Access denied for user '" + user + "'"), std::string::npos);
    EXPECT_NE(text_of(out).find("(using password: YES)"), std::string::npos);
  }
}

TEST(MysqlClientLogin, FullPathOverTheKeyAndOverTls) {
  ClientLoginRig plain;
  const Greeting greeting = plain.greeting();
  plain.heard();
  const std::string odd = response(greeting.scramble, {.password = "not yet"});
  plain.wire.feed(Party::client, odd);
  plain.heard();
  plain.wire.feed(Party::client, packet(3, std::string(1, '\2')));
  const std::string key = plain.heard().substr(kHeaderSize + 1);
  const auto cipher = rsa_encrypt_password(key, "secret", greeting.scramble);
  plain.wire.feed(Party::client, packet(5, protocol::text_of(cipher)));
  EXPECT_TRUE(plain.wire.to_client().ends_with(ok(6)));

  ClientLoginRig tls(listener(true, true));
  const Scramble scramble = tls.greeting().scramble;
  tls.wire.feed(Party::client, ssl_request());
  EXPECT_EQ(tls.wire.count(Kind::start_tls), 1u);
  tls.wire.feed(Party::client, response(scramble, {.password = "not yet",
                                                   .capabilities = kModern | cap::ssl,
                                                   .sequence = 2}));
  tls.wire.feed(Party::client, packet(4, std::string("secret\0", 7)));
  EXPECT_TRUE(tls.wire.to_client().ends_with(ok(5)));
}

TEST(MysqlClientLogin, EmptyPasswords) {
  ClientLoginRig denied;
  denied.wire.feed(Party::client, response(denied.greeting().scramble, {.password = ""}));
  EXPECT_EQ(denied.wire.fault(), Fault::login_denied);
  Writer out;
  denied.login.write_fault(Fault::login_denied, "", out);
  EXPECT_NE(text_of(out).find("(using password: NO)"), std::string::npos);
  ClientLoginRig allowed;
  allowed.passwords = {""};
  allowed.wire.feed(Party::client, response(allowed.greeting().scramble, {.password = ""}));
  EXPECT_TRUE(allowed.wire.to_client().ends_with(ok(2)));
}

TEST(MysqlClientLogin, PasswordsInTheClearInsideTlsOnly) {
  const std::string secret("secret\0", 7);
  for (const std::string_view plugin : {kClearPlugin, kSha256Plugin}) {
    ClientLoginRig rig(listener(true));
    rig.greeting();
    rig.wire.feed(Party::client, ssl_request());
    rig.heard();
    rig.wire.feed(Party::client, raw_response(plugin, secret, 2));
    EXPECT_EQ(rig.heard(), ok(3)) << plugin;
    ClientLoginRig wrong(listener(true));
    wrong.greeting();
    wrong.wire.feed(Party::client, ssl_request());
    wrong.wire.feed(Party::client, raw_response(plugin, "secret", 2));
    EXPECT_EQ(wrong.wire.fault(), Fault::protocol_violation) << plugin;
  }
  ClientLoginRig plain;
  plain.greeting();
  plain.heard();
  plain.wire.feed(Party::client, raw_response(kClearPlugin, secret, 1));
  const std::string asked = plain.heard();
  EXPECT_NE(asked.find(kSha2Plugin), std::string::npos) << "switched to what needs no TLS";
  EXPECT_EQ(plain.wire.count(Kind::look_up), 0u) << "not even looked at";
}

TEST(MysqlClientLogin, AccessTokensOfSixtyFourKilobytes) {
  ClientLoginRig rig(listener(true));
  rig.passwords = {std::string(64 * 1024, 't')};
  rig.greeting();
  rig.wire.feed(Party::client, ssl_request());
  rig.heard();
  rig.wire.feed(Party::client, raw_response(kClearPlugin, rig.passwords[0] + '\0', 2));
  EXPECT_EQ(rig.heard(), ok(3));
}

TEST(MysqlClientLogin, Sha256ByTheKey) {
  ClientLoginRig rig;
  const Scramble scramble = rig.greeting().scramble;
  rig.heard();
  rig.wire.feed(Party::client, raw_response(kSha256Plugin, "\1", 1));
  const std::string key = rig.heard().substr(kHeaderSize + 1);
  const auto cipher = rsa_encrypt_password(key, "secret", scramble);
  rig.wire.feed(Party::client, packet(3, protocol::text_of(cipher)));
  EXPECT_EQ(rig.heard(), ok(4));
}

struct ChangeRig {
  explicit ChangeRig(std::uint64_t capabilities = kModern)
      : again(start(capabilities)), login(again), wire(login, [this](const Verdict& v, Wire&) {
          if (v.kind == Kind::learn) login.learned(again.facts, Fault::none, "");
          if (v.kind != Kind::look_up) return;
          const std::vector<std::string> passwords{"secret"};
          login.answer({login.identity().user == "bob" ? std::make_shared<Credentials>(passwords)
                                                       : nullptr});
        }) {}

  ConversationStart again;
  ServerSideLogin login;
  Wire wire;
};

std::string change_user(std::string_view user, std::string_view plugin = kSha2Plugin) {
  const std::string text = std::string("\x11").append(user) + std::string("\0\0shelf\0\x2d\0", 10) +
                           std::string(plugin) + '\0' +
                           lenenc(lenenc("program_name") + lenenc("cron"));
  return packet(0, text);
}

TEST(MysqlClientLogin, ChangeOfUserAtEveryCut) {
  const std::size_t size = change_user("bob").size();
  for (std::size_t cut = 1; cut < size; ++cut) {
    ChangeRig rig;
    const std::string bytes = change_user("bob");
    rig.wire.feed(Party::client, bytes.substr(0, cut));
    rig.wire.feed(Party::client, bytes.substr(cut));
    const auto request =
        AuthSwitch::parse(protocol::bytes_of(rig.wire.to_client()).subspan(kHeaderSize));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->plugin, kSha2Plugin);
    Scramble scramble;
    std::copy_n(request->data.begin(), scramble.size(), scramble.begin());
    rig.wire.feed(Party::client, packet(2, token(kSha2Plugin, "secret", scramble)));
    EXPECT_TRUE(rig.wire.to_client().ends_with(packet(3, kFastOk) + ok(4)));
    EXPECT_EQ(rig.login.identity().database, "shelf");
    EXPECT_EQ(rig.login.identity().application, "cron");
    EXPECT_NE(rig.login.take_conversation(), nullptr);
    EXPECT_EQ(rig.wire.breach(), "");
  }
}

TEST(MysqlClientLogin, ChangeOfUserWithoutPluginsGoesByTheFirstChallenge) {
  ChangeRig rig(kModern & ~cap::plugin_auth & ~cap::connect_attrs);
  Writer out;
  out.u8(com::change_user);
  out.cstr("bob");
  out.u8(20);
  out.bytes(native_token(native_key("secret"), rig.again.scramble));
  out.cstr("");
  rig.wire.feed(Party::client, packet(0, text_of(out)) + packet(0, "\3select 1"));
  EXPECT_EQ(rig.wire.to_client(), ok(1));
  EXPECT_FALSE(rig.wire.unread(Party::client).empty()) << "the next command waits";
}

TEST(MysqlClientLogin, ChangeOfUserFailsForNobodyAndForNonsense) {
  ChangeRig nobody;
  nobody.wire.feed(Party::client, change_user("eve", "dialog"));
  nobody.wire.feed(Party::client, packet(2, std::string(32, 'x')));
  nobody.wire.feed(Party::client, packet(4, std::string(256, 'x')));
  EXPECT_EQ(nobody.wire.fault(), Fault::login_denied);
  ChangeRig broken;
  broken.wire.feed(Party::client, packet(0,
                                         "\x11"
                                         "bob"));
  EXPECT_EQ(broken.wire.fault(), Fault::protocol_violation);
}

TEST(MysqlClientLogin, OnlyTheHandshakeMayStandBehindAMessage) {
  ClientLoginRig tls(listener(true));
  tls.greeting();
  tls.wire.feed(Party::client, ssl_request() + "\x16\x03\x01");
  EXPECT_EQ(tls.wire.count(Kind::start_tls), 1u);
  EXPECT_EQ(tls.wire.fault(), Fault::none);
  ClientLoginRig ahead;
  const Scramble scramble = ahead.greeting().scramble;
  ahead.wire.feed(Party::client, response(scramble) + packet(0, "\3select 1"));
  EXPECT_EQ(ahead.wire.fault(), Fault::protocol_violation);
}

TEST(MysqlClientLogin, WhoDoesNotKnowTheGreetingsPluginIsAskedByItsOwn) {
  ClientLoginRig rig(listener(), "11.4.2-MariaDB", kNativePlugin);
  const Scramble scramble = rig.greeting().scramble;
  rig.heard();
  rig.wire.feed(Party::client, response(scramble, {.password = "", .plugin = kSha2Plugin}));
  const std::string asked = rig.heard();
  const auto request = AuthSwitch::parse(protocol::bytes_of(asked).subspan(kHeaderSize));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->plugin, kSha2Plugin);
  Scramble fresh;
  ASSERT_EQ(request->data.size(), fresh.size() + 1);
  std::copy_n(request->data.begin(), fresh.size(), fresh.begin());
  rig.wire.feed(Party::client, packet(3, token(kSha2Plugin, "secret", fresh)));
  EXPECT_EQ(rig.wire.count(Kind::done), 1u);
}

TEST(MysqlClientLogin, TlsRulesComeBeforeThePassword) {
  ClientLoginRig required(listener(true, true));
  required.wire.feed(Party::client, response(required.greeting().scramble));
  EXPECT_EQ(required.wire.fault(), Fault::tls_required);
  EXPECT_EQ(required.wire.count(Kind::look_up), 0u);
  ClientLoginRig none;
  none.greeting();
  none.wire.feed(Party::client, ssl_request());
  EXPECT_EQ(none.wire.fault(), Fault::protocol_violation);
}

TEST(MysqlClientLogin, BrokenPacketsClose) {
  const auto fault_of = [](const std::string& bytes) {
    ClientLoginRig rig;
    rig.greeting();
    rig.wire.feed(Party::client, bytes);
    EXPECT_EQ(rig.wire.breach(), "");
    return rig.wire.fault();
  };
  const Scramble any{};
  EXPECT_EQ(fault_of(packet(1, "")), Fault::protocol_violation);
  EXPECT_EQ(fault_of(packet(1, "xyz")), Fault::protocol_violation);
  EXPECT_EQ(fault_of(response(any, {.sequence = 2})), Fault::protocol_violation);
  EXPECT_EQ(fault_of(response(any, {.capabilities = cap::long_password})), Fault::unsupported);
  EXPECT_EQ(fault_of(response(any) + "x"), Fault::protocol_violation);
  EXPECT_EQ(fault_of(packet(1, std::string(kMaxLoginPacket + 1, 'x')).substr(0, 100)),
            Fault::message_too_large);
  const std::string whole = response(any).substr(kHeaderSize);
  EXPECT_EQ(fault_of(packet(1, whole.substr(0, 40))), Fault::protocol_violation);
}

TEST(MysqlClientLogin, FaultsOfTheBackend) {
  ClientLoginRig rig;
  rig.pool_fault = Fault::unknown_database;
  rig.wire.feed(Party::client, response(rig.greeting().scramble));
  EXPECT_EQ(rig.wire.fault(), Fault::unknown_database);
  Writer out;
  rig.login.write_fault(Fault::unknown_database, "", out);
  EXPECT_EQ(out.view()[3], 3);
  ServerSideLogin early(listener(), std::make_shared<Catalog>(10));
  Writer plain;
  early.write_fault(Fault::too_many_clients, "", plain);
  EXPECT_EQ(text_of(plain), packet(0, "\xFF\x10\x04too many connections"));
}

}  // namespace
}  // namespace weirpool::test::mysql
