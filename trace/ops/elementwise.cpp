// How elementwise operations check their operands and are batched.
#include "trace/ops/elementwise.hpp"

#include "trace/frame.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace fluxion::ops {
namespace {

std::string listed(unsigned accepts) {
  std::vector<std::string_view> words;
  if (accepts & booleans) words.push_back("bool");
  if ((accepts & integers) == integers)
    words.push_back("integer");
  else if (accepts & signed_integers)
    words.push_back("signed integer");
  else if (accepts & unsigned_integers)
    words.push_back("unsigned integer");
  if (accepts & floats) words.push_back("floating-point");
  if (accepts & complexes) words.push_back("complex");
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

unsigned class_of(DType dtype) {
  if (dtype == bool_) return booleans;
  if (is_signed_integer(dtype)) return signed_integers;
  if (is_unsigned(dtype)) return unsigned_integers;
  return is_complex(dtype) ? complexes : floats;
}

std::string remedy(DType dtype, unsigned accepts) {
  if (accepts & floats) return "convert it first: x.astype(fx::float32)";
  if ((accepts & integers) && !is_floating(dtype)) return "convert it first: x.astype(fx::int32)";
  return "";
}

}  // namespace

void check_operand_count(std::string_view operation, TypeList in, std::size_t count) {
  if (in.size() != count) {
    throw InternalError(fmt::format("{}: {} operands, not {}", operation, in.size(), count));
  }
}

void check_accepted(std::string_view operation, const Type& type, unsigned accepts) {
  if ((accepts & complexes) == 0) check_real(operation, type);
  if ((class_of(type.dtype) & accepts) == 0) {
    fail("dtype",
         Site(),
         fmt::format(
             "{}: takes {} arrays, not {}", operation, listed(accepts), to_string(type.dtype)),
         {"operand " + to_string(type)},
         remedy(type.dtype, accepts));
  }
}

void check_alike(std::string_view operation, TypeList in) {
  for (std::size_t k = 1; k < in.size(); ++k) {
    if (in[k].dtype != in[0].dtype) {
      fail("dtype",
           Site(),
           fmt::format("{}: the operands' dtypes differ, {} and {}",
                       operation,
                       to_string(in[0].dtype),
                       to_string(in[k].dtype)),
           {fmt::format("operand 0 is {}", to_string(in[0])),
            fmt::format("operand {} is {}", k, to_string(in[k]))},
           "convert one of them with astype");
    }
    if (!(in[k].shape == in[0].shape)) {
      fail("broadcast",
           Site(),
           fmt::format("{}: the operands' shapes differ, {} and {}",
                       operation,
                       to_string(in[0].shape),
                       to_string(in[k].shape)),
           {fmt::format("operand 0 is {}", to_string(in[0])),
            fmt::format("operand {} is {}", k, to_string(in[k]))},
           "elementwise operations take operands of one shape: broadcast one of them");
    }
  }
}

bool number_meets_array(const Array& x, const Array& y) {
  if (!defined(x) || !defined(y)) return false;
  return is_number_for(x, type_of(y).shape) || is_number_for(y, type_of(x).shape);
}

Array align(const Array& x, int axis, const Shape& full, int at) {
  const Shape& shape = type_of(x).shape;
  const bool batched = axis != unbatched;
  const std::size_t rank = shape.size() - (batched ? 1 : 0);
  if (rank + 1 != full.size()) {  // a scalar per example, or one for all
    return broadcast_in_dim(
        x, full, batched ? std::vector<int>{at} : std::vector<int>{}, rule_site());
  }
  if (!batched) {
    std::vector<int> places;
    for (int k = 0; k < static_cast<int>(rank); ++k) places.push_back(k + (k >= at));
    return broadcast_in_dim(x, full, places, rule_site());
  }
  return move_axis(x, axis, at);
}

Batched batch_elementwise(const Op& op, Arrays x, BatchAxes axes, std::int64_t size) {
  const auto first = std::find_if(axes.begin(), axes.end(), [](int a) { return a != unbatched; });
  if (first == axes.end()) {
    ArrayList results = emit_all(op, x, rule_site());
    std::vector<int> none(results.size(), unbatched);
    return {std::move(results), std::move(none)};
  }
  const int at = *first;
  const Shape& batched_shape = type_of(x[static_cast<std::size_t>(first - axes.begin())]).shape;
  const Shape full = with_axis(without_axis(batched_shape, at), at, size);
  ArrayList operands;
  for (std::size_t k = 0; k < x.size(); ++k) operands.push_back(align(x[k], axes[k], full, at));
  ArrayList results = emit_all(op, operands, rule_site());
  std::vector<int> where(results.size(), at);
  return {std::move(results), std::move(where)};
}

Array constant_like(const Array& x, double value) {
  const Type& type = type_of(x);
  Array scalar = literal(value, type.dtype);
  return type.shape.empty() ? scalar : broadcast_in_dim(scalar, type.shape, {}, rule_site());
}

Array add(const Array& x, const Array& y) { return binary("add", x, y, rule_site()); }
Array sub(const Array& x, const Array& y) { return binary("sub", x, y, rule_site()); }
Array mul(const Array& x, const Array& y) { return binary("mul", x, y, rule_site()); }
Array div(const Array& x, const Array& y) { return binary("div", x, y, rule_site()); }
Array neg(const Array& x) { return unary("neg", x, rule_site()); }
Array conj(const Array& x) { return unary("conj", x, rule_site()); }
Array real(const Array& x) { return unary("real", x, rule_site()); }
Array imag(const Array& x) { return unary("imag", x, rule_site()); }
Array make_complex(const Array& re, const Array& im) {
  return binary("complex", re, im, rule_site());
}

}  // namespace fluxion::ops
