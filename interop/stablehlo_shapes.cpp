// StableHLO's literals and operations on shapes.
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"

namespace fluxion::stablehlo {
namespace {

ArrayList constant(const Step& s) {
  const Attribute& value = s.need("value");
  if (!value.elements) s.complain("a constant is dense<...>");
  return {array_of(*value.elements, s.site(), s.find("fluxion.helper") == nullptr)};
}

ArrayList iota(const Step& s) {
  const std::int64_t axis = s.integer("iota_dimension", "dim");
  if (axis < 0 || axis >= static_cast<std::int64_t>(s.result().shape.size()))
    s.complain("there is no axis " + std::to_string(axis));
  return {ops::iota(s.result(), static_cast<int>(axis), s.site())};
}

ArrayList reshape(const Step& s) { return {ops::reshape(s.x(0), s.result().shape, s.site())}; }

ArrayList broadcast_in_dim(const Step& s) {
  return {ops::broadcast_in_dim(
      s.x(0), s.result().shape, s.axes("broadcast_dimensions", "dims"), s.site())};
}

ArrayList transpose(const Step& s) {
  return {ops::transpose(s.x(0), s.axes("permutation", "dims"), s.site())};
}

ArrayList reverse(const Step& s) {
  return {ops::rev(s.x(0), s.axes("dimensions", "dims"), s.site())};
}

ArrayList slice(const Step& s) {
  return {ops::slice(s.x(0),
                     s.integers("start_indices"),
                     s.integers("limit_indices"),
                     s.integers_or("strides", s.type(0).shape.size(), 1),
                     s.site())};
}

ArrayList pad(const Step& s) {
  const std::vector<std::int64_t> low = s.integers("edge_padding_low", "low"),
                                  high = s.integers("edge_padding_high", "high"),
                                  interior = s.integers("interior_padding", "interior");
  if (high.size() != low.size() || interior.size() != low.size())
    s.complain("the padding's lists differ in length");
  std::vector<ops::Padding> padding;
  for (std::size_t k = 0; k < low.size(); ++k) {
    for (std::int64_t v : {low[k], high[k], interior[k]})
      if (v > (std::int64_t{1} << 40) || v < -(std::int64_t{1} << 40))
        s.complain("the padding is too large");
    padding.push_back({low[k], high[k], interior[k]});
  }
  return {ops::pad(s.x(0), s.x(1), padding, s.site())};
}

ArrayList concatenate(const Step& s) {
  ArrayList parts;
  for (std::size_t k = 0; k < s.count(); ++k) parts.push_back(s.x(k));
  if (parts.empty()) s.complain("stablehlo.concatenate takes at least one operand");
  const std::int64_t axis = s.integer("dimension", "dim");
  if (axis < 0 || axis >= static_cast<std::int64_t>(s.type(0).shape.size()))
    s.complain("there is no axis " + std::to_string(axis));
  return {ops::concatenate(parts, static_cast<int>(axis), s.site())};
}

Rows rows() {
  static constexpr Row table[] = {
      {"stablehlo.constant", 0, 1, 0, constant},
      {"stablehlo.iota", 0, 1, 0, iota},
      {"stablehlo.reshape", 1, 1, 0, reshape},
      {"stablehlo.broadcast_in_dim", 1, 1, 0, broadcast_in_dim},
      {"stablehlo.transpose", 1, 1, 0, transpose},
      {"stablehlo.reverse", 1, 1, 0, reverse},
      {"stablehlo.slice", 1, 1, 0, slice},
      {"stablehlo.pad", 2, 1, 0, pad},
      {"stablehlo.concatenate", -1, 1, 0, concatenate},
  };
  return table;
}

}  // namespace

Rows shape_rows() { return rows(); }

}  // namespace fluxion::stablehlo
