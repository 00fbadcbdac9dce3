#include "protocol/mysql/frame.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace weirpool::protocol::mysql {
namespace {

using Outcome = PacketCollector::Outcome;

std::vector<std::uint8_t> packet(std::uint32_t length) {
  std::vector<std::uint8_t> bytes(kHeaderSize + length);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  patch_header(bytes, {length, 7});
  return bytes;
}

TEST(MysqlFrame, HeaderAndLength) {
  Writer out;
  const std::size_t at = begin_packet(out, 9);
  out.text("abc");
  end_packet(out, at);
  EXPECT_EQ(header_of(out.view()).length, 3u);
  EXPECT_EQ(header_of(out.view()).sequence, 9);
  std::vector<std::uint8_t> bytes(4);
  patch_header(bytes, {0xABCDEF, 255});
  EXPECT_EQ(header_of(bytes).length, 0xABCDEFu);
  EXPECT_EQ(header_of(bytes).sequence, 255);
}

TEST(MysqlFrame, ShortPacketsAreSeenInPlace) {
  std::vector<std::uint8_t> bytes = packet(10);
  bytes.push_back(1);
  PacketCollector collector(100);
  EXPECT_EQ(collector.feed(MutableBytes(bytes).first(3)).count, kHeaderSize);
  const auto need = collector.feed(MutableBytes(bytes).first(5));
  EXPECT_EQ(need.outcome, Outcome::need);
  EXPECT_EQ(need.count, 14u);
  const auto whole = collector.feed(bytes);
  EXPECT_EQ(whole.outcome, Outcome::whole);
  EXPECT_EQ(whole.count, 14u);
  EXPECT_EQ(collector.packet().data(), bytes.data());
  EXPECT_EQ(collector.sequence(), 7);
  EXPECT_EQ(collector.payload().size(), 10u);
}

TEST(MysqlFrame, LongPacketsAreCollected) {
  std::vector<std::uint8_t> bytes = packet(9000);
  bytes.push_back(1);
  PacketCollector collector(9000);
  MutableBytes rest = bytes;
  std::size_t pieces = 0;
  for (;;) {
    const auto step = collector.feed(rest.first(std::min<std::size_t>(rest.size(), 500)));
    ASSERT_NE(step.outcome, Outcome::too_long);
    rest = rest.subspan(step.count);
    if (step.outcome == Outcome::whole) break;
    EXPECT_EQ(step.outcome, Outcome::piece);
    EXPECT_TRUE(collector.busy());
    ++pieces;
  }
  EXPECT_EQ(pieces, 18u);
  EXPECT_EQ(rest.size(), 1u);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end() - 1, collector.packet().begin()));
  collector.release();
  EXPECT_FALSE(collector.busy());
}

TEST(MysqlFrame, LimitAndContinuationsAreRefused) {
  std::vector<std::uint8_t> bytes = packet(101);
  EXPECT_EQ(PacketCollector(100).feed(bytes).outcome, Outcome::too_long);
  patch_header(bytes, {kMaxPayload, 0});
  EXPECT_EQ(PacketCollector(1U << 30).feed(bytes).outcome, Outcome::too_long);
}

}  // namespace
}  // namespace weirpool::protocol::mysql
