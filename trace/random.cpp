// Threefry keys, and numbers made of their bits by the rules of jax.random with
// jax_threefry_partitionable.
#include "fluxion/random.hpp"

#include "trace/composed/common.hpp"

#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace fluxion::random {
namespace {

using namespace composed;

struct Words {
  Array high, low;  // uint32
};

/// The two words of a key. Error `key`.
Words words_of(std::string_view who, const Operand& key) {
  const Array k = array_of(key);
  if (!(type_of(k) == Spec{{2}, uint32}))
    fail("key",
         key.site(),
         fmt::format("{}: a key is u32[2], this is {}", who, to_string(type_of(k))),
         {},
         "make one with fx::random::key(seed); for an array of keys use fx::vmap");
  const auto word = [&](std::int64_t at) {
    return ops::reshape(slice_axis(k, 0, at, at + 1, 1, key.site()), {}, key.site());
  };
  return {word(0), word(1)};
}

/// The generator at 0, 1, 2, ... in row-major order of a shape.
Words generate(const Words& key, const Shape& shape, const Site& site) {
  std::int64_t n = 1;
  for (std::int64_t size : shape) {
    if (size < 0)
      fail(
          "shape", site, fmt::format("random: the shape {} has a negative size", to_string(shape)));
    n *= size;
  }
  const auto spread = [&](const Array& word) {
    return shape.empty() ? word : ops::broadcast_in_dim(word, shape, {}, site);
  };
  const bool wide = n > std::int64_t{std::numeric_limits<std::uint32_t>::max()};
  const Array count = ops::reshape(ops::iota({{n}, wide ? uint64 : uint32}, 0, site), shape, site);
  const Array low = wide ? count.astype(uint32) : count,
              high = wide ? (count >> 32).astype(uint32) : zeros(shape, uint32, site);
  const auto [a, b] = ops::threefry2x32(spread(key.high), spread(key.low), high, low, site);
  return {a, b};
}

DType unsigned_of(int width) {
  return width == 8 ? uint8 : width == 16 ? uint16 : width == 32 ? uint32 : uint64;
}

Array bits_of(const Words& key, const Shape& shape, int width, const Site& site) {
  const Words w = generate(key, shape, site);
  if (width == 64) return (w.high.astype(uint64) << 32) | w.low.astype(uint64);
  const Array mixed = w.high ^ w.low;
  return width == 32 ? mixed : mixed.astype(unsigned_of(width));
}

struct FloatLayout {
  int bits, mantissa;
  std::uint64_t one;  // the bits of 1.0
  double tiny, epsilon;
};
FloatLayout layout_of(std::string_view who, DType d, const Site& site) {
  switch (d) {
    case float16:
      return {16, 10, 0x3c00, 0x1p-14, 0x1p-10};
    case bfloat16:
      return {16, 7, 0x3f80, 0x1p-126, 0x1p-7};
    case float32:
      return {32, 23, 0x3f800000, 0x1p-126, 0x1p-23};
    case float64:
      return {64, 52, 0x3ff0000000000000, 0x1p-1022, 0x1p-52};
    default:
      fail("dtype",
           site,
           fmt::format("{}: {} is no floating type", who, to_string(d)),
           {},
           "fx::float32, fx::float64, fx::float16 or fx::bfloat16");
  }
}

/// Uniform on [0, 1): random mantissas under the exponent of 1, less 1.
Array unit(std::string_view who, const Operand& key, const Shape& shape, DType d) {
  const Site& site = key.site();
  const FloatLayout f = layout_of(who, d, site);
  const int random_bits = f.mantissa < 8 ? 8 : f.bits;
  const DType word = unsigned_of(f.bits);
  const Array drawn = bits_of(words_of(who, key), shape, random_bits, site).astype(word);
  const Array mantissa =
      (drawn >> (random_bits - f.mantissa)) | detail::make_scalar_as(Scalar(f.one), word, site);
  return lax::bitcast_convert_type(mantissa, d) - 1;
}

/// x y + z rounded once, for 32 and 64 bits: what XLA's processors make of a product and a sum.
Array fused(const Array& x, const Array& y, const Array& z) {
  if (type_of(y).dtype == float32)
    return (x.astype(float64) * y.astype(float64) + z.astype(float64)).astype(float32);
  // Dekker and Knuth: the rounding errors of the product and of the sum, exactly
  const auto upper = [](const Array& v) {
    const Array scaled = v * 134217729.0;
    return scaled - (scaled - v);
  };
  const Array p = x * y, x1 = upper(x), x2 = x - x1, y1 = upper(y), y2 = y - y1;
  const Array product_error = ((x1 * y1 - p) + x1 * y2 + x2 * y1) + x2 * y2;
  const Array s = p + z, z1 = s - p, sum_error = (p - (s - z1)) + (z - z1);
  return s + (sum_error + product_error);
}

/// Whether u * (high - low) is exact for every mantissa u.
bool exact_span(double low, double high, DType d) {
  int exponent = 0;
  const double span =
      d == float64 ? high - low : static_cast<float>(high) - static_cast<float>(low);
  return std::frexp(span, &exponent) == 0.5;
}

/// Uniform on [low, high), which broadcast to the shape and have the dtype.
Array between(std::string_view who,
              const Operand& key,
              const Shape& shape,
              const Array& low,
              const Array& high,
              bool exact = false) {
  const DType d = type_of(low).dtype;
  const Array u = unit(who, key, shape, d), span = high - low;
  const Array scaled = exact || size_of(d) == 2 ? u * span + low : fused(u, span, low);
  return maximum(broadcast(who, low, shape, key.site()), scaled);
}
Array between(std::string_view who,
              const Operand& key,
              const Shape& shape,
              double low,
              double high,
              DType d) {
  (void)layout_of(who, d, key.site());
  return between(who,
                 key,
                 shape,
                 literal(low, d, key.site()),
                 literal(high, d, key.site()),
                 exact_span(low, high, d));
}

/// The number next to -1 on the way to 0.
double after_minus_one(const FloatLayout& f) { return -1 + f.epsilon / 2; }

/// The next number up (or down): bits of one sign are ordered as integers.
Array next_number(const Array& x, bool up, const Site& site) {
  const DType d = type_of(x).dtype;
  const FloatLayout f = layout_of("truncated_normal", d, site);
  const DType word = f.bits == 16 ? int16 : f.bits == 32 ? int32 : int64;
  const Array bits = lax::bitcast_convert_type(x, word), away = (x > 0) == up;
  const Array moved = lax::bitcast_convert_type(where(away, bits + 1, bits - 1), d);
  const double smallest = std::ldexp(f.tiny, -f.mantissa);
  const Array at_limit = isnan(x) | (x == (up ? INFINITY : -INFINITY));
  return where(at_limit, x, where(x == 0, up ? smallest : -smallest, moved));
}

/// Bounds of integers in another dtype, moved to its ends.
Array clipped_to(const Array& x, DType d, const Site& site) {
  if (type_of(x).dtype == d) return x;
  const int bits = static_cast<int>(size_of(d)) * 8;
  const std::uint64_t ones = ~std::uint64_t{0} >> (64 - bits),
                      most = is_unsigned(d) ? ones : ones >> 1;
  const DType from = type_of(x).dtype;
  const int from_bits = static_cast<int>(size_of(from)) * 8;
  const std::uint64_t from_most = is_unsigned(from) ? ~std::uint64_t{0} >> (64 - from_bits)
                                                    : (~std::uint64_t{0} >> (64 - from_bits)) >> 1;
  const Array top = detail::make_scalar_as(Scalar(std::min(most, from_most)), from, site);
  const std::int64_t least = is_unsigned(d) || is_unsigned(from)
                                 ? 0
                                 : -static_cast<std::int64_t>(std::min(most, from_most)) - 1;
  return clip(x, detail::make_scalar_as(Scalar(least), from, site), top).astype(d);
}

Array integer_bound(std::string_view what, const Operand& bound, DType d) {
  const DType given = composed::dtype_of(bound);
  if (is_integer(given))
    return bound.weak()
               ? detail::make_scalar_as(bound.number(),
                                        size_of(given) == 8 ? given : promote(given, int32),
                                        bound.site())
               : array_of(bound);
  if (is_floating(given) || given == bool_) return as(bound, int32, "randint");
  fail("dtype",
       bound.site(),
       fmt::format("randint: the {} bound is {}; it takes integers", what, to_string(given)),
       {fmt::format("for {}", to_string(d))});
}

}  // namespace

Array key(std::uint64_t seed, Site site) {
  const std::uint32_t words[2] = {static_cast<std::uint32_t>(seed >> 32),
                                  static_cast<std::uint32_t>(seed)};
  return detail::make_array(words, {2}, uint32, site);
}

Array split(const Operand& key, std::int64_t count) {
  SiteScope here(key.site());
  const Words w = generate(words_of("split", key), {count}, key.site());
  return stack({w.high, w.low}, 1);
}

Array fold_in(const Operand& key, const Operand& data) {
  SiteScope here(key.site());
  const DType given = composed::dtype_of(data);
  if (!is_integer(given))
    fail("dtype",
         data.site(),
         fmt::format("fold_in: it takes an integer, this is {}", to_string(given)));
  const Array number = data.weak() ? detail::make_scalar_as(data.number(), uint32, data.site())
                                   : array_of(data).astype(uint32);
  if (rank_of(number))
    fail("shape",
         data.site(),
         fmt::format("fold_in: it takes one integer, this is {}", to_string(type_of(number))),
         {},
         "for several use fx::vmap");
  const Words k = words_of("fold_in", key);
  const auto [a, b] =
      ops::threefry2x32(k.high, k.low, literal(0, uint32, key.site()), number, key.site());
  return stack({a, b}, 0);
}

Array bits(const Operand& key, const Shape& shape, DType d) {
  SiteScope here(key.site());
  if (!is_unsigned(d))
    fail("dtype",
         key.site(),
         fmt::format("bits: {} holds no plain bits", to_string(d)),
         {},
         "fx::uint8, fx::uint16, fx::uint32 or fx::uint64");
  return bits_of(words_of("bits", key), shape, static_cast<int>(size_of(d)) * 8, key.site());
}

Array uniform(
    const Operand& key, const Shape& shape, const Operand& low, const Operand& high, DType d) {
  SiteScope here(key.site());
  (void)layout_of("uniform", d, key.site());
  const bool numbers = low.weak() && high.weak();
  if (numbers && low.number().real == 0 && high.number().real == 1)
    return unit("uniform", key, shape, d);
  return between("uniform",
                 key,
                 shape,
                 as(low, d, "uniform"),
                 as(high, d, "uniform"),
                 numbers && exact_span(low.number().real, high.number().real, d));
}

Array uniform(const Operand& key, const Shape& shape, DType d) {
  SiteScope here(key.site());
  return unit("uniform", key, shape, d);
}

// Twice the bits of the dtype, modulo the span: (2^bits high + low) mod span.
Array randint(
    const Operand& key, const Shape& shape, const Operand& low, const Operand& high, DType d) {
  SiteScope here(key.site());
  const Site& site = key.site();
  if (!is_integer(d))
    fail("dtype", site, fmt::format("randint: {} is no integer type", to_string(d)));
  const int width = static_cast<int>(size_of(d)) * 8;
  if (width < 32) {  // drawn in 32 bits, where the remainder of so few numbers is hardly uneven
    const std::int32_t most = static_cast<std::int32_t>(
                           (std::uint32_t{0xffffffff} >> (32 - width)) >> !is_unsigned(d)),
                       least = is_unsigned(d) ? 0 : -most - 1;
    const Array from = clip(integer_bound("low", low, int32).astype(int32), least, most),
                to = clip(integer_bound("high", high, int32).astype(int32), least, most + 1);
    return randint(key, shape, from, to, int32).astype(d);
  }
  const DType word = unsigned_of(width);
  const Array from = integer_bound("low", low, d), to = integer_bound("high", high, d);
  const Array lowest = clipped_to(from, d, site), limit = clipped_to(to, d, site);
  // a limit beyond the dtype's largest number stands for one more than that
  const DType given = type_of(to).dtype;
  const std::uint64_t most = (~std::uint64_t{0} >> (64 - width)) >> !is_unsigned(d);
  const Array beyond = to > clipped_to(detail::make_scalar_as(Scalar(most), d, site), given, site);
  const Array forward = limit > lowest, distance = (limit - lowest).astype(word);
  const Array one = literal(1, word, site);
  const Array span = where(forward, where(beyond, distance + one, distance), one);
  const Array keys = random::split(key, std::int64_t{2});
  const auto draw = [&](std::int64_t k) {
    return bits_of(words_of("randint", keys[k]), shape, width, site);
  };
  const auto spread = [&](const Array& x) { return broadcast("randint", x, shape, site); };
  const Array half =
      detail::make_scalar_as(Scalar(std::uint64_t{1} << (width / 2)), word, site) % span;
  const Array multiplier = spread((half * half) % span), over = spread(span);
  const Array offset = ((draw(0) % over) * multiplier + draw(1) % over) % over;
  return spread(lowest) + offset.astype(d);
}

Array normal(const Operand& key, const Shape& shape, DType d) {
  SiteScope here(key.site());
  const FloatLayout f = layout_of("normal", d, key.site());
  return erf_inv(between("normal", key, shape, after_minus_one(f), 1, d)) * std::sqrt(2.0);
}

Array truncated_normal(
    const Operand& key, const Operand& low, const Operand& high, const Shape& shape, DType d) {
  SiteScope here(key.site());
  (void)layout_of("truncated_normal", d, key.site());
  const Array a = as(low, d, "truncated_normal"), b = as(high, d, "truncated_normal");
  const double root = std::sqrt(2.0);
  const Array u = between("truncated_normal", key, shape, erf(a / root), erf(b / root));
  return clip(erf_inv(u) * root,
              next_number(stop_gradient(a), true, key.site()),
              next_number(stop_gradient(b), false, key.site()));
}

Array bernoulli(const Operand& key, const Operand& p) {
  return bernoulli(key, p, p.weak() ? Shape() : array_of(p).shape());
}

Array bernoulli(const Operand& key, const Operand& p, const Shape& shape) {
  SiteScope here(key.site());
  const DType d = p.weak() ? float32 : real_dtype(composed::dtype_of(p));
  return unit("bernoulli", key, shape, d) <
         broadcast("bernoulli", as(p, d, "bernoulli"), shape, key.site());
}

Array exponential(const Operand& key, const Shape& shape, DType d) {
  SiteScope here(key.site());
  return -log1p(-unit("exponential", key, shape, d));
}

Array laplace(const Operand& key, const Shape& shape, DType d) {
  SiteScope here(key.site());
  const Array u =
      between("laplace", key, shape, after_minus_one(layout_of("laplace", d, key.site())), 1, d);
  return sign(u) * log1p(-abs(u));
}

Array gumbel(const Operand& key, const Shape& shape, DType d) {
  SiteScope here(key.site());
  return -log(-log(between("gumbel", key, shape, layout_of("gumbel", d, key.site()).tiny, 1, d)));
}

Array logistic(const Operand& key, const Shape& shape, DType d) {
  SiteScope here(key.site());
  const Array u = between("logistic", key, shape, layout_of("logistic", d, key.site()).tiny, 1, d);
  return log(u) - log1p(-u);
}

Array cauchy(const Operand& key, const Shape& shape, DType d) {
  SiteScope here(key.site());
  const Array u = between("cauchy", key, shape, layout_of("cauchy", d, key.site()).epsilon, 1, d);
  return tan((u - 0.5) * M_PI);
}

Array rademacher(const Operand& key, const Shape& shape, DType d) {
  SiteScope here(key.site());
  return (2 * bernoulli(key, 0.5f, shape).astype(arithmetic_dtype(d)) - 1).astype(d);
}

Array categorical(const Operand& key, const Operand& logits, int axis) {
  const Array l = array_of(logits);
  return categorical(
      key,
      logits,
      axis,
      without_axes(shape_of(l), {axis_of("categorical", axis, rank_of(l), logits.site())}));
}

// The largest of logits with Gumbel noise.
Array categorical(const Operand& key, const Operand& logits, int axis, const Shape& shape) {
  SiteScope here(key.site());
  const Array l = real(logits, "categorical");
  const int rank = rank_of(l), k = axis_of("categorical", axis, rank, logits.site());
  const Shape batch = without_axes(shape_of(l), {k});
  bool fits = shape.size() >= batch.size();
  for (std::size_t i = 0; fits && i < batch.size(); ++i) {
    const std::int64_t n = shape[shape.size() - batch.size() + i];
    fits = n == batch[i] || batch[i] == 1;
  }
  if (!fits)
    fail("broadcast",
         key.site(),
         fmt::format(
             "categorical: the shape {} does not end in {}, that of the logits without axis {}",
             to_string(shape),
             to_string(batch),
             k));
  const int place = static_cast<int>(shape.size()) - rank + 1 + k;
  const Array noise =
      gumbel(key, composed::with_axis(shape, place, size_at(l, k)), type_of(l).dtype);
  return argmax(noise + l, place);
}

}  // namespace fluxion::random
