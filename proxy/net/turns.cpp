#include "proxy/net/turns.hpp"

#include <boost/asio/post.hpp>

namespace weirpool::proxy {

Turns::Place::Place(Turns& turns, Signal& signal) : signal_(signal) {
  if (turns.taken_) {
    turns.line_.push_back(*this);
    return;
  }
  mine_ = true;
  turns.take();
}

void Turns::take() {
  taken_ = true;
  boost::asio::post(io_, [this] { next_round(); });
}

void Turns::next_round() {
  taken_ = false;
  if (line_.empty()) return;
  Place& first = line_.front();
  line_.pop_front();
  first.mine_ = true;
  take();
  first.signal_.notify();  // may destroy `first`
}

}  // namespace weirpool::proxy
