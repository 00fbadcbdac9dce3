// The command phase of a replication client (startup parameter `replication`). The backend talks
// the walsender's language, whose replies follow other rules, and COPY BOTH runs in both directions
// at once; so nothing is understood here but where messages end. The backend was opened with the
// client's own startup parameters, is the client's alone, and is closed at the end.
//
//   client                     weirpool                              backend
//   Query "START_REPLICATION" ->  lease, attach                ->
//                             <-                               <-    CopyBothResponse
//   CopyData ...              ->                               ->
//                             <-                               <-    CopyData ...
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/startup_options.hpp"

namespace weirpool::protocol::postgres {

/// The startup parameters of replication clients, since backends of such a client cannot be set to
/// them later. A number stands for each set of them in Identity::variant. Thread-safe.
class ReplicationStartups {
 public:
  /// The most different sets that are known at a time.
  static constexpr std::size_t kMax = 1024;

  /// Never 0, which is the variant of all others. As long as somebody holds it, it stands for the
  /// same parameters, and afterwards for no others.
  using Variant = std::shared_ptr<const std::uint32_t>;

  /// Null: there are too many.
  Variant variant_of(std::vector<NamedValue> parameters);
  /// Those of variant_of(); empty for others.
  std::vector<NamedValue> parameters_of(std::uint32_t variant) const;

 private:
  struct Known {
    std::uint32_t number = 0;
    std::weak_ptr<const std::uint32_t> held;
  };

  mutable std::mutex mutex_;
  std::map<std::vector<NamedValue>, Known> sets_;
  std::uint32_t last_ = 0;
};

class ReplicationConversation final : public Conversation {
 public:
  /// `physical`: of the whole server, not of one database.
  explicit ReplicationConversation(bool physical = true, ReplicationStartups::Variant variant = {})
      : variant_(std::move(variant)), physical_(physical) {}

  Verdict step(Party from, MutableBytes unread) override;
  void attach(BackendState&) override { attached_ = true; }
  void detach() override { attached_ = false; }
  void refuse(Fault fault, std::string_view detail) override;
  /// What a walsender is in the middle of is nobody else's business.
  bool at_boundary() const override { return !attached_; }
  bool needs_reset() const override { return attached_; }
  std::string_view pin_reason() const override { return attached_ ? "replication" : ""; }
  std::string_view application() const override { return {}; }
  std::size_t prepared_statements() const override { return 0; }
  bool executing() const override { return attached_; }
  void place(Pooling, std::string_view, bool) override {
  }  // the backend is its client's own in every mode
  bool refused_to_write() const override { return false; }
  std::uint32_t answered() const override { return 0; }
  bool endless() const override { return true; }
  std::string_view replication() const override { return physical_ ? "physical" : "logical"; }
  Verdict backend_lost(bool torn) override;
  void write_fault(Fault fault, std::string_view detail, Writer& out) override;

 private:
  Verdict client_step(Bytes unread);
  Verdict backend_step(Bytes unread);

  Outbox to_client_{Party::client};
  std::unique_ptr<Writer> refusal_;
  ReplicationStartups::Variant variant_;  ///< held for its backend's login
  bool physical_;
  bool attached_ = false;
  bool last_words_ = false;  ///< the backend said FATAL
};

}  // namespace weirpool::protocol::postgres
