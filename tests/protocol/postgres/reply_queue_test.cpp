#include "protocol/postgres/reply_queue.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::postgres {
namespace {

TEST(ReplyQueue, AnswersComeInOrder) {
  ReplyQueue queue;
  queue.push(Reply::parse, nullptr, note_of("a"));
  queue.push_about(Reply::bind, 7);
  queue.push_front(Reply::parse_injected, nullptr);
  EXPECT_EQ(queue.front(), Reply::parse_injected);
  queue.pop();
  EXPECT_EQ(queue[0].client_name(), "a");
  EXPECT_EQ(queue[1].client_name(), "");
  EXPECT_EQ(queue[1].number, 7U);
  queue.erase(0);
  EXPECT_EQ(queue.front(), Reply::bind);
  EXPECT_EQ(queue.at(1), Reply::none);
  queue.pop();
  EXPECT_TRUE(queue.empty());
}

TEST(ReplyQueue, QueriesAndSyncEndWithReadyForQuery) {
  for (const Reply reply : {Reply::query, Reply::deallocate, Reply::function, Reply::sync}) {
    EXPECT_TRUE(ends_with_ready(reply));
  }
  for (const Reply reply : {Reply::none, Reply::parse, Reply::execute, Reply::copy_end}) {
    EXPECT_FALSE(ends_with_ready(reply));
  }
}

TEST(ReplyQueue, ItsMemoryIsTheBackends) {
  ReplyQueue::Storage lent;
  lent.reserve(ReplyQueue::kKept);
  const auto* memory = lent.data();
  ReplyQueue queue;
  for (int client = 0; client < 2; ++client) {
    queue.take(lent);
    EXPECT_EQ(lent.capacity(), 0U);
    queue.push(Reply::query);
    EXPECT_EQ(&queue[0], memory);
    queue.give_back(lent);
    EXPECT_TRUE(queue.empty());
    EXPECT_TRUE(lent.empty());
    EXPECT_EQ(lent.data(), memory);
  }
}

TEST(ReplyQueue, WhoAlwaysOwesSomethingDoesNotGrow) {
  ReplyQueue::Storage lent;
  lent.reserve(ReplyQueue::kKept);
  ReplyQueue queue;
  queue.take(lent);
  queue.push(Reply::query);
  for (int i = 0; i < 10000; ++i) {
    queue.push(Reply::sync, nullptr, note_of(std::to_string(i)));
    queue.pop();
    ASSERT_EQ(queue.size(), 1U);
    ASSERT_EQ(queue[0].client_name(), std::to_string(i));
  }
  queue.give_back(lent);
  EXPECT_EQ(lent.capacity(), ReplyQueue::kKept);
}

TEST(ReplyQueue, LongStatementsFillItSooner) {
  ReplyQueue queue;
  const std::string body(kMaxExpectedBytes / 4, 'x');
  const StatementRef one = unnamed_statement(bytes_of(body), {}, {});
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(queue.full());
    queue.push(Reply::parse, one);
  }
  EXPECT_TRUE(queue.full());
  queue.pop();
  EXPECT_FALSE(queue.full());
}

TEST(ReplyQueue, ALongPipelineLeavesNothing) {
  ReplyQueue::Storage lent;
  ReplyQueue queue;
  queue.take(lent);
  for (std::size_t i = 0; i <= ReplyQueue::kKept; ++i) queue.push(Reply::query);
  queue.give_back(lent);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(lent.capacity(), 0U);
}

}  // namespace
}  // namespace weirpool::protocol::postgres
