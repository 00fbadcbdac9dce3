// Frames of any kind, cut anywhere; and anything at all comes back through frames as it was.
// Input: u8 flags (bit 0: zstd, bit 1: round trip, the rest: size of a piece), bytes.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "protocol/mysql/compression.hpp"

using namespace weirpool::protocol;  // NOLINT: fuzzers only

namespace {

/// False: the codec gave up.
bool read_all(mysql::CompressedFrames& codec, std::string& plain) {
  std::vector<std::uint8_t> room(1024);
  for (;;) {
    const Codec::Outcome got = codec.read(room);
    if (got.count > room.size()) std::abort();
    if (got.status == Codec::Status::failed) return false;
    if (got.status == Codec::Status::need_input) break;
    plain += text_of(Bytes(room).first(got.count));
    if (plain.size() > 1U << 26) break;  // a frame may hold 16 MB: slow, not wrong
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const unsigned flags = data[0];
  const auto algorithm = (flags & 1) != 0 ? mysql::Compression::zstd : mysql::Compression::zlib;
  const std::size_t piece = (flags >> 2) + 1;
  Bytes rest{data + 1, size - 1};
  mysql::CompressedFrames receiver(mysql::CompressedFrames::Side::server, algorithm, 1);
  std::string plain;
  if ((flags & 2) == 0) {
    while (!rest.empty()) {
      const std::size_t count = std::min(piece, rest.size());
      receiver.feed(rest.first(count));
      if (!read_all(receiver, plain)) return 0;
      rest = rest.subspan(count);
    }
    return 0;
  }
  mysql::CompressedFrames sender(mysql::CompressedFrames::Side::client, algorithm, 1);
  const std::string sent(text_of(rest));
  while (!rest.empty()) {
    const std::size_t count = std::min(piece * 16, rest.size());
    sender.write(rest.first(count));
    receiver.feed(sender.outgoing());
    sender.consumed(sender.outgoing().size());
    if (!read_all(receiver, plain)) std::abort();
    rest = rest.subspan(count);
  }
  if (plain != sent) std::abort();
  return 0;
}
