#include "protocol/mysql/compression.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdlib>

namespace weirpool::protocol::mysql {
namespace {

/// What is shorter is stored, as servers do.
constexpr std::size_t kWorthCompressing = 50;
constexpr std::size_t kMaxFrame = 0xFFFFFF;
/// The largest window a frame of this protocol can make use of: 16 MB.
constexpr int kZstdWindowLog = 24;

std::size_t le24(const std::uint8_t* bytes) {
  return static_cast<std::size_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16);
}

void put_le24(std::uint8_t* bytes, std::size_t value) {
  for (unsigned i = 0; i < 3; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace

class Inflater {
 public:
  enum class Progress : std::uint8_t { more, end, broken };
  struct Step {
    Progress progress;
    std::size_t taken;
    std::size_t made;
  };
  virtual ~Inflater() = default;
  virtual void reset() = 0;
  virtual Step step(Bytes in, MutableBytes out) = 0;
};

namespace {

class ZlibInflater final : public Inflater {
 public:
  ZlibInflater() {
    if (inflateInit(&stream_) != Z_OK) std::abort();  // out of memory
  }
  ~ZlibInflater() override { inflateEnd(&stream_); }
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;

  void reset() override { inflateReset(&stream_); }
  Step step(Bytes in, MutableBytes out) override {
    stream_.next_in = const_cast<std::uint8_t*>(in.data());  // zlib does not write there
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    const Step step{Progress::more, in.size() - stream_.avail_in, out.size() - stream_.avail_out};
    if (result == Z_STREAM_END) return {Progress::end, step.taken, step.made};
    return result == Z_OK || result == Z_BUF_ERROR ? step : Step{Progress::broken, 0, 0};
  }

 private:
  z_stream stream_{};
};

class ZstdInflater final : public Inflater {
 public:
  ZstdInflater() : context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) std::abort();  // out of memory
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kZstdWindowLog);
  }
  ~ZstdInflater() override { ZSTD_freeDCtx(context_); }
  ZstdInflater(const ZstdInflater&) = delete;
  ZstdInflater& operator=(const ZstdInflater&) = delete;

  void reset() override { ZSTD_DCtx_reset(context_, ZSTD_reset_session_only); }
  Step step(Bytes in, MutableBytes out) override {
    ZSTD_inBuffer source{in.data(), in.size(), 0};
    ZSTD_outBuffer target{out.data(), out.size(), 0};
    const std::size_t result = ZSTD_decompressStream(context_, &target, &source);
    if (ZSTD_isError(result)) return {Progress::broken, 0, 0};
    return {result == 0 ? Progress::end : Progress::more, source.pos, target.pos};
  }

 private:
  ZSTD_DCtx* context_;
};

/// Decoders are of one size and needed for the time of a frame, so one per thread waits for the
/// next that needs it. Encoders encode a frame in one call: one per thread is enough.
struct Spares {
  std::array<std::unique_ptr<Inflater>, 3> inflaters;
  z_stream deflater{};
  ZSTD_CCtx* compressor = nullptr;
  bool deflates = false;

  ~Spares() {
    if (deflates) deflateEnd(&deflater);
    ZSTD_freeCCtx(compressor);
  }
};
thread_local Spares spares;

std::unique_ptr<Inflater>& spare_of(Compression algorithm) {
  return spares.inflaters[static_cast<std::size_t>(algorithm)];
}

std::unique_ptr<Inflater> take_inflater(Compression algorithm) {
  if (auto spare = std::move(spare_of(algorithm))) {
    spare->reset();
    return spare;
  }
  if (algorithm == Compression::zstd) return std::make_unique<ZstdInflater>();
  return std::make_unique<ZlibInflater>();
}

/// Length of the result; 0: it does not fit `out`.
std::size_t zlib_compress(Bytes in, MutableBytes out) {
  z_stream& stream = spares.deflater;
  if (!spares.deflates) {
    if (deflateInit(&stream, Z_DEFAULT_COMPRESSION) != Z_OK) std::abort();  // out of memory
    spares.deflates = true;
  }
  deflateReset(&stream);
  stream.next_in = const_cast<std::uint8_t*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  return ::deflate(&stream, Z_FINISH) == Z_STREAM_END ? out.size() - stream.avail_out : 0;
}

std::size_t zstd_compress(Bytes in, MutableBytes out, int level) {
  if (spares.compressor == nullptr) spares.compressor = ZSTD_createCCtx();
  const std::size_t size =
      ZSTD_compressCCtx(spares.compressor, out.data(), out.size(), in.data(), in.size(), level);
  return ZSTD_isError(size) ? 0 : size;
}

}  // namespace

std::size_t PacketWalk::step(Bytes bytes) {
  const std::size_t body = std::min(left_, bytes.size());
  left_ -= body;
  std::size_t at = body;
  ended_ = false;
  while (at < bytes.size() && !ended_) {
    header_[size_++] = bytes[at++];
    ended_ = size_ == header_.size();
  }
  if (ended_) {
    size_ = 0;
    left_ = header_of(header_).length;
  }
  return at;
}

CompressedFrames::CompressedFrames(Side side, Compression algorithm, int level)
    : side_(side), algorithm_(algorithm), level_(std::clamp(level, kMinZstdLevel, kMaxZstdLevel)) {}

CompressedFrames::~CompressedFrames() = default;

// --------------------------------------------------------------------------------------- reading

/// All that has come has been read.
Codec::Outcome CompressedFrames::starve() {
  starved_ = true;
  if (read_ == in_.size()) {
    std::vector<std::uint8_t>().swap(in_);
    read_ = 0;
  }
  return {Status::need_input, 0};
}

void CompressedFrames::feed(Bytes wire) {
  starved_ = false;
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(read_));
  read_ = 0;
  in_.insert(in_.end(), wire.begin(), wire.end());
}

Codec::Outcome CompressedFrames::read(MutableBytes plain) {
  for (;;) {
    if (failed_) return {Status::failed, 0};
    if (frame_left_ == 0 && !inflater_ && !begin_frame()) return starve();
    if (failed_) continue;
    const Outcome outcome = inflater_ ? inflate(plain) : stored(plain);
    hear(plain.first(outcome.count));
    if (outcome.status != Status::ok || outcome.count > 0) return outcome;
  }
}

void CompressedFrames::hear(Bytes plain) {
  while (!plain.empty()) {
    plain = plain.subspan(heard_.step(plain));
    if (!heard_.header_ended()) continue;
    last_heard_ = heard_.sequence();
    heard_since_said_ = true;
  }
}

/// False: its header has not come.
bool CompressedFrames::begin_frame() {
  if (in_.size() - read_ < kFrameHeader) return false;
  const std::uint8_t* header = in_.data() + read_;
  frame_left_ = le24(header);
  last_read_ = header[3];
  plain_left_ = le24(header + 4);
  read_ += kFrameHeader;
  command_read_ = command_read_ || last_read_ == 0;
  if (frame_left_ == 0) failed_ = true;
  const bool compressed = plain_left_ > 0;
  if (compressed && !failed_) inflater_ = take_inflater(algorithm_);
  return true;
}

Codec::Outcome CompressedFrames::stored(MutableBytes plain) {
  const std::size_t count = std::min({plain.size(), frame_left_, in_.size() - read_});
  if (count == 0) return starve();
  std::copy_n(in_.begin() + static_cast<std::ptrdiff_t>(read_), count, plain.begin());
  read_ += count;
  frame_left_ -= count;
  return {Status::ok, count};
}

Codec::Outcome CompressedFrames::inflate(MutableBytes plain) {
  // One byte of room when all has come that was announced: a frame that fills it is a lie.
  std::array<std::uint8_t, 1> excess{};
  const std::size_t room = std::min(plain.size(), plain_left_);
  const std::size_t given = std::min(frame_left_, in_.size() - read_);
  const MutableBytes target = plain_left_ > 0 ? plain.first(room) : MutableBytes(excess);
  const Inflater::Step step = inflater_->step(Bytes(in_).subspan(read_, given), target);
  read_ += step.taken;
  frame_left_ -= step.taken;
  const bool lie = step.made > plain_left_;
  plain_left_ -= lie ? 0 : step.made;
  const bool end = step.progress == Inflater::Progress::end;
  // Neither may a frame end early, nor may anything stand behind its end.
  const bool whole = end ? frame_left_ == 0 && plain_left_ == 0 : frame_left_ > 0 || step.made > 0;
  if (lie || !whole || step.progress == Inflater::Progress::broken) {
    failed_ = true;
    return {Status::failed, 0};
  }
  if (end) spare_of(algorithm_) = std::move(inflater_);
  if (step.made > 0 || end || step.taken > 0) return {Status::ok, step.made};
  return starve();
}

// --------------------------------------------------------------------------------------- writing

void CompressedFrames::write(Bytes plain) {
  while (!plain.empty()) {
    const std::size_t turn = same_turn(plain);
    for (std::size_t at = 0; at < turn; at += kMaxFrame) {
      write_frame(plain.subspan(at, std::min(kMaxFrame, turn - at)));
    }
    plain = plain.subspan(turn);
  }
}

std::size_t CompressedFrames::same_turn(Bytes plain) {
  std::size_t at = 0;
  while (at < plain.size()) {
    at += said_.step(plain.subspan(at));
    if (!said_.header_ended()) continue;
    if (turn_begins(said_.sequence())) {
      if (at > kHeaderSize) {
        said_.forget_header();
        return at - kHeaderSize;  // what stands before it goes out first
      }
      begin_turn(said_.sequence());
    }
    last_said_ = said_.sequence();
    heard_since_said_ = false;
  }
  return at;
}

bool CompressedFrames::turn_begins(std::uint8_t packet_sequence) const {
  const auto behind = [&](std::uint8_t last) {
    return packet_sequence == static_cast<std::uint8_t>(last + 1);
  };
  if (!behind(last_said_)) return true;
  // A command behind a file whose last packet had the id 255.
  if (side_ == Side::client) return packet_sequence == 0 && heard_since_said_;
  return command_read_ && behind(last_heard_);
}

void CompressedFrames::begin_turn(std::uint8_t packet_sequence) {
  next_frame_ = packet_sequence == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(last_read_ + 1);
  command_read_ = false;
}

void CompressedFrames::write_frame(Bytes plain) {
  const std::size_t at = out_.size();
  out_.resize(at + kFrameHeader + plain.size());
  const MutableBytes room = MutableBytes(out_).subspan(at + kFrameHeader);
  std::size_t size = 0;
  if (plain.size() >= kWorthCompressing) {
    size = algorithm_ == Compression::zstd ? zstd_compress(plain, room, level_)
                                           : zlib_compress(plain, room);
  }
  const bool compressed = size > 0 && size < plain.size();
  if (!compressed) std::copy(plain.begin(), plain.end(), room.begin());
  out_.resize(at + kFrameHeader + (compressed ? size : plain.size()));
  put_le24(out_.data() + at, compressed ? size : plain.size());
  out_[at + 3] = next_frame_++;
  put_le24(out_.data() + at + 4, compressed ? plain.size() : 0);
}

void CompressedFrames::consumed(std::size_t count) {
  sent_ += count;
  if (sent_ < out_.size()) return;
  std::vector<std::uint8_t>().swap(out_);
  sent_ = 0;
}

}  // namespace weirpool::protocol::mysql
