#include "proxy/session/flow.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "tests/support/socket_pair.hpp"

namespace weirpool::proxy {
namespace {

class FlowTest : public testing::Test {
 protected:
  FlowTest() : from_(make(in_)), to_(make(out_)) {}

  std::unique_ptr<Stream> make(test::SocketPair& pair) {
    Stream::Parts parts;
    parts.fd = pair.give_theirs();
    return std::make_unique<Stream>(poller_, std::move(parts));
  }
  /// Bytes arrive and are read.
  void arrive(const std::string& text) {
    ASSERT_TRUE(in_.write(text));
    io_.restart();
    io_.poll();
    ASSERT_EQ(flow_.fill(*from_).kind, Io::Kind::moved);
  }
  std::string unread() { return std::string(protocol::text_of(flow_.unread())); }
  std::string flushed() {
    EXPECT_EQ(flow_.flush(*to_).kind, Io::Kind::moved);
    return out_.read();
  }

  test::SocketPair in_;
  test::SocketPair out_;
  boost::asio::io_context io_;
  Poller poller_{io_};
  std::unique_ptr<Stream> from_;
  std::unique_ptr<Stream> to_;
  ChunkPool chunks_;
  Flow flow_{chunks_};
};

TEST_F(FlowTest, OnlyWhatWasForwardedIsWritten) {
  arrive("abcdef");
  flow_.forward(3);
  EXPECT_EQ(unread(), "def");
  EXPECT_EQ(flushed(), "abc");
  EXPECT_EQ(unread(), "def");
}

TEST_F(FlowTest, AForwardReachesBeyondWhatHasBeenRead) {
  arrive("abc");
  flow_.forward(5);
  EXPECT_FALSE(flow_.steppable());
  EXPECT_TRUE(flow_.mid_message());
  arrive("defg");
  EXPECT_TRUE(flow_.steppable());
  EXPECT_EQ(unread(), "fg");
  EXPECT_EQ(flushed(), "abcde");
}

TEST_F(FlowTest, ASkipReachesBeyondWhatHasBeenRead) {
  arrive("abc");
  flow_.skip(5);
  EXPECT_FALSE(flow_.steppable());
  arrive("defg");
  EXPECT_EQ(unread(), "fg");
  EXPECT_EQ(flushed(), "");
}

TEST_F(FlowTest, SkippingBehindDecidedBytesClosesTheGap) {
  arrive("abcdef");
  flow_.forward(2);
  flow_.skip(2);
  flow_.forward(2);
  EXPECT_EQ(flushed(), "abef");
}

TEST_F(FlowTest, WhatWasPromisedOfOneSourceIsNotTakenFromTheNext) {
  arrive("abcdef");
  flow_.forward(2);
  flow_.skip(10);
  EXPECT_FALSE(flow_.steppable());
  flow_.cut_off();
  EXPECT_TRUE(flow_.steppable());
  arrive("ghi");
  EXPECT_EQ(unread(), "ghi");
  flow_.forward(10);
  flow_.cut_off();
  EXPECT_TRUE(flow_.mid_message());
  EXPECT_EQ(flushed(), "abghi");
}

TEST_F(FlowTest, InsertedBytesStandBetweenDecidedAndUnread) {
  arrive("abcd");
  flow_.forward(2);
  flow_.insert(protocol::bytes_of("XY"));
  EXPECT_EQ(unread(), "cd");
  flow_.forward(2);
  EXPECT_EQ(flushed(), "abXYcd");
}

TEST_F(FlowTest, ALargeInsertionIsWrittenFromWhereItStands) {
  arrive("ab");
  flow_.forward(1);
  const std::string large(3 * kChunkSize, 'L');
  flow_.insert(protocol::bytes_of(large));
  EXPECT_TRUE(flow_.inserting());
  EXPECT_FALSE(flow_.steppable());
  std::string out;
  while (flow_.inserting()) {
    flow_.flush(*to_);
    out += out_.read();
  }
  flow_.forward(1);
  out += flushed();
  EXPECT_EQ(out, "a" + large + "b");
}

TEST_F(FlowTest, NothingIsReadThatHasNoRoom) {
  arrive(std::string(kChunkFill, 'x'));
  ASSERT_TRUE(in_.write("more"));
  EXPECT_EQ(flow_.fill(*from_).kind, Io::Kind::blocked);
  EXPECT_FALSE(flow_.has_room());
  flow_.forward(kChunkFill);
  EXPECT_EQ(flushed().size(), kChunkFill);
  EXPECT_TRUE(flow_.has_room());
}

TEST_F(FlowTest, HoldsNoMemoryWhenEmpty) {
  arrive("abc");
  flow_.forward(3);
  flushed();
  EXPECT_TRUE(flow_.empty());
  EXPECT_EQ(chunks_.kept(), 1U);
}

TEST_F(FlowTest, RewritingInPlaceIsWhatLeaves) {
  arrive("abc");
  flow_.unread()[1] = 'B';
  flow_.forward(3);
  EXPECT_EQ(flushed(), "aBc");
}

TEST_F(FlowTest, EverySplitOfAScriptGivesTheSameBytes) {
  const std::string input = "keepDROPkeepDROPtail";
  for (std::size_t split = 1; split < input.size(); ++split) {
    std::string out;
    std::size_t decided = 0;
    const auto decide = [&] {
      while (flow_.steppable() && !flow_.unread().empty()) {
        const bool keep = (decided++ % 2) == 0;
        if (keep) {
          flow_.forward(4);
        } else {
          flow_.skip(4);
        }
      }
    };
    arrive(input.substr(0, split));
    decide();
    arrive(input.substr(split));
    decide();
    out = flushed();
    EXPECT_EQ(out, "keepkeeptail") << split;
    flow_.reset();
  }
}

}  // namespace
}  // namespace weirpool::proxy
