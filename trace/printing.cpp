// Arrays as text, laid out as NumPy does it: shortest digits of at most 8 decimals, aligned
// columns, long arrays shortened.
#include "trace/node.hpp"
#include "trace/ops/host.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ostream>

namespace fluxion {
namespace {

constexpr std::size_t most_decimals = 8, line_width = 75;
constexpr std::int64_t edge_items = 3, summary_above = 1000;

/// A finite number in the fewest digits that read back as the same number of its dtype.
std::string shortest(double v, DType d, std::chars_format format) {
  char text[512];
  std::to_chars_result end{};
  if (d == float64) {
    end = std::to_chars(text, text + sizeof text, v, format);
  } else if (d == float32) {
    end = std::to_chars(text, text + sizeof text, static_cast<float>(v), format);
  } else {  // 16-bit floats: as many digits as it takes
    const auto same = [&](double w) {
      return d == float16
                 ? static_cast<float>(Float16(static_cast<float>(w))) == static_cast<float>(v)
                 : static_cast<float>(BFloat16(static_cast<float>(w))) == static_cast<float>(v);
    };
    for (int digits = 0; digits < 6; ++digits) {
      const int n = std::snprintf(text, sizeof text, "%.*e", digits, v);
      double back = 0;
      std::from_chars(text, text + n, back);
      if (!same(back) && digits < 5) continue;
      end = std::to_chars(text, text + sizeof text, back, format);
      break;
    }
  }
  return {text, end.ptr};
}

/// Cuts a number's digits after the point to 8 (rounding), and zeros at their end.
struct Digits {
  std::string whole, fraction, exponent;  // "-12", "5", "e-05"
};
Digits digits_of(double v, DType d, bool scientific) {
  std::string text =
      shortest(v, d, scientific ? std::chars_format::scientific : std::chars_format::fixed);
  const auto parts = [&] {
    const std::size_t e = std::min(text.find('e'), text.size()),
                      point = std::min(text.find('.'), e);
    return Digits{text.substr(0, point),
                  point < e ? text.substr(point + 1, e - point - 1) : std::string(),
                  text.substr(e)};
  };
  Digits out = parts();
  if (out.fraction.size() > most_decimals) {
    char buffer[512];
    std::snprintf(buffer, sizeof buffer, scientific ? "%.8e" : "%.8f", v);
    text = buffer;
    out = parts();
  }
  while (!out.fraction.empty() && out.fraction.back() == '0') out.fraction.pop_back();
  return out;
}

std::string spaces(std::size_t n) { return std::string(n, ' '); }

/// How a set of floats is written: one notation, one width for all.
class FloatFormat {
 public:
  FloatFormat(const std::vector<double>& values, DType d, bool plus) : dtype_(d), plus_(plus) {
    double most = 0, least = INFINITY;
    bool nan = false, infinite = false, minus_infinite = false;
    for (double v : values) {
      nan |= std::isnan(v);
      infinite |= std::isinf(v);
      minus_infinite |= v == -INFINITY;
      if (!std::isfinite(v) || v == 0) continue;
      most = std::max(most, std::abs(v));
      least = std::min(least, std::abs(v));
    }
    scientific_ = most > 0 && (most >= 1e8 || least < 1e-4 || most / least > 1000);
    for (double v : values) {
      if (!std::isfinite(v)) continue;
      const Digits digits = digits_of(v, d, scientific_);
      left_ = std::max(left_, digits.whole.size() + (plus && !std::signbit(v)));
      decimals_ = std::max(decimals_, digits.fraction.size());
      exponent_ = std::max(exponent_, digits.exponent.size());
    }
    const std::size_t right = 1 + decimals_ + exponent_,
                      special = std::max<std::size_t>(nan ? 3 : 0,
                                                      infinite ? 3 + (minus_infinite || plus) : 0);
    if (left_ + right < special) left_ = special - right;
  }
  std::string operator()(double v) const {
    const std::size_t width = left_ + 1 + decimals_ + exponent_;
    if (!std::isfinite(v)) {
      const std::string word = std::isnan(v) ? (plus_ ? "+nan" : "nan")
                               : v < 0       ? "-inf"
                               : plus_       ? "+inf"
                                             : "inf";
      return spaces(width - std::min(width, word.size())) + word;
    }
    const Digits digits = digits_of(v, dtype_, scientific_);
    const std::string whole = (plus_ && !std::signbit(v) ? "+" : "") + digits.whole,
                      fill(decimals_ - digits.fraction.size(), scientific_ ? '0' : ' ');
    return spaces(left_ - whole.size()) + whole + "." + digits.fraction + fill + digits.exponent;
  }

 private:
  DType dtype_;
  bool plus_, scientific_ = false;
  std::size_t left_ = 0, decimals_ = 0, exponent_ = 0;
};

/// A float by itself: "1.5", "1e-05", "nan".
std::string scalar_text(double v, DType d) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
  const double size = std::abs(v);
  const bool scientific = size != 0 && (size < 1e-4 || size >= 1e16);
  const std::string text =
      shortest(v, d, scientific ? std::chars_format::scientific : std::chars_format::fixed);
  return scientific || text.find('.') != std::string::npos ? text : text + ".0";
}

/// An array's elements on the host, by number.
class Elements {
 public:
  Elements(const Type& type, const void* data) : type_(type), data_(data) {}
  double real(std::int64_t i) const {
    return by_dtype(type_.dtype, [&](auto tag) -> double {
      using T = typename decltype(tag)::type;
      const T v = static_cast<const T*>(data_)[i];
      if constexpr (std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>)
        return v.real;
      else if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>)
        return static_cast<float>(v);
      else
        return static_cast<double>(v);
    });
  }
  double imag(std::int64_t i) const {
    return type_.dtype == complex64 ? static_cast<const Complex64*>(data_)[i].imag
                                    : static_cast<const Complex128*>(data_)[i].imag;
  }
  std::string whole(std::int64_t i) const {
    return by_dtype(type_.dtype, [&](auto tag) -> std::string {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_same_v<T, bool>)
        return static_cast<const bool*>(data_)[i] ? "True" : "False";
      else if constexpr (std::is_integral_v<T>)
        return std::to_string(static_cast<const T*>(data_)[i]);
      else
        return {};
    });
  }

 private:
  Type type_;
  const void* data_;
};

class Page {
 public:
  Page(const Type& type, const void* data)
      : type_(type), elements_(type, data), summarize_(element_count(type.shape) > summary_above) {
    std::vector<std::int64_t> shown;
    collect(0, 0, shown);
    words_ = aligned(shown);
  }
  std::string text() {
    if (type_.shape.empty()) return alone();
    if (element_count(type_.shape) == 0) return "[]";
    return block(0, " ", line_width);
  }

 private:
  std::int64_t size(std::size_t axis) const { return type_.shape[axis]; }
  bool shortened(std::size_t axis) const { return summarize_ && size(axis) > 2 * edge_items; }

  /// The numbers of the elements that are shown, in order.
  void collect(std::size_t axis, std::int64_t at, std::vector<std::int64_t>& out) const {
    if (axis == type_.shape.size()) {
      out.push_back(at);
      return;
    }
    for (std::int64_t i = 0; i < size(axis); ++i) {
      if (shortened(axis) && i == edge_items) i = size(axis) - edge_items;
      collect(axis + 1, at * size(axis) + i, out);
    }
  }

  std::vector<std::string> aligned(const std::vector<std::int64_t>& shown) const {
    std::vector<std::string> out;
    if (is_floating(type_.dtype)) {
      std::vector<double> values;
      for (std::int64_t i : shown) values.push_back(elements_.real(i));
      const FloatFormat format(values, type_.dtype, false);
      for (double v : values) out.push_back(format(v));
    } else if (is_complex(type_.dtype)) {
      std::vector<double> real, imag;
      for (std::int64_t i : shown) {
        real.push_back(elements_.real(i));
        imag.push_back(elements_.imag(i));
      }
      const DType part = type_.dtype == complex64 ? float32 : float64;
      const FloatFormat first(real, part, false), second(imag, part, true);
      for (std::size_t k = 0; k < shown.size(); ++k) {
        std::string i = second(imag[k]);
        i.insert(i.find_last_not_of(' ') + 1, "j");
        out.push_back(first(real[k]) + i);
      }
    } else {
      std::size_t width = type_.dtype == bool_ ? 5 : 0;
      for (std::int64_t i : shown) out.push_back(elements_.whole(i));
      for (const std::string& word : out) width = std::max(width, word.size());
      for (std::string& word : out) word = spaces(width - word.size()) + word;
    }
    return out;
  }

  std::string alone() const {
    if (is_floating(type_.dtype)) return scalar_text(elements_.real(0), type_.dtype);
    if (!is_complex(type_.dtype)) return elements_.whole(0);
    const DType part = type_.dtype == complex64 ? float32 : float64;
    const auto text = [&](double v) {  // without ".0": (1+2j)
      std::string t = scalar_text(v, part);
      if (t.ends_with(".0")) t.erase(t.size() - 2);
      return t;
    };
    const std::string imag = text(elements_.imag(0));
    return "(" + text(elements_.real(0)) + (imag[0] == '-' ? "" : "+") + imag + "j)";
  }

  /// One bracket with what it holds; `indent` begins every line but the first.
  std::string block(std::size_t axis, const std::string& indent, std::size_t width) {
    const bool last = axis + 1 == type_.shape.size(), cut = shortened(axis);
    const std::int64_t n = size(axis);
    std::string out, line = indent;
    const std::string between(type_.shape.size() - axis - 1, '\n');
    const auto put = [&](const std::string& word) {
      if (line.size() + word.size() > width - 1 && line.size() > indent.size()) {
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
        line = indent;
      }
      line += word;
    };
    for (std::int64_t i = 0; i < n; ++i) {
      if (cut && i == edge_items) {
        if (last) {
          put("...");
          line += ' ';
        } else
          out += indent + "..." + between;
        i = n - edge_items;
      }
      if (last) {
        put(words_[next_++]);
        if (i + 1 < n) line += ' ';
      } else {
        out += indent + block(axis + 1, indent + " ", width - 1);
        if (i + 1 < n) out += between;
      }
    }
    if (last) out += line;
    return "[" + out.substr(indent.size()) + "]";
  }

  Type type_;
  Elements elements_;
  bool summarize_;
  std::vector<std::string> words_;  // of the elements that are shown
  std::size_t next_ = 0;
};

}  // namespace

std::string elements_text(const Type& type, const void* data) { return Page(type, data).text(); }

std::ostream& operator<<(std::ostream& out, DType d) { return out << to_string(d); }
std::ostream& operator<<(std::ostream& out, const Shape& s) { return out << to_string(s); }
std::ostream& operator<<(std::ostream& out, const Spec& s) { return out << to_string(s); }

std::ostream& operator<<(std::ostream& out, const Array& x) {
  if (!defined(x)) return out << "Array()";
  const Type type = type_of(x);
  const void* data = nullptr;
  try {
    data = x.host(type.dtype, detail::origin(x));
  } catch (const Error& e) {
    if (e.code() != "value-in-trace") throw;
    return out << type;  // inside jit or vmap: its type is all there is
  }
  return out << Page(type, data).text();
}

}  // namespace fluxion
