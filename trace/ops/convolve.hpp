// Convolutions as they are defined: the reference.
#pragma once
#include "trace/ops/elementwise.hpp"
#include "trace/ops/window.hpp"

namespace fluxion::ops {

/// Loops over the result, the group's input features and the window.
template <class T, class Sum, class Convolution>
void convolve(const Convolution& op, ConstTensors in, const Tensor& out) {
  const ConvolutionDimensions& d = op.dimensions;
  const Shape &lhs = in[0].type.shape, &rhs = in[1].type.shape;
  const std::vector<std::int64_t> left = strides_of(lhs), right = strides_of(rhs);
  const std::int64_t inputs = size_at(rhs, d.rhs_in), outputs = size_at(rhs, d.rhs_out);
  for_each_index(out.type.shape, [&](const auto& index, std::int64_t flat) {
    const std::int64_t feature = index[static_cast<std::size_t>(d.out_feature)];
    const std::int64_t feature_group = feature / (outputs / op.feature_groups);
    const std::int64_t batch_group = feature / (outputs / op.batch_groups);
    const std::int64_t example = batch_group * (size_at(lhs, d.lhs_batch) / op.batch_groups) +
                                 index[static_cast<std::size_t>(d.out_batch)];
    Sum sum = 0;
    for (std::int64_t input = 0; input < inputs; ++input) {
      for_each_index(window_shape(op.window), [&](const auto& within, std::int64_t) {
        std::int64_t l =
            example * left[static_cast<std::size_t>(d.lhs_batch)] +
            (feature_group * inputs + input) * left[static_cast<std::size_t>(d.lhs_feature)];
        std::int64_t r = feature * right[static_cast<std::size_t>(d.rhs_out)] +
                         input * right[static_cast<std::size_t>(d.rhs_in)];
        for (std::size_t k = 0; k < within.size(); ++k) {
          const WindowAxis& w = op.window[k];
          const std::int64_t at = w.element(index[static_cast<std::size_t>(d.out_spatial[k])],
                                            within[k],
                                            size_at(lhs, d.lhs_spatial[k]));
          if (at < 0) return;
          l += at * left[static_cast<std::size_t>(d.lhs_spatial[k])];
          r += (op.reversed ? w.size - 1 - within[k] : within[k]) *
               right[static_cast<std::size_t>(d.rhs_spatial[k])];
        }
        if constexpr (host_complex<T>)
          sum += to_wide_complex(in[0].as<T>()[l]) * to_wide_complex(in[1].as<T>()[r]);
        else
          sum += static_cast<Sum>(in[0].as<T>()[l]) * static_cast<Sum>(in[1].as<T>()[r]);
      });
    }
    if constexpr (host_complex<T>)
      out.as<T>()[flat] = from_wide_complex<T>(sum);
    else
      out.as<T>()[flat] = static_cast<T>(sum);
  });
}

}  // namespace fluxion::ops
