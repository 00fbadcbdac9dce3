// Capability and status bits, and what weirpool does with each. Every hop negotiates for itself;
// differences are translated by Response. Source: dev.mysql.com, "Capabilities Flags".
#pragma once

#include <cstdint>

namespace weirpool::protocol::mysql {

namespace cap {
inline constexpr std::uint32_t long_password = 1U << 0;  // MariaDB: "I am MySQL", no extended bits
inline constexpr std::uint32_t found_rows = 1U << 1;
inline constexpr std::uint32_t long_flag = 1U << 2;
inline constexpr std::uint32_t connect_with_db = 1U << 3;
inline constexpr std::uint32_t ignore_space = 1U << 8;
inline constexpr std::uint32_t protocol_41 = 1U << 9;
inline constexpr std::uint32_t interactive = 1U << 10;
inline constexpr std::uint32_t ssl = 1U << 11;
inline constexpr std::uint32_t transactions = 1U << 13;
inline constexpr std::uint32_t secure_connection = 1U << 15;
inline constexpr std::uint32_t multi_statements = 1U << 16;
inline constexpr std::uint32_t multi_results = 1U << 17;
inline constexpr std::uint32_t ps_multi_results = 1U << 18;
inline constexpr std::uint32_t plugin_auth = 1U << 19;
inline constexpr std::uint32_t connect_attrs = 1U << 20;
inline constexpr std::uint32_t plugin_auth_lenenc = 1U << 21;
inline constexpr std::uint32_t session_track = 1U << 23;
inline constexpr std::uint32_t deprecate_eof = 1U << 24;
}  // namespace cap

namespace status {
inline constexpr std::uint16_t in_trans = 0x0001;
inline constexpr std::uint16_t autocommit = 0x0002;
inline constexpr std::uint16_t more_results = 0x0008;
inline constexpr std::uint16_t cursor_exists = 0x0040;
inline constexpr std::uint16_t no_backslash_escapes = 0x0200;
inline constexpr std::uint16_t in_trans_readonly = 0x2000;
inline constexpr std::uint16_t state_changed = 0x4000;
/// What stays true between two statements of one session.
inline constexpr std::uint16_t lasting =
    in_trans | autocommit | no_backslash_escapes | in_trans_readonly;
}  // namespace status

/// What a client may ask for. Left out, with the reason:
///  COMPRESS, ZSTD            not done; a proxy beside its clients gains nothing by it
///  LOCAL_FILES               a backend could then ask a client for any file it can read
///  QUERY_ATTRIBUTES          changes the layout of every command; backends may lack it
///  OPTIONAL_RESULTSET_METADATA, MariaDB's extended bits: change the layout of results
///  MULTI_FACTOR_AUTHENTICATION, CAN_HANDLE_EXPIRED_PASSWORDS: logins end at weirpool
///  NO_SCHEMA, ODBC           without effect in every server that is still maintained
inline constexpr std::uint32_t kOfferedToClients =
    cap::long_password | cap::found_rows | cap::long_flag | cap::connect_with_db |
    cap::ignore_space | cap::protocol_41 | cap::interactive | cap::transactions |
    cap::secure_connection | cap::multi_statements | cap::multi_results | cap::ps_multi_results |
    cap::plugin_auth | cap::connect_attrs | cap::plugin_auth_lenenc | cap::session_track |
    cap::deprecate_eof;

/// A client without these speaks a protocol from before MySQL 4.1.
inline constexpr std::uint32_t kRequiredOfClients = cap::protocol_41 | cap::secure_connection;

/// A backend without these cannot be shared: session state would be invisible. MySQL 5.7.5 and
/// MariaDB 10.2 have them all.
inline constexpr std::uint32_t kRequiredOfBackends =
    cap::protocol_41 | cap::secure_connection | cap::plugin_auth | cap::multi_results |
    cap::ps_multi_results | cap::session_track | cap::deprecate_eof;

/// What weirpool asks every backend for, beside what the variant adds.
inline constexpr std::uint32_t kAskedOfBackends = kRequiredOfBackends | cap::long_password |
                                                  cap::long_flag | cap::transactions |
                                                  cap::connect_attrs | cap::plugin_auth_lenenc;

/// Bits that change what a statement means or answers; they are the variant of a pool. INTERACTIVE
/// is not among them: idle clients are weirpool's to time out.
inline constexpr std::uint32_t kVariantBits =
    cap::found_rows | cap::ignore_space | cap::multi_statements;

}  // namespace weirpool::protocol::mysql
