#include "proxy/log/log.hpp"

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "config/limits.hpp"
#include "proxy/log/repeat_limiter.hpp"

namespace weirpool::log {

namespace {

/// Waits for a slow reader; gives up on one that is gone.
void write_all(int descriptor, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor, data, size);
    if (written >= 0) {
      data += written;
      size -= static_cast<std::size_t>(written);
    } else if (errno == EAGAIN) {
      pollfd wait{descriptor, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

/// Unbuffered: what has been taken from the queue is out, so nothing ever needs a flush.
class DescriptorSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    line_.assign(message.payload.data(), message.payload.size());
    line_ += '\n';
    write_all(descriptor_, line_.data(), line_.size());
  }
  void flush_() override {}

 private:
  int descriptor_;
  std::string line_;
};

struct Writer {
  std::shared_ptr<spdlog::async_logger> logger;
  std::shared_ptr<spdlog::details::thread_pool> thread;  ///< ends first: it writes to the sink
};

struct State {
  std::atomic<Level> level{Level::info};
  std::atomic<bool> json{true};
  std::atomic<bool> connections{false};
  bool colour = false;
  int descriptor = STDOUT_FILENO;
  std::unique_ptr<Writer> writer;
  std::mutex recent_mutex;
  std::deque<Remembered> recent;
  std::mutex repeats_mutex;
  RepeatLimiter repeats{config::kLogRepeatInterval, config::kLogRepeatKeys};
};

State& state() {
  static State state;
  return state;
}

void remember(const Event& event) {
  Remembered kept{time_text(event.at), std::string(to_text(event.level)), std::string(event.name),
                  std::string(event.message), fields_json(event.fields)};
  State& current = state();
  const std::lock_guard lock(current.recent_mutex);
  current.recent.push_back(std::move(kept));
  if (current.recent.size() > config::kLogRemembered) current.recent.pop_front();
}

void write(const Event& event) {
  remember(event);
  State& current = state();
  const std::string line = current.json.load(std::memory_order_relaxed)
                               ? json_line(event)
                               : text_line(event, current.colour);
  if (current.writer) {
    current.writer->logger->log(spdlog::level::critical, spdlog::string_view_t(line));
  } else {
    const std::string whole = line + "\n";
    write_all(current.descriptor, whole.data(), whole.size());
  }
}

}  // namespace

void init(const config::Log& settings, int descriptor) {
  State& current = state();
  shutdown();
  current.descriptor = descriptor;
  current.colour = ::isatty(descriptor) == 1 && std::getenv("NO_COLOR") == nullptr;
  set(settings);
  auto writer = std::make_unique<Writer>();
  writer->thread = std::make_shared<spdlog::details::thread_pool>(config::kLogQueueEvents, 1);
  writer->logger = std::make_shared<spdlog::async_logger>(
      "weirpool", std::make_shared<DescriptorSink>(descriptor), writer->thread,
      spdlog::async_overflow_policy::overrun_oldest);
  current.writer = std::move(writer);
}

void set(const config::Log& settings) {
  State& current = state();
  const bool terminal = ::isatty(current.descriptor) == 1;
  current.level = settings.level;
  current.json = settings.format == config::LogFormat::json ||
                 (settings.format == config::LogFormat::automatic && !terminal);
  current.connections = settings.connections;
}

void shutdown() { state().writer.reset(); }

bool enabled(Level level) { return level >= state().level.load(std::memory_order_relaxed); }

bool connections_enabled() { return state().connections.load(std::memory_order_relaxed); }

std::vector<Remembered> recent() {
  State& current = state();
  const std::lock_guard lock(current.recent_mutex);
  return {current.recent.begin(), current.recent.end()};
}

std::uint64_t dropped() {
  const State& current = state();
  return current.writer ? current.writer->thread->overrun_counter() : 0;
}

void event(Level level, std::string_view name, std::string_view message,
           std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  write({std::chrono::system_clock::now(), level, name, message, {fields.begin(), fields.size()}});
}

void limited(Level level, std::string_view name, std::string_view message,
             std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  State& current = state();
  std::string id(name);
  id += '\0';
  if (fields.size() > 0) id += value_text(fields.begin()->value);
  std::optional<std::uint64_t> held_back;
  {
    const std::lock_guard lock(current.repeats_mutex);
    held_back = current.repeats.admit(id, std::chrono::steady_clock::now());
  }
  if (!held_back) return;
  std::vector<Field> all(fields);
  if (*held_back > 0) all.emplace_back("suppressed", *held_back);
  write({std::chrono::system_clock::now(), level, name, message, all});
}

}  // namespace weirpool::log
