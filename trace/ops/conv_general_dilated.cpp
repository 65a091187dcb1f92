// Convolutions of any layout, with strides, padding, dilations and groups.
#include "trace/ops/complex_sum.hpp"
#include "trace/ops/convolve.hpp"
#include "trace/ops/dot_general.hpp"
#include "trace/ops/window.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> conv_general_dilated_rules();

namespace {

std::size_t at_axis(int axis) { return static_cast<std::size_t>(axis); }

std::vector<std::int64_t> strides_at(const Shape& shape,
                                     int first,
                                     int second,
                                     const std::vector<int>& spatial) {
  const std::vector<std::int64_t> strides = strides_of(shape);
  std::vector<std::int64_t> picked{strides[at_axis(first)], strides[at_axis(second)]};
  for (int axis : spatial) picked.push_back(strides[at_axis(axis)]);
  return picked;
}

/// One spatial axis as a library's convolution of `in` elements to `out`: false where its padding
/// would be negative.
bool add_leaf_axis(ConvolutionSpec& spec,
                   std::int64_t in,
                   std::int64_t out,
                   std::int64_t window,
                   std::int64_t stride,
                   std::int64_t dilation,
                   std::int64_t low) {
  // Any padding above in [exact, exact + stride) gives `out` windows.
  const std::int64_t exact = (out - 1) * stride + WindowAxis::dilated(window, dilation) - in - low;
  const std::int64_t high = std::max<std::int64_t>(exact, 0);
  if (low < 0 || high >= exact + stride) return false;
  spec.in_size.push_back(in);
  spec.out_size.push_back(out);
  spec.window.push_back(window);
  spec.stride.push_back(stride);
  spec.dilation.push_back(dilation);
  spec.pad_low.push_back(low);
  spec.pad_high.push_back(high);
  return true;
}

struct ConvGeneralDilated {
  static constexpr auto name = "conv_general_dilated";
  WindowAxes
      window;  // of each spatial axis: size, stride, lhs dilation, rhs dilation, low, high padding
  bool reversed = false;  // the window is read backwards: what the derivative by lhs needs
  std::int64_t feature_groups = 1, batch_groups = 1;
  ConvolutionDimensions dimensions;

  Array apply(const Array& lhs, const Array& rhs) const {
    return emit(*this, {lhs, rhs}, rule_site());
  }

  [[noreturn]] static void refuse(std::string_view code, const std::string& sentence, TypeList in) {
    fail(code, Site(), "conv: " + sentence, {"lhs " + to_string(in[0]), "rhs " + to_string(in[1])});
  }

  void check_dimensions(TypeList in) const {
    const ConvolutionDimensions& d = dimensions;
    auto check =
        [&](const char* what, int first, int second, const std::vector<int>& spatial, int rank) {
          std::vector<int> axes{first, second};
          axes.insert(axes.end(), spatial.begin(), spatial.end());
          check_axes("conv", what, axes, rank);
          if (static_cast<int>(axes.size()) != rank || spatial.size() != window.size()) {
            refuse("conv-axes",
                   std::string(what) + " name " + std::to_string(axes.size()) + " axes, " +
                       std::to_string(window.size()) +
                       " of the window are spatial, the array has " + std::to_string(rank),
                   in);
          }
        };
    check("lhs axes", d.lhs_batch, d.lhs_feature, d.lhs_spatial, rank_of(in[0]));
    check("rhs axes", d.rhs_out, d.rhs_in, d.rhs_spatial, rank_of(in[1]));
    check("result axes", d.out_batch, d.out_feature, d.out_spatial, rank_of(in[0]));
    for (std::size_t k = 0; k < window.size(); ++k) {
      if (window[k].size != size_at(in[1].shape, d.rhs_spatial[k])) {
        throw InternalError("conv: the window does not have rhs' size");
      }
    }
  }

  void check_groups(TypeList in) const {
    const ConvolutionDimensions& d = dimensions;
    const std::int64_t features = size_at(in[0].shape, d.lhs_feature);
    const std::int64_t inputs = size_at(in[1].shape, d.rhs_in);
    const std::int64_t outputs = size_at(in[1].shape, d.rhs_out);
    const std::int64_t batch = size_at(in[0].shape, d.lhs_batch);
    const std::string both = std::to_string(feature_groups) + " feature groups and " +
                             std::to_string(batch_groups) + " batch groups";
    if (feature_groups < 1 || batch_groups < 1 || (feature_groups > 1 && batch_groups > 1)) {
      refuse("conv-groups", both + ": at least one of each, and only one of them above 1", in);
    }
    if (features != inputs * feature_groups) {
      const std::string groups =
          feature_groups > 1 ? " in " + std::to_string(feature_groups) + " groups" : "";
      refuse("conv-features",
             "lhs has " + std::to_string(features) + " features, rhs takes " +
                 std::to_string(inputs) + groups,
             in);
    }
    if (outputs % feature_groups || outputs % batch_groups || batch % batch_groups) {
      refuse("conv-groups",
             both + " do not divide " + std::to_string(outputs) +
                 " output features and a batch of " + std::to_string(batch),
             in);
    }
  }

  Types types(TypeList in) const {
    check_same_dtype("conv", in[0], in[1]);
    check_accepted("conv", in[0], numbers | complexes);
    check_dimensions(in);
    check_groups(in);
    const ConvolutionDimensions& d = dimensions;
    Type spatial{{}, in[0].dtype};
    for (int axis : d.lhs_spatial) spatial.shape.push_back(size_at(in[0].shape, axis));
    const Shape counts = window_counts("conv", window, spatial);
    std::vector<std::int64_t> shape(in[0].shape.size());
    shape[at_axis(d.out_batch)] = size_at(in[0].shape, d.lhs_batch) / batch_groups;
    shape[at_axis(d.out_feature)] = size_at(in[1].shape, d.rhs_out);
    for (std::size_t k = 0; k < counts.size(); ++k) shape[at_axis(d.out_spatial[k])] = counts[k];
    return {{Shape(std::span<const std::int64_t>(shape)), in[0].dtype}};
  }

  ArrayList jvp(Arrays x, Arrays, Arrays dx) const {
    Array tangent;
    if (defined(dx[0])) tangent = apply(dx[0], x[1]);
    if (defined(dx[1])) tangent = sum_of(tangent, apply(x[0], dx[1]));
    return {tangent};
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0]) || element_count(type_of(ct[0]).shape) == 0) return;
    if (x.linear(0) && out.needed(0)) out.add(0, by_lhs(ct[0], x.value(1), x.type(0).shape));
    if (x.linear(1) && out.needed(1)) out.add(1, by_rhs(ct[0], x.value(0)));
  }

  /// The cotangent, spread out by the stride, convolved with the reversed window; input and output
  /// features change places within each group.
  Array by_lhs(const Array& ct, Array rhs, const Shape& lhs) const {
    const ConvolutionDimensions& d = dimensions;
    const std::int64_t groups = std::max(feature_groups, batch_groups);
    if (groups > 1) rhs = merge_axis(split_axis(rhs, d.rhs_out, groups), d.rhs_out, d.rhs_in);
    ConvGeneralDilated op;
    op.reversed = !reversed;
    op.feature_groups = groups;
    op.dimensions = {d.out_batch,
                     d.out_feature,
                     d.out_spatial,
                     d.rhs_in,
                     d.rhs_out,
                     d.rhs_spatial,
                     d.lhs_batch,
                     d.lhs_feature,
                     d.lhs_spatial};
    for (std::size_t k = 0; k < window.size(); ++k) {
      const WindowAxis& w = window[k];
      const Padding around = w.transposed(size_at(lhs, d.lhs_spatial[k]));
      op.window.push_back(
          {w.size, w.base_dilation, w.stride, w.window_dilation, around.low, around.high});
    }
    const Array result = op.apply(ct, rhs);
    if (batch_groups == 1) return result;
    return merge_axis(split_axis(result, d.lhs_feature, batch_groups), d.lhs_feature, d.lhs_batch);
  }

  /// lhs convolved with the cotangent as the window: the sum runs over the batch, features are
  /// batch.
  Array by_rhs(const Array& ct, const Array& lhs) const {
    const ConvolutionDimensions& d = dimensions;
    ConvGeneralDilated op;
    op.feature_groups = batch_groups;
    op.batch_groups = feature_groups;
    op.dimensions = {d.lhs_feature,
                     d.lhs_batch,
                     d.lhs_spatial,
                     d.out_feature,
                     d.out_batch,
                     d.out_spatial,
                     d.rhs_in,
                     d.rhs_out,
                     d.rhs_spatial};
    for (std::size_t k = 0; k < window.size(); ++k) {
      const WindowAxis& w = window[k];
      const std::int64_t in =
          WindowAxis::dilated(size_at(type_of(lhs).shape, d.lhs_spatial[k]), w.base_dilation);
      const std::int64_t count = size_at(type_of(ct).shape, d.out_spatial[k]);
      const std::int64_t high = WindowAxis::dilated(count, w.stride) - in + w.reach() - 1 - w.low;
      op.window.push_back({count, w.window_dilation, w.base_dilation, w.stride, w.low, high});
    }
    return rev(op.apply(lhs, ct), reversed ? d.rhs_spatial : std::vector<int>(), rule_site());
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    const ConvolutionDimensions& d = dimensions;
    if (size == 0) {
      std::vector<Type> examples;
      for (std::size_t k = 0; k < 2; ++k) {
        const Type& type = type_of(x[k]);
        examples.push_back(at[k] == unbatched ? type
                                              : Type{without_axis(type.shape, at[k]), type.dtype});
      }
      const Type result = types(examples)[0];
      return {{zeros_of({with_axis(result.shape, 0, 0), result.dtype})}, {0}};
    }
    if (at[0] != unbatched && at[1] != unbatched) {
      ConvGeneralDilated op = *this;
      (batch_groups > 1 ? op.batch_groups : op.feature_groups) *= size;
      const Array lhs = merge_axis(x[0], at[0], batch_groups > 1 ? d.lhs_batch : d.lhs_feature);
      const Array result = op.apply(lhs, merge_axis(x[1], at[1], d.rhs_out));
      return {{split_axis(result, d.out_feature, size)}, {d.out_feature}};
    }
    return at[0] != unbatched ? batch_lhs(x, at[0], size) : batch_rhs(x, at[1], size);
  }

  /// More examples in the batch; batch groups stay outermost.
  Batched batch_lhs(Arrays x, int at, std::int64_t size) const {
    const int to = dimensions.lhs_batch;
    Array lhs;
    if (batch_groups == 1) {
      lhs = merge_axis(x[0], at, to);
    } else {
      lhs = split_axis(x[0], to + (at <= to), batch_groups);
      lhs = merge_axis(lhs, at + (to < at), to + 1);
      lhs = merge_axis(lhs, to, to);
    }
    const int out = dimensions.out_batch;
    return {{split_axis(apply(lhs, x[1]), out, size)}, {out}};
  }

  /// More output features; groups stay outermost.
  Batched batch_rhs(Arrays x, int at, std::int64_t size) const {
    const int to = dimensions.rhs_out, out = dimensions.out_feature;
    const std::int64_t groups = std::max(feature_groups, batch_groups);
    if (groups == 1) {
      return {{split_axis(apply(x[0], merge_axis(x[1], at, to)), out, size)}, {out}};
    }
    Array rhs = split_axis(x[1], to + (at <= to), groups);
    rhs = merge_axis(rhs, at + (to < at), to + 1);
    rhs = merge_axis(rhs, to, to);
    Array result = split_axis(apply(x[0], rhs), out, groups);
    result = split_axis(result, out + 1, size);
    return {{merge_axis(result, out, out + 1)}, {out}};
  }

  void body(kernel::Nest& nest) const {
    const Shape lhs = nest.operand(0).shape, rhs = nest.operand(1).shape;
    const DType dtype = nest.result().dtype, computed = is_half(dtype) ? float32 : dtype;
    Shape extents{size_at(rhs, dimensions.rhs_in)};
    for (const WindowAxis& w : window) extents.push_back(w.size);
    nest.phase(
        nest.result().shape,
        [this, &nest, lhs, rhs, dtype, computed, extents](const kernel::Index& i) {
          const kernel::Scalar zero = nest.builder().constant(computed, 0);
          if (is_complex(dtype)) {
            const auto sum = complex_sum(
                nest,
                extents,
                kernel::Tree::sequential,
                part_type(dtype),
                [&](const kernel::Index& j) {
                  kernel::Index from, weight;
                  const kernel::Scalar inside = place(nest, lhs, rhs, i, j, from, weight);
                  return std::pair{nest.read_complex(0, from, inside, {zero, zero}),
                                   nest.read_complex(1, weight)};
                });
            return nest.write(0, i, sum);
          }
          const auto element = [&](const kernel::Index& j) {
            using Element = kernel::Builder::Element;
            auto [a, b] = factors(nest, lhs, rhs, i, j);
            return std::vector<Element>{is_floating(computed) ? Element{a, b} : Element{a * b}};
          };
          const auto sum = nest.builder().reduce(
              extents, kernel::Tree::sequential, {kernel::Combiner::add}, {zero}, element);
          nest.write(0, i, narrowed(sum[0], dtype));
        });
  }

  /// What is multiplied for the result at i, input feature j[0] and window position j[1...].
  std::pair<kernel::Scalar, kernel::Scalar> factors(kernel::Nest& nest,
                                                    const Shape& lhs,
                                                    const Shape& rhs,
                                                    const kernel::Index& i,
                                                    const kernel::Index& j) const {
    kernel::Index from, weight;
    const kernel::Scalar inside = place(nest, lhs, rhs, i, j, from, weight);
    const kernel::Scalar zero = nest.builder().constant(nest.operand(0).dtype, 0);
    return {widened(nest.read(0, from, inside, zero)), widened(nest.read(1, weight))};
  }

  /// Where these factors are; whether the first is inside.
  kernel::Scalar place(kernel::Nest& nest,
                       const Shape& lhs,
                       const Shape& rhs,
                       const kernel::Index& i,
                       const kernel::Index& j,
                       kernel::Index& from,
                       kernel::Index& weight) const {
    kernel::Builder& b = nest.builder();
    const ConvolutionDimensions& d = dimensions;
    const kernel::Affine& out = i[at_axis(d.out_feature)];
    const std::int64_t outputs = size_at(rhs, d.rhs_out), inputs = size_at(rhs, d.rhs_in);
    from.resize(lhs.size());
    weight.resize(rhs.size());
    from[at_axis(d.lhs_batch)] = i[at_axis(d.out_batch)];
    from[at_axis(d.lhs_feature)] = weight[at_axis(d.rhs_in)] = j[0];
    weight[at_axis(d.rhs_out)] = out;
    if (feature_groups > 1) {
      from[at_axis(d.lhs_feature)] += b.divide(out, outputs / feature_groups) * inputs;
    }
    if (batch_groups > 1) {
      const std::int64_t examples = size_at(lhs, d.lhs_batch) / batch_groups;
      from[at_axis(d.lhs_batch)] += b.divide(out, outputs / batch_groups) * examples;
    }
    kernel::Scalar inside = b.constant(bool_, 1);
    for (std::size_t k = 0; k < window.size(); ++k) {
      const kernel::Affine& within = j[k + 1];
      from[at_axis(d.lhs_spatial[k])] = window[k].element(
          b, i[at_axis(d.out_spatial[k])], within, size_at(lhs, d.lhs_spatial[k]), inside);
      weight[at_axis(d.rhs_spatial[k])] = reversed ? within * -1 + (window[k].size - 1) : within;
    }
    return inside;
  }

  LeafSpec leaf(TypeList in, TypeList out) const {
    if (!is_floating(in[0].dtype) || window.empty() || window.size() > 3) return {};
    if (!element_count(in[0].shape) || !element_count(in[1].shape) || !element_count(out[0].shape))
      return {};
    if (reversed) return backward_data(in, out);
    std::int64_t window_elements = 1, count = 1;
    for (std::size_t k = 0; k < window.size(); ++k) {
      if (window[k].base_dilation != 1) return {};
      window_elements *= window[k].size;
      count *= size_at(out[0].shape, dimensions.out_spatial[k]);
    }
    // The derivative by the weights has a window as large as an image and a result as large as a
    // window.
    if (feature_groups == 1 && (batch_groups > 1 || window_elements > count))
      return backward_weights(in, out);
    return batch_groups == 1 ? forward(in, out) : LeafSpec();
  }

  LeafSpec forward(TypeList in, TypeList out) const {
    const ConvolutionDimensions& d = dimensions;
    ConvolutionSpec spec;
    spec.dtype = in[0].dtype;
    spec.batch = size_at(in[0].shape, d.lhs_batch);
    spec.in_channels = size_at(in[0].shape, d.lhs_feature);
    spec.out_channels = size_at(in[1].shape, d.rhs_out);
    spec.groups = feature_groups;
    for (std::size_t k = 0; k < window.size(); ++k) {
      const WindowAxis& w = window[k];
      if (!add_leaf_axis(spec,
                         size_at(in[0].shape, d.lhs_spatial[k]),
                         size_at(out[0].shape, d.out_spatial[k]),
                         w.size,
                         w.stride,
                         w.window_dilation,
                         w.low)) {
        return {};
      }
    }
    spec.in_strides = strides_at(in[0].shape, d.lhs_batch, d.lhs_feature, d.lhs_spatial);
    spec.weight_strides = strides_at(in[1].shape, d.rhs_out, d.rhs_in, d.rhs_spatial);
    spec.out_strides = strides_at(out[0].shape, d.out_batch, d.out_feature, d.out_spatial);
    return spec;
  }

  /// As it comes out of by_rhs: (in, out cotangent) -> weights.
  LeafSpec backward_weights(TypeList in, TypeList out) const {
    const ConvolutionDimensions& d = dimensions;
    ConvolutionSpec spec;
    spec.pass = ConvolutionSpec::Pass::backward_weights;
    spec.dtype = in[0].dtype;
    spec.batch = size_at(in[0].shape, d.lhs_feature);
    spec.in_channels = size_at(in[0].shape, d.lhs_batch);
    spec.out_channels = size_at(in[1].shape, d.rhs_out);
    spec.groups = batch_groups;
    for (std::size_t k = 0; k < window.size(); ++k) {
      const WindowAxis& w = window[k];
      if (!add_leaf_axis(spec,
                         size_at(in[0].shape, d.lhs_spatial[k]),
                         w.size,
                         size_at(out[0].shape, d.out_spatial[k]),
                         w.window_dilation,
                         w.stride,
                         w.low)) {
        return {};
      }
    }
    spec.in_strides = strides_at(in[0].shape, d.lhs_feature, d.lhs_batch, d.lhs_spatial);
    spec.out_strides = strides_at(in[1].shape, d.rhs_in, d.rhs_out, d.rhs_spatial);
    spec.weight_strides = strides_at(out[0].shape, d.out_feature, d.out_batch, d.out_spatial);
    return spec;
  }

  /// As it comes out of by_lhs: (out cotangent, weights) -> in.
  LeafSpec backward_data(TypeList in, TypeList out) const {
    const ConvolutionDimensions& d = dimensions;
    if (batch_groups > 1) return {};
    ConvolutionSpec spec;
    spec.pass = ConvolutionSpec::Pass::backward_data;
    spec.dtype = in[0].dtype;
    spec.batch = size_at(in[0].shape, d.lhs_batch);
    spec.in_channels = size_at(in[1].shape, d.rhs_out);
    spec.out_channels = size_at(in[0].shape, d.lhs_feature);
    spec.groups = feature_groups;
    for (std::size_t k = 0; k < window.size(); ++k) {
      const WindowAxis& w = window[k];
      if (w.stride != 1 || !add_leaf_axis(spec,
                                          size_at(out[0].shape, d.out_spatial[k]),
                                          size_at(in[0].shape, d.lhs_spatial[k]),
                                          w.size,
                                          w.base_dilation,
                                          w.window_dilation,
                                          w.reach() - 1 - w.low)) {
        return {};
      }
    }
    spec.in_strides = strides_at(out[0].shape, d.out_batch, d.out_feature, d.out_spatial);
    spec.weight_strides = strides_at(in[1].shape, d.rhs_in, d.rhs_out, d.rhs_spatial);
    spec.out_strides = strides_at(in[0].shape, d.lhs_batch, d.lhs_feature, d.lhs_spatial);
    if (feature_groups > 1) {
      // rhs has the groups along its outputs, the specification along the weights' out channels:
      // one stride for both.
      const std::int64_t per_group = size_at(in[1].shape, d.rhs_in);
      const std::int64_t group = spec.in_channels / feature_groups * spec.weight_strides[1];
      if (per_group > 1 && spec.weight_strides[0] * per_group != group) return {};
      spec.weight_strides[0] = group / per_group;
    }
    return spec;
  }

  void reference(ConstTensors in, Tensors out) const;
};

void ConvGeneralDilated::reference(ConstTensors in, Tensors out) const {
  by_dtype(in[0].type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>)
      convolve<T, T>(*this, in, out[0]);
    else if constexpr (host_complex<T>)
      convolve<T, WideComplex>(*this, in, out[0]);
    else if constexpr (host_float<T>)
      convolve<T, float>(*this, in, out[0]);
    else if constexpr (host_integer<T> && !std::is_same_v<T, bool>)
      convolve<T, std::uint64_t>(*this, in, out[0]);
  });
}

constexpr const Rules* rules[] = {rules_of<ConvGeneralDilated>()};

}  // namespace

std::span<const Rules* const> conv_general_dilated_rules() { return rules; }

std::optional<ConvolutionArrangement> convolution_arrangement(const Op& op, TypeList operands) {
  const auto* c = op.as<ConvGeneralDilated>();
  if (!c || c->reversed) return {};
  const auto dilated = [](const WindowAxis& w) { return w.base_dilation != 1; };
  if (std::none_of(c->window.begin(), c->window.end(), dilated)) return {};
  ConvGeneralDilated turned = *c;
  turned.reversed = true;
  if (!turned.leaf(operands, c->types(operands)).index()) return {};
  return ConvolutionArrangement{c->dimensions.rhs_spatial, turned};
}

Array conv_general_dilated(const Array& lhs,
                           const Array& rhs,
                           const ConvolutionWindow& w,
                           const ConvolutionDimensions& d,
                           const Site& site) {
  const SiteScope line(current_site(site));
  Window window{{}, w.stride, w.lhs_dilation, w.rhs_dilation, w.padding};
  check_axes("conv", "rhs axes", d.rhs_spatial, rank_of(rhs));
  for (int axis : d.rhs_spatial) window.size.push_back(size_at(type_of(rhs).shape, axis));
  const int spatial = static_cast<int>(d.rhs_spatial.size());
  return emit(
      ConvGeneralDilated{
          axes_of("conv", window, spatial), false, w.feature_groups, w.batch_groups, d},
      {lhs, rhs},
      site);
}

}  // namespace fluxion::ops
