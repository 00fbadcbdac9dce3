// A worker's part in the console: it asks for its clients, and does and tells what others ask.
#include <algorithm>
#include <utility>

#include "config/limits.hpp"
#include "proxy/worker.hpp"

namespace weirpool::proxy {

using protocol::console::Answer;
using protocol::console::Request;

void Worker::ask_console(const Request& request, std::shared_ptr<ConsoleCall> call) {
  console_(request, [this, call = std::move(call)](Answer answer) {
    loop_.post([call, answer = std::move(answer)]() mutable {
      call->answer = std::move(answer);
      call->answered = true;
      if (call->waiter) call->waiter->notify();
    });
  });
}

bool Worker::may_use_console(const std::string& user) const {
  const config::Admin& admin = loop_.config->admin;
  const auto listed = [&user](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), user) != names.end();
  };
  return listed(admin.users) || listed(admin.stats_users);
}

void Worker::steer(std::shared_ptr<const Steering> steering) {
  loop_.post([this, steering = std::move(steering)] {
    const bool resumed = steering_->suspended && !steering->suspended;
    steering_ = steering;
    for (const auto& [key, shard] : shards_) shard->set_paused(steering_->holds(key.database));
    if (!resumed) return;
    for (const auto& [id, session] : by_id_) session->nudge();
  });
}

void Worker::recall(std::string database) {
  loop_.post([this, database = std::move(database)] {
    for (const auto& [key, shard] : shards_) {
      if (database.empty() || key.database == database) shard->recall();
    }
  });
}

void Worker::kill(std::string database) {
  loop_.post([this, database = std::move(database)] {
    for (const auto& [id, session] : by_id_) {
      if (database.empty() ? !session->of_console() : session->of_database(database)) {
        session->kill();
      }
    }
  });
}

void Worker::kill_client(std::uint32_t id, std::function<void(bool)> done) {
  loop_.post([this, id, done = std::move(done)] {
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) found->second->kill();
    done(found != by_id_.end());
  });
}

void Worker::count(std::string database, std::function<void(Count)> done) {
  loop_.post([this, database = std::move(database), done = std::move(done)] {
    Count count;
    for (const auto& [key, shard] : shards_) {
      if (!database.empty() && key.database != database) continue;
      count.backends += shard->backends();
      count.recalled += shard->recalled();
    }
    done(count);
  });
}

void Worker::stillness(std::function<void(Stillness)> done) {
  loop_.post([this, done = std::move(done)] {
    Stillness sum;
    for (const auto& [id, session] : by_id_) {
      if (session->of_console()) {
        ++sum.consoles;
      } else if (session->unflushed()) {
        ++sum.unflushed;
      }
    }
    done(sum);
  });
}

struct Worker::Inspection {
  std::vector<std::uint32_t> left;  ///< sessions still to be described
  Links links;
  std::function<void(Links)> done;
};

void Worker::inspect(std::function<void(Links)> done) {
  loop_.post([this, done = std::move(done)] {
    auto inspection = std::make_shared<Inspection>();
    inspection->done = done;
    inspection->left.reserve(by_id_.size());
    for (const auto& [id, session] : by_id_) inspection->left.push_back(id);
    std::sort(inspection->left.rbegin(), inspection->left.rend());
    for (const auto& [key, shard] : shards_) {
      for (metrics::Link& link : shard->inspect()) {
        inspection->links.backends.push_back(std::move(link));
      }
    }
    inspect_some(std::move(inspection));
  });
}

/// Ten thousand clients are described in pieces, so that none of them waits for it.
void Worker::inspect_some(std::shared_ptr<Inspection> inspection) {
  for (std::size_t i = 0; i < config::kInspectAtOnce && !inspection->left.empty(); ++i) {
    const auto found = by_id_.find(inspection->left.back());
    inspection->left.pop_back();
    if (found == by_id_.end()) continue;
    if (auto link = found->second->inspect()) {
      inspection->links.clients.push_back(std::move(*link));
    }
  }
  if (inspection->left.empty()) {
    inspection->done(std::move(inspection->links));
    return;
  }
  loop_.post([this, inspection = std::move(inspection)] { inspect_some(inspection); });
}

}  // namespace weirpool::proxy
