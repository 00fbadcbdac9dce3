#include "config/utf8.hpp"

namespace weirpool::config {

namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

bool continues(std::string_view text, std::size_t at) {
  return (byte_at(text, at) & 0xC0U) == 0x80U;
}

/// Length of the sequence that starts at `at`, 0 if it is malformed. The second byte's range
/// depends on the first one (RFC 3629 section 4).
std::size_t sequence_at(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  const unsigned second = byte_at(text, at + 1);
  if (first < 0x80U) return 1;
  if (first < 0xC2U || first > 0xF4U) return 0;
  if (first < 0xE0U) return continues(text, at + 1) ? 2 : 0;
  const unsigned low = first == 0xE0U ? 0xA0U : first == 0xF0U ? 0x90U : 0x80U;
  const unsigned high = first == 0xEDU ? 0x9FU : first == 0xF4U ? 0x8FU : 0xBFU;
  if (second < low || second > high || !continues(text, at + 2)) return 0;
  if (first < 0xF0U) return 3;
  return continues(text, at + 3) ? 4 : 0;
}

}  // namespace

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = sequence_at(text, at);
    if (length == 0) break;
    at += length;
  }
  return at;
}

}  // namespace weirpool::config
