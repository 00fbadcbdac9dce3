#include "proxy/net/poller.hpp"

#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

namespace weirpool::proxy {
namespace {

int new_epoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw boost::system::system_error(errno, boost::system::system_category(), "epoll");
  return fd;
}

}  // namespace

Poller::Poller(boost::asio::io_context& io) : epoll_(io, new_epoll()) {}

bool Poller::add(int fd, Entry& entry) {
  epoll_event wish{};
  wish.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  wish.data.ptr = &entry;
  if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &wish) != 0) return false;
  if (!std::exchange(started_, true)) wait();
  return true;
}

void Poller::remove(int fd, const Entry& entry, bool closing) {
  if (!closing) ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
  for (std::size_t i = next_; i < count_; ++i) {
    if (events_[i].data.ptr == &entry) events_[i].data.ptr = nullptr;
  }
}

void Poller::wait() {
  epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [this](boost::system::error_code error) {
                      if (!error) tell();
                    });
}

void Poller::tell() {
  const int count =
      ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  count_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  for (next_ = 0; next_ < count_;) {
    const epoll_event& event = events_[next_++];
    if (event.data.ptr) static_cast<Entry*>(event.data.ptr)->ready(event.events);
  }
  count_ = 0;
  wait();
}

void Poller::come_back(Entry& entry) {
  if (entry.is_linked()) return;
  due_.push_back(entry);
  if (due_scheduled_) return;
  due_scheduled_ = true;
  boost::asio::post(epoll_.get_executor(), [this] { tell_due(); });
}

void Poller::tell_due() {
  due_scheduled_ = false;
  Due now;
  now.swap(due_);
  while (!now.empty()) {
    Entry& entry = now.front();
    now.pop_front();
    entry.ready(0);
  }
}

}  // namespace weirpool::proxy
