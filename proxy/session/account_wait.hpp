// A session's wait for what is known about its user.
#pragma once

#include <boost/intrusive/list.hpp>
#include <string>
#include <utility>

#include "protocol/engine.hpp"
#include "protocol/fault.hpp"
#include "proxy/net/signal.hpp"

namespace weirpool::proxy {

class BackendTarget;

/// Destroying it ends the wait. One worker's thread.
class AccountWait : public boost::intrusive::list_base_hook<
                        boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// `signal` is notified when the answer has come.
  AccountWait(BackendTarget& target, std::string user, Signal& signal)
      : target_(target), user_(std::move(user)), signal_(signal) {}
  AccountWait(const AccountWait&) = delete;
  AccountWait& operator=(const AccountWait&) = delete;

  BackendTarget& target() const { return target_; }
  const std::string& user() const { return user_; }

  bool answered() const { return answered_; }
  /// Why nothing could be learnt; none: account() counts.
  protocol::Fault fault() const { return fault_; }
  const protocol::Account& account() const { return account_; }

  /// From the directory: takes the wait out of whatever list it is in.
  void answer(protocol::Account account, protocol::Fault fault = protocol::Fault::none) {
    unlink();
    account_ = std::move(account);
    fault_ = fault;
    answered_ = true;
    signal_.notify();
  }

 private:
  BackendTarget& target_;
  const std::string user_;
  Signal& signal_;
  protocol::Account account_;
  protocol::Fault fault_ = protocol::Fault::none;
  bool answered_ = false;
};

}  // namespace weirpool::proxy
