#include "protocol/postgres/frame.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weirpool::protocol::postgres {
namespace {

using Kind = Verdict::Kind;

TEST(Frame, LengthsAreCheckedBeforeAnythingIsBuffered) {
  EXPECT_FALSE(legal_length({'Q', 3}));
  EXPECT_TRUE(legal_length({'Q', 4}));
  EXPECT_TRUE(legal_length({'Q', kMaxMessageLength}));
  EXPECT_FALSE(legal_length({'Q', kMaxMessageLength + 1}));
  EXPECT_FALSE(legal_length({'Q', 0xFFFFFFFF}));
}

TEST(Frame, TheLengthIsPatchedIn) {
  Writer out;
  {
    const Framed frame(out, 'Q');
    out.cstr("x");
  }
  const Header header = peek_header(out.view());
  EXPECT_EQ(header.tag, 'Q');
  EXPECT_EQ(header.length, 6U);
  EXPECT_EQ(header.total(), out.size());
}

TEST(Frame, ShortMessagesAreSeenInPlace) {
  Gather gather;
  const std::string bytes = "abcdef";
  const auto verdict = gather.collect(bytes_of(bytes).first(2), 4);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->kind, Kind::need);
  EXPECT_EQ(verdict->count, 4U);
  EXPECT_FALSE(gather.collect(bytes_of(bytes), 4));
  EXPECT_EQ(text_of(gather.message()), "abcd");
  EXPECT_EQ(gather.consume(), 4U);
}

TEST(Frame, LongMessagesAreCollectedInPieces) {
  Gather gather;
  const std::string bytes(kMaxNeed + 100, 'x');
  const auto first = gather.collect(bytes_of(bytes).first(kMaxNeed), bytes.size());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, Kind::skip);
  EXPECT_EQ(first->count, kMaxNeed);
  EXPECT_TRUE(gather.collecting());
  const auto second = gather.collect({}, bytes.size());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->kind, Kind::need);
  const auto third = gather.collect(bytes_of(std::string(500, 'x')), bytes.size());
  ASSERT_TRUE(third);
  EXPECT_EQ(third->count, 100U);
  EXPECT_FALSE(gather.collect({}, bytes.size()));
  EXPECT_EQ(text_of(gather.message()), bytes);
  EXPECT_EQ(gather.consume(), 0U);
  EXPECT_FALSE(gather.collecting());
}

TEST(Frame, TheOutboxKeepsItsOrder) {
  Outbox box(Party::client);
  EXPECT_FALSE(box.next());
  box.then(Verdict::done());
  box.out().text("x");
  box.skip(3);
  EXPECT_EQ(box.next()->kind, Kind::skip);
  const auto send = box.next();
  EXPECT_EQ(send->kind, Kind::send);
  EXPECT_EQ(text_of(send->bytes), "x");
  EXPECT_EQ(box.next()->kind, Kind::done);
  EXPECT_FALSE(box.next());
}

}  // namespace
}  // namespace weirpool::protocol::postgres
