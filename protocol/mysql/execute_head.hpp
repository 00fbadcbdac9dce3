// What stands in front of the values of an EXECUTE and says how they are to be read.
//   COM_STMT_EXECUTE: u8 command · u32 statement · u8 flags · u32 1 · [lenenc count] · NULL bitmap
//   · u8 types follow · types, if so: u16 type, [lenenc name]
//     In brackets: where QUERY_ATTRIBUTES has been negotiated; the attributes are counted behind
//     the parameters, and never go without types.
//   COM_STMT_BULK_EXECUTE: u8 command · u32 statement · u16 flags · types, if the flags say so
// Sources: dev.mysql.com, "COM_STMT_EXECUTE", and what MySQL 9.7 accepts (it expects the count with
// and without the flag PARAMETER_COUNT_AVAILABLE); mariadb.com, "COM_STMT_BULK_EXECUTE".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"

namespace weirpool::protocol::mysql {

/// The most a head may have, bytes: 65,535 types, and some names.
inline constexpr std::size_t kMaxExecuteHead = 256 * 1024;

struct ExecuteLayout {
  std::uint8_t command = 0;
  std::uint16_t parameters = 0;  ///< of the statement, at least 1
  bool counted = false;          ///< with QUERY_ATTRIBUTES
};

class ExecuteHead {
 public:
  /// `payload`: the command from its first byte on, as much as is there. It has to stay.
  ExecuteHead(const ExecuteLayout& layout, Bytes payload);

  /// False: the server will refuse this.
  bool sound() const { return sound_; }
  /// Bytes of the head. More than there are: to say more, that many have to be there.
  std::size_t size() const { return size_; }

  // About a sound head that is there.
  bool brings_types() const { return brings_types_; }
  /// Of the statement's parameters, two bytes each, without names; of the attributes none.
  std::string_view types() const { return layout_.counted ? unnamed_ : types_; }
  /// The first parameter, if it is a text of printable ASCII without quotes and backslashes; else
  /// empty. `payload`: the whole command; `types` as bound.
  std::string_view first_text(Bytes payload, std::string_view types) const;
  /// How many bytes longer types make a head that has none.
  std::size_t growth() const;
  /// Puts types into such a head, which stands in `packet` behind the header.
  void splice(std::vector<std::uint8_t>& packet, std::string_view types) const;

 private:
  /// False: it has not been read to its end.
  bool read_count(Bytes payload);
  void read_types(Bytes payload);
  void read_named(Bytes payload);

  ExecuteLayout layout_;
  std::uint64_t count_;    ///< parameters and attributes
  std::size_t bitmap_at_;  ///< of the NULL bits
  std::size_t size_ = 0;
  bool sound_ = true;
  bool brings_types_ = false;
  std::string_view types_;
  std::string unnamed_;
};

}  // namespace weirpool::protocol::mysql
