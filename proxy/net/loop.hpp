// What every part of one worker shares: its event loop, its due signals, its deadlines,
// its chunks and the configuration snapshot it works by. One thread only, except post().
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "config/config.hpp"
#include "config/limits.hpp"
#include "proxy/net/chunk_pool.hpp"
#include "proxy/net/deadlines.hpp"
#include "proxy/net/poller.hpp"
#include "proxy/net/signal.hpp"

namespace weirpool::proxy {

struct Loop {
  // Descriptors are touched by their own thread only, so the reactor may drop its per-descriptor
  // locks; the queue keeps its own, because other threads post into it.
  boost::asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  ReadyQueue ready{io};
  /// Of those who come and go: they may be many at once, and who is served does not wait for them.
  ReadyQueue patient{io, config::kPatientSlice};
  Deadlines deadlines{io};
  Poller poller{io};
  ChunkPool chunks;
  config::Snapshot config;

  /// Runs `work` on this loop's thread. Any thread.
  template <class Work>
  void post(Work&& work) {
    boost::asio::post(io, std::forward<Work>(work));
  }
};

}  // namespace weirpool::proxy
