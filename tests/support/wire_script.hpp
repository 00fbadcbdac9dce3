// Plays scripts of wire bytes against an engine, the way a session does: bytes of a party arrive in
// pieces, the engine is asked until it needs more, its verdicts are carried out on strings.
// Breaches of the verdict contract end the play and are kept as text, so tests assert on it and
// fuzzers abort.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocol/engine.hpp"

namespace weirpool::test {

using protocol::Bytes;
using protocol::Engine;
using protocol::Fault;
using protocol::MutableBytes;
using protocol::Party;
using protocol::Verdict;
using Kind = Verdict::Kind;

/// The two ends of one engine. Not thread-safe; the engine must outlive it.
class Wire {
 public:
  /// Called for every verdict that is not about bytes (start_tls, look_up, learn, cancel, kill,
  /// lease, release): the test answers the engine here.
  using Handler = std::function<void(const Verdict&, Wire&)>;

  explicit Wire(Engine& engine, Handler handler = {})
      : engine_(&engine), handler_(std::move(handler)) {}

  /// The most an engine gets to see at once, bytes; a session's chunk. At least kMaxNeed.
  void set_window(std::size_t bytes) { window_ = bytes; }
  /// Follows a login into its conversation: later bytes go to `next`, what is unread stays.
  void continue_with(Engine& next) {
    engine_ = &next;
    ended_ = false;
  }

  /// Bytes arrive; everything that can happen happens.
  void feed(Party from, std::string_view bytes) {
    side(from).unread.append(bytes);
    pump();
  }

  /// Steps both parties until neither moves or the engine has ended.
  void pump() {
    bool moved = true;
    for (std::size_t turns = 0; moved && !ended_; ++turns) {
      if (turns > kMaxTurns) return breach("engine does not come to rest");
      moved = run(Party::client);
      if (!ended_) moved = run(Party::backend) || moved;
    }
  }

  /// Everything a party has been sent or forwarded so far.
  const std::string& heard(Party by) const { return side(by).heard; }
  const std::string& to_client() const { return heard(Party::client); }
  const std::string& to_backend() const { return heard(Party::backend); }
  /// What nobody has consumed yet.
  const std::string& unread(Party of) const { return side(of).unread; }
  /// Bytes of a forward or skip that are still to come from `of`.
  std::uint64_t streaming(Party of) const { return side(of).forward + side(of).skip; }
  /// Part of a message has been passed on: what backend_lost() is to be told.
  bool torn() const { return side(Party::client).forward > 0 || side(Party::backend).forward > 0; }
  /// Verdicts that are not about bytes, in order; done and close included.
  const std::vector<Kind>& events() const { return events_; }
  std::size_t count(Kind kind) const {
    return static_cast<std::size_t>(std::count(events_.begin(), events_.end(), kind));
  }
  bool ended() const { return ended_; }
  /// What close said; Fault::none before.
  Fault fault() const { return fault_; }
  /// Which verdict verdict.hpp forbids here; empty: none.
  const std::string& breach() const { return breach_; }
  /// The key a cancel connection carried.
  const std::string& cancel_key() const { return cancel_key_; }

 private:
  static constexpr std::size_t kMaxTurns = 100000;

  struct Side {
    std::string unread;
    std::string heard;
    std::uint64_t forward = 0;
    std::uint64_t skip = 0;
  };

  Side& side(Party party) { return sides_[static_cast<std::size_t>(party)]; }
  const Side& side(Party party) const { return sides_[static_cast<std::size_t>(party)]; }

  void breach(std::string what) {
    if (breach_.empty()) breach_ = std::move(what);
    ended_ = true;
  }

  /// Moves bytes an earlier forward or skip has already decided on. True: the engine has the turn.
  bool stream(Party from) {
    Side& s = side(from);
    const auto pass = [&s](std::uint64_t& owed) {
      const std::size_t n =
          static_cast<std::size_t>(std::min<std::uint64_t>(owed, s.unread.size()));
      owed -= n;
      std::string taken = s.unread.substr(0, n);
      s.unread.erase(0, n);
      return taken;
    };
    if (s.forward > 0) side(other(from)).heard += pass(s.forward);
    if (s.skip > 0) pass(s.skip);
    return s.forward == 0 && s.skip == 0;
  }

  bool run(Party from) {
    bool moved = false;
    for (std::size_t steps = 0; !ended_; ++steps) {
      if (steps > kMaxTurns) {
        breach("engine steps without end");
        return moved;
      }
      if (!stream(from)) return moved;
      Side& s = side(from);
      const std::size_t visible = std::min(s.unread.size(), window_);
      // Exactly sized memory of its own, so that a sanitizer sees every read past the end.
      std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[visible]);
      std::copy_n(s.unread.begin(), visible, copy.get());
      const Verdict verdict = engine_->step(from, MutableBytes(copy.get(), visible));
      std::copy_n(copy.get(), visible, s.unread.begin());
      if (!carry_out(from, verdict, visible)) return moved;
      moved = true;
    }
    return moved;
  }

  /// False: this party rests.
  bool carry_out(Party from, const Verdict& verdict, std::size_t visible) {
    switch (verdict.kind) {
      case Kind::need:
        if (verdict.count <= visible) breach("need of what is already there");
        if (verdict.count > protocol::kMaxNeed) breach("need of more than kMaxNeed");
        return false;
      case Kind::hold: return false;
      case Kind::forward:
        if (verdict.count == 0) breach("forward of nothing");
        side(from).forward = verdict.count;
        return true;
      case Kind::skip:
        if (verdict.count == 0) breach("skip of nothing");
        side(from).skip = verdict.count;
        return true;
      case Kind::send:
        if (side(other(verdict.to)).forward > 0) breach("send inside an unfinished forward");
        side(verdict.to).heard += protocol::text_of(verdict.bytes);
        return true;
      default: break;
    }
    events_.push_back(verdict.kind);
    if (verdict.kind == Kind::cancel) cancel_key_ = protocol::text_of(verdict.bytes);
    if (verdict.kind == Kind::close) fault_ = verdict.fault;
    if (verdict.kind == Kind::done || verdict.kind == Kind::close || verdict.kind == Kind::cancel ||
        verdict.kind == Kind::log_in) {
      ended_ = true;
    } else if (handler_) {
      handler_(verdict, *this);
    }
    return true;
  }

  Engine* engine_;
  Handler handler_;
  std::size_t window_ = 16384;
  std::array<Side, 2> sides_;
  std::vector<Kind> events_;
  Fault fault_ = Fault::none;
  bool ended_ = false;
  std::string breach_;
  std::string cancel_key_;
};

/// One line of a script: these bytes arrive from this party once everything before has happened.
/// `make` may look at what has been heard (nonces); most lines are constants.
struct Line {
  Line(Party party, std::string bytes)
      : from(party), make([text = std::move(bytes)](const Wire&) { return text; }) {}
  Line(Party party, std::function<std::string(const Wire&)> maker)
      : from(party), make(std::move(maker)) {}

  Party from;
  std::function<std::string(const Wire&)> make;
};

using Script = std::vector<Line>;

inline Line client(std::string bytes) { return {Party::client, std::move(bytes)}; }
inline Line backend(std::string bytes) { return {Party::backend, std::move(bytes)}; }

/// Where a line is cut in two; line == script.size() means nowhere.
struct Cut {
  std::size_t line = static_cast<std::size_t>(-1);
  std::size_t at = 0;
};

/// Feeds the lines in order; stops early when the engine has ended.
inline void play(Wire& wire, const Script& script, Cut cut = {}) {
  wire.pump();
  for (std::size_t i = 0; i < script.size() && !wire.ended(); ++i) {
    const std::string bytes = script[i].make(wire);
    if (i == cut.line && cut.at < bytes.size()) {
      wire.feed(script[i].from, std::string_view(bytes).substr(0, cut.at));
      if (!wire.ended()) wire.feed(script[i].from, std::string_view(bytes).substr(cut.at));
    } else {
      wire.feed(script[i].from, bytes);
    }
  }
}

/// Calls `once(cut)` for every byte boundary inside every line. `lengths[i]` is the size of line i
/// (of a play without a cut, when lines are made on the fly).
inline void for_every_cut(const std::vector<std::size_t>& lengths,
                          const std::function<void(Cut)>& once) {
  for (std::size_t line = 0; line < lengths.size(); ++line) {
    for (std::size_t at = 1; at < lengths[line]; ++at) once({line, at});
  }
}

}  // namespace weirpool::test
