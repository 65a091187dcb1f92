// Layers as compositions of the public operations.
#include "fluxion/nn/layers.hpp"

#include <cmath>
#include <sstream>

namespace fluxion::nn {
namespace {

/// Runs f on a batch of images, also where x is one image.
template <class F> Array as_batch(const Operand& x, const char* who, F f) {
  const Array a = x.array();
  const int rank = a.ndim(x.site());
  if (rank != 3 && rank != 4) {
    std::ostringstream text;
    text << who << ": the input is " << Spec{a.shape(), a.dtype()}
         << "\n  = hint: images are [height, width, channels] or [batch, height, width, channels]";
    throw Error("image-rank", x.site(), text.str());
  }
  return rank == 4 ? f(a) : squeeze(f(expand_dims(a, 0)), 0);
}

Shape window_shape(std::int64_t size) { return {1, size, size, 1}; }

}  // namespace

Linear Linear::init(const Operand& key, std::int64_t in, std::int64_t out, DType dtype) {
  const SiteScope here(key.site());
  return {lecun_normal(Operand(key.array(), key.site()), {in, out}, dtype),
          zeros({out}, dtype, key.site())};
}
Array Linear::operator()(const Operand& x) const {
  const SiteScope here(x.site());
  return matmul(x, weight) + bias;
}

Conv2d Conv2d::init(const Operand& key,
                    std::int64_t in,
                    std::int64_t out,
                    std::int64_t window,
                    Conv2dOptions options,
                    DType dtype) {
  const SiteScope here(key.site());
  if (options.groups < 1 || in % options.groups || out % options.groups) {
    std::ostringstream text;
    text << "conv2d: " << options.groups << " groups do not divide " << in << " input and " << out
         << " output channels";
    throw Error("conv2d", key.site(), text.str());
  }
  return {he_normal(
              Operand(key.array(), key.site()), {window, window, in / options.groups, out}, dtype),
          zeros({out}, dtype, key.site()),
          options};
}
Array Conv2d::operator()(const Operand& x) const {
  const SiteScope here(x.site());
  return as_batch(x, "conv2d", [&](const Array& images) {
    return lax::conv_general_dilated(images,
                                     weight,
                                     {.strides = {options.stride, options.stride},
                                      .padding = options.same ? lax::same : lax::valid,
                                      .rhs_dilation = {options.dilation, options.dilation},
                                      .layout = {"NHWC", "HWIO", "NHWC"},
                                      .feature_groups = options.groups}) +
           bias;
  });
}

Array MaxPool2d::operator()(const Operand& x) const {
  const SiteScope here(x.site());
  return as_batch(x, "max_pool2d", [&](const Array& images) {
    return max_pool(images, window_shape(window), window_shape(stride ? stride : window));
  });
}
Array AvgPool2d::operator()(const Operand& x) const {
  const SiteScope here(x.site());
  return as_batch(x, "avg_pool2d", [&](const Array& images) {
    return avg_pool(images, window_shape(window), window_shape(stride ? stride : window));
  });
}

Array Dropout::operator()(const Operand& x, const Operand& key) const {
  const SiteScope here(x.site());
  const Array a = x.array();
  if (!(rate >= 0 && rate < 1))
    throw Error("dropout",
                x.site(),
                "dropout: the rate is " + std::to_string(rate) +
                    "\n  = hint: it is the probability of being dropped: 0 <= rate < 1");
  if (rate == 0) return a;
  const Array keep = random::bernoulli(key, 1 - rate, a.shape());
  return where(keep, a / (1 - rate), zeros_like(a));
}

LayerNorm LayerNorm::init(std::int64_t features, DType dtype, Site site) {
  return {ones({features}, dtype, site), zeros({features}, dtype, site)};
}
Array LayerNorm::operator()(const Operand& x) const {
  const SiteScope here(x.site());
  const Array a = x.array(), centred = a - mean(a, -1, true);
  return centred * rsqrt(mean(square(centred), -1, true) + epsilon) * scale + shift;
}

Embedding Embedding::init(const Operand& key,
                          std::int64_t count,
                          std::int64_t features,
                          DType dtype) {
  const SiteScope here(key.site());
  return {random::normal(Operand(key.array(), key.site()), {count, features}, dtype) *
          (1 / std::sqrt(static_cast<double>(features)))};
}
Array Embedding::operator()(const Operand& indices) const {
  const SiteScope here(indices.site());
  return take(table, indices, 0);
}

namespace detail {

std::int64_t count_parameters(const std::vector<Array>& arrays) {
  std::int64_t total = 0;
  for (const Array& a : arrays)
    if (!fluxion::detail::is_empty(a)) total += a.size();
  return total;
}

std::string summarize(const std::vector<std::string>& names, const std::vector<Array>& arrays) {
  std::vector<std::array<std::string, 3>> rows{{"name", "type", "count"}};
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::ostringstream type;
    if (fluxion::detail::is_empty(arrays[i]))
      type << "-";
    else
      type << Spec{arrays[i].shape(), arrays[i].dtype()};
    rows.push_back({names[i],
                    type.str(),
                    fluxion::detail::is_empty(arrays[i]) ? "0" : std::to_string(arrays[i].size())});
  }
  rows.push_back({"total", "", std::to_string(count_parameters(arrays))});
  std::size_t width[3] = {};
  for (const auto& row : rows)
    for (std::size_t k = 0; k < 3; ++k) width[k] = std::max(width[k], row[k].size());
  std::string out;
  for (const auto& row : rows) {
    out += row[0] + std::string(width[0] - row[0].size() + 2, ' ') + row[1] +
           std::string(width[1] - row[1].size() + 2, ' ');
    out += std::string(width[2] - row[2].size(), ' ') + row[2] + "\n";
  }
  return out;
}

}  // namespace detail
}  // namespace fluxion::nn
