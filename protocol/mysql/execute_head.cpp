#include "protocol/mysql/execute_head.hpp"

#include <algorithm>

#include "protocol/mysql/commands.hpp"
#include "protocol/mysql/frame.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::size_t kIdEnd = 1 + 4;
constexpr std::size_t kCountAt = kIdEnd + 1 + 4;
constexpr std::size_t kBulkFlagsEnd = kIdEnd + 2;
constexpr std::uint8_t kBulkSendTypes = 0x80;  // STMT_BULK_FLAG_CLIENT_SEND_TYPES
constexpr std::size_t kTypeSize = 2;

bool bulk(const ExecuteLayout& layout) { return layout.command == com::stmt_bulk_execute; }

}  // namespace

ExecuteHead::ExecuteHead(const ExecuteLayout& layout, Bytes payload)
    : layout_(layout), count_(layout.parameters), bitmap_at_(kCountAt) {
  layout_.counted = layout.counted && !bulk(layout);
  if (bulk(layout)) {
    size_ = kBulkFlagsEnd;
  } else {
    if (layout_.counted && !read_count(payload)) return;
    const std::uint64_t bitmap = count_ / 8 + (count_ % 8 > 0 ? 1 : 0);
    size_ = bitmap_at_ + static_cast<std::size_t>(bitmap) + 1;
  }
  if (payload.size() >= size_) read_types(payload);
}

bool ExecuteHead::read_count(Bytes payload) {
  Reader in(payload);
  in.skip(kCountAt);
  count_ = in.lenenc();
  if (!in.ok()) {
    sound_ = in.finish() != WireError::malformed;
    size_ = std::max(payload.size(), kCountAt) + 1;
    return false;
  }
  bitmap_at_ = payload.size() - in.remaining();
  size_ = bitmap_at_;
  sound_ = count_ >= layout_.parameters;
  return sound_;
}

void ExecuteHead::read_types(Bytes payload) {
  const std::uint8_t flag = payload[bulk(layout_) ? kIdEnd : size_ - 1];
  brings_types_ = bulk(layout_) ? (flag & kBulkSendTypes) != 0 : flag != 0;
  if (!brings_types_) {
    sound_ = count_ == layout_.parameters;
  } else if (layout_.counted) {
    read_named(payload);
  } else {
    const std::size_t length = kTypeSize * layout_.parameters;
    if (payload.size() >= size_ + length) types_ = text_of(payload.subspan(size_, length));
    size_ += length;
  }
}

void ExecuteHead::read_named(Bytes payload) {
  constexpr std::size_t kLeast = kTypeSize + 1;
  Reader in(payload.subspan(size_));
  const auto at = [&] { return payload.size() - in.remaining(); };
  // At most eight to each byte of the bitmap, which is there.
  for (auto left = static_cast<std::size_t>(count_); left > 0 && in.ok(); --left) {
    size_ = at() + left * kLeast;
    const Bytes type = in.take(kTypeSize);
    const std::uint64_t name = in.lenenc();
    sound_ = in.finish() != WireError::malformed && name <= kMaxPayload;
    if (!sound_) return;
    if (!in.ok()) break;
    if (unnamed_.size() < kTypeSize * layout_.parameters) unnamed_.append(text_of(type));
    size_ = at() + static_cast<std::size_t>(name) + (left - 1) * kLeast;
    in.skip(static_cast<std::size_t>(name));
  }
  if (!in.ok()) size_ = std::max(size_, payload.size() + 1);
}

std::string_view ExecuteHead::first_text(Bytes payload, std::string_view types) const {
  if (!sound_ || bulk(layout_) || payload.size() < size_ || types.empty()) return {};
  constexpr std::string_view kTexts("\x0F\xF9\xFA\xFB\xFC\xFD\xFE");
  if ((payload[bitmap_at_] & 1U) != 0 || kTexts.find(types[0]) == kTexts.npos) return {};
  Reader in(payload.subspan(size_));
  const std::string_view text = in.lenenc_text();
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '\'' && c != '"' && c != '\\';
  });
  return in.ok() && plain ? text : std::string_view{};
}

std::size_t ExecuteHead::growth() const {
  return layout_.parameters * (kTypeSize + (layout_.counted ? 1 : 0));
}

void ExecuteHead::splice(std::vector<std::uint8_t>& packet, std::string_view types) const {
  std::vector<std::uint8_t> named;
  named.reserve(growth());
  for (std::size_t at = 0; at < types.size(); at += kTypeSize) {
    const Bytes type = bytes_of(types.substr(at, kTypeSize));
    named.insert(named.end(), type.begin(), type.end());
    if (layout_.counted) named.push_back(0);
  }
  const std::size_t end = kHeaderSize + size_;
  std::uint8_t& flag = packet[bulk(layout_) ? kHeaderSize + kIdEnd : end - 1];
  flag = static_cast<std::uint8_t>(flag | (bulk(layout_) ? kBulkSendTypes : 1));
  packet.insert(packet.begin() + static_cast<std::ptrdiff_t>(end), named.begin(), named.end());
}

}  // namespace weirpool::protocol::mysql
