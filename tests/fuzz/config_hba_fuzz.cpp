// Rules and maps in the syntax of pg_hba.conf and pg_ident.conf, and users in PgBouncer's: text
// that an operator, or somebody who can write to the file, has made up.
#include "config/hba.hpp"
#include "config/user_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weirpool::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<LineProblem> problems;
  const Hba hba = parse_hba(text, problems);
  Arrival arrival;
  arrival.user = "app";
  arrival.database = "shop";
  const HbaRule* rule = hba.find(arrival);
  // Without a rule that was understood nobody comes in.
  if (rule != nullptr && hba.rules.empty()) __builtin_trap();
  parse_ident(text, problems).admits("map", "name", "app");
  parse_user_file(text, problems);
  return 0;
}
