#include "proxy/net/stream.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "tests/support/socket_pair.hpp"

namespace weirpool::proxy {
namespace {

struct CountingWatcher final : Watcher {
  int ready = 0;
  void stream_ready() override { ++ready; }
};

class StreamTest : public testing::Test {
 protected:
  StreamTest() : stream_(make(pair_.give_theirs())) { stream_->watch(&watcher_); }

  std::unique_ptr<Stream> make(int fd) {
    Stream::Parts parts;
    parts.fd = fd;
    return std::make_unique<Stream>(poller_, std::move(parts));
  }
  /// Everything that is ready is told.
  void look() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  std::string read() {
    std::array<std::uint8_t, 64> into{};
    const Io io = stream_->read_some(into);
    if (io.kind == Io::Kind::blocked) return "<blocked>";
    if (io.kind == Io::Kind::eof) return "<eof>";
    if (io.kind == Io::Kind::failed) return "<failed>";
    return std::string(into.begin(), into.begin() + static_cast<std::ptrdiff_t>(io.count));
  }

  test::SocketPair pair_;
  boost::asio::io_context io_;
  Poller poller_{io_};
  CountingWatcher watcher_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(StreamTest, ReadsWhatIsThereThenBlocks) {
  ASSERT_TRUE(pair_.write("hello"));
  EXPECT_EQ(read(), "hello");
  EXPECT_EQ(read(), "<blocked>");
}

TEST_F(StreamTest, AfterAShortReadItDoesNotAskTheKernelUntilToldReady) {
  ASSERT_TRUE(pair_.write("a"));
  EXPECT_EQ(read(), "a");
  EXPECT_FALSE(stream_->may_read());
  stream_->arm_read();
  stream_->arm_read();
  ASSERT_TRUE(pair_.write("b"));
  look();
  EXPECT_EQ(watcher_.ready, 1);
  EXPECT_TRUE(stream_->may_read());
  EXPECT_EQ(read(), "b");
}

TEST_F(StreamTest, TellsTheEnd) {
  pair_.close_ours();
  EXPECT_FALSE(stream_->quiet());
  look();
  EXPECT_TRUE(stream_->ended());
  EXPECT_EQ(read(), "<eof>");
}

TEST_F(StreamTest, QuietMeansNeitherBytesNorEnd) {
  EXPECT_TRUE(stream_->quiet());
  EXPECT_FALSE(stream_->ended());
  ASSERT_TRUE(pair_.write("x"));
  EXPECT_FALSE(stream_->quiet());
  EXPECT_FALSE(stream_->ended());
}

TEST_F(StreamTest, WritingToAPeerThatIsGoneFails) {
  pair_.close_ours();
  const std::string text(10, 'x');
  EXPECT_EQ(stream_->write_some(protocol::bytes_of(text)).kind, Io::Kind::failed);
}

TEST_F(StreamTest, AFullSocketBlocksAndTellsWhenItDrains) {
  const std::string text(1 << 16, 'x');
  while (stream_->write_some(protocol::bytes_of(text)).kind == Io::Kind::moved) {
  }
  stream_->arm_write();
  look();
  EXPECT_EQ(watcher_.ready, 0);
  while (!pair_.read().empty()) {
  }
  look();
  EXPECT_EQ(watcher_.ready, 1);
}

TEST_F(StreamTest, DestroyedWhileArmedTellsNobody) {
  stream_->arm_read();
  ASSERT_TRUE(pair_.write("late"));
  stream_.reset();
  look();
  EXPECT_EQ(watcher_.ready, 0);
}

TEST_F(StreamTest, PartsMakeTheSameStreamOnAnotherLoop) {
  stream_->arm_read();
  ASSERT_TRUE(pair_.write("moved"));
  Stream::Parts parts = stream_->release();
  boost::asio::io_context other;
  Poller others{other};
  Stream moved(others, std::move(parts));
  std::array<std::uint8_t, 16> into{};
  const Io io = moved.read_some(into);
  ASSERT_EQ(io.kind, Io::Kind::moved);
  EXPECT_EQ(std::string(into.begin(), into.begin() + 5), "moved");
  look();
  EXPECT_EQ(watcher_.ready, 0);
}

TEST_F(StreamTest, ArmedWhileThereIsSomethingToReadTellsSoonAndNotAtOnce) {
  ASSERT_TRUE(pair_.write("x"));
  stream_->arm_read();
  EXPECT_EQ(watcher_.ready, 0);
  look();
  EXPECT_EQ(watcher_.ready, 1);
}

TEST_F(StreamTest, NobodyIsToldOfWhatIsNotAskedFor) {
  ASSERT_TRUE(pair_.write("x"));
  look();
  EXPECT_EQ(watcher_.ready, 0);
}

TEST_F(StreamTest, AnEndThatCameTogetherWithBytesIsNotMissed) {
  ASSERT_TRUE(pair_.write("last"));
  pair_.close_ours();
  look();
  EXPECT_EQ(read(), "last");
  EXPECT_TRUE(stream_->may_read());
  EXPECT_EQ(read(), "<eof>");
}

TEST_F(StreamTest, AnEndBehindReadBytesIsTold) {
  ASSERT_TRUE(pair_.write("last"));
  look();
  EXPECT_EQ(read(), "last");
  stream_->arm_read();
  pair_.close_ours();
  look();
  EXPECT_EQ(watcher_.ready, 1);
  EXPECT_EQ(read(), "<eof>");
}

TEST_F(StreamTest, WhoIsGivenUpHasEnded) {
  EXPECT_EQ(stream_->silence(TimePoint(std::chrono::hours(1))), Clock::duration::zero());
  EXPECT_EQ(read(), "<blocked>");
  stream_->arm_read();
  stream_->give_up();
  look();
  EXPECT_EQ(watcher_.ready, 1);
  EXPECT_EQ(read(), "<eof>");
}

TEST_F(StreamTest, DiscardThrowsAwayOneReadAndTellsTheEnd) {
  ASSERT_TRUE(pair_.write("rubbish"));
  EXPECT_EQ(stream_->discard().kind, Io::Kind::moved);
  pair_.close_ours();
  look();
  EXPECT_EQ(stream_->discard().kind, Io::Kind::eof);
}

}  // namespace
}  // namespace weirpool::proxy
