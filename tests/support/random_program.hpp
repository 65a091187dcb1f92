// Random programs over moves, elementwise operations, reductions and products, the same for the
// same seed.
#pragma once
#include "tests/support/program.hpp"

namespace fluxion::test {

/// Grows a program step by step; every value may be read again later. No step makes elements larger
/// than the largest of its operands' and 3, so that differences of results stay
/// comparable with the rounding of what they were made from.
class RandomProgram {
 public:
  explicit RandomProgram(std::uint32_t seed) : random_(seed) {}

  GraphRef make(int steps) {
    Types inputs;
    for (int k = below(3) + 1; k-- > 0;) inputs.push_back({shape(), float32});
    return program(inputs, [&](const ArrayList& arrays) {
      values_ = arrays;
      for (int k = 0; k < steps; ++k) values_.push_back(step());
      ArrayList outputs{values_.back()};
      for (int k = below(4); k-- > 0;) outputs.push_back(any());
      return outputs;
    });
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint32_t>(n)); }
  Shape shape() {
    static const std::int64_t sizes[] = {1, 2, 3, 5, 8, 16, 17, 32, 33, 64};
    Shape shape;
    for (int k = below(4); k-- > 0;) shape.push_back(sizes[below(10)]);
    return shape;
  }
  /// Late values more often, so that chains grow.
  const Array& any() {
    const int n = static_cast<int>(values_.size()), a = below(n), b = below(n);
    return values_[static_cast<std::size_t>(std::max(a, b))];
  }
  /// A value of the same shape, if there is one.
  Array like(const Array& x) {
    for (int tries = 0; tries < 8; ++tries)
      if (const Array& y = any(); y.shape() == x.shape()) return y;
    return x * 0.5f;
  }
  int axis_of(const Array& x) { return below(x.ndim()); }
  Array bounded(const Array& x) { return fluxion::tanh(x); }

  Array step() {
    const Array x = any();
    if (x.size() > 20000) return fluxion::mean(x, 0);
    switch (below(14)) {
      case 0:
        return (x + like(x)) * 0.5f;
      case 1:
        return bounded(x) * like(x);
      case 2:
        return fluxion::maximum(x, like(x)) * 0.75f;
      case 3:
        return fluxion::exp(bounded(x));
      case 4:
        return fluxion::where(x > like(x), x, -x);
      case 5:
        return bounded(x) / (1.5f + fluxion::abs(like(x)));
      default:
        break;
    }
    if (x.ndim() == 0) return fluxion::broadcast_to(x, shape());
    return moved_or_reduced(x);
  }

  Array moved_or_reduced(const Array& x) {
    const int axis = axis_of(x);
    switch (below(10)) {
      case 0:
        return fluxion::mean(x, axis, true);
      case 1:
        return fluxion::max(x, axis);
      case 2:
        return (x - fluxion::mean(x, axis, true)) * 0.5f;
      case 3:
        return fluxion::transpose(x);
      case 4:
        return fluxion::flip(x, axis);
      case 5:
        return fluxion::reshape(x, {x.size()});
      case 6:
        return fluxion::concatenate({x, fluxion::flip(x, axis), x * 0.5f}, axis);
      case 7:
        return fluxion::softmax(x, axis);
      case 8:
        return x.ndim() < 4 ? fluxion::broadcast_to(x, broadcast_shape(x)) : x;
      default:
        return fluxion::matmul(fluxion::reshape(x, {1, x.size()}),
                               fluxion::reshape(bounded(like(x)), {x.size(), 1})) /
               static_cast<float>(x.size());
    }
  }
  Shape broadcast_shape(const Array& x) {
    Shape shape{1 + below(4)};
    for (std::int64_t n : x.shape()) shape.push_back(n);
    return shape;
  }

  std::mt19937 random_;
  ArrayList values_;
};

inline GraphRef random_program(std::uint32_t seed, int steps) {
  return RandomProgram(seed).make(steps);
}

}  // namespace fluxion::test
