// Positions in arrays of integers, as gathers and scatters want them.
#pragma once
#include "trace/composed/common.hpp"

namespace fluxion::composed {

/// Positions along an axis of `size`, negative ones counted from the end: int32, or int64 where the
/// size needs it. Error `index` for bools and floats.
Array wrapped_positions(std::string_view who,
                        const Array& positions,
                        std::int64_t size,
                        const Site&);

/// x with some axes replaced by the axes of position arrays, which are broadcast to one shape.
/// The new axes begin at axis `place` of the result; positions outside clamp.
Array gather_axes(std::string_view who,
                  const Array& x,
                  const std::vector<int>& axes,
                  const std::vector<Array>& positions,
                  int place,
                  const Site&);

}  // namespace fluxion::composed
