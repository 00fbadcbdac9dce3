#include "protocol/postgres/frame.hpp"

#include <algorithm>
#include <utility>

namespace weirpool::protocol::postgres {

std::optional<Verdict> Gather::collect(Bytes unread, std::uint64_t total) {
  if (total_ == 0 && total <= kMaxNeed) {
    if (unread.size() < total) return Verdict::need(total);
    message_ = unread.first(static_cast<std::size_t>(total));
    return std::nullopt;
  }
  if (total_ == 0) total_ = total;
  const std::uint64_t missing = total_ - kept_.size();
  if (missing == 0) {
    message_ = kept_;
    return std::nullopt;
  }
  if (unread.empty()) return Verdict::need(1);
  const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(missing, unread.size()));
  kept_.insert(kept_.end(), unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(piece));
  return Verdict::skip(piece);
}

std::uint64_t Gather::consume() {
  const std::uint64_t in_place = total_ == 0 ? message_.size() : 0;
  total_ = 0;
  message_ = {};
  std::vector<std::uint8_t>().swap(kept_);
  return in_place;
}

std::optional<Verdict> Outbox::due() {
  if (std::exchange(sent_, false)) out_.release();
  if (skip_ != 0) return Verdict::skip(std::exchange(skip_, 0));
  if (!out_.empty()) {
    sent_ = true;
    return Verdict::send(to_, out_.view());
  }
  return std::exchange(then_, std::nullopt);
}

}  // namespace weirpool::protocol::postgres
