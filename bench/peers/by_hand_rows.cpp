// Rows as plain C++, built for this machine's processor: what a programmer would write without a
// framework.
#include "bench/peers/rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>

namespace fluxion::peers {
namespace {

/// A call whose results are vectors; they become arrays only to be compared.
template <class F> Work by_hand(F f) {
  return {[f = std::make_shared<F>(std::move(f))] { return (*f)(); }};
}
Array result(std::vector<float>& x) {
  return borrow(x.data(), {x.size()}, float32, [](float*) {});
}
Array result(std::vector<std::int32_t>& x) {
  return borrow(x.data(), {x.size()}, int32, [](std::int32_t*) {});
}

constexpr std::size_t steps = 1000000;

struct Step {
  float a, d, e;
};
Step step(float c, float x) {
  const float a = c * 0.9f + x, b = a * a - c, d = b * 0.5f + a;
  return {a, d, d * d * 0.1f + c * 0.3f};
}

struct Scan {
  std::vector<float> x = host_numbers(1, steps, 0.1f, 0), y = std::vector<float>(steps);
  std::vector<Array> operator()() {
    float c = 0.1f;
    for (std::size_t i = 0; i < steps; ++i) {
      y[i] = step(c, x[i]).e;
      c = y[i] * 0.5f;
    }
    return {Array(c), result(y)};
  }
};

struct ScanGradient {
  std::vector<float> x = host_numbers(1, steps, 0.1f, 0), a = std::vector<float>(steps),
                     d = std::vector<float>(steps), gradient = std::vector<float>(steps);
  std::vector<Array> operator()() {
    float c = 0.1f;
    for (std::size_t i = 0; i < steps; ++i) {
      const Step s = step(c, x[i]);
      a[i] = s.a;
      d[i] = s.d;
      c = s.e * 0.5f;
    }
    float ct = 0;
    for (std::size_t i = steps; i-- > 0;) {
      const float e = 1 + ct * 0.5f;
      const float from_d = e * 0.2f * d[i], b = from_d * 0.5f;
      gradient[i] = from_d + b * 2 * a[i];
      ct = e * 0.3f - b + gradient[i] * 0.9f;
    }
    return {Array(ct), result(gradient)};
  }
};

struct UpdateInLoop {
  std::vector<float> table = host_numbers(1, 100000, 1, 0), t = table;
  std::vector<Array> operator()() {
    t = table;
    for (std::int32_t i = 0; i < 100000; ++i) {
      float& place = t[static_cast<std::size_t>(i * 7919 % 100000)];
      place = place * 0.5f + std::sin(static_cast<float>(i));
    }
    return {result(t)};
  }
};

struct Sort {
  std::vector<float> x = host_numbers(1, steps, 1, 0), y = x;
  std::vector<Array> operator()() {
    y = x;
    std::sort(y.begin(), y.end());
    return {result(y)};
  }
};

struct Argsort {
  std::vector<float> x = host_numbers(1, steps, 1, 0);
  std::vector<std::int32_t> order = std::vector<std::int32_t>(steps);
  std::vector<Array> operator()() {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [this](std::int32_t i, std::int32_t j) {
      return x[static_cast<std::size_t>(i)] < x[static_cast<std::size_t>(j)];
    });
    return {result(order)};
  }
};

struct SegmentSum {
  std::vector<float> v = host_numbers(1, steps, 1, 0), sums = std::vector<float>(10000);
  std::vector<std::int32_t> to = host_integers(2, steps, 10000);
  std::vector<Array> operator()() {
    std::fill(sums.begin(), sums.end(), 0.f);
    for (std::size_t i = 0; i < steps; ++i) sums[static_cast<std::size_t>(to[i])] += v[i];
    return {result(sums)};
  }
};

struct Matrices {
  std::vector<float> a = host_numbers(1, 90000, 1, 0);
  Matrices() {
    for (std::size_t i = 0; i < a.size(); i += 9)
      for (std::size_t k = 0; k < 9; k += 4) a[i + k] += 3;
  }
};

/// The inverse by cofactors.
void invert(const float* a, float* out) {
  const float c0 = a[4] * a[8] - a[5] * a[7], c1 = a[5] * a[6] - a[3] * a[8],
              c2 = a[3] * a[7] - a[4] * a[6];
  const float scale = 1 / (a[0] * c0 + a[1] * c1 + a[2] * c2);
  const float cofactors[] = {c0,
                             a[2] * a[7] - a[1] * a[8],
                             a[1] * a[5] - a[2] * a[4],
                             c1,
                             a[0] * a[8] - a[2] * a[6],
                             a[2] * a[3] - a[0] * a[5],
                             c2,
                             a[1] * a[6] - a[0] * a[7],
                             a[0] * a[4] - a[1] * a[3]};
  for (int k = 0; k < 9; ++k) out[k] = cofactors[k] * scale;
}

struct Inverse : Matrices {
  std::vector<float> out = std::vector<float>(90000);
  std::vector<Array> operator()() {
    for (std::size_t i = 0; i < a.size(); i += 9) invert(&a[i], &out[i]);
    return {result(out)};
  }
};

struct Solve : Matrices {
  std::vector<float> b = host_numbers(2, 30000, 1, 0), out = std::vector<float>(30000);
  std::vector<Array> operator()() {
    for (std::size_t i = 0; i < 10000; ++i) {
      std::array<float, 9> inverse;
      invert(&a[9 * i], inverse.data());
      for (std::size_t r = 0; r < 3; ++r)
        out[3 * i + r] = inverse[3 * r] * b[3 * i] + inverse[3 * r + 1] * b[3 * i + 1] +
                         inverse[3 * r + 2] * b[3 * i + 2];
    }
    return {result(out)};
  }
};

}  // namespace

void add_rows_by_hand(Rows& rows) {
  rows["scan"] = [] { return by_hand(Scan()); };
  rows["scan_grad"] = [] { return by_hand(ScanGradient()); };
  rows["update_in_loop"] = [] { return by_hand(UpdateInLoop()); };
  rows["sort"] = [] { return by_hand(Sort()); };
  rows["argsort"] = [] { return by_hand(Argsort()); };
  rows["segment_sum"] = [] { return by_hand(SegmentSum()); };
  rows["inverse_3x3"] = [] { return by_hand(Inverse()); };
  rows["solve_3x3"] = [] { return by_hand(Solve()); };
}

}  // namespace fluxion::peers
