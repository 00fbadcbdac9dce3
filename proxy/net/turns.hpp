// Who is about to do what takes a worker long (the mathematics of a TLS handshake) waits for a
// turn. There is one for each round of the event loop, in the order of arrival, so that a flood of
// logins costs the clients that are being served one such step per round and no more.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>

#include "proxy/net/signal.hpp"

namespace weirpool::proxy {

/// One worker's; its thread only.
class Turns {
 public:
  /// Stands in line from its construction on and leaves with its destruction; `signal` is notified
  /// when it is its turn, if that is not so at once.
  class Place : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    Place(Turns& turns, Signal& signal);
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    bool mine() const { return mine_; }

   private:
    friend class Turns;
    Signal& signal_;
    bool mine_ = false;
  };

  explicit Turns(boost::asio::io_context& io) : io_(io) {}

 private:
  void take();
  void next_round();

  boost::asio::io_context& io_;
  boost::intrusive::list<Place, boost::intrusive::constant_time_size<false>> line_;
  bool taken_ = false;  ///< in this round
};

}  // namespace weirpool::proxy
