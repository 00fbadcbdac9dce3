// The readiness of all sockets of one worker: one epoll instance of our own, whose descriptor waits
// in the event loop. A socket is registered once and edge-triggered, for both directions and its
// whole stay, so that waiting for it costs no system call; Asio's own reactor makes one for each
// wait, two a transaction. Its thread only.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>
#include <cstdint>

namespace weirpool::proxy {

class Poller {
 public:
  /// What is registered. Told from the event loop; may destroy itself while it is told.
  class Entry : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    /// `events`: what epoll says; 0: come_back() asked for it.
    virtual void ready(std::uint32_t events) = 0;

   protected:
    ~Entry() = default;
  };

  /// Throws boost::system::system_error when the process may open no more files.
  explicit Poller(boost::asio::io_context& io);

  /// Every change of readiness from now on, the present one included. False: the kernel cannot.
  bool add(int fd, Entry& entry);
  /// Nothing more, not even what epoll has already said. With `closing` the socket is about to be
  /// closed, which ends its registration by itself.
  void remove(int fd, const Entry& entry, bool closing);
  /// Tells the entry in the loop's next round that it should look again.
  void come_back(Entry& entry);

 private:
  using Due = boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>>;

  void wait();
  void tell();
  void tell_due();

  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> epoll_;
  std::array<epoll_event, 128> events_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  Due due_;
  bool started_ = false;  ///< the first socket has come; from then on there is always one wait
  bool due_scheduled_ = false;
};

}  // namespace weirpool::proxy
