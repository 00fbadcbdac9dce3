#include "protocol/error.hpp"

#include <string>

namespace weirpool::protocol {
namespace {

class WireCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "wire"; }
  std::string message(int value) const override {
    switch (static_cast<WireError>(value)) {
      case WireError::truncated: return "message is shorter than its fields";
      case WireError::trailing: return "message is longer than its fields";
      case WireError::malformed: return "field has an illegal value";
      case WireError::too_long: return "length exceeds its limit";
    }
    return "unknown wire error";
  }
};

}  // namespace

const boost::system::error_category& wire_category() noexcept {
  static const WireCategory category;
  return category;
}

}  // namespace weirpool::protocol
