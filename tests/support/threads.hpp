// The number of threads in a test.
#pragma once
#include "fluxion/fluxion.hpp"

namespace fluxion::test {

/// While one lives, programs are compiled for and run on so many threads.
class Threads {
 public:
  explicit Threads(int count) : before_(num_threads()) { set_num_threads(count); }
  ~Threads() { set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

}  // namespace fluxion::test
