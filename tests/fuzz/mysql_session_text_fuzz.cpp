// The scan of SQL text: whole and cut in two it must see the same, and so must a glance at it.
#include <array>
#include <cstdlib>

#include "protocol/mysql/session_text.hpp"

using namespace weirpool::protocol;  // NOLINT: fuzzers only

namespace {

bool same(const mysql::SessionText& one, const mysql::SessionText& two) {
  const auto findings = [](const mysql::SessionText& text) {
    return std::array{text.starts_with_set(),
                      text.starts_with_use(),
                      text.loads_local(),
                      text.kills(),
                      text.inserts(),
                      text.only_updates(),
                      text.sets(),
                      text.one_or_sets(),
                      text.multiple(),
                      text.calls(),
                      text.worth_following(),
                      text.takes_lock(),
                      text.releases_lock(),
                      text.reads_connection_id(),
                      text.reads_last_insert_id(),
                      text.sets_last_insert_id(),
                      text.reads_diagnostics(),
                      text.hides_collation()};
  };
  return findings(one) == findings(two);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const mysql::SessionText::Mode mode{(data[0] & 1) != 0, (data[0] & 2) != 0, (data[0] & 4) != 0};
  const Bytes text(data + 2, size - 2);
  const std::size_t cut = text.empty() ? 0 : data[1] % text.size();
  mysql::SessionText whole;
  whole.begin(mode);
  whole.feed(text);
  whole.finish();
  mysql::SessionText halves;
  halves.begin(mode);
  halves.feed(text.first(cut));
  halves.feed(text.subspan(cut));
  halves.finish();
  if (whole.pins() != halves.pins() || whole.kills() != halves.kills()) std::abort();
  mysql::SessionText seen;
  seen.begin(mode);
  if (!seen.glance(text)) return 0;
  if (whole.pins() != seen.pins() || !same(whole, seen)) std::abort();
  return 0;
}
