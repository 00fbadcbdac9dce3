#include "protocol/mysql/recording.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

ServerState backend() { return {facts(), 0, "shop", 7}; }

std::string kept(Recording& recording) {
  const std::vector<std::uint8_t> bytes = recording.take();
  return std::string(protocol::text_of(bytes));
}

TEST(MysqlRecording, KeepsAWholeResult) {
  const std::string reply = count(1, 1) + definition(2) + row(3) + row(4) + end(5);
  Recording recording(backend(), "show warnings");
  Wire wire(recording);
  wire.pump();
  EXPECT_EQ(wire.to_backend(), query("show warnings"));
  for (const char c : reply) wire.feed(Party::backend, std::string(1, c));
  EXPECT_EQ(wire.count(Kind::done), 1u);
  EXPECT_EQ(wire.to_client(), "");
  EXPECT_EQ(kept(recording), reply);
  EXPECT_EQ(recording.status(), status::autocommit);
  EXPECT_EQ(wire.breach(), "");
}

TEST(MysqlRecording, OfALongOneTheRowsThatFit) {
  const std::string big(kMaxRecording / 2, 'x');
  Recording recording(backend(), "q");
  Wire wire(recording);
  wire.feed(Party::backend,
            count(1, 1) + definition(2) + row(3, big) + row(4, big) + row(5, big) + end(6));
  EXPECT_TRUE(recording.cut());
  EXPECT_EQ(kept(recording), count(1, 1) + definition(2) + row(3, big) + end(4));
}

TEST(MysqlRecording, ARowLongerThanThatIsPassedOver) {
  Recording recording(backend(), "q");
  Wire wire(recording);
  const std::string reply =
      count(1, 1) + definition(2) + row(3, std::string(2 * kMaxRecording, 'x')) + row(4) + end(5);
  for (std::size_t at = 0; at < reply.size(); at += 1000)
    wire.feed(Party::backend, reply.substr(at, 1000));
  EXPECT_EQ(wire.count(Kind::done), 1u);
  EXPECT_TRUE(recording.cut());
  EXPECT_EQ(recording.value(), "v");
  EXPECT_EQ(kept(recording), count(1, 1) + definition(2) + row(3) + end(4));
}

TEST(MysqlRecording, ValuesOfTheLastRow) {
  Recording recording(backend(), "q");
  Wire wire(recording);
  wire.feed(Party::backend, count(1, 3) + definition(2) + definition(3) + definition(4) +
                                packet(5, lenenc("old")) +
                                packet(6, lenenc("a") + lenenc("b") + "\xFB") +
                                end(7, {.changes = state_changed()}));
  EXPECT_EQ(recording.value(), "a");
  EXPECT_EQ(recording.value(1), "b");
  EXPECT_EQ(recording.value(2), "") << "NULL";
  EXPECT_EQ(recording.value(3), "") << "there is none";
  EXPECT_TRUE(recording.session_changed());
  EXPECT_FALSE(recording.cut());
}

TEST(MysqlRecording, NoRowHasNoValue) {
  Recording recording(backend(), "q");
  Wire wire(recording);
  wire.feed(Party::backend, count(1, 1) + definition(2) + end(3));
  EXPECT_EQ(recording.value(), "");
  EXPECT_FALSE(recording.session_changed());
}

TEST(MysqlRecording, ErrorsKeepNothingAndNonsenseCloses) {
  Recording refused(backend(), "q");
  Wire wire(refused);
  wire.feed(Party::backend, count(1, 1) + definition(2) + err(3));
  EXPECT_EQ(wire.count(Kind::done), 1u);
  EXPECT_EQ(kept(refused), "");
  for (const std::string& bytes :
       {ok(1), count(2, 1), packet(1, ""), count(1, 1) + definition(2) + packet(3, "\xFE"),
        packet(1, std::string(70000, 'x')), count(1, 1) + packet(2, std::string(70000, 'x')),
        packet(1, "\x03") + packet(2, std::string(30000, 'x')) +
            packet(3, std::string(40000, 'x'))}) {
    Recording recording(backend(), "q");
    Wire other(recording);
    other.feed(Party::backend, bytes);
    EXPECT_EQ(other.fault(), Fault::backend_violation);
  }
}

}  // namespace
}  // namespace weirpool::test::mysql
