// Random weights to begin with.
#pragma once
#include "../fluxion.hpp"

namespace fluxion::nn {

// Shapes are [..., in, out] as in Linear and Conv2d: fan_in is in times the product of what stands
// before, fan_out likewise. Results are float32 unless a dtype is given. Error "initializer" for
// shapes of fewer than two axes.

/// Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16).
Array glorot_uniform(const Operand& key, const Shape&, DType = float32);
/// Normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010).
Array glorot_normal(const Operand& key, const Shape&, DType = float32);
/// Uniform in +-sqrt(6 / fan_in) (He et al. 2015, eq. 10).
Array he_uniform(const Operand& key, const Shape&, DType = float32);
/// Normal with variance 2 / fan_in (He et al. 2015, eq. 10).
Array he_normal(const Operand& key, const Shape&, DType = float32);
/// Normal with variance 1 / fan_in (LeCun et al. 1998).
Array lecun_normal(const Operand& key, const Shape&, DType = float32);
/// Orthonormal columns (or rows, where there are fewer rows), for shapes [rows, columns]: a normal
/// matrix orthogonalized by modified Gram-Schmidt, twice. |Q'Q - I| is of the order of the dtype's
/// rounding. Costs rows * columns^2 operations (Saxe et al. 2013).
Array orthogonal(const Operand& key, const Shape&, double scale = 1, DType = float32);

}  // namespace fluxion::nn
