// Functions with rules of their own, linear algebra and complex numbers for random programs.
#pragma once
#include "fluxion/fluxion.hpp"

#include <cstdint>

namespace fluxion::test {

/// A function of `x` (floats of moderate size, not 16 bits) that also reads `outside`, of x's
/// dtype. Matrices are made well conditioned: diagonally dominant, eigenvalues apart. Every choice
/// has both modes of differentiation, all orders.
Array random_function(std::uint32_t choice,
                      std::uint32_t word,
                      const Array& x,
                      const Array& outside);

}  // namespace fluxion::test
