#include "protocol/fault.hpp"

#include "protocol/fault_table.hpp"

namespace weirpool::protocol {

const FaultRow& row_of(Fault fault) { return fault_table[static_cast<std::size_t>(fault)]; }

}  // namespace weirpool::protocol
