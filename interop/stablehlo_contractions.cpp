// StableHLO's products of matrices and convolutions.
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"

#include <algorithm>

namespace fluxion::stablehlo {
namespace {

void split_pair(const Step& s, const Attribute* a, std::vector<int>& lhs, std::vector<int>& rhs) {
  if (!a) return;
  if (a->kind != Attribute::Kind::list || a->list.size() != 2)
    s.complain("the axes of a product are two lists");
  lhs = s.axes_of(&a->list[0]);
  rhs = s.axes_of(&a->list[1]);
}

// Sums of so few products are made in order, each rounded to the element type, as StableHLO says;
// longer ones are left to the library, whose order of summation is its own.
constexpr std::int64_t longest_in_order = 16;

/// The axes as batch, free, contracted, each group as one.
Array grouped(const Array& x,
              const std::vector<int>& batch,
              const std::vector<int>& contract,
              Shape& batch_shape,
              Shape& free_shape,
              const Site& site) {
  const Shape shape = type_of(x).shape;
  const auto among = [](int axis, const std::vector<int>& list) {
    return std::find(list.begin(), list.end(), axis) != list.end();
  };
  std::vector<int> order = batch;
  std::int64_t sizes[3] = {1, 1, 1};
  batch_shape = free_shape = Shape();
  for (int axis : batch) batch_shape.push_back(shape[static_cast<std::size_t>(axis)]);
  for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) {
    if (among(axis, batch) || among(axis, contract)) continue;
    order.push_back(axis);
    free_shape.push_back(shape[static_cast<std::size_t>(axis)]);
  }
  order.insert(order.end(), contract.begin(), contract.end());
  for (std::int64_t n : batch_shape) sizes[0] *= n;
  for (std::int64_t n : free_shape) sizes[1] *= n;
  for (int axis : contract) sizes[2] *= shape[static_cast<std::size_t>(axis)];
  return ops::reshape(ops::transpose(x, order, site), Shape{sizes[0], sizes[1], sizes[2]}, site);
}

/// A short product of complex numbers, by parts: sums of re re - im im and of re im + im re.
Array complex_product(const Array& lhs,
                      const Array& rhs,
                      const ops::DotDimensions& d,
                      const Site& site) {
  Shape batch, lhs_free, rhs_free;
  const Array a = grouped(lhs, d.lhs_batch, d.lhs_contract, batch, lhs_free, site),
              b = grouped(rhs, d.rhs_batch, d.rhs_contract, batch, rhs_free, site);
  const Shape x = type_of(a).shape, y = type_of(b).shape, full{x[0], x[1], y[1]};
  const auto binary = [&](std::string_view name, const Array& p, const Array& q) {
    return ops::binary(name, p, q, site);
  };
  const auto column = [&](const Array& m, std::string_view part, std::int64_t k, int axis) {
    const Shape shape = type_of(m).shape;
    const Array one =
        ops::reshape(ops::slice(m, {0, 0, k}, {shape[0], shape[1], k + 1}, {1, 1, 1}, site),
                     Shape{shape[0], shape[1]},
                     site);
    return ops::broadcast_in_dim(ops::unary(part, one, site), full, {0, axis}, site);
  };
  Array re, im;
  for (std::int64_t k = 0; k < x[2]; ++k) {
    const Array ar = column(a, "real", k, 1), ai = column(a, "imag", k, 1),
                br = column(b, "real", k, 2), bi = column(b, "imag", k, 2);
    const Array product_re = binary("sub", binary("mul", ar, br), binary("mul", ai, bi)),
                product_im = binary("add", binary("mul", ar, bi), binary("mul", ai, br));
    re = k ? binary("add", re, product_re) : product_re;
    im = k ? binary("add", im, product_im) : product_im;
  }
  Shape result = batch;
  for (std::int64_t n : lhs_free) result.push_back(n);
  for (std::int64_t n : rhs_free) result.push_back(n);
  return ops::reshape(binary("complex", re, im), result, site);
}

/// Operands of other dtypes are converted to the result's, in which sums are made.
ArrayList product(const Step& s, const ops::DotDimensions& d) {
  const DType to = s.result().dtype;
  const Array lhs = converted(s.x(0), to, s.site()), rhs = converted(s.x(1), to, s.site());
  const Array whole = ops::dot_general(lhs, rhs, d, s.site());  // refuses what does not fit
  std::int64_t products = 1;
  for (int axis : d.lhs_contract)
    products *= std::min(type_of(lhs).shape[static_cast<std::size_t>(axis)], longest_in_order + 1);
  if (is_complex(to) && products >= 1 && products <= longest_in_order)
    return {complex_product(lhs, rhs, d, s.site())};
  return {whole};
}

ArrayList dot_general(const Step& s) {
  ops::DotDimensions d;
  if (const Attribute* a = s.find("dot_dimension_numbers")) {
    if (a->kind != Attribute::Kind::dictionary) s.complain("dot_dimension_numbers are named lists");
    d.lhs_batch = s.axes_of(a->find("lhs_batching_dimensions"));
    d.rhs_batch = s.axes_of(a->find("rhs_batching_dimensions"));
    d.lhs_contract = s.axes_of(a->find("lhs_contracting_dimensions"));
    d.rhs_contract = s.axes_of(a->find("rhs_contracting_dimensions"));
  } else {
    split_pair(s, s.find("batching_dims"), d.lhs_batch, d.rhs_batch);
    split_pair(s, s.find("contracting_dims"), d.lhs_contract, d.rhs_contract);
  }
  return product(s, d);
}

ArrayList dot(const Step& s) {
  ops::DotDimensions d;
  if (s.type(0).shape.empty() || s.type(1).shape.empty())
    s.complain("stablehlo.dot takes vectors and matrices");
  d.lhs_contract = {static_cast<int>(s.type(0).shape.size()) - 1};
  d.rhs_contract = {0};
  return product(s, d);
}

/// The axis with each letter, and those with numbers in their order.
void read_layout(const Step& s,
                 const Attribute& list,
                 std::string_view first,
                 std::string_view second,
                 int& a,
                 int& b,
                 std::vector<int>& spatial) {
  const std::size_t rank = list.list.size();
  a = b = -1;
  spatial.assign(rank < 2 ? 0 : rank - 2, -1);
  for (std::size_t k = 0; k < rank; ++k) {
    const Attribute& e = list.list[k];
    const int axis = static_cast<int>(k);
    if (e.kind == Attribute::Kind::word && e.text == first)
      a = axis;
    else if (e.kind == Attribute::Kind::word && e.text == second)
      b = axis;
    else if (e.kind == Attribute::Kind::integer && e.integer >= 0 &&
             e.integer < static_cast<std::int64_t>(spatial.size()))
      spatial[static_cast<std::size_t>(e.integer)] = axis;
    else
      s.complain("the axes of a convolution are " + std::string(first) + ", " +
                 std::string(second) + " and numbers");
  }
  bool whole = a >= 0 && b >= 0;
  for (int axis : spatial) whole = whole && axis >= 0;
  if (!whole) s.complain("an axis of the convolution is missing, or named twice");
}

/// Axes in the order batch, feature, spatial (of the kernel: out, in, spatial), with the sizes that
/// are there.
Array in_order(
    const Array& x, int first, int second, const std::vector<int>& spatial, const Site& site) {
  std::vector<int> order{first, second};
  order.insert(order.end(), spatial.begin(), spatial.end());
  return ops::transpose(x, order, site);
}

/// Products of shifted images and single weights, added one after the other: features first, then
/// the window row by row.
Array summed_in_order(const Array& lhs,
                      const Array& rhs,
                      const ops::ConvolutionWindow& w,
                      const ops::ConvolutionDimensions& d,
                      const Site& site) {
  const std::size_t n = d.lhs_spatial.size();
  std::vector<ops::Padding> padding(n + 2);
  for (std::size_t k = 0; k < n; ++k)
    padding[k + 2] = {w.padding[k].first, w.padding[k].second, w.lhs_dilation[k] - 1};
  const Array image = ops::pad(in_order(lhs, d.lhs_batch, d.lhs_feature, d.lhs_spatial, site),
                               literal(0, type_of(lhs).dtype, site),
                               padding,
                               site);
  const Array kernel = in_order(rhs, d.rhs_out, d.rhs_in, d.rhs_spatial, site);
  const Shape x = type_of(image).shape, k = type_of(kernel).shape;
  const std::int64_t groups = w.feature_groups, each = k[0] / groups;
  Shape counts, window, grouped{x[0], groups, std::int64_t{1}}, full{x[0], groups, each},
      weights{std::int64_t{1}, groups, each}, result{x[0], k[0]};
  for (std::size_t a = 0; a < n; ++a) {
    const std::int64_t reach = (k[a + 2] - 1) * w.rhs_dilation[a] + 1,
                       count = x[a + 2] < reach ? 0 : (x[a + 2] - reach) / w.stride[a] + 1;
    window.push_back(k[a + 2]);
    for (Shape* shape : {&counts, &grouped, &full, &result}) shape->push_back(count);
    weights.push_back(1);
  }
  std::vector<int> all;
  for (std::size_t a = 0; a < full.size(); ++a) all.push_back(static_cast<int>(a));
  Array sum = broadcast_scalar(literal(0, type_of(lhs).dtype, site), full, site);
  std::vector<std::int64_t> at(n, 0);
  for (std::int64_t feature = 0; feature < k[1]; ++feature) {
    std::fill(at.begin(), at.end(), 0);
    do {
      std::vector<std::int64_t> start{0, feature}, stop{x[0], x[1]}, step{1, k[1]},
          from{0, feature}, to{k[0], feature + 1};
      for (std::size_t a = 0; a < n; ++a) {
        start.push_back(at[a] * w.rhs_dilation[a]);
        stop.push_back(counts[a] == 0 ? start.back()
                                      : start.back() + (counts[a] - 1) * w.stride[a] + 1);
        step.push_back(w.stride[a]);
        from.push_back(at[a]);
        to.push_back(at[a] + 1);
      }
      const Array shifted = ops::reshape(ops::slice(image, start, stop, step, site), grouped, site);
      const Array weight = ops::reshape(
          ops::slice(kernel, from, to, std::vector<std::int64_t>(n + 2, 1), site), weights, site);
      const Array product = ops::binary("mul",
                                        ops::broadcast_in_dim(shifted, full, all, site),
                                        ops::broadcast_in_dim(weight, full, all, site),
                                        site);
      sum = ops::binary("add", sum, product, site);
    } while (next_index(at, window));
  }
  std::vector<int> back(n + 2);
  back[static_cast<std::size_t>(d.out_batch)] = 0;
  back[static_cast<std::size_t>(d.out_feature)] = 1;
  for (std::size_t a = 0; a < n; ++a)
    back[static_cast<std::size_t>(d.out_spatial[a])] = static_cast<int>(a) + 2;
  return ops::transpose(ops::reshape(sum, result, site), back, site);
}

/// Whether a result is the sum of a few products of floats.
bool is_short(const Shape& kernel,
              const ops::ConvolutionWindow& w,
              const ops::ConvolutionDimensions& d,
              DType dtype) {
  std::int64_t products = kernel[static_cast<std::size_t>(d.rhs_in)];
  for (int axis : d.rhs_spatial)
    products *=
        std::min<std::int64_t>(kernel[static_cast<std::size_t>(axis)], longest_in_order + 1);
  return is_floating(dtype) && w.batch_groups == 1 && products >= 1 && products <= longest_in_order;
}

ArrayList convolution(const Step& s) {
  const Attribute& layout = s.need("dimension_numbers");
  if (layout.kind != Attribute::Kind::list || layout.list.size() != 3)
    s.complain("dimension_numbers are three lists of axes");
  ops::ConvolutionDimensions d;
  read_layout(s, layout.list[0], "b", "f", d.lhs_batch, d.lhs_feature, d.lhs_spatial);
  read_layout(s, layout.list[1], "o", "i", d.rhs_out, d.rhs_in, d.rhs_spatial);
  read_layout(s, layout.list[2], "b", "f", d.out_batch, d.out_feature, d.out_spatial);
  const std::size_t n = d.lhs_spatial.size();
  if (s.type(0).shape.size() != n + 2 || s.type(1).shape.size() != n + 2 ||
      d.rhs_spatial.size() != n || d.out_spatial.size() != n)
    s.complain("the axes of the convolution and of its operands differ in number");
  ops::ConvolutionWindow w;
  w.stride = s.integers_or("window_strides", n, 1);
  w.padding = s.pairs_or_zero("padding", n);
  w.lhs_dilation = s.integers_or("lhs_dilation", n, 1);
  w.rhs_dilation = s.integers_or("rhs_dilation", n, 1);
  w.feature_groups = s.integer_or("feature_group_count", 1);
  w.batch_groups = s.integer_or("batch_group_count", 1);
  const std::vector<std::int64_t> reversal = s.integers_or("window_reversal", n, 0);
  std::vector<int> reversed;
  for (std::size_t k = 0; k < n; ++k)
    if (reversal[k]) reversed.push_back(d.rhs_spatial[k]);
  std::sort(reversed.begin(), reversed.end());
  const DType to = s.result().dtype;
  Array kernel = converted(s.x(1), to, s.site());
  if (!reversed.empty()) kernel = ops::rev(kernel, reversed, s.site());
  const Array image = converted(s.x(0), to, s.site());
  const Array whole =
      ops::conv_general_dilated(image, kernel, w, d, s.site());  // refuses what does not fit
  return {element_count(type_of(whole).shape) > 0 && is_short(type_of(kernel).shape, w, d, to)
              ? summed_in_order(image, kernel, w, d, s.site())
              : whole};
}

Rows rows() {
  static constexpr Row table[] = {
      {"stablehlo.dot_general", 2, 1, 0, dot_general},
      {"stablehlo.dot", 2, 1, 0, dot},
      {"stablehlo.convolution", 2, 1, 0, convolution},
  };
  return table;
}

}  // namespace

Rows contraction_rows() { return rows(); }

}  // namespace fluxion::stablehlo
