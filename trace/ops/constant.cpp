// constant: a scalar literal of a program; readable as text, exact to the bit.
#include "trace/ops/constant.hpp"

#include "trace/ops/elementwise.hpp"

#include <charconv>
#include <cstring>

namespace fluxion::ops {
std::span<const Rules* const> constant_rules();

namespace {

/// Calls f(T) with the element.
template <class F> auto with_element(const Constant& c, F&& f) {
  return by_dtype(c.dtype, [&](auto tag) {
    typename decltype(tag)::type element;
    const std::uint64_t words[] = {c.low, c.high};
    std::memcpy(&element, words, sizeof element);
    return f(element);
  });
}

template <class T> Constant constant_of(DType dtype, T element) {
  std::uint64_t words[2] = {};
  std::memcpy(words, &element, sizeof element);
  return {dtype, words[0], words[1]};
}

template <class T> std::string number_text(T v) {
  if constexpr (host_float<T> && sizeof(T) == 2) {
    return number_text(static_cast<float>(v));
  } else if constexpr (host_float<T>) {
    if (v != v) return "nan";
  }
  if constexpr (std::is_same_v<T, bool>) {
    return v ? "true" : "false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    char text[40];
    return {text, std::to_chars(text, text + sizeof text, v).ptr};
  } else {
    return {};
  }
}

template <class T> bool parse_number(std::string_view word, T& v) {
  if constexpr (host_float<T> && sizeof(T) == 2) {
    float wide;
    if (!parse_number(word, wide)) return false;
    v = T(wide);
    return true;
  } else if constexpr (std::is_same_v<T, bool>) {
    v = word == "true";
    return v || word == "false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    if constexpr (host_float<T>) {
      if (word == "nan") {
        v = std::numeric_limits<T>::quiet_NaN();
        return true;
      }
    }
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), v);
    return error == std::errc() && end == word.data() + word.size();
  } else {
    return false;
  }
}

std::string readable(const Constant& c) {
  return with_element(c, [](auto v) {
    if constexpr (host_complex<decltype(v)>) {
      return "(" + number_text(v.real) + "," + number_text(v.imag) + ")";
    } else {
      return number_text(v);
    }
  });
}

std::optional<Constant> parse_readable(DType dtype, AttributeParser& in) {
  return by_dtype(dtype, [&](auto tag) -> std::optional<Constant> {
    using T = typename decltype(tag)::type;
    T v{};
    if constexpr (host_complex<T>) {
      const bool fine = in.take("(") && parse_number(in.word(), v.real) && in.take(",") &&
                        parse_number(in.word(), v.imag) && in.take(")");
      if (!fine) return {};
    } else if (!parse_number(in.word(), v)) {
      return {};
    }
    return constant_of(dtype, v);
  });
}

}  // namespace

double Constant::value() const {
  return with_element(*this, [](auto v) -> double {
    if constexpr (host_complex<decltype(v)>)
      return v.real;
    else
      return to_double(v);
  });
}

Types Constant::types(TypeList in) const {
  check_operand_count(name, in, 0);
  return {{Shape{}, dtype}};
}

Batched Constant::batch(Arrays x, BatchAxes, std::int64_t) const {
  return {emit_all(*this, x, rule_site()), {unbatched}};
}

kernel::Scalar Constant::at(kernel::Reader& x, const kernel::Index&) const {
  return x.builder().constant_bits(dtype, low);
}

void Constant::reference(ConstTensors, Tensors out) const {
  with_element(*this, [&](auto v) { std::memcpy(out[0].data, &v, sizeof v); });
}

std::string Constant::print() const {
  const std::string begin = "[dtype=" + to_string(dtype) + ", ";
  const std::string text = readable(*this);
  AttributeParser again(text);
  const std::optional<Constant> back = parse_readable(dtype, again);
  if (back && back->low == low && back->high == high) return begin + "value=" + text + "]";
  return begin + "low=" + std::to_string(low) + ", high=" + std::to_string(high) + "]";
}

std::optional<Constant> Constant::parse(std::string_view operation, AttributeParser& in) {
  Constant c;
  if (operation != name || !in.take("[") || !in.take("dtype=")) return {};
  if (!detail::dtype_from(in.word(), c.dtype) || !in.take(",")) return {};
  std::optional<Constant> read;
  if (in.take("value=")) {
    read = parse_readable(c.dtype, in);
  } else if (in.take("low=") && parse_number(in.word(), c.low) && in.take(",") &&
             in.take("high=") && parse_number(in.word(), c.high)) {
    read = c;
  }
  if (!read || !in.take("]")) return {};
  return read;
}

std::span<const Rules* const> constant_rules() {
  static constexpr const Rules* rules[] = {rules_of<Constant>()};
  return rules;
}

}  // namespace fluxion::ops
