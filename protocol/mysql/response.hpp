// Follows one backend's reply packet by packet and translates it on the way for what this client
// negotiated: an EOF behind the column definitions and at the end for clients without
// DEPRECATE_EOF, no session changes for clients without SESSION_TRACK, sequence ids renumbered
// after every packet put in. Packets are rewritten in place, so a read full of rows is one forward.
#pragma once

#include <array>
#include <cstdint>

#include "protocol/mysql/backend_state.hpp"
#include "protocol/mysql/command_messages.hpp"
#include "protocol/mysql/conversation_table.hpp"
#include "protocol/mysql/exchange.hpp"
#include "protocol/mysql/frame.hpp"

namespace weirpool::protocol::mysql {

/// What a reply tells beside its rows; called in the order of the packets.
class ResponseObserver {
 public:
  /// `rows`: of the result it ends, if it ends one.
  virtual void on_ok(const OkPacket& ok, std::uint64_t rows) = 0;
  /// False: the client does not hear of it.
  virtual bool on_error(const ErrPacket& error) = 0;
  /// Returns the id the client knows the statement by.
  virtual std::uint32_t on_prepared(const PrepareOk& ok) = 0;
  /// The command at hand may be answered with a request for a file of the client's.
  virtual bool may_ask_for_file() const = 0;
  /// It may be answered with a result that holds OUT parameters.
  virtual bool may_give_parameters() const = 0;

 protected:
  ~ResponseObserver() = default;
};

class Response {
 public:
  /// What the client negotiated.
  struct ClientDialect {
    bool deprecate_eof = true;  ///< the backend always has it
    bool session_track = true;  ///< the backend always has it
    // The backend has these if and only if the client has them.
    bool metadata_flag = false;           ///< a byte behind the number of columns
    bool prepared_metadata_flag = false;  ///< the same behind the numbers of a prepared statement
  };

  static ClientDialect dialect_of(std::uint64_t capabilities);
  Response(ClientDialect dialect, ResponseObserver& observer)
      : dialect_(dialect), observer_(&observer), reply_(kMaxReply) {}

  /// From now on replies are this backend's.
  void attach(const ServerState& backend) { numbered_ = !backend.compressed; }
  /// A command has been forwarded; its reply starts with `sequence`. `status` is the session's
  /// until the reply tells another.
  void expect(ReplyPhase reply, std::uint8_t sequence, std::uint16_t status);
  /// The request has been handed on; packets of the client come first now.
  bool awaits_file() const { return phase_ == ReplyPhase::file; }
  /// The client's next packet, `last` the empty one; its sequence id becomes the backend's.
  void file_packet(MutableBytes header, bool last);
  /// What is awaited is a log without a known end.
  bool in_log() const { return phase_ == ReplyPhase::log; }
  /// Nothing is owed any more and everything has been handed on.
  bool finished() const { return phase_ == ReplyPhase::idle && pending_ == Pending::nothing; }
  /// What was forwarded beyond the bytes that had come has passed: the backend is asked again.
  void resumed() {
    if (pending_ == Pending::passing) pending_ = Pending::nothing;
  }
  /// The sequence id a packet towards the client would have now.
  std::uint8_t client_sequence() const { return static_cast<std::uint8_t>(next_ + inserted_); }
  /// Only while not finished(). Never looks at more than one reply.
  Verdict step(MutableBytes unread);
  void release_memory();

 private:
  enum class Pending : std::uint8_t { nothing, skip, eof, collected, passing };
  /// What one packet did to the walk through unread bytes.
  enum class Walk : std::uint8_t { on, stop, collect, violation };

  Verdict walk(MutableBytes unread);
  Walk packet(MutableBytes unread, std::size_t& at);
  Walk body(MutableBytes unread, std::size_t& at, FrameHeader header);
  Walk last(MutableBytes unread, std::size_t& at, PacketMeaning meaning);
  Verdict collect(MutableBytes unread);
  Verdict flush_pending();

  bool finish_packet(PacketMeaning meaning, MutableBytes packet, std::size_t& length);
  bool rewrite_ok(MutableBytes packet, std::size_t& length);
  bool begin_columns(Bytes payload);
  bool begin_definitions(MutableBytes payload);
  bool take_error(Bytes payload);
  bool count_definition();
  void next_group();
  std::size_t look_for_parameters(MutableBytes row);
  void put_in_eof();
  void renumber(MutableBytes header);

  ClientDialect dialect_;
  ResponseObserver* observer_;
  ReplyPhase phase_ = ReplyPhase::idle;
  Pending pending_ = Pending::nothing;
  bool numbered_ = true;          ///< the ids of the backend's packets count
  bool continuation_ = false;     ///< the next packet belongs to the one before it
  bool swallowed_ = false;        ///< the packet at hand is not for the client
  bool eof_owed_ = false;         ///< put in before the next packet of this result
  std::uint8_t next_ = 0;         ///< sequence id of the backend's next packet
  std::uint8_t inserted_ = 0;     ///< packets put in so far
  std::uint16_t status_ = 0;      ///< of the last OK, for EOF packets put in
  std::uint32_t left_ = 0;        ///< definitions still to come in this group
  std::uint32_t left_after_ = 0;  ///< PREPARE: columns, while the parameters are counted
  std::uint64_t rows_ = 0;        ///< of this result so far
  std::size_t pending_size_ = 0;
  std::size_t needed_ = 0;          ///< to be seen before a row is let pass; 0: enough is
  std::uint16_t early_status_ = 0;  ///< for an EOF put in, of the packet that ends the result
  PacketCollector reply_;
  std::array<std::uint8_t, kHeaderSize + 5> eof_{};  ///< the one put in last: header, EOF
  Writer out_;
};

}  // namespace weirpool::protocol::mysql
