#include "protocol/postgres/replication.hpp"

#include <algorithm>
#include <utility>

#include "protocol/postgres/query_messages.hpp"

namespace weirpool::protocol::postgres {

std::uint32_t ReplicationStartups::variant_of(std::vector<NamedValue> parameters) {
  const std::lock_guard lock(mutex_);
  const auto known = numbers_.find(parameters);
  if (known != numbers_.end()) return known->second;
  if (numbers_.size() >= kMax) return 0;
  const auto number = static_cast<std::uint32_t>(numbers_.size() + 1);
  numbers_.emplace(std::move(parameters), number);
  return number;
}

std::vector<NamedValue> ReplicationStartups::parameters_of(std::uint32_t variant) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(numbers_.begin(), numbers_.end(),
                                  [variant](const auto& entry) { return entry.second == variant; });
  return found == numbers_.end() ? std::vector<NamedValue>() : found->first;
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
