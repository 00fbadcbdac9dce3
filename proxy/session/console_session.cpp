// A client of the console, see session.hpp: it needs no backend and stands in no line. Everything
// it asks is answered by the host, in its own time.
#include <utility>

#include "proxy/session/session.hpp"

namespace weirpool::proxy {

using protocol::Fault;
using protocol::Party;
using protocol::Verdict;

Task<void> Session::serve_console() {
  for (;;) {
    const bool ask = up_.steppable() && !down_.inserting();
    const Verdict verdict = ask ? console_->step(Party::client, up_.unread()) : Verdict::need(0);
    bool go_on = true;
    switch (verdict.kind) {
      case Verdict::Kind::need:
      case Verdict::Kind::hold: go_on = co_await move_console_bytes(); break;
      case Verdict::Kind::skip: up_.skip(verdict.count); break;
      case Verdict::Kind::send: down_.insert(verdict.bytes); break;
      case Verdict::Kind::look_up: go_on = co_await ask_console(); break;
      case Verdict::Kind::done: co_return;
      case Verdict::Kind::close: leave(verdict.fault); co_return;
      default: leave(Fault::internal); co_return;
    }
    if (!go_on) co_return;
  }
}

Task<bool> Session::move_console_bytes() {
  for (;;) {
    if (next_ == Next::leave) co_return false;
    const Io out = down_.flush(client_);
    if (out.kind == Io::Kind::failed) co_return false;
    if (out.kind == Io::Kind::moved) {
      const Io in = up_.fill(client_);
      if (in.kind == Io::Kind::moved) co_return true;
      if (in.kind != Io::Kind::blocked) co_return false;
      if (host_.draining() && up_.empty()) {
        leave(Fault::shutting_down);
        co_return false;
      }
      client_.arm_read();
    } else {
      client_.arm_write();
    }
    co_await signal_.wait();
  }
}

Task<bool> Session::ask_console() {
  auto call = std::make_shared<ConsoleCall>();
  call->waiter = &signal_;
  host_.ask_console(console_->request(), call);
  while (!call->answered) {
    if (next_ == Next::leave || client_.ended()) {
      call->waiter = nullptr;
      co_return false;
    }
    if (!client_.may_read()) client_.arm_read();
    co_await signal_.wait();
  }
  console_->answer(std::move(call->answer));
  co_return true;
}

}  // namespace weirpool::proxy
