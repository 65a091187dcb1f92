// Rows of order, running and segmented sums, batches of small matrices, and one tiny call.
#include "bench/peers/rows.hpp"
#include "fluxion/linalg.hpp"
#include "fluxion/sorting.hpp"

namespace fluxion::peers {
namespace {

Array matrices() { return numbers(1, {10000, 3, 3}) + 3 * eye(3); }

/// A thousand calls of what is compiled.
Work tiny_calls() {
  return {[f = jit([](Array x) { return x * 2 + 1; }), x = numbers(1, {8})] {
            Array y;
            for (int i = 0; i < 1000; ++i) y = f(x);
            eval(y);
            return std::vector<Array>{y};
          },
          1000};
}

}  // namespace

void add_order_rows(Rows& rows) {
  rows["sort"] = [] {
    return work([](Array x) { return fluxion::sort(x); }, numbers(1, {1000000}));
  };
  rows["argsort"] = [] { return work([](Array x) { return argsort(x); }, numbers(1, {1000000})); };
  rows["segment_sum"] = [] {
    return work([](Array v, Array i) { return zeros({10000}).at(i).add(v); },
                numbers(1, {1000000}),
                integers(2, {1000000}, 10000));
  };
  rows["inverse_3x3"] = [] { return work([](Array a) { return linalg::inv(a); }, matrices()); };
  rows["solve_3x3"] = [] {
    return work([](Array a, Array b) { return linalg::solve(a, b); },
                matrices(),
                numbers(2, {10000, 3, 1}));
  };
  rows["argmax"] = [] {
    return work([](Array x) { return argmax(x, -1); }, numbers(1, {16384, 1024}));
  };
  rows["cumsum"] = [] {
    return work([](Array x) { return cumsum(x, -1); }, numbers(1, {4096, 4096}));
  };
  rows["tiny_call"] = tiny_calls;
}

}  // namespace fluxion::peers
