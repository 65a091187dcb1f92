// The Fourier transform of rows, by Stockham's autosorting algorithm: passes of small transforms
// from one row of scratch to another.
#include "trace/ops/fft.hpp"

#include "trace/ops/elementwise.hpp"

#include <cmath>
#include <numbers>

namespace fluxion::ops {
std::span<const Rules* const> fft_rules();

namespace {

using kernel::Affine;
using kernel::Builder;
using kernel::Index;
using kernel::Scalar;
using Z = kernel::Complex<Scalar>;

/// cos and sin of 2 pi k / n, exact in the octants' corners.
std::pair<double, double> on_circle(std::int64_t k, std::int64_t n) {
  const std::int64_t eighth = 8 * (k % n) / n;  // which octant
  const long double angle = 2 * std::numbers::pi_v<long double> / static_cast<long double>(n);
  const std::int64_t quarters = (eighth + 1) / 2;
  const auto rest = static_cast<long double>(4 * (k % n) - quarters * n) / 4 * angle;
  const auto c = static_cast<double>(std::cos(rest)), s = static_cast<double>(std::sin(rest));
  const std::pair<double, double> turned[] = {{c, s}, {-s, c}, {-c, -s}, {s, -c}};
  return turned[quarters % 4];
}

Z operator+(const Z& a, const Z& b) { return {a.re + b.re, a.im + b.im}; }
Z operator-(const Z& a, const Z& b) { return {a.re - b.re, a.im - b.im}; }
/// Times -i.
Z turned(const Z& a) { return {a.im, -a.re}; }
/// Times c - i s.
Z rotated(const Z& a, Scalar c, Scalar s) {
  return {kernel::fma(a.re, c, a.im * s), kernel::fma(a.im, c, -(a.re * s))};
}

std::vector<Z> small_transform(const std::vector<Z>& a);

/// An odd prime: with t = a[j] + a[r - j] and u = a[j] - a[r - j], results k and r - k share
/// a[0] + sum t cos, and differ in the sign of i sum u sin.
std::vector<Z> prime_transform(const std::vector<Z>& a) {
  const std::size_t r = a.size(), half = (r - 1) / 2;
  std::vector<Z> t(half + 1), u(half + 1), b(r);
  b[0] = a[0];
  for (std::size_t j = 1; j <= half; ++j) {
    t[j] = a[j] + a[r - j];
    u[j] = a[j] - a[r - j];
    b[0] = b[0] + t[j];
  }
  for (std::size_t k = 1; k <= half; ++k) {
    Z even = a[0], odd;
    for (std::size_t j = 1; j <= half; ++j) {
      const auto [c, s] =
          on_circle(static_cast<std::int64_t>(j * k % r), static_cast<std::int64_t>(r));
      const Scalar cosine = a[0].re.like(c), sine = a[0].re.like(s);
      even = {kernel::fma(t[j].re, cosine, even.re), kernel::fma(t[j].im, cosine, even.im)};
      odd = j == 1 ? Z{u[j].re * sine, u[j].im * sine}
                   : Z{kernel::fma(u[j].re, sine, odd.re), kernel::fma(u[j].im, sine, odd.im)};
    }
    b[k] = even + turned(odd);
    b[r - k] = even - turned(odd);
  }
  return b;
}

/// Powers of two: the even and the odd places, and a butterfly.
std::vector<Z> small_transform(const std::vector<Z>& a) {
  const std::size_t r = a.size();
  if (r == 1) return a;
  if (r == 2) return {a[0] + a[1], a[0] - a[1]};
  if (r % 2 == 1) return prime_transform(a);
  std::vector<Z> even, odd, b(r);
  for (std::size_t k = 0; k < r; k += 2) {
    even.push_back(a[k]);
    odd.push_back(a[k + 1]);
  }
  even = small_transform(even);
  odd = small_transform(odd);
  for (std::size_t k = 0; k < r / 2; ++k) {
    Z w = odd[k];
    if (4 * k == r) {
      w = turned(w);
    } else if (k > 0) {
      const auto [c, s] = on_circle(static_cast<std::int64_t>(k), static_cast<std::int64_t>(r));
      w = rotated(w, w.re.like(c), w.re.like(s));
    }
    b[k] = even[k] + w;
    b[k + r / 2] = even[k] - w;
  }
  return b;
}

/// The sizes of the passes: eights, then what is left of the twos, then odd primes.
std::vector<std::int64_t> passes_of(std::int64_t n) {
  std::vector<std::int64_t> passes;
  for (std::int64_t size : {8, 4, 2, 3, 5, 7, 11, 13})
    for (; n % size == 0; n /= size) passes.push_back(size);
  return passes;
}

/// One row's transform while its kernel is written.
struct RowTransform {
  kernel::Nest& nest;
  const Index& row;
  std::int64_t n;
  DType dtype;
  std::int32_t cosines = -1, sines = -1;  // tables of the whole circle
  std::int32_t scratch[2][2] = {};        // two rows of either part

  Index place(const Affine& at) const {
    Index index = row;
    index.push_back(at);
    return index;
  }
  Z load(bool first, int from, const Affine& at) const {
    if (first) return {nest.read(0, place(at)), nest.read(1, place(at))};
    Builder& b = nest.builder();
    return {b.load(scratch[from][0], at), b.load(scratch[from][1], at)};
  }
  void store(bool last, int to, const Affine& at, const Z& value) const {
    if (last) {
      nest.write(0, place(at), value.re);
      nest.write(1, place(at), value.im);
      return;
    }
    Builder& b = nest.builder();
    b.store(scratch[to][0], at, value.re);
    b.store(scratch[to][1], at, value.im);
  }

  /// x[q + s (p + m j)] over j becomes y[q + s (size p + k)] over k, turned by p k / (m size).
  void pass(std::size_t number, std::size_t count, std::int64_t size, std::int64_t s) {
    Builder& b = nest.builder();
    const std::int64_t m = n / (s * size);
    const int from = static_cast<int>(number % 2), to = 1 - from;
    b.parallel({m, s}, [&](const Index& at) {
      std::vector<Z> a;
      for (std::int64_t j = 0; j < size; ++j)
        a.push_back(load(number == 0, from, at[1] + (at[0] + j * m) * s));
      const std::vector<Z> results = small_transform(a);
      for (std::int64_t k = 0; k < size; ++k) {
        Z value = results[static_cast<std::size_t>(k)];
        if (k > 0 && m > 1) {
          const Scalar turn = b.value(at[0] * (k * s));
          value = rotated(value, b.lookup(cosines, turn), b.lookup(sines, turn));
        }
        store(number + 1 == count, to, at[1] + (at[0] * size + k) * s, value);
      }
    });
  }

  void run() {
    Builder& b = nest.builder();
    const std::vector<std::int64_t> passes = passes_of(n);
    if (passes.empty()) return store(true, 0, Affine(), load(true, 0, Affine()));
    if (passes.size() > 1) {
      std::vector<std::uint64_t> cosine, sine;
      const auto bits = [&](double v) {
        return dtype == float32 ? std::bit_cast<std::uint32_t>(static_cast<float>(v))
                                : std::bit_cast<std::uint64_t>(v);
      };
      for (std::int64_t k = 0; k < n; ++k) {
        const auto [c, s] = on_circle(k, n);
        cosine.push_back(bits(c));
        sine.push_back(bits(s));
      }
      cosines = b.table(dtype, std::move(cosine));
      sines = b.table(dtype, std::move(sine));
      for (auto& rows : scratch)
        for (std::int32_t& part : rows) part = b.buffer(dtype, kernel::Role::scratch, n);
    }
    std::int64_t s = 1;
    for (std::size_t k = 0; k < passes.size(); s *= passes[k++])
      pass(k, passes.size(), passes[k], s);
  }
};

struct Fft {
  static constexpr auto name = "fft";

  Types types(TypeList in) const {
    check_operand_count(name, in, 2);
    check_alike(name, in);
    check_accepted(name, in[0], floats);
    if (is_half(in[0].dtype) || in[0].shape.empty())
      throw InternalError("fft: of parts that are " + to_string(in[0]));
    const std::int64_t n = in[0].shape[in[0].shape.size() - 1];
    const std::vector<std::int64_t> factors = prime_factors(n);
    if (n > longest_fft || (!factors.empty() && factors.back() > largest_fft_factor))
      throw InternalError("fft: of a length that is composed: " + std::to_string(n));
    return {in[0], in[0]};
  }
  ArrayList jvp(Arrays x, Arrays, Arrays dx) const {
    if (!defined(dx[0]) && !defined(dx[1])) return {Array(), Array()};
    const Type& type = type_of(x[0]);
    return apply(or_zeros(dx[0], type), or_zeros(dx[1], type));
  }
  // With C and S the symmetric matrices of cosines and sines, (C, S; -S, C) transposed is
  // (C, -S; S, C): the same with real and imaginary parts exchanged, before and after.
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0]) && !defined(ct[1])) return;
    const ArrayList back = apply(or_zeros(ct[1], x.type(0)), or_zeros(ct[0], x.type(0)));
    for (std::size_t k = 0; k < 2; ++k)
      if (x.linear(k) && out.needed(k)) out.add(k, back[1 - k]);
  }
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    const Array re = batch_first(x[0], at[0], size), im = batch_first(x[1], at[1], size);
    return {apply(re, im), {0, 0}};
  }

  void body(kernel::Nest& nest) const {
    const Type type = nest.result();
    const int last = rank_of(type) - 1;
    const std::int64_t n = size_at(type.shape, last);
    const Shape rows = without_axis(type.shape, last);
    nest.phase(rows, [&nest, n, type](const Index& row) {
      if (n > 0) RowTransform{nest, row, n, type.dtype}.run();
    });
  }

  void reference(ConstTensors in, Tensors out) const {
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_floating_point_v<T>) sums<T>(in, out);
    });
  }

 private:
  static ArrayList apply(const Array& re, const Array& im) {
    const Array parts[] = {re, im};
    return emit_all(Fft(), parts, rule_site());
  }
  /// As it is defined.
  template <class T> static void sums(ConstTensors in, Tensors out) {
    const Shape& shape = in[0].type.shape;
    const std::int64_t n = shape[shape.size() - 1], count = element_count(shape);
    std::vector<WideComplex> circle;
    for (std::int64_t k = 0; k < n; ++k) {
      const long double angle = -2 * std::numbers::pi_v<long double> * static_cast<long double>(k) /
                                static_cast<long double>(n);
      circle.emplace_back(std::cos(angle), std::sin(angle));
    }
    for (std::int64_t row = 0; row < count; row += n) {
      for (std::int64_t k = 0; k < n; ++k) {
        long double re = 0, im = 0;
        for (std::int64_t j = 0; j < n; ++j) {
          const WideComplex& w = circle[static_cast<std::size_t>(j * k % n)];
          const long double x = in[0].as<T>()[row + j], y = in[1].as<T>()[row + j];
          re += x * w.real() - y * w.imag();
          im += x * w.imag() + y * w.real();
        }
        out[0].as<T>()[row + k] = static_cast<T>(re);
        out[1].as<T>()[row + k] = static_cast<T>(im);
      }
    }
  }
};
}  // namespace

std::vector<std::int64_t> prime_factors(std::int64_t n) {
  std::vector<std::int64_t> factors;
  for (std::int64_t p = 2; p * p <= n; ++p)
    for (; n % p == 0; n /= p) factors.push_back(p);
  if (n > 1) factors.push_back(n);
  return factors;
}

std::span<const Rules* const> fft_rules() {
  static constexpr const Rules* rules[] = {rules_of<Fft>()};
  return rules;
}

std::pair<Array, Array> fft(const Array& re, const Array& im, const Site& site) {
  const Array parts[] = {re, im};
  ArrayList results = emit_all(Fft(), parts, site);
  return {results[0], results[1]};
}

}  // namespace fluxion::ops
