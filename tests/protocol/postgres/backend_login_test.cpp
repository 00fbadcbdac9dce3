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

struct Client {
  explicit Client(const protocol::BackendIdentity& as = identity())
      : login(as, std::make_shared<postgres::Catalog>(10)),
        wire(login, [this](const Verdict& verdict, Wire&) {
          if (verdict.kind == Kind::start_tls) login.tls_established();
          if (verdict.kind == Kind::look_up) {
            const auto& d = login.derivation();
            login.derived(postgres::pbkdf2_sha256(d.password, d.salt, d.iterations));
          }
        }) {
    wire.pump();
  }

  postgres::PostgresBackendLogin login;
  Wire wire;
};

const std::string kStartup = startup({{"user", "app"}, {"database", "db"}});
const std::string kGreeting = auth(0) + status("server_version", "15.4") + notice("hello") +
                              status("TimeZone", "UTC") + message('K', be32(77) + "abcd") + ready();
const std::string kOfferScram = auth(10, z("SCRAM-SHA-256-PLUS") + z("SCRAM-SHA-256") + '\0');

/// The lines of a SCRAM server that knows `password`; `lie` replaces its signature.
Script scram_script(const std::string& password_text, const std::string& lie = {}) {
  auto verifier = std::make_shared<postgres::ScramVerifier>();
  verifier->salt = {1, 2, 3, 4};
  verifier->keys = {postgres::scram_keys(
      postgres::pbkdf2_sha256(password_text, verifier->salt, verifier->iterations))};
  auto server = std::make_shared<postgres::ScramServer>(*verifier, true, "servernonce");
  return {backend(kOfferScram),
          Line(Party::backend,
               [server](const Wire& wire) {
                 const std::string& heard = wire.to_backend();
                 return auth(11, server->first(heard.substr(heard.find("n,,"))).value_or("?"));
               }),
          Line(Party::backend, [server, verifier, lie](const Wire& wire) {
            const std::string& heard = wire.to_backend();
            const auto outcome =
                server->last(std::string_view(heard).substr(heard.rfind("c=biws")));
            if (outcome != postgres::ScramServer::Outcome::proven && lie.empty()) {
              return error("28P01", "password authentication failed", "FATAL");
            }
            return auth(12, lie.empty() ? server->server_final() : lie) + kGreeting;
          })};
}

TEST(BackendLogin, ScramLogsIn) {
  Client client;
  EXPECT_EQ(client.wire.to_backend(), kStartup);
  play(client.wire, scram_script("secret"));
  EXPECT_EQ(client.wire.breach(), "");
  EXPECT_EQ(client.wire.events(), (std::vector{Kind::look_up, Kind::done}));
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
    Client client;
    play(client.wire, scram_script("secret"), cut);
    EXPECT_EQ(client.wire.breach(), "");
    EXPECT_EQ(client.wire.count(Kind::done), 1U) << cut.line << " at " << cut.at;
  });
}

TEST(BackendLogin, AServerThatDoesNotKnowThePasswordIsRefused) {
  Client wrong;
  play(wrong.wire, scram_script("secret", "v=" + postgres::base64(postgres::Digest{})));
  EXPECT_EQ(wrong.wire.fault(), Fault::backend_violation);
  Client skips;
  skips.wire.feed(Party::backend, kOfferScram + kGreeting);
  EXPECT_EQ(skips.wire.fault(), Fault::backend_violation);
  EXPECT_EQ(skips.wire.count(Kind::done), 0U);
}

TEST(BackendLogin, AWrongPasswordIsTheProxysFault) {
  Client client;
  play(client.wire, scram_script("another"));
  EXPECT_EQ(client.wire.fault(), Fault::backend_refused_login);
  EXPECT_EQ(client.login.error(), "28P01: password authentication failed");
}

TEST(BackendLogin, Md5AndTrust) {
  Client md5;
  md5.wire.feed(Party::backend, auth(5, "salt"));
  const std::string verifier = postgres::md5_verifier("app", "secret");
  EXPECT_TRUE(md5.wire.to_backend().ends_with(
      password(z(postgres::md5_response(verifier, protocol::bytes_of("salt"))))));
  md5.wire.feed(Party::backend, kGreeting);
  EXPECT_EQ(md5.wire.count(Kind::done), 1U);
  Client trust;
  trust.wire.feed(Party::backend, kGreeting);
  EXPECT_EQ(trust.wire.count(Kind::done), 1U);
}

TEST(BackendLogin, ThePasswordItselfGoesOnlyThroughTls) {
  Client plain;
  plain.wire.feed(Party::backend, auth(3));
  EXPECT_EQ(plain.wire.fault(), Fault::backend_refused_login);
  EXPECT_EQ(plain.wire.to_backend(), kStartup);
  Client secure(identity(true, true));
  secure.wire.feed(Party::backend, "S");
  secure.wire.feed(Party::backend, auth(3));
  EXPECT_EQ(secure.wire.to_backend(), packet(80877103) + kStartup + password(z("secret")));
}

TEST(BackendLogin, AnswersToTheTlsRequest) {
  Client falls_back(identity(true));
  falls_back.wire.feed(Party::backend, "N");
  EXPECT_EQ(falls_back.wire.to_backend(), packet(80877103) + kStartup);
  Client insists(identity(true, true));
  insists.wire.feed(Party::backend, "N");
  EXPECT_EQ(insists.wire.fault(), Fault::backend_unavailable);
  EXPECT_EQ(insists.wire.to_backend(), packet(80877103));
  for (const char* answer : {"Sx", "Nx"}) {
    Client smuggled(identity(true));
    smuggled.wire.feed(Party::backend, answer);
    EXPECT_EQ(smuggled.wire.fault(), Fault::backend_violation);
    EXPECT_EQ(smuggled.wire.count(Kind::start_tls), 0U);
  }
  Client old(identity(true));
  old.wire.feed(Party::backend, error("08P01", "send me your password"));
  EXPECT_EQ(old.wire.fault(), Fault::backend_unavailable);
  EXPECT_EQ(old.login.error().find("password"), std::string_view::npos);
}

TEST(BackendLogin, ErrorsAreToldApart) {
  const std::vector<std::pair<std::string, Fault>> errors{
      {"3D000", Fault::unknown_database},      {"28P01", Fault::backend_refused_login},
      {"28000", Fault::backend_refused_login}, {"53300", Fault::backend_full},
      {"57P03", Fault::backend_unavailable},   {"", Fault::backend_unavailable}};
  for (const auto& [sqlstate, fault] : errors) {
    Client client;
    client.wire.feed(Party::backend, error(sqlstate, "words", "FATAL"));
    EXPECT_EQ(client.wire.fault(), fault) << sqlstate;
    EXPECT_EQ(client.login.error(), sqlstate + ": words");
  }
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
    Client client;
    client.wire.feed(Party::backend, bytes);
    EXPECT_EQ(client.wire.fault(), Fault::backend_violation) << bytes.substr(0, 50);
    EXPECT_FALSE(client.login.error().empty());
  }
}

TEST(BackendLogin, UnsupportedMethodsAreNamed) {
  for (const std::string& offer : {auth(7), auth(10, z("SCRAM-SHA-256-PLUS") + '\0')}) {
    Client client;
    client.wire.feed(Party::backend, offer);
    EXPECT_EQ(client.wire.fault(), Fault::backend_refused_login);
  }
}

TEST(BackendLogin, ALoginIsBounded) {
  Client client;
  std::string chatter;
  for (int i = 0; i < 1100; ++i) chatter += notice("x");
  client.wire.feed(Party::backend, chatter);
  EXPECT_EQ(client.wire.fault(), Fault::backend_violation);
}

TEST(BackendLogin, LongParametersAndMissingKeysAreFine) {
  Client client;
  client.wire.feed(Party::backend,
                   auth(0) + status("search_path", std::string(30000, 's')) + ready());
  EXPECT_EQ(client.wire.breach(), "");
  ASSERT_EQ(client.wire.count(Kind::done), 1U);
  protocol::Writer out;
  EXPECT_FALSE(client.login.take_state()->write_cancel(out));
}

}  // namespace
}  // namespace weirpool::test::pg
