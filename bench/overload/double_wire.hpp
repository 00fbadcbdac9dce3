// One connection of the double, as bytes: no socket, no clock. Just enough of each protocol for
// poolers to log in, prepare a session for the next client and pass queries on. Everybody may log
// in. Only a statement whose text holds "work" takes time; everything else is answered at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weirpool::bench {

class DoubleWire {
 public:
  enum class Kind : std::uint8_t {
    need,    ///< more bytes
    on,      ///< `out` may hold an answer
    log_in,  ///< welcome() or refuse() follows
    work,    ///< answer() or cancelled() follows
    cancel,  ///< what connection `id` does
    close,
  };
  struct Step {
    Kind kind = Kind::need;
    std::size_t consumed = 0;
    std::uint32_t id = 0;
    bool locks = false;
  };

  virtual ~DoubleWire() = default;
  /// What the server says before it is asked.
  virtual void greet(std::string& out) = 0;
  virtual Step step(std::string_view unread, std::string& out) = 0;
  virtual void welcome(std::string& out) = 0;
  virtual void refuse(std::string& out) = 0;
  virtual void answer(std::string& out) = 0;
  virtual void cancelled(std::string& out) = 0;
};

/// `id`: what this connection is cancelled by.
std::unique_ptr<DoubleWire> postgres_double(std::uint32_t id);
std::unique_ptr<DoubleWire> mysql_double(std::uint32_t id);

}  // namespace weirpool::bench
