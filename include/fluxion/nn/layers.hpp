// Layers: plain structs whose arrays are their parameters. Every layer works on one example and on
// a batch, and under every transform.
#pragma once
#include "activation.hpp"
#include "initializers.hpp"

namespace fluxion::nn {

/// x weight + bias; x is [..., in], the result [..., out].
struct Linear {
  Array weight, bias;  // [in, out], [out]
  /// Weights by lecun_normal, bias zero.
  static Linear init(const Operand& key, std::int64_t in, std::int64_t out, DType = float32);
  /// Error "dot-sizes" where x does not end in `in`.
  Array operator()(const Operand& x) const;
};

struct Conv2dOptions {
  std::int64_t stride = 1, dilation = 1, groups = 1;
  bool same = true;  // padding so that stride 1 keeps the size; otherwise none
};
/// 2-D convolution of [height, width, in] or [batch, height, width, in] with a bias; result [...,
/// out].
struct Conv2d {
  Array weight, bias;  // [height, width, in / groups, out], [out]
  Conv2dOptions options = {};
  /// Weights by he_normal, bias zero. Error "conv2d" where the groups do not divide the channels.
  static Conv2d init(const Operand& key,
                     std::int64_t in,
                     std::int64_t out,
                     std::int64_t window = 3,
                     Conv2dOptions = {},
                     DType = float32);
  Array operator()(const Operand& x) const;
};

/// Windows of `window` x `window` over [height, width, channels] or a batch of those; stride 0
/// means the window's size.
struct MaxPool2d {
  std::int64_t window = 2, stride = 0;
  Array operator()(const Operand& x) const;
};
/// The mean of each window; no padding.
struct AvgPool2d {
  std::int64_t window = 2, stride = 0;
  Array operator()(const Operand& x) const;
};

/// In training each element is zero with probability `rate`, the others are divided by 1 - rate
/// (Srivastava et al. 2014); without a key the identity.
struct Dropout {
  double rate = 0.5;
  Array operator()(const Operand& x) const { return x.array(); }
  Array operator()(const Operand& x, const Operand& key) const;
};

/// (x - mean) / sqrt(variance + epsilon) over the last axis, times scale, plus shift (Ba et al.
/// 2016).
struct LayerNorm {
  Array scale, shift;  // [features]
  double epsilon = 1e-5;
  static LayerNorm init(std::int64_t features, DType = float32, Site = Site::current());
  Array operator()(const Operand& x) const;
};

/// Rows of a table by integer index: indices [...] give [..., features]; indices outside are moved
/// inside.
struct Embedding {
  Array table;  // [count, features]
  /// Normal with variance 1 / features.
  static Embedding init(const Operand& key,
                        std::int64_t count,
                        std::int64_t features,
                        DType = float32);
  Array operator()(const Operand& indices) const;
};

namespace detail {
std::int64_t count_parameters(const std::vector<Array>&);
std::string summarize(const std::vector<std::string>& names, const std::vector<Array>&);
}  // namespace detail

/// How many numbers the arrays of a model hold.
template <class Tree> std::int64_t parameter_count(const Tree& model) {
  return detail::count_parameters(tree_leaves(model));
}
/// A table of a model's arrays: name, type, count; the total last.
template <class Tree> std::string summary(const Tree& model) {
  return detail::summarize(tree_paths(model), tree_leaves(model));
}

}  // namespace fluxion::nn
