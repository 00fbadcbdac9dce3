// The floor: what moving a transaction through a process costs at least. A forwarder on bare epoll
// that shares backends between clients and does nothing else: no authentication, no reading of
// messages, no statistics, no limits. A backend is free again when what it sent ends in a
// ReadyForQuery that says idle. It exists to be measured beside poolers; it is none.
//
// usage: floor PORT DATABASE_PORT USER DATABASE BACKENDS   (all on 127.0.0.1; the database trusts
// USER)
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using std::string_view_literals::operator""sv;

enum class Role : std::uint8_t { listener, greeting_client, client, backend };

struct End {
  int fd = -1;
  Role role = Role::listener;
  End* other = nullptr;  ///< the backend that serves this client, or the client it serves
  std::string held;      ///< a client's request that waits for a backend
};

constexpr std::string_view kIdle = "Z\0\0\0\5I"sv;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void put_int(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

sockaddr_in loopback(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Loopback takes what a query or a small answer is long; anything else is beyond the floor's task.
void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

class Floor {
 public:
  Floor(const char* port, const char* database_port) : database_port_(database_port) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    listener_.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(listener_.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in address = loopback(port);
    if (bind(listener_.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      die("bind");
    }
    if (listen(listener_.fd, 4096) != 0) die("listen");
    watch(listener_);
  }

  void open_backends(const std::string& user, const std::string& database, int count) {
    for (int i = 0; i < count; ++i) {
      auto backend = std::make_unique<End>();
      backend->role = Role::backend;
      backend->fd = log_in(user, database);
      watch(*backend);
      idle_.push_back(backend.get());
      ends_.push_back(std::move(backend));
    }
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        ready(*static_cast<End*>(events[static_cast<std::size_t>(i)].data.ptr));
      }
    }
  }

 private:
  void watch(End& end) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &end;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, end.fd, &event) != 0) die("epoll_ctl");
  }

  int log_in(const std::string& user, const std::string& database) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(database_port_);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      die("connect");
    }
    no_delay(fd);
    std::string body;
    put_int(body, 3 << 16);
    for (const std::string_view part :
         {"user"sv, std::string_view(user), "database"sv, std::string_view(database)}) {
      body.append(part).push_back('\0');
    }
    body.push_back('\0');
    std::string startup;
    put_int(startup, static_cast<std::uint32_t>(body.size() + 4));
    send_all(fd, startup + body);
    std::string answer;
    while (!answer.ends_with(kIdle)) {
      const ssize_t got = recv(fd, chunk_.data(), chunk_.size(), 0);
      if (got <= 0) die("the database does not trust this user");
      answer.append(chunk_.data(), static_cast<std::size_t>(got));
    }
    if (greeting_.empty()) greeting_ = answer;
    return fd;
  }

  void ready(End& end) {
    if (end.role == Role::listener) {
      accept_client();
      return;
    }
    const ssize_t got = recv(end.fd, chunk_.data(), chunk_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      gone(end);
      return;
    }
    const std::string_view bytes(chunk_.data(), static_cast<std::size_t>(got));
    switch (end.role) {
      case Role::greeting_client: greet(end, bytes); break;
      case Role::client: from_client(end, bytes); break;
      case Role::backend: from_backend(end, bytes); break;
      case Role::listener: break;
    }
  }

  void accept_client() {
    const int fd = accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return;
    no_delay(fd);
    auto client = std::make_unique<End>();
    client->fd = fd;
    client->role = Role::greeting_client;
    watch(*client);
    ends_.push_back(std::move(client));
  }

  void greet(End& client, std::string_view bytes) {
    constexpr std::string_view kSslRequest = "\0\0\0\10\4\322\26\57"sv;
    if (bytes == kSslRequest) {
      send_all(client.fd, "N");
      return;
    }
    client.role = Role::client;
    send_all(client.fd, greeting_);
  }

  void from_client(End& client, std::string_view bytes) {
    if (!client.other && bytes.front() == 'X') return;  // Terminate is not for the backend
    if (!client.other && idle_.empty()) {
      if (client.held.empty()) line_.push_back(&client);
      client.held += bytes;
      return;
    }
    if (!client.other) join(client);
    send_all(client.other->fd, bytes);
  }

  void from_backend(End& backend, std::string_view bytes) {
    if (!backend.other) return;
    send_all(backend.other->fd, bytes);
    if (!bytes.ends_with(kIdle)) return;
    backend.other->other = nullptr;
    backend.other = nullptr;
    idle_.push_back(&backend);
    if (line_.empty()) return;
    End& next = *line_.front();
    line_.pop_front();
    join(next);
    send_all(next.other->fd, next.held);
    next.held.clear();
  }

  void join(End& client) {
    client.other = idle_.back();
    idle_.pop_back();
    client.other->other = &client;
  }

  void gone(End& end) {
    if (end.role == Role::backend) die("a backend went away");
    close(end.fd);
    std::erase(line_, &end);
    if (end.other) {
      end.other->other = nullptr;
      idle_.push_back(end.other);
      end.other = nullptr;
    }
  }

  const char* database_port_;
  int epoll_ = -1;
  End listener_;
  std::vector<std::unique_ptr<End>> ends_;  ///< kept for the whole run
  std::vector<End*> idle_;
  std::deque<End*> line_;
  std::string greeting_;
  std::array<char, 16384> chunk_{};
};

}  // namespace

int main(int count, char** words) {
  if (count != 6) {
    std::fputs("usage: floor PORT DATABASE_PORT USER DATABASE BACKENDS\n", stderr);
    return 64;
  }
  Floor floor(words[1], words[2]);
  floor.open_backends(words[3], words[4], std::atoi(words[5]));
  std::puts("floor: ready");
  std::fflush(stdout);
  floor.run();
}
