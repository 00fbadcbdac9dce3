// What the operator wants to become of session state, per kind. By default parameters and roles
// follow their client and everything else pins.
#pragma once

#include <string>
#include <string_view>

#include "protocol/postgres/session_words.hpp"

namespace weirpool::protocol::postgres {

/// Kinds as in session_words.hpp: those that pin, kSettings and kRoles.
struct SessionPolicy {
  Effects pinned = 0;         ///< kSettings, kRoles: pin instead of following the client
  Effects refused = 0;        ///< answered with an error
  Effects allowed = 0;        ///< passed on and forgotten; whoever allows it knows what it means
  bool reset_always = false;  ///< every backend is reset before anybody else gets it
};

/// Everything that changes parameters or might.
inline constexpr Effects kAllParameters = kSettings | kPinSet | kPinSetConfig;

/// What a backend gets in place of a refused text: it fails wherever it stands.
inline constexpr std::string_view kRefusedText = "refused by weirpool";

/// The ErrorResponse for a text with these effects, all bytes of it; empty: it is not refused.
std::string refusal_of(const SessionPolicy& policy, Effects effects);

}  // namespace weirpool::protocol::postgres
