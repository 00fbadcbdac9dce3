#include "protocol/postgres/replication.hpp"

#include <algorithm>
#include <utility>

#include "protocol/postgres/query_messages.hpp"

namespace weirpool::protocol::postgres {

ReplicationStartups::Variant ReplicationStartups::variant_of(std::vector<NamedValue> parameters) {
  const std::lock_guard lock(mutex_);
  if (sets_.size() >= kMax && !sets_.contains(parameters)) {
    std::erase_if(sets_, [](const auto& entry) { return entry.second.held.expired(); });
    if (sets_.size() >= kMax) return nullptr;
  }
  Known& known = sets_[std::move(parameters)];
  if (Variant held = known.held.lock()) return held;
  if (known.number == 0) known.number = ++last_;
  auto variant = std::make_shared<const std::uint32_t>(known.number);
  known.held = variant;
  return variant;
}

std::vector<NamedValue> ReplicationStartups::parameters_of(std::uint32_t variant) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(sets_.begin(), sets_.end(), [variant](const auto& entry) {
    return entry.second.number == variant;
  });
  return found == sets_.end() ? std::vector<NamedValue>() : found->first;
}

Verdict ReplicationConversation::step(Party from, MutableBytes unread) {
  return from == Party::client ? client_step(unread) : backend_step(unread);
}

Verdict ReplicationConversation::client_step(Bytes unread) {
  if (!attached_) {
    if (const auto queued = to_client_.next()) return *queued;
  }
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const Header header = peek_header(unread);
  if (!legal_length(header)) return Verdict::close(Fault::protocol_violation);
  if (header.tag == 'X') return Verdict::done();
  if (attached_) return Verdict::forward(header.total());
  // Before its first command a client has nothing to send or to end.
  if (header.tag != 'Q') return Verdict::close(Fault::protocol_violation);
  if (refusal_ == nullptr) return Verdict::lease();
  to_client_.out().bytes(refusal_->view());
  refusal_.reset();
  write_ready('I', to_client_.out());
  return Verdict::skip(header.total());
}

Verdict ReplicationConversation::backend_step(Bytes unread) {
  if (!attached_) return Verdict::hold();
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const Header header = peek_header(unread);
  if (!legal_length(header) || last_words_) return Verdict::close(Fault::backend_violation);
  if (header.tag == 'E') {
    const std::uint64_t front = std::min<std::uint64_t>(header.total(), kMaxNeed);
    if (unread.size() < front) return Verdict::need(front);
    last_words_ =
        ErrorResponse::parse(unread.first(static_cast<std::size_t>(front)).subspan(kHeaderSize))
            .fatal();
  }
  return Verdict::forward(header.total());
}

void ReplicationConversation::refuse(Fault fault, std::string_view detail) {
  refusal_ = std::make_unique<Writer>();
  write_error(fault, {}, detail, *refusal_);
}

Verdict ReplicationConversation::backend_lost(bool /*torn*/) {
  return Verdict::close(last_words_ ? Fault::none : Fault::backend_lost);
}

void ReplicationConversation::write_fault(Fault fault, std::string_view detail, Writer& out) {
  if (fault != Fault::none) write_error(fault, {}, detail, out);
}

}  // namespace weirpool::protocol::postgres
