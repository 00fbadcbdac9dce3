#include "proxy/net/listener.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/toy_server.hpp"

namespace weirpool::proxy {
namespace {

using test::ToyClient;

class ListenerTest : public testing::Test {
 protected:
  ListenerTest() {
    tcp_.backlog = 16;
    listener_ = listen({"127.0.0.1", 0});
    listener_->start();
  }
  ~ListenerTest() override {
    for (const int fd : accepted_) ::close(fd);
  }
  std::unique_ptr<Listener> listen(const config::Address& address,
                                   int ceiling = Listener::kNoCeiling) {
    return std::make_unique<Listener>(
        io_, address, tcp_, config::Duration(5), [this](int fd) { accepted_.push_back(fd); },
        ceiling, Listener::Gate(), tell_and_close);
  }
  static void tell_and_close(int fd) {
    EXPECT_EQ(::send(fd, "full\n", 5, MSG_DONTWAIT | MSG_NOSIGNAL), 5);
    ::close(fd);
  }
  void turn() {
    io_.restart();
    io_.run_one_for(std::chrono::milliseconds(5));
  }
  bool until(const std::function<bool()>& holds) {
    return test::eventually(holds, [this] { turn(); });
  }

  boost::asio::io_context io_{1};
  config::Tcp tcp_;
  std::vector<int> accepted_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, ClientsHaveTheOptionsOfTheirTime) {
  const auto idle_seconds = [](int fd) {
    int value = 0;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &value, &size), 0);
    return value;
  };
  tcp_.keepalive_idle = std::chrono::seconds(7);
  listener_->set_options(tcp_);
  const ToyClient one(listener_->port());
  ASSERT_TRUE(until([&] { return accepted_.size() == 1; }));
  tcp_.keepalive_idle = std::chrono::seconds(9);
  listener_->set_options(tcp_);
  const ToyClient two(listener_->port());
  ASSERT_TRUE(until([&] { return accepted_.size() == 2; }));
  EXPECT_EQ(idle_seconds(accepted_[0]), 7);
  EXPECT_EQ(idle_seconds(accepted_[1]), 9);
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  ASSERT_EQ(::getsockopt(accepted_[0], IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  EXPECT_NE(no_delay, 0);
}

TEST_F(ListenerTest, LeavesTheLastDescriptorsToOthers) {
  listener_.reset();
  // Below the ceiling are the listener's two and both ends of one client.
  std::vector<int> next;
  for (int i = 0; i < 4; ++i) next.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (const int fd : next) ::close(fd);
  listener_ = listen({"127.0.0.1", 0}, next.back() + 1);
  listener_->start();
  {
    const ToyClient inside(listener_->port());
    ASSERT_TRUE(until([&] { return accepted_.size() == 1; }));
    ToyClient outside(listener_->port());
    EXPECT_TRUE(until([&] { return outside.has_line(); }));
    EXPECT_EQ(outside.line(), "full");
    EXPECT_EQ(outside.line(), "<closed>");
    EXPECT_EQ(accepted_.size(), 1U);
    ::close(accepted_[0]);
    accepted_.clear();
  }
  const ToyClient later(listener_->port());
  EXPECT_TRUE(until([&] { return accepted_.size() == 1; })) << "there is room again";
}

TEST_F(ListenerTest, HandsOverSocketsThatDoNotBlockNorOutliveAnExec) {
  const ToyClient client(listener_->port());
  ASSERT_TRUE(until([&] { return accepted_.size() == 1; }));
  EXPECT_NE(::fcntl(accepted_[0], F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(accepted_[0], F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ListenerTest, AcceptsWhoeverHasComeAndThenTheNext) {
  std::vector<ToyClient> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(listener_->port());
  ASSERT_TRUE(until([&] { return accepted_.size() == 10; }));
  clients.emplace_back(listener_->port());
  EXPECT_TRUE(until([&] { return accepted_.size() == 11; }));
}

TEST_F(ListenerTest, AClientThatIsGoneAlreadyHarmsNobody) {
  { ToyClient(listener_->port()).close_with_reset(); }
  const ToyClient client(listener_->port());
  ASSERT_TRUE(until([&] { return !accepted_.empty(); }));
}

TEST_F(ListenerTest, SaysWhichAddressIsTaken) {
  const std::uint16_t port = listener_->port();
  try {
    listen({"127.0.0.1", port});
    FAIL() << "bound twice";
  } catch (const std::runtime_error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("cannot listen on 127.0.0.1:" + std::to_string(port)), std::string::npos)
        << text;
  }
}

TEST_F(ListenerTest, ListensOnIpv6WhereThereIsOne) {
  try {
    const auto other = listen({"::1", 0});
    EXPECT_NE(other->port(), 0);
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "cannot listen on ::1:0: Cannot assign requested address");
  }
}

TEST_F(ListenerTest, NobodyIsAcceptedAfterTheClose) {
  const std::uint16_t port = listener_->port();
  listener_->close();
  turn();
  ToyClient late(port);
  EXPECT_EQ(late.line(), "<closed>");
  EXPECT_TRUE(accepted_.empty());
}

/// Takes every file descriptor this process may have, and gives them back.
class Exhaustion {
 public:
  Exhaustion() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.push_back(fd);
  }
  ~Exhaustion() { end(); }
  Exhaustion(const Exhaustion&) = delete;
  Exhaustion& operator=(const Exhaustion&) = delete;

  void give_one_back() {
    ::close(taken_.back());
    taken_.pop_back();
  }
  void end() {
    for (const int fd : taken_) ::close(fd);
    taken_.clear();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_F(ListenerTest, WithoutDescriptorsItTurnsOneAwayAndPausesInsteadOfSpinning) {
  ToyClient turned_away(listener_->port());
  std::size_t handlers = 0;
  {
    Exhaustion exhaustion;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    while (std::chrono::steady_clock::now() < until) {
      io_.restart();
      handlers += io_.run_one_for(std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(accepted_.empty());
    // One readiness and then one look per pause of 5 ms; a spinning acceptor runs thousands.
    EXPECT_LE(handlers, 25U);
  }
  EXPECT_EQ(turned_away.line(), "full");
  EXPECT_EQ(turned_away.line(), "<closed>");
  const ToyClient next(listener_->port());
  EXPECT_TRUE(until([&] { return accepted_.size() == 1; }));
}

TEST_F(ListenerTest, BehindAClosedGateClientsWaitUntilItOpens) {
  bool open = false;
  unsigned asked = 0;
  Listener gated(
      io_, {"127.0.0.1", 0}, tcp_, config::Duration(5), [this](int fd) { accepted_.push_back(fd); },
      Listener::kNoCeiling,
      [&] {
        ++asked;
        return open;
      });
  gated.start();
  const ToyClient first(gated.port());
  const ToyClient second(gated.port());
  ASSERT_TRUE(until([&] { return asked >= 3; }));
  EXPECT_TRUE(accepted_.empty());
  open = true;
  EXPECT_TRUE(until([&] { return accepted_.size() == 2; }));
}

TEST_F(ListenerTest, ClosingDuringAPauseEndsIt) {
  const ToyClient client(listener_->port());
  {
    const Exhaustion exhaustion;
    turn();
  }
  listener_->close();
  io_.restart();
  io_.run_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(io_.stopped());
}

}  // namespace
}  // namespace weirpool::proxy
