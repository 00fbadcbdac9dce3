#include "protocol/mysql/compression.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/protocol/mysql/wire_text.hpp"

namespace weirpool::test::mysql {
namespace {

using protocol::Bytes;
using protocol::Codec;

using Side = CompressedFrames::Side;

const std::string kLong(5000, 'z');

/// What `codec` makes of `wire`, given piece by piece, read into a window of that size.
std::string decoded(CompressedFrames& codec, std::string_view wire, std::size_t piece,
                    std::size_t window = 4096) {
  std::string plain;
  std::vector<std::uint8_t> room(window);
  while (!wire.empty()) {
    const std::string_view part = wire.substr(0, piece);
    wire.remove_prefix(part.size());
    codec.feed(protocol::bytes_of(part));
    for (;;) {
      const Codec::Outcome got = codec.read(room);
      if (got.status == Codec::Status::failed) return plain + "<failed>";
      if (got.status == Codec::Status::need_input) break;
      plain += protocol::text_of(Bytes(room).first(got.count));
    }
    EXPECT_FALSE(codec.has_pending_input());
  }
  return plain;
}

std::string encoded(CompressedFrames& codec, std::string_view plain) {
  codec.write(protocol::bytes_of(plain));
  std::string wire(protocol::text_of(codec.outgoing()));
  codec.consumed(wire.size());
  EXPECT_TRUE(codec.outgoing().empty());
  return wire;
}

std::string frame(unsigned sequence, std::string_view payload, std::size_t uncompressed) {
  Writer out;
  out.le24(static_cast<std::uint32_t>(payload.size()));
  out.u8(static_cast<std::uint8_t>(sequence));
  out.le24(static_cast<std::uint32_t>(uncompressed));
  out.text(payload);
  return text_of(out);
}

/// Sequence ids of the frames in `wire`.
std::string sequences(std::string_view wire) {
  std::string ids;
  while (wire.size() >= 7) {
    const Bytes header = protocol::bytes_of(wire);
    ids += (ids.empty() ? "" : ",") + std::to_string(header[3]);
    wire.remove_prefix(7 + static_cast<std::size_t>(header[0] | header[1] << 8 | header[2] << 16));
  }
  EXPECT_TRUE(wire.empty());
  return ids;
}

class MysqlCompression : public testing::TestWithParam<Compression> {};

TEST_P(MysqlCompression, ComesBackWhateverTheCuts) {
  const std::string plain = query("select 1") + query("select '" + kLong + "'") + query("x");
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 8U, 64U, 100000U}) {
    for (const std::size_t window : {1U, 5U, 4096U}) {
      CompressedFrames sender(Side::client, GetParam(), 3);
      CompressedFrames receiver(Side::server, GetParam(), 3);
      const std::string wire =
          encoded(sender, plain.substr(0, 9)) + encoded(sender, plain.substr(9));
      EXPECT_LT(wire.size(), 400u);
      EXPECT_EQ(decoded(receiver, wire, piece, window), plain);
    }
  }
}

TEST_P(MysqlCompression, FramesThatLieAreRefused) {
  CompressedFrames sender(Side::client, GetParam(), 3);
  const std::string wire = encoded(sender, query(kLong));
  const std::string payload = wire.substr(7);
  const std::size_t size = query(kLong).size();
  const auto ends_in = [&](const std::string& bytes) {
    CompressedFrames receiver(Side::server, GetParam(), 3);
    const std::string plain = decoded(receiver, bytes, bytes.size());
    EXPECT_LE(plain.size(), size + 8);
    return plain.ends_with("<failed>");
  };
  EXPECT_FALSE(ends_in(frame(0, payload, size)));
  EXPECT_TRUE(ends_in(frame(0, payload, size - 1))) << "holds more than it says";
  EXPECT_TRUE(ends_in(frame(0, payload, size + 1))) << "holds less than it says";
  EXPECT_TRUE(ends_in(frame(0, payload + "x", size))) << "bytes behind the end";
  EXPECT_TRUE(ends_in(frame(0, payload.substr(0, payload.size() - 1), size) + frame(1, "x", 0)))
      << "cut short";
  EXPECT_TRUE(ends_in(frame(0, "no such format at all", 21)));
  EXPECT_TRUE(ends_in(frame(0, "", 0))) << "a frame of nothing";
}

TEST_P(MysqlCompression, ABombIsNoLargerThanItsFuse) {
  CompressedFrames sender(Side::client, GetParam(), 3);
  const std::string wire = encoded(sender, packet(0, std::string(0xFFFFF0, '\0')));
  EXPECT_LT(wire.size(), 40000u);
  CompressedFrames receiver(Side::server, GetParam(), 3);
  const std::string lie = frame(0, wire.substr(7), 100);
  EXPECT_EQ(decoded(receiver, lie, lie.size()).size(), 100 + std::string("<failed>").size());
}

INSTANTIATE_TEST_SUITE_P(Both, MysqlCompression,
                         testing::Values(Compression::zlib, Compression::zstd),
                         [](const auto& each) {
                           return each.param == Compression::zlib ? "zlib" : "zstd";
                         });

TEST(MysqlCompressedFrames, WhatIsShortIsStored) {
  CompressedFrames codec(Side::server, Compression::zlib, 0);
  decoded(codec, frame(0, query("x"), 0), 100);
  EXPECT_EQ(encoded(codec, ok(1)), frame(1, ok(1), 0));
}

TEST(MysqlCompressedFrames, AnswersGoOnFromTheLastFrameRead) {
  CompressedFrames codec(Side::server, Compression::zlib, 0);
  const std::string command = query("select 1");
  decoded(codec, frame(0, command.substr(0, 5), 0) + frame(1, command.substr(5), 0), 3);
  EXPECT_EQ(sequences(encoded(codec, ok(1))), "2");
  decoded(codec, frame(0, command, 0), 100);
  EXPECT_EQ(sequences(encoded(codec, count(1, 1))), "1");
  EXPECT_EQ(sequences(encoded(codec, definition(2) + row(3))), "2");
  EXPECT_EQ(sequences(encoded(codec, end(4))), "3");
}

TEST(MysqlCompressedFrames, PipelinedCommandsAreAnsweredByTheirOwnNumbers) {
  CompressedFrames codec(Side::server, Compression::zlib, 0);
  decoded(codec, frame(0, query("a"), 0) + frame(0, query("b"), 0), 100);
  const std::string wire = encoded(codec, count(1, 1) + definition(2) + end(3) + ok(1));
  EXPECT_EQ(sequences(wire), "1,1");
}

TEST(MysqlCompressedFrames, AnswersOfManyPacketsWrapAndTheNextOneStartsAgain) {
  for (const unsigned packets : {254U, 255U, 256U, 257U, 511U}) {
    CompressedFrames codec(Side::server, Compression::zlib, 0);
    decoded(codec, frame(0, query("a"), 0), 100);
    for (unsigned i = 1; i <= packets; ++i) {
      EXPECT_EQ(sequences(encoded(codec, row(i))), std::to_string(i & 0xFFU)) << packets;
    }
    decoded(codec, frame(0, query("b"), 0), 100);
    EXPECT_EQ(sequences(encoded(codec, ok(1))), "1") << packets;
  }
}

TEST(MysqlCompressedFrames, ACommandOfSeveralPacketsIsAnsweredBehindThem) {
  CompressedFrames codec(Side::server, Compression::zlib, 0);
  const std::string large = packet(0, std::string(kMaxPayload, 'x'));
  decoded(codec, frame(0, query("a"), 0), 100);
  EXPECT_EQ(sequences(encoded(codec, ok(1))), "1");
  decoded(codec,
          frame(0, large.substr(0, kMaxPayload), 0) + frame(1, large.substr(kMaxPayload), 0) +
              frame(2, packet(1, ""), 0),
          70000);
  EXPECT_EQ(sequences(encoded(codec, ok(2))), "3") << "although 2 follows the 1 said before";
}

TEST(MysqlCompressedFrames, NothingIsPendingBehindTheLastFrame) {
  CompressedFrames codec(Side::client, Compression::zlib, 0);
  std::vector<std::uint8_t> room(4096);
  codec.feed(protocol::bytes_of(frame(1, ok(1), 0) + frame(1, ok(1), 0).substr(0, 3)));
  EXPECT_TRUE(codec.has_pending_input());
  EXPECT_EQ(codec.read(room).count, ok(1).size());
  EXPECT_TRUE(codec.has_pending_input()) << "not asked yet";
  EXPECT_EQ(codec.read(room).status, Codec::Status::need_input);
  EXPECT_FALSE(codec.has_pending_input());
  codec.feed(protocol::bytes_of(frame(1, ok(1), 0).substr(3)));
  EXPECT_EQ(codec.read(room).count, ok(1).size());
  EXPECT_FALSE(codec.has_pending_input()) << "without another read";
}

TEST(MysqlCompressedFrames, CommandsOfOursBeginAtZero) {
  CompressedFrames codec(Side::client, Compression::zlib, 0);
  for (const unsigned packets : {1U, 254U, 255U, 256U, 511U}) {
    EXPECT_EQ(sequences(encoded(codec, query("a"))), "0") << packets;
    for (unsigned i = 1; i <= packets; ++i) decoded(codec, frame(i & 0xFFU, row(i), 0), 100);
    EXPECT_EQ(sequences(encoded(codec, query("b") + query("c"))), "0,0") << packets;
    decoded(codec, frame(1, ok(1), 0) + frame(1, ok(1), 0), 100);
    const std::string command = query("in two writes");
    EXPECT_EQ(sequences(encoded(codec, command.substr(0, 6))), "0");
    EXPECT_EQ(sequences(encoded(codec, command.substr(6))), "1");
    decoded(codec, frame(2, ok(1), 0), 100);
  }
}

TEST(MysqlCompressedFrames, AFileOfOursGoesOnFromItsRequest) {
  for (const unsigned last : {3U, 254U, 255U, 256U, 300U}) {
    CompressedFrames codec(Side::client, Compression::zlib, 0);
    EXPECT_EQ(sequences(encoded(codec, query("load"))), "0");
    decoded(codec,
            frame(1,
                  packet(1,
                         "\xFB"
                         "file"),
                  0),
            100);
    for (unsigned i = 2; i <= last; ++i) {
      EXPECT_EQ(sequences(encoded(codec, packet(i & 0xFFU, i < last ? "data" : ""))),
                std::to_string(i & 0xFFU));
    }
    const unsigned answer = (last + 1) & 0xFFU;
    decoded(codec, frame(answer, ok(answer), 0), 100);
    EXPECT_EQ(sequences(encoded(codec, query("next"))), "0") << last;
  }
}

TEST(MysqlCompressedFrames, BothSpeakWhenAFileIsSent) {
  CompressedFrames codec(Side::server, Compression::zlib, 0);
  decoded(codec, frame(0, query("load"), 0), 100);
  EXPECT_EQ(sequences(encoded(codec, packet(1,
                                            "\xFB"
                                            "file"))),
            "1");
  decoded(codec, frame(2, packet(2, "data") + packet(3, ""), 0), 100);
  EXPECT_EQ(sequences(encoded(codec, ok(4))), "3");
}

}  // namespace
}  // namespace weirpool::test::mysql
