// For tasks that must not throw.
#pragma once

#include <gtest/gtest.h>

#include <exception>

namespace weirpool::test {

inline void fail_on_exception(const std::exception_ptr&) {
  ADD_FAILURE() << "exception left a task";
}

}  // namespace weirpool::test
