// Which loops a random program may have.
#include "tests/matrix/random_loops.hpp"

namespace fluxion::test {
namespace {

/// One number of moderate size that depends on all elements.
Array summary(const Array& x) { return x.size() ? fluxion::mean(x) : fluxion::sum(x); }

Array over_rows(std::uint32_t word, const Array& x, const Array& outside) {
  const auto step = [&](Array c, Array row) {
    Array next = smooth_function(word, 0.5 * c + summary(row)) - 0.125 * summary(outside);
    return std::pair{next, row * next};
  };
  auto [last, rows] =
      fluxion::scan(step,
                    summary(outside),
                    x,
                    {.reverse = word % 2 == 0, .unroll = 1 + static_cast<int>(word / 2 % 3)});
  return rows - 0.5 * last;
}

Array counted(std::uint32_t word, const Array& x, const Array& outside) {
  return fluxion::fori_loop(
      1,
      2 + static_cast<int>(word % 4),
      [&](Array i, Array c) {
        return smooth_function(word, c) + 0.25 * summary(outside) / i.astype(x.dtype());
      },
      x);
}

Array branches(std::uint32_t word, const Array& x, const Array& outside, const Array& flag) {
  return fluxion::cond(
      flag > 1,
      [&](Array y) { return smooth_function(word, y) * summary(outside); },
      [&](Array y) { return smooth_function(word + 1, y + summary(outside)); },
      x);
}

Array bounded(std::uint32_t word, const Array& x, const Array& outside, const Array& flag) {
  struct State {
    Array steps, value;
  };
  return fluxion::bounded_while_loop(
             [&](State s) { return s.steps < flag; },
             [&](State s) {
               return State{s.steps + 1, smooth_function(word, s.value) - 0.25 * summary(outside)};
             },
             State{Array(0), x},
             4)
      .value;
}

/// A table that is filled from its own entries.
Array table(std::uint32_t word, const Array& x) {
  const Array flat = x.flatten();
  const int n = static_cast<int>(flat.size());
  if (n < 2 || n > 40) return smooth_function(word, x);
  return fluxion::fori_loop(
             1,
             n,
             [&](Array i, Array t) {
               return t.at({i}).set(smooth_function(word, t[i - 1] * 0.5 + flat[i]));
             },
             flat)
      .reshape(x.shape());
}

}  // namespace

Array smooth_function(std::uint32_t word, const Array& y) {
  switch (word % 6) {
    case 0:
      return fluxion::sin(y);
    case 1:
      return fluxion::tanh(y) * y;
    case 2:
      return fluxion::exp(0.25 * fluxion::tanh(y));
    case 3:
      return fluxion::sigmoid(y) - 0.5 * y;
    case 4:
      return y / fluxion::sqrt(1 + y * y);
    default:
      return fluxion::log(2 + fluxion::cos(y));
  }
}

Array random_loop(std::uint32_t choice,
                  std::uint32_t word,
                  const Array& x,
                  const Array& outside,
                  const Array& flag) {
  const bool rows = x.ndim() > 0 && x.shape()[0] > 0;
  switch (choice % 10) {
    case 0:
      return rows ? over_rows(word, x, outside) : counted(word, x, outside);
    case 1:
      return counted(word, x, outside);
    case 2:
      return branches(word, x, outside, flag);
    case 3:
      return bounded(word, x, outside, flag);
    case 4:
      return table(word, x);
    case 5:
      return rows ? fluxion::map(
                        [&](Array row) { return smooth_function(word, row) * summary(outside); }, x)
                  : branches(word, x, outside, flag);
    case 6:
      return rows ? fluxion::vmap([&](Array row) { return counted(word, row, outside); })(x)
                  : bounded(word, x, outside, flag);
    case 7:
      return rows ? fluxion::vmap([&](Array row) {
        return bounded(word,
                       row,
                       outside,
                       flag + (summary(fluxion::stop_gradient(row)) * 0.0 == 0.0).astype(int32));
      })(x)
                  : counted(word, x, outside);
    case 8:
      return fluxion::grad([&](Array y) {
        return fluxion::sum(rows ? over_rows(word, y, outside) : bounded(word, y, outside, flag));
      })(x);
    default:
      return fluxion::grad([&](Array y) {
        return fluxion::sum(branches(word, counted(word, y, outside), outside, flag));
      })(x);
  }
}

}  // namespace fluxion::test
