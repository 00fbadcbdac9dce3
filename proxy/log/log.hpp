// Structured events on standard output, written by one background thread so that a stalled reader
// never stalls a worker: when the queue is full the oldest events go and are counted.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "proxy/log/line.hpp"

namespace weirpool::log {

/// Starts the writer. Once, before other threads log; events before it are written at once.
void init(const config::Log& settings, int descriptor = STDOUT_FILENO);
/// Level and format of a reload. Thread-safe.
void set(const config::Log& settings);
/// Writes what is queued and stops the writer. After all other threads have stopped logging.
void shutdown();

bool enabled(Level level);
/// `connections` of the current settings: shall client logins and leaves be logged?
bool connections_enabled();
/// Events lost because the queue was full.
std::uint64_t dropped();

/// One of the last events, as text.
struct Remembered {
  std::string time;  ///< RFC 3339, UTC, microseconds
  std::string level;
  std::string name;
  std::string message;
  std::string fields;  ///< one JSON object
};
/// The last kLogRemembered events that were written, oldest first. Thread-safe.
std::vector<Remembered> recent();

/// One event. Thread-safe, never blocks on the output, copies what it is given.
void event(Level level, std::string_view name, std::string_view message,
           std::initializer_list<Field> fields = {});
/// The same, at most once per kLogRepeatInterval for this name and the value of the first field
/// (put there what tells one cause from another, such as the backend); the next one that passes
/// tells with suppressed=N how many did not.
void limited(Level level, std::string_view name, std::string_view message,
             std::initializer_list<Field> fields = {});

}  // namespace weirpool::log
