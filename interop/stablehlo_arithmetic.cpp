// StableHLO's elementwise operations: mostly one row of the library's tables each.
#include "fluxion/ops.hpp"
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"

namespace fluxion::stablehlo {
namespace {

template <std::size_t n> struct Word {
  char text[n];
  consteval Word(const char (&given)[n]) { std::copy_n(given, n, text); }
};

template <Word word> ArrayList unary(const Step& s) {
  return {ops::unary(word.text, s.x(0), s.site())};
}
template <Word word> ArrayList binary(const Step& s) {
  return {ops::binary(word.text, s.x(0), s.x(1), s.site())};
}
/// Arithmetic of truth values is that of integers modulo two.
template <Word word, Word of_truth> ArrayList binary_or_logical(const Step& s) {
  return {
      ops::binary(s.type(0).dtype == bool_ ? of_truth.text : word.text, s.x(0), s.x(1), s.site())};
}

ArrayList compare(const Step& s) {
  static constexpr std::pair<std::string_view, ops::Direction> words[] = {
      {"EQ", ops::Direction::eq},
      {"NE", ops::Direction::ne},
      {"LT", ops::Direction::lt},
      {"LE", ops::Direction::le},
      {"GT", ops::Direction::gt},
      {"GE", ops::Direction::ge}};
  const std::string direction = s.word("comparison_direction", 0), kind = s.word("compare_type", 1);
  for (const auto& [word, d] : words)
    if (word == direction) return {ops::compare(d, s.x(0), s.x(1), s.site(), kind == "TOTALORDER")};
  s.complain("a comparison is EQ, NE, LT, LE, GT or GE, not '" + direction + "'");
}

ArrayList select(const Step& s) { return {ops::select(s.x(0), s.x(1), s.x(2), s.site())}; }
ArrayList clamp(const Step& s) { return {ops::clamp(s.x(0), s.x(1), s.x(2), s.site())}; }

ArrayList negate(const Step& s) { return {ops::unary("neg", s.x(0), s.site())}; }

ArrayList convert(const Step& s) { return {ops::convert(s.x(0), s.result().dtype, s.site())}; }

DType bits_type(std::size_t bytes) {
  return bytes == 1 ? uint8 : bytes == 2 ? uint16 : bytes == 4 ? uint32 : uint64;
}

/// Widths that differ: a wider element is a new last axis of narrower ones, the lowest bits first.
ArrayList bitcast(const Step& s) {
  const DType from = s.type(0).dtype, to = s.result().dtype;
  const std::size_t a = size_of(from), b = size_of(to);
  const Site& site = s.site();
  if (a == b) return {ops::bitcast(s.x(0), to, site)};
  if (a > 8 || b > 8 || is_complex(from) || is_complex(to) || from == bool_ || to == bool_)
    s.complain("bits of " + std::string(element_word(from)) + " as " +
               std::string(element_word(to)));
  Shape shape = s.type(0).shape;
  if (a > b) {
    const Array bits =
        converted(from == bits_type(a) ? s.x(0) : ops::bitcast(s.x(0), bits_type(a), site),
                  bits_type(a),
                  site);
    shape.push_back(1);
    ArrayList parts;
    for (std::size_t k = 0; k < a / b; ++k) {
      const Array low = ops::binary(
          "shift_right_logical", bits, number(bits, static_cast<double>(8 * b * k), site), site);
      parts.push_back(ops::reshape(converted(low, bits_type(b), site), shape, site));
    }
    const Array joined = ops::concatenate(parts, static_cast<int>(shape.size()) - 1, site);
    return {to == bits_type(b) ? joined : ops::bitcast(joined, to, site)};
  }
  const std::int64_t n = static_cast<std::int64_t>(b / a);
  if (shape.empty() || shape[shape.size() - 1] != n)
    s.complain("bits of " + type_text(s.type(0)) + " as " + std::string(element_word(to)) +
               ": the last axis must have " + std::to_string(n) + " elements");
  Shape outer(std::span(shape.data(), shape.size() - 1));
  const Array bits = from == bits_type(a) ? s.x(0) : ops::bitcast(s.x(0), bits_type(a), site);
  Array sum;
  for (std::int64_t k = 0; k < n; ++k) {
    std::vector<std::int64_t> start(shape.size(), 0), stop(shape.begin(), shape.end());
    start.back() = k;
    stop.back() = k + 1;
    const Array part = converted(
        ops::reshape(
            ops::slice(bits, start, stop, std::vector<std::int64_t>(shape.size(), 1), site),
            outer,
            site),
        bits_type(b),
        site);
    const Array placed =
        ops::binary("shift_left",
                    part,
                    number(part, static_cast<double>(8 * a) * static_cast<double>(k), site),
                    site);
    sum = defined(sum) ? ops::binary("or", sum, placed, site) : placed;
  }
  return {to == bits_type(b) ? sum : ops::bitcast(sum, to, site)};
}

/// Real numbers are their own real parts.
template <Word word> ArrayList part(const Step& s) {
  if (is_complex(s.type(0).dtype)) return unary<word>(s);
  const bool whole = std::string_view(word.text) == "real";
  return {whole ? s.x(0) : number(s.x(0), 0, s.site())};
}

ArrayList not_(const Step& s) { return {ops::unary("not", s.x(0), s.site())}; }

Rows rows() {
  static constexpr Row table[] = {
      {"stablehlo.abs", 1, 1, 0, unary<"abs">},
      {"stablehlo.negate", 1, 1, 0, negate},
      {"stablehlo.sign", 1, 1, 0, unary<"sign">},
      {"stablehlo.floor", 1, 1, 0, unary<"floor">},
      {"stablehlo.ceil", 1, 1, 0, unary<"ceil">},
      {"stablehlo.round_nearest_even", 1, 1, 0, unary<"round_even">},
      {"stablehlo.round_nearest_afz", 1, 1, 0, unary<"round">},
      {"stablehlo.exponential", 1, 1, 0, unary<"exp">},
      {"stablehlo.exponential_minus_one", 1, 1, 0, unary<"expm1">},
      {"stablehlo.log", 1, 1, 0, unary<"log">},
      {"stablehlo.log_plus_one", 1, 1, 0, unary<"log1p">},
      {"stablehlo.sine", 1, 1, 0, unary<"sin">},
      {"stablehlo.cosine", 1, 1, 0, unary<"cos">},
      {"stablehlo.tan", 1, 1, 0, unary<"tan">},
      {"stablehlo.tanh", 1, 1, 0, unary<"tanh">},
      {"stablehlo.sqrt", 1, 1, 0, unary<"sqrt">},
      {"stablehlo.rsqrt", 1, 1, 0, unary<"rsqrt">},
      {"stablehlo.logistic", 1, 1, 0, unary<"logistic">},
      {"stablehlo.is_finite", 1, 1, 0, unary<"is_finite">},
      {"stablehlo.not", 1, 1, 0, not_},
      {"stablehlo.popcnt", 1, 1, 0, unary<"population_count">},
      {"stablehlo.count_leading_zeros", 1, 1, 0, unary<"clz">},
      {"stablehlo.add", 2, 1, 0, binary_or_logical<"add", "or">},
      {"stablehlo.subtract", 2, 1, 0, binary<"sub">},
      {"stablehlo.multiply", 2, 1, 0, binary_or_logical<"mul", "and">},
      {"stablehlo.divide", 2, 1, 0, binary<"div">},
      {"stablehlo.remainder", 2, 1, 0, binary<"rem">},
      {"stablehlo.power", 2, 1, 0, binary<"pow">},
      {"stablehlo.atan2", 2, 1, 0, binary<"atan2">},
      {"stablehlo.maximum", 2, 1, 0, binary_or_logical<"max", "or">},
      {"stablehlo.minimum", 2, 1, 0, binary_or_logical<"min", "and">},
      {"stablehlo.and", 2, 1, 0, binary<"and">},
      {"stablehlo.or", 2, 1, 0, binary<"or">},
      {"stablehlo.xor", 2, 1, 0, binary<"xor">},
      {"stablehlo.shift_left", 2, 1, 0, binary<"shift_left">},
      {"stablehlo.shift_right_logical", 2, 1, 0, binary<"shift_right_logical">},
      {"stablehlo.shift_right_arithmetic", 2, 1, 0, binary<"shift_right_arithmetic">},
      {"stablehlo.compare", 2, 1, 0, compare},
      {"stablehlo.select", 3, 1, 0, select},
      {"stablehlo.clamp", 3, 1, 0, clamp},
      {"stablehlo.real", 1, 1, 0, part<"real">},
      {"stablehlo.imag", 1, 1, 0, part<"imag">},
      {"stablehlo.complex", 2, 1, 0, binary<"complex">},
      {"stablehlo.convert", 1, 1, 0, convert},
      {"stablehlo.bitcast_convert", 1, 1, 0, bitcast},
  };
  return table;
}

}  // namespace

Rows arithmetic_rows() { return rows(); }

}  // namespace fluxion::stablehlo
