// A client of the console says anything, in pieces. Input: pieces, each one byte (how many bytes
// follow). Every statement is answered with a table that echoes it, or refused.
#include <cstdlib>

#include "protocol/postgres/console.hpp"
#include "tests/support/wire_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weirpool;
  protocol::postgres::PostgresConsole console("user");
  test::Wire wire(console, [&console](const protocol::Verdict& verdict, test::Wire&) {
    if (verdict.kind != test::Kind::look_up) std::abort();
    const std::string& text = console.request().text;
    if (text.empty() || text.size() > protocol::console::kMaxText) std::abort();
    if (text.size() % 5 == 0) {
      console.answer(protocol::console::Answer::failed("08P01", "refused"));
      return;
    }
    auto answer = protocol::console::Answer::done("SHOW");
    if (text.size() % 3 != 0) {
      answer.table.columns = {{"t", protocol::console::Type::text},
                              {"n", protocol::console::Type::numeric}};
      if (!console.request().describe) answer.table.rows = {{text, "12345"}, {std::nullopt, text}};
    }
    console.answer(std::move(answer));
  });
  std::string_view text(reinterpret_cast<const char*>(data), size);
  while (!text.empty() && !wire.ended()) {
    const auto length = static_cast<std::uint8_t>(text[0]);
    text.remove_prefix(1);
    const std::string_view piece = text.substr(0, length);
    text.remove_prefix(piece.size());
    wire.feed(protocol::Party::client, piece);
  }
  if (!wire.breach().empty()) std::abort();
  return 0;
}
