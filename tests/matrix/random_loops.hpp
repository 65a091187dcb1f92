// Loops and branches for random programs.
#pragma once
#include "fluxion/fluxion.hpp"

#include <cstdint>

namespace fluxion::test {

/// A smooth function of one array, chosen by a number; its values stay moderate.
Array smooth_function(std::uint32_t word, const Array&);

/// A loop or a branch over `x` (floats of moderate size), which also reads `outside`; `flag` is an
/// exact int32 of shape (). Every choice has both modes of differentiation, all orders.
Array random_loop(std::uint32_t choice,
                  std::uint32_t word,
                  const Array& x,
                  const Array& outside,
                  const Array& flag);

}  // namespace fluxion::test
