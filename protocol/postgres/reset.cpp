#include "protocol/postgres/reset.hpp"

#include <array>
#include <string>
#include <utility>

namespace weirpool::protocol::postgres {
namespace {

constexpr Effects kParameters = kPinSet | kPinSetConfig;
constexpr Effects kPrepared = kPinPrepare | kPinLongStatement;

/// The client's search_path is in force. In this order: who the backend is decides what it may do.
constexpr std::array<std::pair<Effects, std::string_view>, 8> kCures{{
    {kParameters, "RESET ROLE;RESET SESSION AUTHORIZATION;RESET ALL;"},
    {kPinWithHold, "CLOSE ALL;"},
    {kPinListen, "UNLISTEN *;"},
    {kPinAdvisoryLock, "SELECT pg_catalog.pg_advisory_unlock_all();"},
    {kPinTemporary, "DISCARD TEMP;"},
    {kPinSequence, "DISCARD SEQUENCES;"},
    {kPrepared, "DEALLOCATE ALL;"},
    // Nothing makes random() what it was; what it was seeded with nobody may know.
    {kPinSeed,
     "SELECT pg_catalog.setseed(pg_catalog.float8(pg_catalog.hashtext("
     "pg_catalog.gen_random_uuid()::pg_catalog.text)) OPERATOR(pg_catalog./) "
     "2147483648.0::pg_catalog.float8);"},
}};

std::string cure_of(Effects left_behind) {
  // A simple Query of its own, since DISCARD ALL is refused in a transaction.
  if (left_behind == 0) return "DISCARD ALL";
  std::string text;
  for (const auto& [pins, cure] : kCures) {
    if ((left_behind & pins) != 0) text += cure;
  }
  return text;
}

}  // namespace

Reset::Reset(Backend& backend)
    : RoundTrip(backend, cure_of(backend.left_behind)), undone_(backend.left_behind) {}

bool Reset::succeeded() {
  Backend& cured = backend();
  if ((undone_ & kPinLoad) != 0) return false;
  if (undone_ == 0) {
    cured.discarded();
  } else {
    if ((undone_ & kParameters) != 0) cured.parameters.discarded();
    if ((undone_ & kPrepared) != 0) {
      cured.statements.clear();
      cured.sql_statements.reset();
    }
  }
  cured.left_behind = 0;
  return true;
}

}  // namespace weirpool::protocol::postgres
