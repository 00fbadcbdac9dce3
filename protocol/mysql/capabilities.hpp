// Capability and status bits, and what weirpool does with each. Every hop negotiates for itself;
// differences are translated by Response. Source: dev.mysql.com, "Capabilities Flags".
#pragma once

#include <cstdint>

namespace weirpool::protocol::mysql {

namespace cap {
inline constexpr std::uint64_t long_password = 1U << 0;  // MariaDB: "I am MySQL", no extended bits
inline constexpr std::uint64_t found_rows = 1U << 1;
inline constexpr std::uint64_t long_flag = 1U << 2;
inline constexpr std::uint64_t connect_with_db = 1U << 3;
inline constexpr std::uint64_t compress = 1U << 5;  // zlib
inline constexpr std::uint64_t local_files = 1U << 7;
inline constexpr std::uint64_t ignore_space = 1U << 8;
inline constexpr std::uint64_t protocol_41 = 1U << 9;
inline constexpr std::uint64_t interactive = 1U << 10;
inline constexpr std::uint64_t ssl = 1U << 11;
inline constexpr std::uint64_t transactions = 1U << 13;
inline constexpr std::uint64_t secure_connection = 1U << 15;
inline constexpr std::uint64_t multi_statements = 1U << 16;
inline constexpr std::uint64_t multi_results = 1U << 17;
inline constexpr std::uint64_t ps_multi_results = 1U << 18;
inline constexpr std::uint64_t plugin_auth = 1U << 19;
inline constexpr std::uint64_t connect_attrs = 1U << 20;
inline constexpr std::uint64_t plugin_auth_lenenc = 1U << 21;
inline constexpr std::uint64_t session_track = 1U << 23;
inline constexpr std::uint64_t deprecate_eof = 1U << 24;
inline constexpr std::uint64_t optional_metadata = 1U << 25;
inline constexpr std::uint64_t zstd = 1U << 26;
inline constexpr std::uint64_t query_attributes = 1U << 27;
// MariaDB's extended bits, on the wire apart from the others and only where long_password is off.
inline constexpr std::uint64_t bulk_operations = 1ULL << 34;
inline constexpr std::uint64_t extended_metadata = 1ULL << 35;
inline constexpr std::uint64_t cache_metadata = 1ULL << 36;
inline constexpr std::uint64_t bulk_unit_results = 1ULL << 37;
}  // namespace cap

namespace status {
inline constexpr std::uint16_t in_trans = 0x0001;
inline constexpr std::uint16_t autocommit = 0x0002;
inline constexpr std::uint16_t more_results = 0x0008;
inline constexpr std::uint16_t cursor_exists = 0x0040;
inline constexpr std::uint16_t last_row_sent = 0x0080;
inline constexpr std::uint16_t no_backslash_escapes = 0x0200;
inline constexpr std::uint16_t ps_out_params = 0x1000;
inline constexpr std::uint16_t in_trans_readonly = 0x2000;
inline constexpr std::uint16_t state_changed = 0x4000;
/// What stays true between two statements of one session.
inline constexpr std::uint16_t lasting =
    in_trans | autocommit | no_backslash_escapes | in_trans_readonly;
}  // namespace status

/// What a client may always ask for. Left out, with the reason:
///  MULTI_FACTOR_AUTHENTICATION, CAN_HANDLE_EXPIRED_PASSWORDS: logins end at weirpool
///  MariaDB's PROGRESS        reports stand between the packets of a reply and look like errors
///  NO_SCHEMA, ODBC           without effect in every server that is still maintained
inline constexpr std::uint64_t kOfferedToClients =
    cap::long_password | cap::found_rows | cap::long_flag | cap::connect_with_db | cap::compress |
    cap::local_files | cap::ignore_space | cap::protocol_41 | cap::interactive | cap::transactions |
    cap::secure_connection | cap::multi_statements | cap::multi_results | cap::ps_multi_results |
    cap::plugin_auth | cap::connect_attrs | cap::plugin_auth_lenenc | cap::session_track |
    cap::deprecate_eof | cap::zstd;

/// MariaDB's extended bits: what a prepared statement may be executed with and answered by. Not
/// CACHE_METADATA: what its client remembers of a statement, another backend does not know.
inline constexpr std::uint64_t kExtendedBits =
    cap::bulk_operations | cap::extended_metadata | cap::bulk_unit_results;

/// Bits that change the layout of commands and results. They are offered where the server has them,
/// and a client that asks for them gets backends that were asked for them too: nothing to
/// translate.
inline constexpr std::uint64_t kMirroredBits =
    cap::query_attributes | cap::optional_metadata | kExtendedBits;

/// A client without these speaks a protocol from before MySQL 4.1.
inline constexpr std::uint64_t kRequiredOfClients = cap::protocol_41 | cap::secure_connection;

/// A backend without these cannot be shared: session state would be invisible. MySQL 5.7.5 and
/// MariaDB 10.2 have them all.
inline constexpr std::uint64_t kRequiredOfBackends =
    cap::protocol_41 | cap::secure_connection | cap::plugin_auth | cap::multi_results |
    cap::ps_multi_results | cap::session_track | cap::deprecate_eof;

/// What weirpool asks every backend for, beside what the variant adds.
inline constexpr std::uint64_t kAskedOfBackends = kRequiredOfBackends | cap::long_password |
                                                  cap::long_flag | cap::transactions |
                                                  cap::connect_attrs | cap::plugin_auth_lenenc;

/// Bits that change what a statement means or answers; clients that differ in them do not share
/// backends. LOCAL_FILES is among them so that a server refuses a client that cannot send a file,
/// in its own words. INTERACTIVE is not: idle clients are weirpool's to time out.
inline constexpr std::uint64_t kVariantBits =
    cap::found_rows | cap::local_files | cap::ignore_space | cap::multi_statements | kMirroredBits;

/// The variant of a pool: those bits in 32, the extended ones in places the others leave free.
constexpr std::uint32_t variant_of(std::uint64_t capabilities) {
  const std::uint64_t bits = capabilities & kVariantBits;
  return static_cast<std::uint32_t>(bits) | static_cast<std::uint32_t>(bits >> 32);
}
constexpr std::uint64_t capabilities_of(std::uint32_t variant) {
  const std::uint64_t low = kVariantBits & 0xFFFFFFFF;
  return (variant & low) | (std::uint64_t{variant & ~low} << 32);
}
static_assert(((kVariantBits >> 32) & kVariantBits) == 0);
static_assert(capabilities_of(variant_of(~0ULL)) == kVariantBits);

}  // namespace weirpool::protocol::mysql
