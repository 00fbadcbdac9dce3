#include "proxy/observer.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "proxy/admin/http_get.hpp"

namespace weirpool::proxy {
namespace {

std::uint16_t free_port() {
  boost::asio::io_context io;
  const boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
  return acceptor.local_endpoint().port();
}

class ObserverTest : public testing::Test {
 protected:
  ObserverTest() {
    config_.workers = 1;
    config_.admin.http = {"127.0.0.1", free_port()};
    shared_.population.most = 100;
    auto ignore = [](auto, const auto&, const auto&) {};
    auto ignore_kill = [](const protocol::KillRequest&, const PoolKey&,
                          const std::function<void(protocol::KillResult)>&) {};
    workers_.push_back(std::make_unique<Worker>(0, config_, shared_, ignore, ignore_kill));
    observer_ = std::make_unique<Observer>(config_, targets_, workers_, shared_.population,
                                           admin::Pages::Order());
  }
  admin::HttpAnswer get(const std::string& path) {
    return admin::http_get(config_.admin.http, path);
  }

  config::Config config_;
  Shared shared_;
  Targets targets_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Observer> observer_;
};

TEST_F(ObserverTest, ReadyOnlyBetweenStartAndDrain) {
  EXPECT_EQ(get("/readyz").status, 503U);
  observer_->set_ready();
  EXPECT_EQ(get("/readyz").status, 200U);
  observer_->set_draining();
  EXPECT_EQ(get("/readyz").status, 503U);
  EXPECT_EQ(get("/livez").status, 200U);
}

TEST_F(ObserverTest, AFullHouseIsNotReady) {
  observer_->set_ready();
  shared_.population.clients = 100;
  EXPECT_EQ(get("/readyz").status, 503U);
  shared_.population.most = 101;
  EXPECT_EQ(get("/readyz").status, 200U);
}

TEST_F(ObserverTest, ShortOfMemoryIsNotReadyForMore) {
  observer_->set_ready();
  shared_.population.memory = admission::MemoryState::tight;
  EXPECT_EQ(get("/readyz").status, 503U);
  shared_.population.memory = admission::MemoryState::ample;
  EXPECT_EQ(get("/readyz").status, 200U);
}

TEST_F(ObserverTest, NumbersOfWorkersAndOfTheProcessAreOnOnePage) {
  workers_[0]->metrics().logins_ok.add(3);
  observer_->turned_away(protocol::Fault::too_many_logins);
  observer_->reloaded(false);
  const std::string page = get("/metrics").body;
  EXPECT_NE(page.find("weirpool_client_logins_total{result=\"ok\"} 3"), std::string::npos);
  EXPECT_NE(page.find("rejected_total{reason=\"too_many_logins\"} 1"), std::string::npos);
  EXPECT_NE(page.find("weirpool_config_last_reload_successful 0"), std::string::npos) << page;
}

}  // namespace
}  // namespace weirpool::proxy
