#include "proxy/fd_budget.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>

namespace weirpool::proxy {
namespace {

config::Config config_of(std::uint32_t clients) {
  config::Config made;
  made.workers = 4;
  made.limits.max_client_conn = clients;
  made.limits.max_cancel_connections = 5;
  made.backends["shop"].max_connections = 20;
  made.backends["blog"].max_connections = 30;
  made.listeners.resize(2);
  return made;
}

/// In a process of its own, because a limit that has been lowered cannot be raised again.
int in_child(rlim_t soft, rlim_t hard, const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{soft, hard};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(FdBudgetTest, CountsWhateverIsNotAClient) {
  const config::Config small = config_of(0);
  const std::uint64_t beside = descriptors_beside_clients(small);
  EXPECT_GT(beside, 20U + 30U + 2U * 5U + 2U + 4U);
  config::Config larger = config_of(0);
  larger.backends["blog"].max_connections += 100;
  EXPECT_EQ(descriptors_beside_clients(larger), beside + 100);
  larger.limits.max_cancel_connections += 10;
  EXPECT_EQ(descriptors_beside_clients(larger), beside + 100 + 2 * 10);
  larger.workers += 1;
  EXPECT_GT(descriptors_beside_clients(larger), beside + 120);
}

TEST(FdBudgetTest, ThePromisedClientsFitBelowWhatAdministratorsNeed) {
  EXPECT_EQ(in_child(1000, 1000,
                     [] {
                       config::Config config = config_of(5000);
                       config.backends["blog"].max_connections = 400;
                       const std::uint64_t clients = claim_descriptors(config);
                       const std::uint64_t backends = 20 + 400 + 2 * 5;
                       const std::uint64_t own = 2 * 2 + 4 * 8;
                       const auto ceiling = static_cast<std::uint64_t>(descriptor_ceiling());
                       return ceiling <= 1000 - 64 && clients + backends + own < ceiling ? 0 : 1;
                     }),
            0);
}

TEST(FdBudgetTest, TheSoftLimitIsRaisedForTheClientsThatAreWanted) {
  EXPECT_EQ(in_child(64, 4096,
                     [] {
                       rlimit after{};
                       const bool all = claim_descriptors(config_of(1000)) == 1000;
                       ::getrlimit(RLIMIT_NOFILE, &after);
                       return all && after.rlim_cur == 4096 ? 0 : 1;
                     }),
            0);
}

TEST(FdBudgetTest, FewerClientsWhereTheLimitIsLow) {
  EXPECT_EQ(in_child(1024, 1024,
                     [] {
                       const config::Config config = config_of(10000);
                       const std::uint32_t room = claim_descriptors(config);
                       return room == 1024 - descriptors_beside_clients(config) ? 0 : 1;
                     }),
            0);
}

TEST(FdBudgetTest, NotEvenOneClientIsAnErrorThatSaysWhatToDo) {
  EXPECT_EQ(in_child(64, 64,
                     [] {
                       try {
                         claim_descriptors(config_of(10));
                       } catch (const std::runtime_error& error) {
                         const std::string text = error.what();
                         return text.find("64 allowed") != std::string::npos &&
                                        text.find("ulimit -n") != std::string::npos
                                    ? 0
                                    : 2;
                       }
                       return 1;
                     }),
            0);
}

}  // namespace
}  // namespace weirpool::proxy
