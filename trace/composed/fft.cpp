// Fourier transforms of any length along any axes, made of the primitive for short smooth ones.
#include "fluxion/fft.hpp"

#include "fluxion/complex.hpp"
#include "trace/composed/common.hpp"
#include "trace/composed/fourier.hpp"
#include "trace/ops/fft.hpp"

#include <cmath>
#include <fmt/format.h>
#include <numbers>

namespace fluxion {
namespace composed {
namespace {

struct Parts {
  Array re, im;
};

Parts transform(const Parts& x, std::int64_t n, const Site& site);

Parts times(const Parts& x, const Parts& w) {
  return {x.re * w.re - x.im * w.im, x.re * w.im + x.im * w.re};
}

/// exp(i scale t) of whole numbers t, in x's dtype.
Parts rotation(const Array& t, double scale, const Parts& x) {
  const Array angle = t.astype(float64) * scale;
  const DType dtype = type_of(x.re).dtype;
  return {cos(angle).astype(dtype), sin(angle).astype(dtype)};
}

Array with_last(const Array& x, std::initializer_list<std::int64_t> sizes) {
  Shape shape;
  for (std::size_t k = 0; k + 1 < shape_of(x).size(); ++k) shape.push_back(shape_of(x)[k]);
  for (std::int64_t size : sizes) shape.push_back(size);
  return x.reshape(shape);
}
Array exchanged(const Array& x) { return swapaxes(x, -2, -1); }

/// A divisor of n near its root.
std::int64_t middle_divisor(std::int64_t n) {
  std::int64_t best = 1;
  for (std::int64_t d = 1; d * d <= n; ++d)
    if (n % d == 0) best = d;
  return best;
}

/// n = a b, j = b j1 + j2, k = k1 + a k2: transforms of length a over j1, turned by j2 k1 / n, and
/// of length b over j2 (Bailey's four steps).
Parts long_transform(const Parts& x, std::int64_t n, const Site& site) {
  const std::int64_t a = middle_divisor(n), b = n / a;
  const auto columns = [&](const Array& part) { return exchanged(with_last(part, {a, b})); };
  Parts y = transform({columns(x.re), columns(x.im)}, a, site);  // [..., j2, k1]
  const DType counting = n < (std::int64_t{1} << 31) ? int32 : int64;
  const Array turn =
      ops::iota({{b, a}, counting}, 0, site) * ops::iota({{b, a}, counting}, 1, site);
  y = times(y, rotation(turn, -2 * std::numbers::pi / static_cast<double>(n), x));
  y = transform({exchanged(y.re), exchanged(y.im)}, b, site);  // [..., k1, k2]
  const auto flat = [&](const Array& part) {
    const Array rows = exchanged(part);
    Shape shape;
    for (std::size_t k = 0; k + 2 < shape_of(rows).size(); ++k) shape.push_back(shape_of(rows)[k]);
    shape.push_back(n);
    return rows.reshape(shape);
  };
  return {flat(y.re), flat(y.im)};
}

Array padded_last(const Array& x, std::int64_t size) {
  std::vector<ops::Padding> padding(shape_of(x).size());
  padding.back().high = size - shape_of(x)[shape_of(x).size() - 1];
  return ops::pad(x, literal(0, type_of(x).dtype), padding, rule_site());
}

/// With c[k] = exp(i pi k^2 / n), the transform is conj(c) times the convolution of conj(c) x and
/// c: a product of transforms whose length is a power of two (Bluestein). float32 is computed in
/// float64.
Parts any_transform(const Parts& given, std::int64_t n, const Site& site) {
  const DType dtype = type_of(given.re).dtype;
  const Parts x{given.re.astype(float64), given.im.astype(float64)};
  std::int64_t m = 1;
  while (m < 2 * n - 1) m *= 2;
  const Array k = ops::iota({{n}, int64}, 0, site);
  const Parts c = rotation(k * k % (2 * n), std::numbers::pi / static_cast<double>(n), x);
  const Parts back{c.re, -c.im};
  const Parts front = times(x, back);
  const auto around = [&](const Array& part) {
    const Array rest = slice_axis(part, 0, 1, n, 1, site);
    const Array zeros = zeros_of({{m - 2 * n + 1}, float64});
    const Array joined[] = {part, zeros, ops::rev(rest, {0}, site)};
    return ops::concatenate(joined, 0, site);
  };
  const Parts a = transform({padded_last(front.re, m), padded_last(front.im, m)}, m, site);
  const Parts b = transform({around(c.re), around(c.im)}, m, site);
  const Parts product = times(a, b);
  const Parts turned = transform({product.im, product.re}, m, site);  // inverse, exchanged
  const int last = rank_of(given.re) - 1;
  const auto scaled = [&](const Array& part) {
    return slice_axis(part, last, 0, n, 1, site) / static_cast<double>(m);
  };
  const Parts y = times({scaled(turned.im), scaled(turned.re)}, back);
  return {y.re.astype(dtype), y.im.astype(dtype)};
}

/// Along the last axis, of length n.
Parts transform(const Parts& x, std::int64_t n, const Site& site) {
  if (n == 1 || element_count(shape_of(x.re)) == 0) return x;
  if (ops::prime_factors(n).back() > ops::largest_fft_factor) return any_transform(x, n, site);
  if (n > ops::longest_fft) return long_transform(x, n, site);
  auto [re, im] = ops::fft(x.re, x.im, site);
  return {re, im};
}

}  // namespace

Array fourier(const Array& x, int axis, bool inverse, const Site& site) {
  const int last = rank_of(x) - 1;
  const bool is_real = !is_complex(type_of(x).dtype);
  Parts parts{is_real ? x : real(x), is_real ? zeros_like(x) : imag(x)};
  parts = {move_axis(parts.re, axis, last, site), move_axis(parts.im, axis, last, site)};
  if (inverse) std::swap(parts.re, parts.im);
  parts = transform(parts, size_at(x, axis), site);
  if (inverse) std::swap(parts.re, parts.im);
  return move_axis(complex(parts.re, parts.im), last, axis, site);
}

Array mirrored_spectrum(const Array& x, int axis, std::int64_t n, const Site& site) {
  const std::int64_t half = n / 2 + 1;
  const Array given = slice_axis(x, axis, 0, half, 1, site);
  if (n - half == 0) return given;
  const Array rest = slice_axis(x, axis, 1, n - half + 1, 1, site);
  const Array both[] = {given, conj(ops::rev(rest, {axis}, site))};
  return ops::concatenate(both, axis, site);
}

}  // namespace composed

namespace {

using namespace composed;

enum class Kind { complex, real, real_inverse };

double scale_of(
    std::string_view who, std::string_view norm, bool inverse, std::int64_t n, const Site& site) {
  const auto length = static_cast<double>(n);
  if (norm.empty() || norm == "backward") return inverse ? 1 / length : 1;
  if (norm == "forward") return inverse ? 1 : 1 / length;
  if (norm == "ortho") return 1 / std::sqrt(length);
  fail("fft-norm",
       site,
       fmt::format("{}: there is no norm \"{}\"", who, norm),
       {},
       "it is \"backward\", \"ortho\" or \"forward\"");
}

/// The axis cut or filled with zeros.
Array resized(const Array& x, int axis, std::int64_t size, const Site& site) {
  const std::int64_t now = size_at(x, axis);
  if (size <= now) return slice_axis(x, axis, 0, size, 1, site);
  std::vector<ops::Padding> padding(shape_of(x).size());
  padding[static_cast<std::size_t>(axis)].high = size - now;
  return ops::pad(x, literal(0, type_of(x).dtype, site), padding, site);
}

void check_length(std::string_view who, std::int64_t n, const Array& x, const Site& site) {
  if (n >= 1) return;
  fail("fft-length",
       site,
       fmt::format("{}: a transform of length {}", who, n),
       {fmt::format("x {}", to_string(type_of(x)))},
       "lengths are 1 or more; irfft's default is 2 (size - 1)");
}

Array along(std::string_view who,
            const Array& x,
            Kind kind,
            bool inverse,
            std::optional<std::int64_t> length,
            int axis,
            std::string_view norm,
            const Site& site) {
  const std::int64_t size = size_at(x, axis);
  const std::int64_t n = length.value_or(kind == Kind::real_inverse ? 2 * (size - 1) : size);
  check_length(who, n, x, site);
  const double scale = scale_of(who, norm, inverse, n, site);
  Array y = resized(x, axis, kind == Kind::real_inverse ? n / 2 + 1 : n, site);
  if (kind == Kind::real_inverse) y = mirrored_spectrum(y, axis, n, site);
  y = fourier(y, axis, inverse, site);
  if (kind == Kind::real) y = slice_axis(y, axis, 0, n / 2 + 1, 1, site);
  if (kind == Kind::real_inverse) y = real(y);
  return scale == 1 ? y : y * scale;
}

/// The operand as floats wide enough; real ones only for rfft, complex ones for irfft.
Array operand(std::string_view who, const Operand& x, Kind kind) {
  const Array a = composed::real(x, who);
  const DType d = type_of(a).dtype;
  if (kind == Kind::real && is_complex(d))
    fail("dtype",
         x.site(),
         fmt::format("{}: takes real arrays, not {}", who, to_string(d)),
         {fmt::format("x {}", to_string(type_of(a)))},
         "use fx::fft::fft, or fx::real(x)");
  const Array wide = as(x, wide_dtype(d), who);
  return kind == Kind::real_inverse && !is_complex(d)
             ? wide.astype(d == float64 ? complex128 : complex64)
             : wide;
}

Array one_axis(std::string_view who,
               const Operand& x,
               Kind kind,
               bool inverse,
               fft::Length n,
               int axis,
               std::string_view norm) {
  SiteScope here(x.site());
  const Array a = operand(who, x, kind);
  return along(who, a, kind, inverse, n, axis_of(who, axis, rank_of(a), x.site()), norm, x.site());
}

Array several(std::string_view who,
              const Operand& x,
              Kind kind,
              bool inverse,
              const Shape& s,
              const Axes& axes,
              std::string_view norm) {
  SiteScope here(x.site());
  const Site& site = x.site();
  Array a = operand(who, x, kind);
  std::vector<int> order;
  for (int axis : axes.list()) order.push_back(axis_of(who, axis, rank_of(a), site));
  if (axes.all()) {
    const int count = s.empty() ? rank_of(a) : static_cast<int>(s.size());
    for (int k = rank_of(a) - count; k < rank_of(a); ++k)
      order.push_back(axis_of(who, k, rank_of(a), site));
  }
  if (!s.empty() && s.size() != order.size())
    fail("fft-length",
         site,
         fmt::format("{}: {} lengths for {} axes", who, s.size(), order.size()),
         {fmt::format("x {}", to_string(type_of(a)))});
  if (order.empty()) return is_complex(type_of(a).dtype) ? a : a.astype(complex64);
  const auto length = [&](std::size_t k) {
    return s.empty() ? std::optional<std::int64_t>() : s[k];
  };
  const std::size_t last = order.size() - 1;
  if (kind == Kind::real) a = along(who, a, kind, inverse, length(last), order[last], norm, site);
  for (std::size_t k = kind == Kind::complex ? last + 1 : last; k-- > 0;)
    a = along(who, a, Kind::complex, inverse, length(k), order[k], norm, site);
  if (kind == Kind::real_inverse)
    a = along(who, a, kind, inverse, length(last), order[last], norm, site);
  return a;
}

}  // namespace

namespace fft {

Array fft(const Operand& x, Length n, int axis, std::string_view norm) {
  return one_axis("fft", x, Kind::complex, false, n, axis, norm);
}
Array ifft(const Operand& x, Length n, int axis, std::string_view norm) {
  return one_axis("ifft", x, Kind::complex, true, n, axis, norm);
}
Array rfft(const Operand& x, Length n, int axis, std::string_view norm) {
  return one_axis("rfft", x, Kind::real, false, n, axis, norm);
}
Array irfft(const Operand& x, Length n, int axis, std::string_view norm) {
  return one_axis("irfft", x, Kind::real_inverse, true, n, axis, norm);
}
Array fft2(const Operand& x, const Shape& s, const Axes& axes, std::string_view norm) {
  return several("fft2", x, Kind::complex, false, s, axes, norm);
}
Array ifft2(const Operand& x, const Shape& s, const Axes& axes, std::string_view norm) {
  return several("ifft2", x, Kind::complex, true, s, axes, norm);
}
Array rfft2(const Operand& x, const Shape& s, const Axes& axes, std::string_view norm) {
  return several("rfft2", x, Kind::real, false, s, axes, norm);
}
Array irfft2(const Operand& x, const Shape& s, const Axes& axes, std::string_view norm) {
  return several("irfft2", x, Kind::real_inverse, true, s, axes, norm);
}
Array fftn(const Operand& x, const Shape& s, const Axes& axes, std::string_view norm) {
  return several("fftn", x, Kind::complex, false, s, axes, norm);
}
Array ifftn(const Operand& x, const Shape& s, const Axes& axes, std::string_view norm) {
  return several("ifftn", x, Kind::complex, true, s, axes, norm);
}
Array rfftn(const Operand& x, const Shape& s, const Axes& axes, std::string_view norm) {
  return several("rfftn", x, Kind::real, false, s, axes, norm);
}
Array irfftn(const Operand& x, const Shape& s, const Axes& axes, std::string_view norm) {
  return several("irfftn", x, Kind::real_inverse, true, s, axes, norm);
}

Array fftfreq(std::int64_t n, double d, DType dtype, Site site) {
  SiteScope here(site);
  const Array k = arange(n, int64);
  check_length("fftfreq", n, k, site);
  return (where(k < (n + 1) / 2, k, k - n).astype(float64) / (static_cast<double>(n) * d))
      .astype(dtype);
}
Array rfftfreq(std::int64_t n, double d, DType dtype, Site site) {
  SiteScope here(site);
  const Array k = arange(n / 2 + 1, int64);
  check_length("rfftfreq", n, k, site);
  return (k.astype(float64) / (static_cast<double>(n) * d)).astype(dtype);
}

namespace {
Array shifted(std::string_view who, const Operand& x, const Axes& axes, bool back) {
  SiteScope here(x.site());
  Array a = array_of(x);
  for (int axis : composed::axes_of(who, axes, rank_of(a), x.site())) {
    const std::int64_t size = size_at(a, axis), by = size / 2;
    a = roll(a, back ? -by : by, axis);
  }
  return a;
}
}  // namespace

Array fftshift(const Operand& x, const Axes& axes) { return shifted("fftshift", x, axes, false); }
Array ifftshift(const Operand& x, const Axes& axes) { return shifted("ifftshift", x, axes, true); }

}  // namespace fft

namespace lax {

Array fft(const Operand& x, FftType type, const Shape& lengths) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  const int first = rank_of(a) - static_cast<int>(lengths.size());
  if (first < 0)
    fail("fft-length",
         x.site(),
         fmt::format("fft: {} lengths for an array of {} axes", lengths.size(), rank_of(a)));
  for (std::size_t k = 0; k < lengths.size(); ++k) {
    const bool result = type == FftType::IRFFT && k + 1 == lengths.size();
    const std::int64_t size = shape_of(a)[static_cast<std::size_t>(first) + k];
    const std::int64_t wanted = result ? lengths[k] / 2 + 1 : lengths[k];
    if (size == wanted) continue;
    fail("fft-length",
         x.site(),
         fmt::format("fft: axis {} has size {}, the transform needs {}",
                     static_cast<std::size_t>(first) + k,
                     size,
                     wanted),
         {fmt::format("x {}", to_string(type_of(a)))});
  }
  if (lengths.empty()) return a;
  switch (type) {
    case FftType::FFT:
      return fluxion::fft::fftn(Operand(a, x.site()), lengths);
    case FftType::IFFT:
      return fluxion::fft::ifftn(Operand(a, x.site()), lengths);
    case FftType::RFFT:
      return fluxion::fft::rfftn(Operand(a, x.site()), lengths);
    case FftType::IRFFT:
      return fluxion::fft::irfftn(Operand(a, x.site()), lengths);
  }
  throw InternalError("fft: a type that does not exist");
}

}  // namespace lax
}  // namespace fluxion
