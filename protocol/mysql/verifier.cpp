#include "protocol/mysql/verifier.hpp"

#include <algorithm>

namespace weirpool::protocol::mysql {
namespace {

constexpr std::string_view kCrypted = "$A$";
constexpr std::size_t kRoundDigits = 3;
constexpr std::uint32_t kRoundsUnit = 1000;
constexpr std::size_t kSalt = 20;
constexpr std::string_view kHex = "0123456789ABCDEF";

int digit_of(char c) {
  const char upper = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  const std::size_t value = kHex.find(upper);
  return value == kHex.npos ? -1 : static_cast<int>(value);
}

std::optional<std::string> unhex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit_of(text[i]);
    const int low = digit_of(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::optional<Sha1Digest> unhex_sha1(std::string_view text) {
  Sha1Digest digest{};
  const auto bytes = unhex(text);
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

std::optional<Sha1Digest> parse_native(std::string_view text) {
  return text.starts_with('*') ? unhex_sha1(text.substr(1)) : std::nullopt;
}

std::optional<CryptVerifier> parse_crypted(std::string_view text) {
  if (!text.starts_with(kCrypted)) return std::nullopt;
  text.remove_prefix(kCrypted.size());
  if (text.size() <= kRoundDigits + 1 + kSalt || text[kRoundDigits] != '$') return std::nullopt;
  CryptVerifier verifier;
  for (std::size_t i = 0; i < kRoundDigits; ++i) {
    const int digit = digit_of(text[i]);
    if (digit < 0) return std::nullopt;
    verifier.rounds = verifier.rounds * 16 + static_cast<std::uint32_t>(digit);
  }
  verifier.rounds *= kRoundsUnit;
  text.remove_prefix(kRoundDigits + 1);
  const Bytes salt = bytes_of(text.substr(0, kSalt));
  const auto digest = parse_crypt_digest(text.substr(kSalt));
  if (verifier.rounds == 0 || !digest) return std::nullopt;
  verifier.salt.assign(salt.begin(), salt.end());
  verifier.digest = *digest;
  return verifier;
}

}  // namespace

std::optional<Verifier> parse_verifier(std::string_view text) {
  if (const auto native = parse_native(text)) return *native;
  if (auto crypted = parse_crypted(text)) return std::move(*crypted);
  if (!text.starts_with("0x")) return std::nullopt;
  const auto bytes = unhex(text.substr(2));
  if (!bytes) return std::nullopt;
  if (auto crypted = parse_crypted(*bytes)) return std::move(*crypted);
  return std::nullopt;
}

std::string pass_text(std::string_view verifier, const Sha1Digest& key) {
  std::string text(verifier);
  text += '$';
  for (const std::uint8_t byte : key) {
    text += kHex[byte / 16];
    text += kHex[byte % 16];
  }
  return text;
}

std::optional<Sha1Digest> parse_pass(std::string_view text) {
  const std::size_t dollar = text.find('$');
  if (dollar == text.npos) return std::nullopt;
  const auto verifier = parse_native(text.substr(0, dollar));
  const auto key = unhex_sha1(text.substr(dollar + 1));
  if (!verifier || !key || native_verifier(*key) != *verifier) return std::nullopt;
  return key;
}

}  // namespace weirpool::protocol::mysql
