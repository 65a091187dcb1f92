// How a recipe becomes a program: which functions a step may choose, and what keeps programs
// comparable.
//
// Compiled code and references may differ in the last bit wherever a function is transcendental or
// a sum has another order. A later jump (floor, a comparison, a conversion) would blow that bit up.
// So each value knows whether it is exact, jumps are only taken on exact values, and inexact ones
// stay within [-4, 4].
#include "tests/matrix/random_programs.hpp"

#include "tests/matrix/random_functions.hpp"
#include "tests/matrix/random_loops.hpp"

#include <algorithm>

namespace fluxion::test {
namespace {

struct Value {
  Array array;
  bool exact = true;
};

class Kitchen {
 public:
  Kitchen(std::vector<Value> values, bool smooth) : values_(std::move(values)), smooth_(smooth) {}

  void step(const RecipeStep& words) {
    words_ = words;
    next_ = 0;
    Value made = choose();
    if (made.array.size() > 3000) made = {fluxion::sum(tame(made), 0), false};
    if (!made.exact) made.array = bounded(made.array);
    values_.push_back(made);
  }
  const std::vector<Value>& values() const { return values_; }

 private:
  std::uint32_t word() { return words_[next_++ % words_.size()] >> (next_ / words_.size()); }
  int below(int n) { return static_cast<int>(word() % static_cast<std::uint32_t>(n)); }
  /// Late values more often, so that chains grow.
  const Value& any() {
    const int n = static_cast<int>(values_.size()), a = below(n), b = below(n);
    return values_[static_cast<std::size_t>(std::max(a, b))];
  }
  static bool narrow(const Array& x) { return x.dtype() == float16 || x.dtype() == bfloat16; }
  static bool floating(const Array& x) { return is_floating(x.dtype()); }

  Array bounded(const Array& x) {
    if (!floating(x)) return x;
    return smooth_ ? fluxion::tanh(x) : fluxion::clip(x, -4, 4);
  }
  /// Of moderate size, for functions whose error grows with their operand's.
  Array tame(const Value& v) { return v.exact ? bounded(v.array) : v.array; }
  /// A value with x's type, if there is one soon.
  Value like(const Value& x) {
    for (const Value& v : values_)
      if (v.array.dtype() == x.array.dtype() && v.array.shape() == x.array.shape() && word() % 2)
        return v;
    return {x.array.ndim() ? fluxion::flip(x.array, 0) : x.array, x.exact};
  }
  /// Exact integers as positions, in and out of range.
  Array positions() {
    for (auto v = values_.rbegin(); v != values_.rend(); ++v)
      if (v->exact && v->array.dtype() == int32 && v->array.size() <= 12 && v->array.ndim() <= 2)
        return v->array;
    return fluxion::arange(5, int32) * 2 - 3;
  }

  /// Of literals: an array would be one more input of the program.
  Array key() { return fluxion::stack({Array(word() % 8u), Array(word() % 5u)}); }

  Value choose() {
    const Value x = any();
    const int kind = below(16);
    if (x.array.ndim() > 0 && kind < 6) return moved(x);
    if (kind < 8 && x.array.ndim() > 0) return combined(x);
    if (kind < 11) {
      const int inner = below(3);
      return inner == 0 ? nested(x) : inner == 1 ? looped(x) : ruled(x);
    }
    if (x.array.ndim() == 0 && kind == 11)
      return {fluxion::broadcast_to(x.array, {2 + below(3), 1 + below(5)}), x.exact};
    if (x.array.dtype() == bool_) return logical(x);
    if (!floating(x.array)) return integral(x);
    return x.exact && !smooth_ && word() % 2 ? exact(x) : rounded(x);
  }

  Value logical(const Value& x) {
    const Value y = like(x);
    switch (below(4)) {
      case 0:
        return {x.array ^ y.array};
      case 1:
        return {fluxion::logical_not(x.array)};
      case 2:
        return {x.array & y.array};
      default:
        return {x.array.astype(below(2) ? float32 : int32)};
    }
  }

  Value integral(const Value& x) {
    const Value y = like(x);
    const Array &a = x.array, &b = y.array;
    switch (below(14)) {
      case 0:
        return {a + b};
      case 1:
        return {a * b};
      case 2:
        return {a / b};
      case 3:
        return {a % b};
      case 4:
        return {a & b};
      case 5:
        return {a << (b & 7)};
      case 6:
        return {a >> b};
      case 7:
        return {fluxion::lax::clz(a) ^ fluxion::lax::population_count(b)};
      case 8:
        return {a < b};
      case 9:
        return {fluxion::where(a < b, a, b - 1)};
      case 10:
        return {fluxion::clip(a, 1, 5)};
      case 11:
        return {a.astype(smooth_ ? float64 : below(2) ? float32 : float64)};
      case 12:
        return {fluxion::random::bits(key(), a.shape()).astype(a.dtype())};
      default:
        return {fluxion::maximum(a, -b)};
    }
  }

  /// Functions that every processor computes alike.
  Value exact(const Value& x) {
    const Value y = like(x);
    const Array &a = x.array, &b = y.array;
    if (!y.exact) return rounded(x);
    switch (below(14)) {
      case 0:
        return {a + b};
      case 1:
        return {a * b};
      case 2:
        return {a / b};
      case 3:
        return {fluxion::sqrt(a)};
      case 4:
        return {fluxion::floor(a)};
      case 5:
        return {fluxion::sign(a) - fluxion::round(b)};
      case 6:
        return {a < b};
      case 7:
        return {fluxion::where(a >= b, a, -b)};
      case 8:
        return {fluxion::fmod(a, b)};
      case 9:
        return {fluxion::isfinite(a)};
      case 10:
        return {fluxion::clip(a, -3, 3).astype(int32)};
      case 11:
        // Tangents that pass through fewer bits would be rounded there.
        return {fluxion::stop_gradient(a.astype(below(2) ? float32 : float64))};
      case 12:
        return {fluxion::maximum(a, fluxion::abs(b))};
      default:
        return {a - 0.5};
    }
  }

  /// Functions whose last bit depends on how they are computed.
  Value rounded(const Value& x) {
    if (narrow(x.array)) return {x.exact ? -x.array : fluxion::abs(x.array), x.exact};
    return {smooth_ ? smooth(tame(x), tame(like(x))) : cornered(tame(x), tame(like(x))), false};
  }
  Array cornered(const Array& a, const Array& b) {
    switch (below(5)) {
      case 0:
        return fluxion::maximum(a, b) - 0.25;
      case 1:
        return fluxion::abs(a) - fluxion::minimum(a, b);
      case 2:
        return fluxion::relu(a) * b;
      case 3:
        return fluxion::where(
            a.shape() == b.shape() && a.ndim() ? fluxion::lax::iota(int32, a.shape()) < 2 : true,
            a,
            b);
      default:
        return smooth(a, b);
    }
  }
  Array smooth(const Array& a, const Array& b) {
    switch (below(18)) {
      case 0:
        return a + 0.5 * b;
      case 1:
        return a * b;
      case 2:
        return a / (1.5 + b * b);
      case 3:
        return fluxion::exp(0.5 * a);
      case 4:
        return fluxion::log(1.5 + a * a);
      case 5:
        return fluxion::sin(a) - fluxion::cos(b);
      case 6:
        return fluxion::sqrt(1 + a * a);
      case 7:
        return fluxion::rsqrt(1 + a * a);
      case 8:
        return fluxion::sigmoid(a);
      case 9:
        return fluxion::erf(a) - fluxion::erfc(b);
      case 10:
        return fluxion::power(1.5 + a * a, 0.25 * b);
      case 11:
        return fluxion::expm1(0.25 * a) + fluxion::log1p(b * b);
      case 12:
        return fluxion::atan2(a, 1.5 + b * b);
      case 13:
        return fluxion::logaddexp(a, b);
      case 14:
        return fluxion::tan(0.25 * a);
      case 15:
        return fluxion::gelu(a);
      case 16:
        return smooth_ ? a * b - a : fluxion::stop_gradient(b) * a;
      default:
        return fluxion::tanh(a);
    }
  }

  Value moved(const Value& x) {
    const Array& a = x.array;
    const int axis = below(a.ndim());
    const std::int64_t n = a.shape()[static_cast<std::size_t>(axis)];
    switch (below(14)) {
      case 0:
        return {fluxion::transpose(a), x.exact};
      case 1:
        return {fluxion::flip(a, axis), x.exact};
      case 2:
        return {a.flatten(), x.exact};
      case 3:
        return beside(x, axis);
      case 4:
        return {fluxion::roll(a, below(4), axis), x.exact};
      case 5:
        return {fluxion::swapaxes(a, axis, 0)[{fluxion::slice(below(2), {}, 1 + below(2))}],
                x.exact};
      case 6:
        return {padded(a), x.exact};
      case 7:
        return {fluxion::expand_dims(a.ndim() < 4 ? a : a.flatten(), 0), x.exact};
      case 8:
        return {n > 0 ? fluxion::take(a, positions(), axis) : a, x.exact};
      case 9:
        return {fluxion::repeat(a, 2, axis), x.exact};
      case 10:
        return {a.ndim() >= 2 ? fluxion::tril(a, below(3) - 1) : a, x.exact};
      case 11:
        return {fluxion::concatenate({a, a}, axis), x.exact};
      case 12:
        return {a.reshape(n % 2 == 0 && a.ndim() == 1 ? Shape{2, n / 2} : Shape{a.size(), 1}),
                x.exact};
      default:
        return {n > 0 ? started(a) : a, x.exact};
    }
  }
  Value beside(const Value& x, int axis) {
    if (x.array.ndim() > 3) return x;
    const Value y = like(x);
    const bool both = x.exact && y.exact;
    if (both || narrow(x.array)) return {fluxion::stack({x.array, y.array}, axis), both};
    return {fluxion::stack({tame(x), tame(y)}, axis), false};
  }
  Array padded(const Array& a) {
    std::vector<fluxion::lax::PadWidth> widths;
    for (std::int64_t n : a.shape())
      widths.push_back({below(3) - (n > 0), below(3) - (n > 1), below(2)});
    return fluxion::lax::pad(
        a, a.dtype() == bool_ ? Array(false) : Array(1).astype(a.dtype()), widths);
  }
  Array started(const Array& a) {
    std::vector<Array> start;
    Shape sizes;
    for (std::int64_t n : a.shape()) {
      start.push_back(
          fluxion::min(fluxion::concatenate({positions().flatten(), fluxion::arange(2, int32)})));
      sizes.push_back((n + 1) / 2);
    }
    return fluxion::lax::dynamic_slice(a, start, sizes);
  }

  /// Reductions, products, windows, gathers and scatters.
  Value combined(const Value& x) {
    const Array& a = x.array;
    const int axis = below(a.ndim());
    const bool some = a.size() > 0;
    if (!floating(a)) return counted(x, axis);
    if (narrow(a)) return {some ? fluxion::max(a, axis) : a, x.exact};
    const Array t = tame(x);
    switch (below(12)) {
      case 0:
        return {fluxion::sum(t, axis), false};
      case 1:
        return {some ? fluxion::mean(t, axis, true) : t, false};
      case 2:
        return {some && !smooth_ ? fluxion::max(t, axis) : fluxion::logsumexp(t, axis), false};
      case 3:
        return {fluxion::softmax(t, axis), false};
      case 4:
        return {fluxion::matmul(t.reshape({1, t.size()}), tame(like(x)).reshape({t.size(), 1})),
                false};
      case 5:
        return {a.ndim() >= 2 ? fluxion::matmul(t, fluxion::swapaxes(tame(like(x)), -1, -2))
                              : fluxion::outer(t, t),
                false};
      case 6:
        return {fluxion::cumsum(t, axis, below(2)), false};
      case 7:
        return {some && a.ndim() >= 2 && !smooth_
                    ? fluxion::max_pool(t, {2, 2}, {1, 1}, {{1, 0}, {0, 1}})
                    : fluxion::prod(t, axis),
                false};
      case 8:
        return scattered(x);
      case 9:
        return {x.exact && some && !smooth_ ? fluxion::argmax(a, axis) : t,
                x.exact && some && !smooth_};
      case 10:
        return {correlated(t), false};
      default:
        return {some ? fluxion::var(t, axis) : t, false};
    }
  }
  Value counted(const Value& x, int axis) {
    const Array& a = x.array;
    if (a.dtype() == bool_) return {below(2) ? fluxion::any(a, axis) : fluxion::all(a, axis)};
    switch (below(5)) {
      case 0:
        return {fluxion::sum(a, axis)};
      case 1:
        return {a.size() ? fluxion::max(a, axis) : a};
      case 2:
        return {a.size() ? fluxion::argmin(a, axis) : a};
      case 3:
        return {fluxion::cumsum(a, axis)};
      default:
        return scattered(x);
    }
  }
  /// Rows updated at positions that repeat and lie outside.
  Value scattered(const Value& x) {
    const Array& a = x.array;
    if (a.size() == 0) return x;
    const Array rows = positions().flatten();
    const Array updates = fluxion::take(a, fluxion::flip(rows), 0);
    const bool adds = below(2);
    if (!adds) return {a.at(rows).set(updates), x.exact};
    const bool whole = !floating(a);
    if (narrow(a)) return {a.at(rows).max(updates), x.exact};
    const Array t = whole ? a : tame(x);
    return {t.at(rows).add(fluxion::take(t, fluxion::flip(rows), 0)), whole};
  }
  Array correlated(const Array& t) {
    const std::int64_t n = t.size();
    if (n < 3) return t;
    const Array kernel = t.flatten()[fluxion::slice(0, 3)];
    return fluxion::lax::conv_general_dilated(
               t.reshape({1, 1, n}),
               kernel.reshape({1, 1, 3}),
               {.strides = {1 + below(2)}, .padding = fluxion::lax::same})
        .flatten();
  }

  /// A small program inside, transformed; it also reads a value from outside.
  Value nested(const Value& x) {
    const Array& a = x.array;
    if (narrow(a) || !floating(a)) {
      const auto inside = [](const Array& y) { return fluxion::where(y == y, y, y * 2); };
      if (a.dtype() == bool_) return {fluxion::jit([](const Array& y) { return !y; })(a)};
      return {a.ndim() == 0 || below(2) ? fluxion::jit(inside)(a) : fluxion::vmap(inside)(a),
              x.exact};
    }
    const Array t = tame(x), outside = tame(like(x));
    const std::uint32_t first = word(), second = word();
    const auto inside = [this, first, second, outside](const Array& y) {
      const Array z = smooth_function(first, y);
      return smooth_function(second, z + 0.25 * fluxion::sum(outside) / (1 + outside.size()));
    };
    const auto scalar = [inside](const Array& y) { return fluxion::sum(inside(y)); };
    switch (below(7)) {
      case 0:
        return {fluxion::jit(inside)(t), false};
      case 1:
        return {fluxion::grad(scalar)(t), false};
      case 2:
        return {fluxion::jvp(inside, t, outside.shape() == t.shape() ? outside : t).second, false};
      case 3:
        return {t.ndim() && t.size() ? fluxion::vmap(fluxion::grad(scalar))(t) : t, false};
      case 4:
        return {fluxion::jit(fluxion::grad(scalar))(t), false};
      case 5:
        return {fluxion::grad([scalar](const Array& y) {
                  return fluxion::sum(0.5 * fluxion::grad(scalar)(y));
                })(t),
                false};
      default:
        return {t.ndim() ? fluxion::vmap(fluxion::jit(inside))(t) : fluxion::jit(inside)(t), false};
    }
  }
  /// A loop or a branch, which also reads a value from outside.
  Value looped(const Value& x) {
    if (!floating(x.array) || narrow(x.array)) return nested(x);
    const Array flag =
        fluxion::min(fluxion::concatenate({positions().flatten(), fluxion::arange(3, 4, int32)}));
    const std::uint32_t choice = word(), first = word();
    return {random_loop(choice, first, tame(x), tame(like(x)), flag), false};
  }

  /// A function with a rule of its own, of matrices, or of complex numbers.
  Value ruled(const Value& x) {
    if (!floating(x.array) || narrow(x.array)) return nested(x);
    const std::uint32_t choice = word(), first = word();
    return {random_function(choice, first, tame(x), tame(like(x))), false};
  }

  std::vector<Value> values_;
  RecipeStep words_{};
  std::size_t next_ = 0;
  bool smooth_;
};

}  // namespace

GraphRef cook(const Recipe& recipe) {
  return program(recipe.inputs, [&](const ArrayList& inputs) {
    std::vector<Value> values;
    for (const Array& input : inputs) values.push_back({input, true});
    Kitchen kitchen(values, recipe.smooth);
    for (const RecipeStep& step : recipe.steps) kitchen.step(step);
    const std::vector<Value>& all = kitchen.values();
    ArrayList outputs = {all.back().array};
    for (std::size_t k = all.size() - 1; k-- > inputs.size();)
      if (recipe.steps[k - inputs.size()][7] % 3 == 0) outputs.push_back(all[k].array);
    return outputs;
  });
}

}  // namespace fluxion::test
