// StableHLO's products of matrices and convolutions.
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"

namespace fluxion::stablehlo {
namespace {

void split_pair(const Step& s, const Attribute* a, std::vector<int>& lhs, std::vector<int>& rhs) {
  if (!a) return;
  if (a->kind != Attribute::Kind::list || a->list.size() != 2)
    s.complain("the axes of a product are two lists");
  lhs = s.axes_of(&a->list[0]);
  rhs = s.axes_of(&a->list[1]);
}

/// Products may be summed in a wider dtype. Operands of other dtypes are converted to the result's,
/// in which sums are made.
ArrayList product(const Step& s, const ops::DotDimensions& d) {
  const DType to = s.result().dtype;
  return {ops::dot_general(
      converted(s.x(0), to, s.site()), converted(s.x(1), to, s.site()), d, s.site())};
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
  return {ops::conv_general_dilated(converted(s.x(0), to, s.site()), kernel, w, d, s.site())};
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
