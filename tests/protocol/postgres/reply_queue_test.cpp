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
