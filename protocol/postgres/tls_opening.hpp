// How every connection of weirpool to a backend begins, logins and cancel requests alike.
//
//   weirpool                         backend
//   SSLRequest                 ->
//                              <-    'S' and TLS, or 'N'
//
// or TLS from the first byte on, or nothing. PostgreSQL documentation, 55.2.11 and 34.1.2.
#pragma once

#include <optional>
#include <string>

#include "protocol/engine.hpp"
#include "protocol/postgres/frame.hpp"

namespace weirpool::protocol::postgres {

class TlsOpening {
 public:
  struct Wish {
    bool wanted = false;
    bool required = false;
    bool direct = false;
  };

  explicit TlsOpening(Wish wish) : wish_(wish) {}

  /// No value: over, or something has been put into `outbox`.
  std::optional<Verdict> advance(MutableBytes unread, Outbox& outbox);
  void established(const TlsFacts& facts);
  /// What comes next may be sent; says nothing about whether TLS was agreed on.
  bool over() const { return phase_ == Phase::over; }
  bool encrypted() const { return encrypted_; }
  const TlsFacts& facts() const { return facts_; }
  /// After close: why; otherwise empty.
  const std::string& error() const { return error_; }

 private:
  enum class Phase : std::uint8_t { begin, answer, tls, over, failed };

  std::optional<Verdict> on_answer(MutableBytes unread, Outbox& outbox);
  Verdict fail(Fault fault, std::string_view why);

  Wish wish_;
  Phase phase_ = Phase::begin;
  bool encrypted_ = false;
  TlsFacts facts_;
  std::string error_;
};

/// The same as an engine of its own: done when TLS stands.
class TlsOnly final : public BackendOpening {
 public:
  explicit TlsOnly(bool direct) : opening_({true, true, direct}) {}

  Verdict step(Party from, MutableBytes unread) override {
    if (from != Party::backend) return Verdict::hold();
    for (;;) {
      if (const auto queued = outbox_.next()) return *queued;
      if (opening_.over()) return Verdict::done();
      if (const auto verdict = opening_.advance(unread, outbox_)) return *verdict;
    }
  }
  void tls_established(const TlsFacts& facts) override { opening_.established(facts); }

 private:
  TlsOpening opening_;
  Outbox outbox_{Party::backend};
};

}  // namespace weirpool::protocol::postgres
