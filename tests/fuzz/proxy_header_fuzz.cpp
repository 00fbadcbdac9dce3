// A header is understood the same however much of it has come: partial up to its end, never past
// it, and what is malformed stays malformed. Input: the front of a connection.
#include <cstdlib>

#include "protocol/proxy_header.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weirpool::protocol::ProxyHeader;
  const weirpool::protocol::Bytes all(data, size);
  const ProxyHeader whole = ProxyHeader::parse(all);
  using Outcome = ProxyHeader::Outcome;
  if (whole.outcome == Outcome::complete) {
    if (whole.size > size || whole.size > weirpool::protocol::kMaxProxyHeader) std::abort();
    const ProxyHeader exact = ProxyHeader::parse(all.first(whole.size));
    if (exact.outcome != Outcome::complete || exact.size != whole.size ||
        exact.address != whole.address || exact.port != whole.port) {
      std::abort();
    }
    for (std::size_t cut = 0; cut < whole.size; ++cut) {
      if (ProxyHeader::parse(all.first(cut)).outcome != Outcome::partial) std::abort();
    }
  }
  if (whole.outcome == Outcome::partial && size >= weirpool::protocol::kMaxProxyHeader)
    std::abort();
  return 0;
}
