#include "protocol/postgres/tls_opening.hpp"

#include "protocol/postgres/startup_messages.hpp"

namespace weirpool::protocol::postgres {

Verdict TlsOpening::fail(Fault fault, std::string_view why) {
  phase_ = Phase::failed;
  error_ = why;
  return Verdict::close(fault);
}

std::optional<Verdict> TlsOpening::advance(MutableBytes unread, Outbox& outbox) {
  switch (phase_) {
    case Phase::begin:
      if (!wish_.wanted) {
        phase_ = Phase::over;
      } else if (wish_.direct) {
        phase_ = Phase::tls;
        return Verdict::start_tls();
      } else {
        write_ssl_request(outbox.out());
        phase_ = Phase::answer;
      }
      return std::nullopt;
    case Phase::answer: return on_answer(unread, outbox);
    case Phase::tls: return Verdict::hold();
    case Phase::failed: return Verdict::close(Fault::backend_unavailable);
    case Phase::over: break;
  }
  return std::nullopt;
}

std::optional<Verdict> TlsOpening::on_answer(MutableBytes unread, Outbox& outbox) {
  if (unread.empty()) return Verdict::need(1);
  const char answer = static_cast<char>(unread[0]);
  if (answer != 'S' && answer != 'N') {
    // Whatever stands here has not been authenticated: it is not repeated to anybody.
    return fail(Fault::backend_unavailable, "unexpected answer to SSLRequest");
  }
  // Bytes behind the answer would be taken for the first ones inside TLS, or for the beginning of
  // a login that nobody has asked for yet.
  if (unread.size() > 1) return fail(Fault::backend_violation, "data behind the SSL answer");
  outbox.skip(1);
  if (answer == 'S') {
    phase_ = Phase::tls;
    outbox.then(Verdict::start_tls());
    return std::nullopt;
  }
  if (wish_.required) return fail(Fault::backend_unavailable, "server does not support TLS");
  phase_ = Phase::over;
  return std::nullopt;
}

void TlsOpening::established(const TlsFacts& facts) {
  encrypted_ = true;
  facts_ = facts;
  if (wish_.direct && facts.application != kApplicationProtocol) {
    fail(Fault::backend_unavailable, "server did not confirm the protocol inside TLS (ALPN)");
    return;
  }
  phase_ = Phase::over;
}

}  // namespace weirpool::protocol::postgres
