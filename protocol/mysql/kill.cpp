#include "protocol/mysql/kill.hpp"

#include <charconv>
#include <limits>

#include "protocol/mysql/words.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::uint16_t kUnknownThread = 1094;

class Kill final : public Engine {
 public:
  Kill(ServerState& via, std::uint64_t thread_id) : exchange_(via) {
    exchange_.go_on_after_errors();
    via.write_query(exchange_.commands(), "KILL QUERY " + std::to_string(thread_id));
    exchange_.expect(1);
  }

  Verdict step(Party from, MutableBytes unread) override {
    const Verdict verdict = exchange_.step(from, unread);
    const std::uint16_t refused = exchange_.refused().code;
    const bool failed = verdict.kind == Verdict::Kind::done && refused != 0;
    if (failed && refused != kUnknownThread) return Verdict::close(Fault::backend_lost);
    return verdict;
  }

 private:
  Exchange exchange_;
};

}  // namespace

std::unique_ptr<Engine> make_kill(ServerState& via, std::uint64_t thread_id) {
  return std::make_unique<Kill>(via, thread_id);
}

std::optional<KillRequest> parse_kill(std::string_view sql, std::uint32_t own_id) {
  Words words(sql);
  if (!words.take("kill")) return std::nullopt;
  static_cast<void>(words.take("hard") || words.take("soft"));
  KillRequest request;
  request.whole_session = !words.take("query");
  // MariaDB's KILL QUERY ID counts statements, not connections.
  if (!request.whole_session && words.take("id")) return std::nullopt;
  if (request.whole_session) words.take("connection");
  if (words.take("connection_id")) {
    if (!words.take("(") || !words.take(")")) return std::nullopt;
    request.id = own_id;
  } else {
    const std::string_view number = words.next();
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), request.id);
    if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  }
  if (!words.at_end()) return std::nullopt;
  return request;
}

}  // namespace weirpool::protocol::mysql
