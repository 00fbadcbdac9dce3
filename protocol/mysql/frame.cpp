#include "protocol/mysql/frame.hpp"

#include <algorithm>

namespace weirpool::protocol::mysql {

std::size_t begin_packet(Writer& out, std::uint8_t sequence) {
  const std::size_t at = out.size();
  out.le24(0);
  out.u8(sequence);
  return at;
}

void end_packet(Writer& out, std::size_t at) {
  out.patch_le24(at, static_cast<std::uint32_t>(out.size() - at - kHeaderSize));
}

PacketCollector::Step PacketCollector::feed(MutableBytes unread) {
  if (target_ == 0) {
    copy_.clear();
    if (unread.size() < kHeaderSize) return {Outcome::need, kHeaderSize};
    const FrameHeader header = header_of(unread);
    if (header.length > limit_ || header.length == kMaxPayload) return {Outcome::too_long, 0};
    const std::size_t total = kHeaderSize + header.length;
    if (unread.size() >= total) {
      packet_ = unread.first(total);
      return {Outcome::whole, total};
    }
    if (total <= kMaxNeed) return {Outcome::need, total};
    target_ = total;
  }
  if (unread.empty()) return {Outcome::need, 1};
  const std::size_t taken = std::min(unread.size(), target_ - copy_.size());
  copy_.insert(copy_.end(), unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(taken));
  if (copy_.size() < target_) return {Outcome::piece, taken};
  target_ = 0;
  packet_ = copy_;
  return {Outcome::whole, taken};
}

void PacketCollector::release() {
  std::vector<std::uint8_t>().swap(copy_);
  target_ = 0;
  packet_ = {};
}

}  // namespace weirpool::protocol::mysql
