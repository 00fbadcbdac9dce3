// Logins at backends as scripts.
#include "protocol/mysql/backend_login.hpp"

#include <gtest/gtest.h>

#include "protocol/mysql/auth_caching_sha2.hpp"
#include "protocol/mysql/auth_ed25519.hpp"
#include "protocol/mysql/auth_native.hpp"
#include "protocol/mysql/verifier.hpp"
#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

constexpr Scramble kScramble{'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j',
                             'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't'};

std::string greeting(std::string_view plugin = kSha2Plugin,
                     std::uint32_t capabilities = kOfferedToClients | cap::ssl) {
  Greeting message;
  message.version = "9.7.0";
  message.thread_id = 12;
  message.scramble = kScramble;
  message.capabilities = capabilities;
  message.collation = 255;
  message.plugin = plugin;
  Writer out;
  message.serialize(out);
  return packet(0, protocol::text_of(out.view()));
}

protocol::BackendIdentity identity() {
  protocol::BackendIdentity as;
  as.user = "bob";
  as.password = "secret";
  as.database = "shop";
  as.variant = cap::found_rows;
  return as;
}

struct BackendLoginRig {
  explicit BackendLoginRig(protocol::BackendIdentity as = identity())
      : login(std::move(as)), wire(login, [this](const Verdict& v, Wire&) {
          if (v.kind == Kind::start_tls) login.tls_established({});
          compressed = compressed || v.kind == Kind::start_codec;
        }) {}

  void server(const std::string& bytes) { wire.feed(Party::backend, bytes); }
  std::string heard() {
    std::string fresh = wire.to_backend().substr(read);
    read = wire.to_backend().size();
    return fresh;
  }

  ClientSideLogin login;
  Wire wire;
  std::size_t read = 0;
  bool compressed = false;
};

TEST(MysqlBackendLogin, TheServersOwnQuotesAreLearned) {
  for (const bool ansi : {false, true}) {
    BackendLoginRig rig;
    rig.server(greeting());
    rig.server(packet(2, kFastOk) + ok(3));
    EXPECT_NE(rig.heard().find("@@session.sql_mode=@@session.sql_mode"), std::string::npos);
    const std::string mode = ansi ? "REAL_AS_FLOAT,ANSI_QUOTES" : "STRICT_TRANS_TABLES";
    rig.server(ok(1, {.changes = variable("collation_connection", "x")}) +
               ok(1, {.changes = variable("sql_mode", mode) + state_changed()}));
    ASSERT_EQ(rig.wire.count(Kind::done), 1u);
    const auto state = rig.login.take_state();
    EXPECT_EQ(static_cast<const Facts&>(*state->facts()).ansi_quotes, ansi);
    EXPECT_TRUE(static_cast<const ServerState&>(*state).session.variables.empty());
  }
}

HandshakeResponse parsed(const std::string& bytes) {
  const auto response = HandshakeResponse::parse(protocol::bytes_of(bytes).subspan(kHeaderSize));
  EXPECT_TRUE(response);
  return *response;
}

TEST(MysqlBackendLogin, FastPathThenSetup) {
  BackendLoginRig rig;
  rig.server(greeting());
  const std::string bytes = rig.heard();
  EXPECT_EQ(bytes[3], '\1');
  const HandshakeResponse response = parsed(bytes);
  EXPECT_EQ(response.user, "bob");
  EXPECT_EQ(response.database, "shop");
  EXPECT_EQ(response.plugin, kSha2Plugin);
  EXPECT_EQ(response.capabilities, kAskedOfBackends | cap::connect_with_db | cap::found_rows);
  EXPECT_EQ(protocol::text_of(response.authentication),
            protocol::text_of(sha2_token("secret", kScramble)));
  rig.server(packet(2, kFastOk) + ok(3));
  EXPECT_NE(rig.heard().find("session_track_system_variables='*'"), std::string::npos);
  rig.server(ok(1) + ok(1));
  EXPECT_EQ(rig.wire.count(Kind::done), 1u);
  const auto state = rig.login.take_state();
  ASSERT_NE(state, nullptr);
  EXPECT_EQ(state->remote_id(), 12u);
  const auto& facts = static_cast<const Facts&>(*state->facts());
  EXPECT_EQ(facts.version, "9.7.0");
  EXPECT_EQ(facts.collation, 255);
  EXPECT_EQ(facts.plugin, kSha2Plugin);
}

TEST(MysqlBackendLogin, EveryCutGivesTheSame) {
  const Script script{backend(greeting()), backend(packet(2, kFastOk)), backend(ok(3)),
                      backend(ok(1) + ok(1))};
  BackendLoginRig whole;
  std::vector<std::size_t> lengths;
  for (const Line& line : script) lengths.push_back(line.make(whole.wire).size());
  play(whole.wire, script);
  for_every_cut(lengths, [&](Cut cut) {
    BackendLoginRig rig;
    play(rig.wire, script, cut);
    EXPECT_EQ(rig.wire.to_backend(), whole.wire.to_backend());
    EXPECT_EQ(rig.wire.count(Kind::done), 1u);
    EXPECT_EQ(rig.wire.breach(), "");
  });
}

TEST(MysqlBackendLogin, SwitchToNative) {
  BackendLoginRig rig;
  rig.server(greeting());
  rig.heard();
  Scramble other = kScramble;
  other[0] = 'z';
  Writer out;
  AuthSwitch{kNativePlugin, other}.serialize(out);
  rig.server(packet(2, protocol::text_of(out.view())));
  EXPECT_EQ(rig.heard(), packet(3, protocol::text_of(native_token(native_key("secret"), other))));
  rig.server(packet(4, protocol::text_of(out.view())));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_violation) << "one switch is enough";
}

TEST(MysqlBackendLogin, WhatAClientHasProvenIsAsGoodForTheSamePlugin) {
  auto as = identity();
  const std::string verifier = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";  // "secret"
  as.password = pass_text(verifier, native_key("secret"));
  BackendLoginRig rig(as);
  rig.server(greeting());
  const std::string token(protocol::text_of(native_token(native_key("secret"), kScramble)));
  EXPECT_NE(rig.heard().find(token + "shop"), std::string::npos) << "though greeted otherwise";
  rig.server(ok(2));
  EXPECT_NE(rig.heard().find("session_track"), std::string::npos);

  BackendLoginRig other(as);
  other.server(greeting());
  Writer out;
  AuthSwitch{kSha2Plugin, kScramble}.serialize(out);
  other.server(packet(2, protocol::text_of(out.view())));
  EXPECT_EQ(other.wire.fault(), Fault::backend_refused_login);
  EXPECT_NE(other.login.error().find("mysql_native_password"), std::string::npos);
}

TEST(MysqlBackendLogin, AVerifierIsNotSentAsAPassword) {
  auto as = identity();
  as.password = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
  BackendLoginRig rig(as);
  rig.server(greeting());
  EXPECT_EQ(rig.wire.to_backend(), "");
  EXPECT_EQ(rig.wire.fault(), Fault::backend_refused_login);
  EXPECT_NE(rig.login.error().find("only a hash"), std::string::npos);
}

TEST(MysqlBackendLogin, CompressionBeginsBehindTheOkWhereBothWantIt) {
  const auto asked_for = [](const std::string& response) {
    return protocol::Reader(protocol::bytes_of(std::string_view(response).substr(4))).le32() &
           (cap::compress | cap::zstd);
  };
  struct Row {
    protocol::Compressing wanted;
    std::uint64_t offered;
    std::uint64_t used;
  };
  for (const Row& row : {Row{protocol::Compressing::zlib, cap::compress | cap::zstd, cap::compress},
                         Row{protocol::Compressing::zstd, cap::compress | cap::zstd, cap::zstd},
                         Row{protocol::Compressing::zstd, cap::compress, 0},
                         Row{protocol::Compressing::none, cap::compress | cap::zstd, 0}}) {
    auto as = identity();
    as.compressing = row.wanted;
    BackendLoginRig rig(as);
    const std::uint64_t without = kOfferedToClients & ~(cap::compress | cap::zstd);
    rig.server(greeting(kSha2Plugin, static_cast<std::uint32_t>(without | row.offered)));
    const std::string response = rig.heard();
    EXPECT_EQ(asked_for(response), row.used);
    EXPECT_EQ(response.ends_with('\3'), row.used == cap::zstd) << "the level";
    rig.server(packet(2, kFastOk) + ok(3));
    EXPECT_EQ(rig.compressed, row.used != 0);
    EXPECT_NE(rig.heard().find("session_track_system_variables"), std::string::npos);
    rig.server(ok(1) + ok(1));
    EXPECT_EQ(rig.wire.count(Kind::done), 1u);
    const auto codec = rig.login.take_codec();
    codec->write(protocol::bytes_of(std::string(4000, 'x')));
    EXPECT_LT(codec->outgoing().size(), 400U);
  }
}

TEST(MysqlBackendLogin, FullPathNeedsTlsOrPermission) {
  BackendLoginRig refused;
  refused.server(greeting() + packet(2, kFull));
  EXPECT_EQ(refused.wire.fault(), Fault::backend_refused_login);
  EXPECT_NE(refused.login.error().find("allow_public_key_retrieval"), std::string_view::npos);

  auto with_tls = identity();
  with_tls.tls_wanted = with_tls.tls_required = true;
  BackendLoginRig tls(with_tls);
  tls.server(greeting());
  EXPECT_EQ(tls.wire.count(Kind::start_tls), 1u);
  EXPECT_EQ(tls.heard().substr(3, 1), "\1");
  tls.server(packet(3, kFull));
  EXPECT_EQ(tls.heard().substr(0), packet(4, std::string("secret\0", 7)));

  auto with_key = identity();
  with_key.allow_public_key_retrieval = true;
  BackendLoginRig key(with_key);
  key.server(greeting());
  key.heard();
  key.server(packet(2, kFull));
  EXPECT_EQ(key.heard(), packet(3, "\2"));
  key.server(packet(4, "\1" + std::string(RsaKey::of_process().public_pem())));
  const std::string cipher = key.heard().substr(kHeaderSize);
  EXPECT_EQ(RsaKey::of_process().decrypt_password(protocol::bytes_of(cipher), kScramble), "secret");
}

TEST(MysqlBackendLogin, TlsThatIsNotOfferedIsADowngrade) {
  auto as = identity();
  as.tls_wanted = as.tls_required = true;
  BackendLoginRig rig(as);
  rig.server(greeting(kSha2Plugin, kOfferedToClients));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_unavailable);
  EXPECT_EQ(rig.wire.to_backend(), "");
  as.tls_required = false;
  BackendLoginRig preferred(as);
  preferred.server(greeting(kSha2Plugin, kOfferedToClients));
  EXPECT_EQ(preferred.wire.count(Kind::start_tls), 0u);
  EXPECT_NE(preferred.wire.to_backend(), "");
}

TEST(MysqlBackendLogin, BytesBehindTheGreetingDoNotReachTls) {
  auto as = identity();
  as.tls_wanted = true;
  BackendLoginRig rig(as);
  rig.server(greeting() + ok(2));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_violation);
}

TEST(MysqlBackendLogin, ClearPasswordOnlyInsideTlsThatMayCarryIt) {
  Writer out;
  AuthSwitch{kClearPlugin, {}}.serialize(out);
  BackendLoginRig plain;
  plain.server(greeting() + packet(2, protocol::text_of(out.view())));
  EXPECT_EQ(plain.wire.fault(), Fault::backend_refused_login);
  EXPECT_EQ(plain.wire.to_backend().find("secret"), std::string::npos);
  auto as = identity();
  as.tls_wanted = true;
  BackendLoginRig unverified(as);
  unverified.server(greeting());
  unverified.server(packet(3, protocol::text_of(out.view())));
  EXPECT_EQ(unverified.wire.fault(), Fault::backend_refused_login);
  EXPECT_NE(unverified.login.error().find("allow_cleartext_password"), std::string_view::npos);
  EXPECT_EQ(unverified.wire.to_backend().find("secret"), std::string::npos);
  as.allow_cleartext_password = true;
  auto never = as;
  never.tls_wanted = false;
  BackendLoginRig open(never);
  open.server(greeting() + packet(2, protocol::text_of(out.view())));
  EXPECT_EQ(open.wire.fault(), Fault::backend_refused_login);
  BackendLoginRig tls(as);
  tls.server(greeting());
  tls.server(packet(3, protocol::text_of(out.view())));
  EXPECT_TRUE(tls.wire.to_backend().ends_with(std::string("secret\0", 7)));
}

std::string switch_to(std::string_view plugin, std::string_view challenge, unsigned sequence = 2) {
  return packet(sequence, "\xFE" + std::string(plugin) + '\0' + std::string(challenge));
}

TEST(MysqlBackendLogin, Sha256InsideTlsOrByTheKey) {
  const std::string challenge(20, 's');
  auto as = identity();
  as.tls_wanted = true;
  BackendLoginRig tls(as);
  tls.server(greeting());
  tls.heard();
  tls.server(switch_to(kSha256Plugin, challenge + '\0', 3));
  EXPECT_EQ(tls.heard(), packet(4, std::string("secret\0", 7)));
  BackendLoginRig refused;
  refused.server(greeting() + switch_to(kSha256Plugin, challenge));
  EXPECT_EQ(refused.wire.fault(), Fault::backend_refused_login);
  EXPECT_NE(refused.login.error().find("sha256_password needs TLS"), std::string_view::npos);
  auto with_key = identity();
  with_key.allow_public_key_retrieval = true;
  BackendLoginRig key(with_key);
  key.server(greeting());
  key.heard();
  key.server(switch_to(kSha256Plugin, challenge));
  EXPECT_EQ(key.heard(), packet(3, "\1"));
  key.server(packet(4, "\1" + std::string(RsaKey::of_process().public_pem())));
  const std::string cipher = key.heard().substr(kHeaderSize);
  Scramble scramble;
  scramble.fill('s');
  EXPECT_EQ(RsaKey::of_process().decrypt_password(protocol::bytes_of(cipher), scramble), "secret");
}

TEST(MysqlBackendLogin, Ed25519SignsTheChallenge) {
  const std::string challenge = std::string(31, 'n') + '\0';
  BackendLoginRig rig;
  rig.server(greeting(kNativePlugin));
  rig.heard();
  rig.server(switch_to(kEd25519Plugin, challenge));
  const auto signature = ed25519_sign("secret", protocol::bytes_of(challenge));
  EXPECT_EQ(rig.heard(), packet(3, protocol::text_of(signature)));
  rig.server(ok(4));
  EXPECT_EQ(rig.wire.fault(), Fault::none);
  BackendLoginRig odd;
  odd.server(greeting(kNativePlugin) + switch_to(kEd25519Plugin, challenge + 'x'));
  EXPECT_EQ(odd.wire.fault(), Fault::backend_violation);
}

TEST(MysqlBackendLogin, PluginsNobodyKnowsAreNamed) {
  BackendLoginRig rig;
  rig.server(greeting() + switch_to("auth_gssapi_client", "ticket"));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_refused_login);
  EXPECT_NE(rig.login.error().find("'auth_gssapi_client'"), std::string_view::npos);
}

TEST(MysqlBackendLogin, EmptyPasswordsNeedNothing) {
  auto as = identity();
  as.password.clear();
  for (const std::string_view plugin : {kNativePlugin, kSha2Plugin}) {
    BackendLoginRig rig(as);
    rig.server(greeting(plugin));
    EXPECT_TRUE(parsed(rig.heard()).authentication.empty());
  }
}

TEST(MysqlBackendLogin, ErrorsBecomeFaults) {
  const auto fault_of = [](std::uint16_t code) {
    BackendLoginRig rig;
    rig.server(greeting() + err(2, code));
    EXPECT_NE(rig.login.error(), "");
    EXPECT_EQ(rig.login.secret_refused(), code == 1045 || code == 1698);
    return rig.wire.fault();
  };
  EXPECT_EQ(fault_of(1049), Fault::unknown_database);
  EXPECT_EQ(fault_of(1045), Fault::backend_refused_login);
  EXPECT_EQ(fault_of(1698), Fault::backend_refused_login);
  EXPECT_EQ(fault_of(1044), Fault::backend_refused_login);
  EXPECT_EQ(fault_of(1040), Fault::backend_full);
  EXPECT_EQ(fault_of(1203), Fault::account_full);
  EXPECT_EQ(fault_of(1226), Fault::account_full);
  EXPECT_EQ(fault_of(1129), Fault::backend_full) << "this host is blocked: fewer attempts";
  BackendLoginRig early;
  early.server(packet(0, "\xFF\x10\x04Too many connections"));
  EXPECT_EQ(early.wire.fault(), Fault::backend_full);
  EXPECT_EQ(early.login.error(), "1040: Too many connections");
  BackendLoginRig setup;
  setup.server(greeting() + packet(2, kFastOk) + ok(3));
  setup.server(err(1, 1193));
  EXPECT_EQ(setup.wire.fault(), Fault::backend_unavailable);
}

TEST(MysqlBackendLogin, NonsenseIsAViolation) {
  const std::vector<std::string> starts{packet(0, ""), packet(0, "\x09old"), packet(3, "x"),
                                        packet(0, std::string(70000, 'x'))};
  for (const std::string& bytes : starts) {
    BackendLoginRig rig;
    rig.server(bytes);
    EXPECT_EQ(rig.wire.fault(), Fault::backend_violation);
  }
  const std::vector<std::string> next{packet(2, ""),
                                      packet(2, "\x05"),
                                      packet(2, "\x01\x09"),
                                      packet(2, "\x01"),
                                      packet(9, kFastOk),
                                      packet(2, "\xFEx"),
                                      packet(2, std::string("\0\1", 2))};
  for (const std::string& bytes : next) {
    BackendLoginRig rig;
    rig.server(greeting() + bytes);
    EXPECT_EQ(rig.wire.fault(), Fault::backend_violation);
  }
  BackendLoginRig old;
  old.server(greeting(kNativePlugin, kOfferedToClients & ~cap::session_track));
  EXPECT_EQ(old.wire.fault(), Fault::backend_unavailable);
}

}  // namespace
}  // namespace weirpool::test::mysql
