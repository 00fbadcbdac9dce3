#include "protocol/postgres/backend_state.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/wire_text.hpp"

namespace weirpool::protocol::postgres {
namespace {

namespace pg = test::pg;

TEST(BackendState, GoodbyeAndCancel) {
  Backend backend(10);
  backend.process_id = 77;
  Writer out;
  EXPECT_FALSE(backend.write_cancel(out));  // No key has been sent.
  EXPECT_TRUE(out.empty());
  backend.cancel_key = {1, 2, 3, 4, 5, 6};
  EXPECT_TRUE(backend.write_cancel(out));
  EXPECT_EQ(text_of(out.view()), pg::packet(80877102, pg::be32(77) + "\1\2\3\4\5\6"));
  out.clear();
  backend.write_goodbye(out);
  EXPECT_EQ(text_of(out.view()), pg::terminate());
  EXPECT_EQ(backend.remote_id(), 77U);
}

TEST(BackendState, DiscardAllLeavesNothing) {
  StatementCatalog catalog;
  Backend backend(10);
  backend.statements.add(catalog.named(bytes_of("x"), "x", {}, Reading{}));
  backend.unnamed = unnamed_statement(bytes_of("x"), {}, {});
  backend.unnamed_certain = false;
  backend.discarded();
  EXPECT_EQ(backend.statements.size(), 0U);
  EXPECT_EQ(backend.unnamed, nullptr);
  EXPECT_TRUE(backend.unnamed_certain);
}

}  // namespace
}  // namespace weirpool::protocol::postgres
