#include "protocol/postgres/client_login.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/md5.hpp"
#include "protocol/postgres/query_messages.hpp"
#include "tests/protocol/postgres/wire_text.hpp"
#include "tests/support/wire_script.hpp"

namespace weirpool::test::pg {
namespace {

namespace postgres = protocol::postgres;

struct Server {
  Server() : Server(protocol::LoginContext{}) {}
  explicit Server(protocol::LoginContext context)
      : login((context.connection_id = 42, context.cancel_key.fill(7), context),
              std::make_shared<postgres::Catalog>(10)),
        wire(login, [this](const Verdict& verdict, Wire&) { on_event(verdict); }) {}

  void on_event(const Verdict& verdict) {
    if (verdict.kind == Kind::look_up) login.answer({secret, nullptr, proof});
    if (verdict.kind == Kind::learn) login.learned(facts, Fault::unknown_database, "");
    if (verdict.kind == Kind::start_tls) login.tls_established(tls);
    if (verdict.kind == Kind::derive) {
      const protocol::KeyDerivation d = login.derivation();
      login.derived(postgres::pbkdf2_sha256(d.password, d.salt, d.iterations));
    }
  }

  std::string fault_text(Fault fault) {
    protocol::Writer out;
    login.write_fault(fault, {}, out);
    return std::string(protocol::text_of(out.view()));
  }

  static std::shared_ptr<postgres::Facts> some_facts() {
    auto facts = std::make_shared<postgres::Facts>();
    facts->parameters = {
        {"server_version", "15.4"}, {"TimeZone", "UTC"}, {"client_encoding", "UTF8"}};
    return facts;
  }

  std::shared_ptr<const postgres::Secret> secret =
      std::make_shared<const postgres::Secret>("app", std::vector<std::string>{"new", "old"});
  protocol::Proof proof = protocol::Proof::by_secret;
  protocol::TlsFacts tls;
  std::shared_ptr<postgres::Facts> facts = some_facts();
  postgres::PostgresClientLogin login;
  Wire wire;
};

protocol::LoginContext with_tls(bool required = false) {
  protocol::LoginContext context;
  context.tls_available = true;
  context.tls_required = required;
  return context;
}

const std::string kSsl = packet(80877103);
const std::string kGss = packet(80877104);
const std::string kHello = startup({{"user", "app"}, {"database", "db"}});

/// The lines of a SCRAM client; fresh state for every play.
Script client_scram(const std::string& hello, const std::string& password_text) {
  auto client_side = std::make_shared<postgres::ScramClient>("abcdefghijklmnopqrstuvwx");
  const std::string first = client_side->first();
  return {
      client(hello),
      client(password(z("SCRAM-SHA-256") + be32(static_cast<std::uint32_t>(first.size())) + first)),
      Line(Party::client, [client_side, password_text](const Wire& wire) {
        const std::string& heard = wire.to_client();
        const std::size_t at = heard.rfind("r=abc");
        if (at == heard.npos) return std::string("?");
        client_side->challenge(std::string_view(heard).substr(at));
        return password(client_side->prove(postgres::scram_prover(postgres::pbkdf2_sha256(
            password_text, client_side->salt(), client_side->iterations()))));
      })};
}

TEST(ClientLogin, EitherPasswordLogsIn) {
  for (const char* word : {"new", "old"}) {
    Server server;
    play(server.wire, client_scram(kHello, word));
    EXPECT_EQ(server.wire.breach(), "");
    std::vector<Kind> events{Kind::look_up, Kind::derive, Kind::learn, Kind::done};
    if (std::string(word) == "old") events.insert(events.begin() + 1, Kind::derive);
    EXPECT_EQ(server.wire.events(), events);
    EXPECT_EQ(tags(server.wire.to_client()), "RRRRSSSKZ");
    EXPECT_TRUE(server.wire.to_client().ends_with(status("client_encoding", "UTF8") +
                                                  message('K', be32(42) + "\7\7\7\7") + ready()));
    EXPECT_NE(server.login.take_conversation(), nullptr);
  }
}

TEST(ClientLogin, EveryCutOfALoginIsTheSame) {
  const std::vector<std::size_t> lengths{kHello.size(), 60, 130};
  for_every_cut(lengths, [](Cut cut) {
    Server server;
    play(server.wire, client_scram(kHello, "new"), cut);
    EXPECT_EQ(server.wire.breach(), "");
    EXPECT_EQ(server.wire.count(Kind::done), 1U) << cut.line << " at " << cut.at;
  });
}

TEST(ClientLogin, AnUnknownUserLooksLikeAWrongPassword) {
  Server known;
  play(known.wire, client_scram(kHello, "wrong"));
  Server unknown;
  unknown.secret = nullptr;
  play(unknown.wire, client_scram(kHello, "wrong"));
  EXPECT_EQ(known.wire.fault(), Fault::login_denied);
  EXPECT_EQ(unknown.wire.fault(), Fault::login_denied);
  EXPECT_EQ(tags(known.wire.to_client()), tags(unknown.wire.to_client()));
  EXPECT_EQ(known.wire.to_client().size(), unknown.wire.to_client().size());
  EXPECT_EQ(known.fault_text(Fault::login_denied), unknown.fault_text(Fault::login_denied));
}

TEST(ClientLogin, APasswordOf64KiBFits) {
  Server server;
  const std::string token(std::size_t{64} << 10, 't');
  server.secret = std::make_shared<const postgres::Secret>("app", std::vector{token});
  server.proof = protocol::Proof::cleartext;
  server.wire.feed(Party::client, kHello);
  EXPECT_EQ(server.wire.to_client(), auth(3));
  server.wire.feed(Party::client, password(z(token)));
  EXPECT_EQ(server.wire.breach(), "");
  EXPECT_EQ(server.wire.count(Kind::done), 1U);
}

TEST(ClientLogin, Md5VerifiersAreChecked) {
  for (const char* word : {"right", "wrong"}) {
    Server server;
    server.secret = std::make_shared<const postgres::Secret>(
        "app", std::vector{postgres::md5_verifier("app", "right")});
    server.wire.feed(Party::client, kHello);
    ASSERT_EQ(server.wire.to_client().substr(0, 9), message('R', be32(5) + "salt").substr(0, 9));
    const std::string salt = server.wire.to_client().substr(9);
    server.wire.feed(Party::client,
                     password(z(postgres::md5_response(postgres::md5_verifier("app", word),
                                                       protocol::bytes_of(salt)))));
    EXPECT_EQ(server.wire.count(Kind::done), std::string(word) == "right" ? 1U : 0U);
  }
}

TEST(ClientLogin, TlsIsOfferedOrNot) {
  Server plain;
  plain.wire.feed(Party::client, kSsl);
  plain.wire.feed(Party::client, kGss);
  EXPECT_EQ(plain.wire.to_client(), "NN");
  plain.wire.feed(Party::client, kHello);
  EXPECT_EQ(plain.wire.count(Kind::look_up), 1U);
  Server secure(with_tls());
  secure.wire.feed(Party::client, kGss);
  secure.wire.feed(Party::client, kSsl);
  EXPECT_EQ(secure.wire.to_client(), "NS");
  EXPECT_EQ(secure.wire.events(), std::vector{Kind::start_tls});
  secure.wire.feed(Party::client, kHello);
  EXPECT_EQ(secure.wire.count(Kind::look_up), 1U);
}

TEST(ClientLogin, BytesBehindATlsRequestCloseWithoutWords) {
  Server server(with_tls());
  server.wire.feed(Party::client, kSsl + "x");
  EXPECT_TRUE(server.wire.ended());
  EXPECT_EQ(server.wire.fault(), Fault::none);
  EXPECT_EQ(server.wire.to_client(), "");
}

TEST(ClientLogin, SecondRequestsAreViolations) {
  Server inside(with_tls());
  inside.wire.feed(Party::client, kSsl);
  inside.wire.feed(Party::client, kSsl);
  EXPECT_EQ(inside.wire.fault(), Fault::protocol_violation);
  Server twice;
  twice.wire.feed(Party::client, kSsl);
  twice.wire.feed(Party::client, kSsl);
  EXPECT_EQ(twice.wire.fault(), Fault::protocol_violation);
  Server gss;
  gss.wire.feed(Party::client, kGss);
  gss.wire.feed(Party::client, kGss);
  EXPECT_EQ(gss.wire.fault(), Fault::protocol_violation);
}

TEST(ClientLogin, PlaintextIsRefusedWhereTlsIsRequired) {
  Server server(with_tls(true));
  server.wire.feed(Party::client, kHello);
  EXPECT_EQ(server.wire.fault(), Fault::tls_required);
}

TEST(ClientLogin, CancelCarriesItsKey) {
  Server server;
  server.wire.feed(Party::client, packet(80877102, be32(42) + "\7\7\7\7"));
  EXPECT_EQ(server.wire.events(), std::vector{Kind::cancel});
  EXPECT_EQ(server.wire.cancel_key(), be32(42) + "\7\7\7\7");
  EXPECT_EQ(server.wire.to_client(), "");
}

TEST(ClientLogin, NewerProtocolsAreNegotiatedOnce) {
  Server newer;
  newer.wire.feed(Party::client, startup({{"user", "app"}}, 196617));
  EXPECT_TRUE(newer.wire.to_client().starts_with(message('v', be32(196610) + be32(0))));
  EXPECT_EQ(tags(newer.wire.to_client()), "vR");
  Server option;
  option.wire.feed(Party::client, startup({{"user", "app"}, {"_pq_.x", "1"}}));
  EXPECT_TRUE(
      option.wire.to_client().starts_with(message('v', be32(196608) + be32(1) + z("_pq_.x"))));
  for (const std::uint32_t version : {2U << 16, 4U << 16, 0U}) {
    Server other;
    other.wire.feed(Party::client, startup({{"user", "app"}}, version));
    EXPECT_EQ(other.wire.fault(), Fault::unsupported);
  }
}

TEST(ClientLogin, Protocol32HasALongCancelKey) {
  Server server;
  play(server.wire, client_scram(startup({{"user", "app"}, {"database", "db"}}, 196610), "new"));
  EXPECT_EQ(server.wire.count(Kind::done), 1U);
  EXPECT_EQ(tags(server.wire.to_client()), "RRRRSSSKZ");
  EXPECT_TRUE(
      server.wire.to_client().ends_with(message('K', be32(42) + std::string(32, 7)) + ready()));
  EXPECT_EQ(server.login.cancel_key_size(), 32U);
  Server cancels;
  const std::string key = be32(42) + std::string(32, 7);
  cancels.wire.feed(Party::client, packet(80877102, key));
  EXPECT_EQ(cancels.wire.cancel_key(), key);
}

TEST(ClientLogin, TlsFromTheFirstByteOn) {
  Server server(with_tls());
  server.tls.application = "postgresql";
  server.wire.feed(Party::client, "\x16");
  EXPECT_EQ(server.wire.to_client(), "");
  EXPECT_EQ(server.wire.events(), std::vector{Kind::start_tls});
}

TEST(ClientLogin, DirectTlsNeedsItsName) {
  for (const char* name : {"", "http/1.1"}) {
    Server server(with_tls());
    server.tls.application = name;
    server.wire.feed(Party::client, "\x16");
    EXPECT_TRUE(server.wire.ended());
    EXPECT_EQ(server.wire.fault(), Fault::none);
    EXPECT_EQ(server.wire.to_client(), "");
  }
}

TEST(ClientLogin, TlsBytesWhereTlsHasNoPlaceAreNoStartup) {
  Server without;
  without.wire.feed(Party::client, std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8));
  EXPECT_EQ(without.wire.fault(), Fault::message_too_large);
  Server behind_gss(with_tls());
  behind_gss.wire.feed(Party::client, kGss);
  behind_gss.wire.feed(Party::client, std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8));
  EXPECT_EQ(behind_gss.wire.fault(), Fault::message_too_large);
}

TEST(ClientLogin, PlusIsOfferedInsideTlsOnly) {
  Server plain;
  plain.wire.feed(Party::client, kHello);
  EXPECT_EQ(plain.wire.to_client(), auth(10, z("SCRAM-SHA-256") + '\0'));
  Server secure(with_tls());
  secure.tls.end_point.assign(32, 9);
  secure.wire.feed(Party::client, kSsl);
  secure.wire.feed(Party::client, kHello);
  EXPECT_EQ(secure.wire.to_client(),
            "S" + auth(10, z("SCRAM-SHA-256-PLUS") + z("SCRAM-SHA-256") + '\0'));
}

TEST(ClientLogin, IdentityComesFromTheStartup) {
  Server server;
  server.wire.feed(Party::client, startup({{"user", "app"}, {"application_name", "caf\xC3\xA9"}}));
  EXPECT_EQ(server.login.identity().user, "app");
  EXPECT_EQ(server.login.identity().database, "app");
  EXPECT_EQ(server.login.identity().application, "caf??");
}

TEST(ClientLogin, ApplicationNamesAreCleanedAsTheServersVersionDoes) {
  for (const auto& [version, cleaned] :
       {std::pair{"15.4", "caf??"}, std::pair{"16beta1", "caf\\xc3\\xa9"}}) {
    Server server;
    server.facts->parameters = {{"server_version", version}, {"application_name", ""}};
    play(server.wire,
         client_scram(startup({{"user", "app"}, {"application_name", "caf\xC3\xA9"}}), "new"));
    EXPECT_NE(server.wire.to_client().find(status("application_name", cleaned)), std::string::npos);
    EXPECT_EQ(server.login.take_conversation()->application(), cleaned);
  }
}

TEST(ClientLogin, OtherValuesBeyondAsciiAreKept) {
  Server server;
  play(server.wire,
       client_scram(startup({{"user", "app"}, {"client_encoding", "\xC3\xA9"}}), "new"));
  EXPECT_NE(server.wire.to_client().find(status("client_encoding", "\xC3\xA9")), std::string::npos);
}

TEST(ClientLogin, AMissingUserIsNamed) {
  Server server;
  server.wire.feed(Party::client, startup({{"database", "db"}}));
  EXPECT_EQ(server.wire.fault(), Fault::login_denied);
  EXPECT_NE(server.fault_text(Fault::login_denied).find("28000"), std::string::npos);
}

TEST(ClientLogin, WantedParametersAreGreetedWith) {
  Server server;
  play(server.wire, client_scram(startup({{"user", "app"},
                                          {"options", "-c timezone=Asia/Tokyo"},
                                          {"server_version", "1"}}),
                                 "new"));
  EXPECT_NE(server.wire.to_client().find(status("TimeZone", "Asia/Tokyo")), std::string::npos);
  EXPECT_NE(server.wire.to_client().find(status("server_version", "15.4")), std::string::npos);
}

TEST(ClientLogin, WhatCannotBeFollowedIsRefused) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"options", "-d 5"}, {"a b", "x"}}) {
    Server server;
    server.wire.feed(Party::client, startup({{"user", "app"}, {name, value}}));
    EXPECT_EQ(server.wire.fault(), Fault::unsupported) << name;
  }
  Server server;
  server.wire.feed(Party::client, startup({{"user", "app"}, {"replication", "false"}}));
  EXPECT_EQ(server.wire.count(Kind::look_up), 1U);
}

TEST(ClientLogin, ReplicationClientsHaveBackendsOfTheirOwn) {
  std::vector<std::uint32_t> variants;
  for (const char* replication : {"true", "database", "off"}) {
    Server server;
    play(server.wire,
         client_scram(startup({{"user", "app"}, {"replication", replication}}), "new"));
    variants.push_back(server.login.identity().variant);
    const auto conversation = server.login.take_conversation();
    const bool own = dynamic_cast<protocol::postgres::ReplicationConversation*>(conversation.get());
    EXPECT_EQ(own, variants.back() != 0) << replication;
    const std::string kind = replication == std::string("true") ? "physical" : "logical";
    EXPECT_EQ(conversation->replication(), own ? kind : "") << replication;
  }
  EXPECT_NE(variants[0], 0U);
  EXPECT_NE(variants[1], 0U);
  EXPECT_EQ(variants[2], 0U);
  // Nobody who has not proven who he is gets a number.
  Server stranger;
  stranger.wire.feed(Party::client, startup({{"user", "app"}, {"replication", "true"}}));
  EXPECT_EQ(stranger.login.identity().variant, 0U);
}

TEST(ClientLogin, LengthsAreCheckedFirst) {
  const std::vector<std::pair<std::string, Fault>> broken{
      {be32(7) + be32(196608), Fault::protocol_violation},
      {be32(0xFFFFFFFF) + be32(196608), Fault::message_too_large},
      {be32(10001) + be32(196608), Fault::message_too_large},
      {be32(9) + be32(80877103) + "x", Fault::protocol_violation},
      {packet(80877102, "short"), Fault::protocol_violation},
      {packet(196608, z("user") + z("app")), Fault::protocol_violation},
      {packet(196608, z("user") + '\0'), Fault::protocol_violation},
      {"GET / HTTP/1.1\r\n\r\n", Fault::message_too_large}};
  for (const auto& [bytes, fault] : broken) {
    Server server;
    server.wire.feed(Party::client, bytes);
    EXPECT_EQ(server.wire.fault(), fault) << bytes;
    EXPECT_EQ(server.wire.to_client(), "");
  }
}

TEST(ClientLogin, ALongStartupIsCollected) {
  const std::string hello = startup({{"user", "app"}, {"search_path", std::string(9000, 's')}});
  Server server;
  for (const char c : hello) server.wire.feed(Party::client, std::string(1, c));
  EXPECT_EQ(server.wire.breach(), "");
  EXPECT_EQ(server.wire.count(Kind::look_up), 1U);
}

TEST(ClientLogin, PasswordsOutOfOrderOrTooLong) {
  const std::vector<std::pair<std::string, Fault>> broken{
      {query("select 1"), Fault::protocol_violation},
      {terminate(), Fault::none},
      {std::string("p\0\0\0\3", 5), Fault::protocol_violation},
      {password(std::string(5000, 'x')), Fault::message_too_large},
      {password("no mechanism"), Fault::protocol_violation},
      {password(z("SCRAM-SHA-256-PLUS") + be32(8) + "n,,n=,r="), Fault::protocol_violation},
      {password(z("SCRAM-SHA-256") + be32(11) + "p=x,,n=,r=a"), Fault::protocol_violation}};
  for (const auto& [bytes, fault] : broken) {
    Server server;
    server.wire.feed(Party::client, kHello);
    server.wire.feed(Party::client, bytes);
    EXPECT_TRUE(server.wire.ended()) << bytes;
    EXPECT_EQ(server.wire.fault(), fault) << bytes;
  }
}

TEST(ClientLogin, AnUnknownDatabaseIsToldAfterThePassword) {
  Server server;
  server.facts = nullptr;
  play(server.wire, client_scram(kHello, "new"));
  EXPECT_EQ(server.wire.fault(), Fault::unknown_database);
  EXPECT_EQ(tags(server.wire.to_client()), "RRRR");
  EXPECT_NE(server.fault_text(Fault::unknown_database).find("database \"db\" does not exist"),
            std::string::npos);
  EXPECT_EQ(server.fault_text(Fault::none), "");
}

}  // namespace
}  // namespace weirpool::test::pg
