// Pieces that many operations share: literals, regions on scalars applied to whole arrays, folds.
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/graph_transforms.hpp"
#include "trace/tensor.hpp"

#include <algorithm>
#include <cstring>

namespace fluxion::stablehlo {

Array broadcast_scalar(const Array& x, const Shape& shape, const Site& site) {
  return type_of(x).shape == shape ? x : ops::broadcast_in_dim(x, shape, {}, site);
}
Array reshaped(const Array& x, const Shape& shape, const Site& site) {
  return type_of(x).shape == shape ? x : ops::reshape(x, shape, site);
}
Array converted(const Array& x, DType dtype, const Site& site) {
  return type_of(x).dtype == dtype ? x : ops::convert(x, dtype, site);
}
Array number(const Array& like, double value, const Site& site) {
  return broadcast_scalar(literal(value, type_of(like).dtype, site), type_of(like).shape, site);
}

Array array_of(const Elements& e, const Site& site, bool placed) {
  if (e.splat || e.type.shape.empty()) {
    std::uint64_t low = 0, high = 0;
    const std::size_t size = size_of(e.type.dtype);
    std::memcpy(&low, e.bytes.data(), std::min<std::size_t>(size, 8));
    if (size > 8) std::memcpy(&high, e.bytes.data() + 8, size - 8);
    const Array scalar = literal_bits(e.type.dtype, low, high, site);
    if (Frame* frame = placed ? current_frame() : nullptr) {  // recorded where the text has it
      const Array here = frame->value(frame->value_of(scalar, site), site);
      return broadcast_scalar(here, e.type.shape, site);
    }
    return broadcast_scalar(scalar, e.type.shape, site);
  }
  return detail::make_array(e.bytes.data(), e.type.shape, e.type.dtype, site);
}

Body::Body(const Step& step, const Region& region, TypeList scalars, TypeList results)
    : traced_(step.program.region(region, step.values, scalars)), site_(step.site()) {
  const auto list = [](TypeList types) {
    std::string text;
    for (const Type& type : types) text += (text.empty() ? "" : ", ") + type_text(type);
    return text;
  };
  const Types given = traced_.graph->output_types();
  if (!std::ranges::equal(given, results))
    step.complain("the region of " + step.op.name + " gives other results than are asked of it",
                  {"it gives  (" + list(given) + ")", "asked for (" + list(results) + ")"});
}

ArrayList Body::apply(const ArrayList& arrays) const {
  ArrayList operands = arrays;
  const Shape shape = type_of(arrays[0]).shape;
  operands.insert(operands.end(), traced_.captures.begin(), traced_.captures.end());
  if (shape.empty()) return inline_graph(*traced_.graph, operands);
  const std::int64_t size = element_count(shape);
  std::vector<int> at(operands.size(), unbatched);
  for (std::size_t k = 0; k < arrays.size(); ++k) {
    operands[k] = reshaped(arrays[k], Shape{size}, site_);
    at[k] = 0;
  }
  const BatchedGraph batched = batch_graph(traced_.graph, at, size);
  ArrayList results = inline_graph(*batched.graph, operands);
  for (std::size_t k = 0; k < results.size(); ++k)
    results[k] = batched.axes[k] == unbatched ? broadcast_scalar(results[k], shape, site_)
                                              : reshaped(results[k], shape, site_);
  return results;
}

Combination combination_of(const Region& region, std::size_t k, std::size_t count) {
  static constexpr std::pair<std::string_view, Combination> words[] = {
      {"stablehlo.add", Combination::add},
      {"stablehlo.multiply", Combination::mul},
      {"stablehlo.minimum", Combination::min},
      {"stablehlo.maximum", Combination::max},
      {"stablehlo.and", Combination::bit_and},
      {"stablehlo.or", Combination::bit_or},
      {"stablehlo.xor", Combination::bit_xor}};
  const Operation& last = region.operations.back();
  if (last.name != "return" || k >= last.operands.size() || region.arguments.size() != 2 * count)
    return Combination::none;
  const ValueNumber a = region.arguments[k], b = region.arguments[count + k],
                    out = last.operands[k];
  if (out == b) return Combination::second;
  for (const Operation& o : region.operations) {
    if (o.results.size() != 1 || o.first_result != out || o.operands.size() != 2) continue;
    if (!((o.operands[0] == a && o.operands[1] == b) || (o.operands[0] == b && o.operands[1] == a)))
      continue;
    for (const auto& [name, combination] : words)
      if (o.name == name) return combination;
  }
  return Combination::none;
}

bool is_identity(Combination how, const Elements& e) {
  if (e.bytes.size() < size_of(e.type.dtype)) return false;
  return by_dtype(e.type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T v;
    std::memcpy(&v, e.bytes.data(), sizeof(T));
    if constexpr (std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>) {
      return v.imag == 0 &&
             ((how == Combination::add && v.real == 0) || (how == Combination::mul && v.real == 1));
    } else if constexpr (std::is_integral_v<T>) {
      using L = std::numeric_limits<T>;
      switch (how) {
        case Combination::add:
        case Combination::bit_or:
        case Combination::bit_xor:
          return v == T(0);
        case Combination::mul:
          return v == T(1);
        case Combination::bit_and:
          return std::is_same_v<T, bool> ? v != T(0) : v == static_cast<T>(~std::uint64_t{0});
        case Combination::max:
          return v == L::min();
        case Combination::min:
          return v == L::max();
        default:
          return false;
      }
    } else {
      const double d = static_cast<std::conditional_t<sizeof(T) == 8, double, float>>(v),
                   infinity = std::numeric_limits<double>::infinity();
      switch (how) {
        case Combination::add:
          return d == 0;
        case Combination::mul:
          return d == 1;
        case Combination::max:
          return d == -infinity;
        case Combination::min:
          return d == infinity;
        default:
          return false;
      }
    }
  });
}

Array combine(Combination how, const Array& a, const Array& b, const Site& site) {
  const bool truth = type_of(a).dtype == bool_;
  switch (how) {
    case Combination::add:
      return ops::binary(truth ? "or" : "add", a, b, site);
    case Combination::mul:
      return ops::binary(truth ? "and" : "mul", a, b, site);
    case Combination::min:
      return ops::binary(truth ? "and" : "min", a, b, site);
    case Combination::max:
      return ops::binary(truth ? "or" : "max", a, b, site);
    case Combination::bit_and:
      return ops::binary("and", a, b, site);
    case Combination::bit_or:
      return ops::binary("or", a, b, site);
    case Combination::bit_xor:
      return ops::binary("xor", a, b, site);
    case Combination::second:
      return b;
    case Combination::none:
      break;
  }
  throw InternalError("stablehlo: a combination of nothing");
}

std::optional<ops::Reduction> reduction_of(Combination how, DType dtype) {
  using R = ops::Reduction;
  const bool truth = dtype == bool_;
  if (is_complex(dtype) && how != Combination::add && how != Combination::mul) return {};
  switch (how) {
    case Combination::add:
      return truth ? R::any : R::sum;
    case Combination::mul:
      return truth ? R::all : R::prod;
    case Combination::min:
      return R::min;
    case Combination::max:
      return R::max;
    case Combination::bit_and:
      return truth ? R::all : R::bit_and;
    case Combination::bit_or:
      return truth ? R::any : R::bit_or;
    case Combination::bit_xor:
      return R::bit_xor;
    default:
      return {};
  }
}

ArrayList fold_last_axis(const Body& body,
                         ArrayList arrays,
                         const ArrayList& init,
                         const Site& site) {
  const Shape full = type_of(arrays[0]).shape;
  Shape kept;
  for (std::size_t k = 0; k + 1 < full.size(); ++k) kept.push_back(full[k]);
  const auto part = [&](const Array& x, std::int64_t from, std::int64_t to, std::int64_t step) {
    const Shape& shape = type_of(x).shape;
    std::vector<std::int64_t> start(shape.size(), 0), stop(shape.begin(), shape.end()),
        steps(shape.size(), 1);
    start.back() = from;
    stop.back() = to;
    steps.back() = step;
    return ops::slice(x, start, stop, steps, site);
  };
  ArrayList first;
  for (const Array& v : init) first.push_back(broadcast_scalar(v, kept, site));
  std::int64_t n = full[full.size() - 1];
  if (n == 0) return first;
  while (n > 1) {
    const std::int64_t pairs = n / 2;
    ArrayList both;
    for (std::int64_t which : {0, 1})
      for (const Array& x : arrays) both.push_back(part(x, which, which + 2 * pairs - 1, 2));
    ArrayList next = body.apply(both);
    if (n % 2)
      for (std::size_t k = 0; k < next.size(); ++k) {
        const Array ends[] = {next[k], part(arrays[k], n - 1, n, 1)};
        next[k] = ops::concatenate(ends, static_cast<int>(kept.size()), site);
      }
    arrays = std::move(next);
    n = pairs + n % 2;
  }
  ArrayList both = first;
  for (const Array& x : arrays) both.push_back(reshaped(x, kept, site));
  return body.apply(both);
}

}  // namespace fluxion::stablehlo
