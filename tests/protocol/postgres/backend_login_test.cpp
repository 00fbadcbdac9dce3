#include "protocol/postgres/backend_login.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/md5.hpp"
#include "tests/protocol/postgres/wire_text.hpp"
#include "tests/support/wire_script.hpp"

namespace weirpool::test::pg {
namespace {

namespace postgres = protocol::postgres;

protocol::BackendIdentity identity(bool tls_wanted = false, bool tls_required = false) {
  protocol::BackendIdentity as;
  as.user = "app";
  as.password = "secret";
  as.database = "db";
  as.tls_wanted = tls_wanted;
  as.tls_required = tls_required;
  return as;
}

struct BackendLoginRig {
  explicit BackendLoginRig(const protocol::BackendIdentity& as = identity())
      : login(as, std::make_shared<postgres::Catalog>(10)),
        wire(login, [this](const Verdict& verdict, Wire&) {
          if (verdict.kind == Kind::start_tls) login.tls_established(tls);
          if (verdict.kind == Kind::derive) {
            const auto d = login.derivation();
            login.derived(postgres::pbkdf2_sha256(d.password, d.salt, d.iterations));
          }
        }) {
    wire.pump();
  }

  protocol::TlsFacts tls;
  postgres::PostgresBackendLogin login;
  Wire wire;
};

const std::string kStartup = startup({{"user", "app"}, {"database", "db"}});
const std::string kGreeting = auth(0) + status("server_version", "15.4") + notice("hello") +
                              status("TimeZone", "UTC") + message('K', be32(77) + "abcd") + ready();
const std::string kOfferScram = auth(10, z("SCRAM-SHA-256-PLUS") + z("SCRAM-SHA-256") + '\0');

const std::vector<std::uint8_t> kShortSalt{1, 2, 3, 4};

postgres::ScramKeys keys_of(const std::string& word) {
  return postgres::scram_keys(
      postgres::pbkdf2_sha256(word, kShortSalt, postgres::kScramIterations));
}

/// The lines of a SCRAM server that knows `password`; `lie` replaces its signature.
Script backend_scram(const std::string& password_text, const std::string& lie = {},
                     std::vector<std::uint8_t> end_point = {}) {
  const bool plus = !end_point.empty();
  auto server = std::make_shared<postgres::ScramServer>(kShortSalt, postgres::kScramIterations,
                                                        "servernonce", end_point);
  return {backend(kOfferScram),
          Line(Party::backend,
               [server, plus](const Wire& wire) {
                 const std::string& heard = wire.to_backend();
                 const std::size_t at = heard.find(plus ? "p=tls" : "n,,");
                 return auth(11, server->first(heard.substr(at), plus).value_or("?"));
               }),
          Line(Party::backend, [server, password_text, lie](const Wire& wire) {
            const std::string& heard = wire.to_backend();
            const std::size_t at = heard.rfind("c=", heard.rfind(",p="));
            const bool legal = server->last(std::string_view(heard).substr(at));
            const bool proven = legal && server->proven_by(keys_of(password_text));
            if (!proven && lie.empty()) {
              return error("28P01", "password authentication failed", "FATAL");
            }
            return auth(12, lie.empty() ? server->server_final() : lie) + kGreeting;
          })};
}

TEST(BackendLogin, ScramLogsIn) {
  BackendLoginRig client;
  EXPECT_EQ(client.wire.to_backend(), kStartup);
  play(client.wire, backend_scram("secret"));
  EXPECT_EQ(client.wire.breach(), "");
  EXPECT_EQ(client.wire.events(), (std::vector{Kind::derive, Kind::done}));
  const auto state = client.login.take_state();
  EXPECT_EQ(state->remote_id(), 77U);
  protocol::Writer out;
  EXPECT_TRUE(state->write_cancel(out));
  const auto facts = std::static_pointer_cast<const postgres::Facts>(state->facts());
  EXPECT_EQ(facts->parameters,
            (std::vector<postgres::NamedValue>{{"server_version", "15.4"}, {"TimeZone", "UTC"}}));
}

TEST(BackendLogin, EveryCutIsTheSame) {
  const std::vector<std::size_t> lengths{kOfferScram.size(), 70, 60 + kGreeting.size()};
  for_every_cut(lengths, [](Cut cut) {
    BackendLoginRig client;
    play(client.wire, backend_scram("secret"), cut);
    EXPECT_EQ(client.wire.breach(), "");
    EXPECT_EQ(client.wire.count(Kind::done), 1U) << cut.line << " at " << cut.at;
  });
}

TEST(BackendLogin, AServerThatDoesNotKnowThePasswordIsRefused) {
  BackendLoginRig wrong;
  play(wrong.wire, backend_scram("secret", "v=" + postgres::base64(postgres::Digest{})));
  EXPECT_EQ(wrong.wire.fault(), Fault::backend_violation);
  BackendLoginRig skips;
  skips.wire.feed(Party::backend, kOfferScram + kGreeting);
  EXPECT_EQ(skips.wire.fault(), Fault::backend_violation);
  EXPECT_EQ(skips.wire.count(Kind::done), 0U);
}

TEST(BackendLogin, AWrongPasswordIsTheProxysFault) {
  BackendLoginRig client;
  play(client.wire, backend_scram("another"));
  EXPECT_EQ(client.wire.fault(), Fault::backend_refused_login);
  EXPECT_EQ(client.login.error(), "28P01: password authentication failed");
}

TEST(BackendLogin, ScramIsBoundToTheCertificateWhereBothCan) {
  BackendLoginRig client(identity(true, true));
  client.tls.end_point.assign(32, 9);
  client.wire.feed(Party::backend, "S");
  play(client.wire, backend_scram("secret", {}, client.tls.end_point));
  EXPECT_EQ(client.wire.breach(), "");
  EXPECT_EQ(client.wire.count(Kind::done), 1U);
  BackendLoginRig deceived(identity(true, true));
  deceived.tls.end_point.assign(32, 9);
  deceived.wire.feed(Party::backend, "S");
  play(deceived.wire, backend_scram("secret", {}, std::vector<std::uint8_t>(32, 8)));
  EXPECT_EQ(deceived.wire.count(Kind::done), 0U);
}

TEST(BackendLogin, AClientThatCouldHaveBoundSaysSo) {
  BackendLoginRig client(identity(true, true));
  client.tls.end_point.assign(32, 9);
  client.wire.feed(Party::backend, "S");
  client.wire.feed(Party::backend, auth(10, z("SCRAM-SHA-256") + '\0'));
  EXPECT_NE(client.wire.to_backend().find("y,,n=,r="), std::string::npos);
}

/// What is stored of `word`.
std::string verifier_of(const std::string& word) {
  return "SCRAM-SHA-256$4096:" + postgres::base64(kShortSalt) + "$" +
         postgres::base64(keys_of(word).stored_key) + ":" +
         postgres::base64(keys_of(word).server_key);
}

std::string pass_of(const std::string& word) {
  const auto prover =
      postgres::scram_prover(postgres::pbkdf2_sha256(word, kShortSalt, postgres::kScramIterations));
  return postgres::pass_text(verifier_of(word), prover.client_key);
}

TEST(BackendLogin, AClientKeyStandsForThePassword) {
  protocol::BackendIdentity as = identity();
  as.password = pass_of("secret");
  BackendLoginRig client(as);
  play(client.wire, backend_scram("secret"));
  EXPECT_EQ(client.wire.events(), std::vector{Kind::done});
}

TEST(BackendLogin, AClientKeyIsForItsOwnVerifierOnly) {
  protocol::BackendIdentity as = identity();
  as.password = pass_of("former");
  BackendLoginRig changed(as);
  play(changed.wire, backend_scram("secret"));
  EXPECT_EQ(changed.wire.fault(), Fault::backend_refused_login);
  BackendLoginRig salted(as);
  salted.wire.feed(Party::backend, kOfferScram);
  const std::string& heard = salted.wire.to_backend();
  const std::string nonce = heard.substr(heard.find("r=") + 2);
  salted.wire.feed(Party::backend, auth(11, "r=" + nonce + "x,s=YWJj,i=4096"));
  EXPECT_EQ(salted.wire.fault(), Fault::backend_refused_login);
  EXPECT_NE(salted.login.error().find("another verifier"), std::string_view::npos);
}

TEST(BackendLogin, AVerifierAloneIsNeverSent) {
  for (const std::string& stored : {verifier_of("secret"), pass_of("secret")}) {
    for (const std::string& request : {auth(3), auth(5, "salt")}) {
      protocol::BackendIdentity as = identity(true, true);
      as.password = stored;
      BackendLoginRig client(as);
      client.wire.feed(Party::backend, "S");
      client.wire.feed(Party::backend, request);
      EXPECT_EQ(client.wire.fault(), Fault::backend_refused_login);
      EXPECT_EQ(client.wire.to_backend(), packet(80877103) + kStartup);
    }
  }
  protocol::BackendIdentity as = identity();
  as.password = verifier_of("secret");
  BackendLoginRig scram(as);
  scram.wire.feed(Party::backend, kOfferScram);
  EXPECT_EQ(scram.wire.fault(), Fault::backend_refused_login);
  EXPECT_NE(scram.login.error().find("no client has proven it"), std::string_view::npos);
}

TEST(BackendLogin, AnMd5HashAnswersMd5AndNothingElse) {
  protocol::BackendIdentity as = identity(true, true);
  as.password = postgres::md5_verifier("app", "secret");
  BackendLoginRig md5(as);
  md5.wire.feed(Party::backend, "S");
  md5.wire.feed(Party::backend, auth(5, "salt"));
  EXPECT_TRUE(md5.wire.to_backend().ends_with(
      password(z(postgres::md5_response(as.password, protocol::bytes_of("salt"))))));
  for (const std::string& request : {auth(3), kOfferScram}) {
    BackendLoginRig other(as);
    other.wire.feed(Party::backend, "S");
    other.wire.feed(Party::backend, request);
    EXPECT_EQ(other.wire.fault(), Fault::backend_refused_login);
  }
}

TEST(BackendLogin, APasswordIsAskedForOnce) {
  BackendLoginRig client(identity(true, true));
  client.wire.feed(Party::backend, "S");
  client.wire.feed(Party::backend, auth(3));
  client.wire.feed(Party::backend, auth(3));
  EXPECT_EQ(client.wire.fault(), Fault::backend_violation);
}

TEST(BackendLogin, ATokenOf64KiBIsSentWhole) {
  protocol::BackendIdentity as = identity(true, true);
  as.password.assign(std::size_t{64} << 10, 't');
  BackendLoginRig client(as);
  client.wire.feed(Party::backend, "S");
  client.wire.feed(Party::backend, auth(3));
  EXPECT_EQ(client.wire.to_backend(), packet(80877103) + kStartup + password(z(as.password)));
}

protocol::BackendIdentity newest() {
  protocol::BackendIdentity as = identity();
  as.newest_protocol = true;
  return as;
}

TEST(BackendLogin, Protocol32IsAskedForAndMayBeDeclined) {
  const std::string startup32 = startup({{"user", "app"}, {"database", "db"}}, 196610);
  BackendLoginRig agrees(newest());
  EXPECT_EQ(agrees.wire.to_backend(), startup32);
  agrees.wire.feed(Party::backend,
                   auth(0) + message('K', be32(7) + std::string(256, 'k')) + ready());
  ASSERT_EQ(agrees.wire.count(Kind::done), 1U);
  protocol::Writer out;
  EXPECT_TRUE(agrees.login.take_state()->write_cancel(out));
  EXPECT_EQ(protocol::text_of(out.view()), packet(80877102, be32(7) + std::string(256, 'k')));
  BackendLoginRig declines(newest());
  declines.wire.feed(Party::backend, message('v', be32(196608) + be32(0)) + kGreeting);
  EXPECT_EQ(declines.wire.count(Kind::done), 1U);
}

TEST(BackendLogin, NegotiationIsHeldToItsRules) {
  const std::string declined = message('v', be32(196608) + be32(0));
  for (const std::string& bytes :
       {message('v', be32(196610) + be32(0)), message('v', be32(131072) + be32(0)),
        message('v', be32(196608) + be32(1) + z("_pq_.x")), declined + declined, auth(0) + declined,
        message('v', "x")}) {
    BackendLoginRig client(newest());
    client.wire.feed(Party::backend, bytes);
    EXPECT_EQ(client.wire.fault(), Fault::backend_violation);
  }
  BackendLoginRig unasked;
  unasked.wire.feed(Party::backend, declined);
  EXPECT_EQ(unasked.wire.fault(), Fault::backend_violation);
}

TEST(BackendLogin, WhatAnswersLookUpsHasNoSearchPath) {
  protocol::BackendIdentity as = identity();
  as.answers_look_ups = true;
  EXPECT_EQ(BackendLoginRig(as).wire.to_backend(),
            startup({{"user", "app"}, {"database", "db"}, {"search_path", ""}}));
}

TEST(BackendLogin, Md5AndTrust) {
  BackendLoginRig md5;
  md5.wire.feed(Party::backend, auth(5, "salt"));
  const std::string verifier = postgres::md5_verifier("app", "secret");
  EXPECT_TRUE(md5.wire.to_backend().ends_with(
      password(z(postgres::md5_response(verifier, protocol::bytes_of("salt"))))));
  md5.wire.feed(Party::backend, kGreeting);
  EXPECT_EQ(md5.wire.count(Kind::done), 1U);
  BackendLoginRig trust;
  trust.wire.feed(Party::backend, kGreeting);
  EXPECT_EQ(trust.wire.count(Kind::done), 1U);
}

TEST(BackendLogin, ThePasswordItselfGoesOnlyThroughTls) {
  BackendLoginRig plain;
  plain.wire.feed(Party::backend, auth(3));
  EXPECT_EQ(plain.wire.fault(), Fault::backend_refused_login);
  EXPECT_EQ(plain.wire.to_backend(), kStartup);
  BackendLoginRig secure(identity(true, true));
  secure.wire.feed(Party::backend, "S");
  secure.wire.feed(Party::backend, auth(3));
  EXPECT_EQ(secure.wire.to_backend(), packet(80877103) + kStartup + password(z("secret")));
}

TEST(BackendLogin, AnswersToTheTlsRequest) {
  BackendLoginRig falls_back(identity(true));
  falls_back.wire.feed(Party::backend, "N");
  EXPECT_EQ(falls_back.wire.to_backend(), packet(80877103) + kStartup);
  BackendLoginRig insists(identity(true, true));
  insists.wire.feed(Party::backend, "N");
  EXPECT_EQ(insists.wire.fault(), Fault::backend_unavailable);
  EXPECT_EQ(insists.wire.to_backend(), packet(80877103));
  for (const char* answer : {"Sx", "Nx"}) {
    BackendLoginRig smuggled(identity(true));
    smuggled.wire.feed(Party::backend, answer);
    EXPECT_EQ(smuggled.wire.fault(), Fault::backend_violation);
    EXPECT_EQ(smuggled.wire.count(Kind::start_tls), 0U);
  }
  BackendLoginRig old(identity(true));
  old.wire.feed(Party::backend, error("08P01", "send me your password"));
  EXPECT_EQ(old.wire.fault(), Fault::backend_unavailable);
  EXPECT_EQ(old.login.error().find("password"), std::string_view::npos);
}

TEST(BackendLogin, ErrorsAreToldApart) {
  const std::vector<std::pair<std::string, Fault>> errors{
      {"3D000", Fault::unknown_database},      {"28P01", Fault::backend_refused_login},
      {"28000", Fault::backend_refused_login}, {"53300", Fault::backend_full},
      {"57P03", Fault::backend_unavailable},   {"", Fault::backend_unavailable},
      {"53200", Fault::backend_unavailable},   {"42501", Fault::backend_refused_login},
      {"55000", Fault::backend_refused_login}};
  for (const auto& [sqlstate, fault] : errors) {
    BackendLoginRig client;
    client.wire.feed(Party::backend, error(sqlstate, "words", "FATAL"));
    EXPECT_EQ(client.wire.fault(), fault) << sqlstate;
    EXPECT_EQ(client.login.error(), sqlstate + ": words");
    EXPECT_EQ(client.login.secret_refused(), sqlstate == "28P01");
  }
}

TEST(BackendLogin, TheLimitOfARoleOrADatabaseIsNotTheServers) {
  const auto said_by = [](const std::string& routine) {
    BackendLoginRig client;
    client.wire.feed(Party::backend, message('E', z("SFATAL") + z("C53300") + z("Mtoo many") +
                                                      z("R" + routine) + std::string(1, '\0')));
    return client.wire.fault();
  };
  EXPECT_EQ(said_by("InitializeSessionUserId"), Fault::account_full);
  EXPECT_EQ(said_by("CheckMyDatabase"), Fault::account_full);
  EXPECT_EQ(said_by("InitProcess"), Fault::backend_full);
}

TEST(BackendLogin, NonsenseIsAViolation) {
  const std::vector<std::string> broken{ready(),
                                        std::string("R\0\0\0\3", 5),
                                        message('R', "ab"),
                                        auth(11, "r=x"),
                                        auth(12, "v=x"),
                                        auth(0) + query("select 1"),
                                        auth(0) + message('S', "no zero bytes"),
                                        auth(0) + message('K', "abc"),
                                        auth(0) + message('Z', "II"),
                                        auth(0) + ready('T'),
                                        message('R', std::string(70000, 'x'))};
  for (const std::string& bytes : broken) {
    BackendLoginRig client;
    client.wire.feed(Party::backend, bytes);
    EXPECT_EQ(client.wire.fault(), Fault::backend_violation) << bytes.substr(0, 50);
    EXPECT_FALSE(client.login.error().empty());
  }
}

TEST(BackendLogin, UnsupportedMethodsAreNamed) {
  for (const std::string& offer : {auth(7), auth(10, z("SCRAM-SHA-256-PLUS") + '\0')}) {
    BackendLoginRig client;
    client.wire.feed(Party::backend, offer);
    EXPECT_EQ(client.wire.fault(), Fault::backend_refused_login);
  }
}

TEST(BackendLogin, ALoginIsBounded) {
  BackendLoginRig client;
  std::string chatter;
  for (int i = 0; i < 1100; ++i) chatter += notice("x");
  client.wire.feed(Party::backend, chatter);
  EXPECT_EQ(client.wire.fault(), Fault::backend_violation);
}

TEST(BackendLogin, LongParametersAndMissingKeysAreFine) {
  BackendLoginRig client;
  client.wire.feed(Party::backend,
                   auth(0) + status("search_path", std::string(30000, 's')) + ready());
  EXPECT_EQ(client.wire.breach(), "");
  ASSERT_EQ(client.wire.count(Kind::done), 1U);
  protocol::Writer out;
  EXPECT_FALSE(client.login.take_state()->write_cancel(out));
}

}  // namespace
}  // namespace weirpool::test::pg
