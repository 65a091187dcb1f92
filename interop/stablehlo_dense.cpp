// Literal arrays: numbers in nested lists or as bytes, to elements and back.
#include "interop/stablehlo_dense.hpp"

#include "interop/stablehlo_parser.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace fluxion::stablehlo {
namespace {

class Lists {
 public:
  Lists(Lexer& lexer, DenseText& out) : lexer_(lexer), out_(out) {}

  void read(std::size_t depth) {
    if (depth > 64) lexer_.complain("lists nest deeper than an array has axes");
    if (!lexer_.is("[")) {
      if (depth < out_.sizes.size() || (measured_ && depth != out_.sizes.size()))
        lexer_.complain("expected a list of as many levels as the others");
      measured_ = true;
      number();
      return;
    }
    if (measured_ && depth >= out_.sizes.size())
      lexer_.complain("a list that is deeper than the others");
    lexer_.next();
    const bool first = out_.sizes.size() <= depth;
    if (first) out_.sizes.push_back(0);
    std::int64_t count = 0;
    const std::size_t begin = lexer_.peek().begin;
    if (!lexer_.is("]")) {
      do {
        read(depth + 1);
        ++count;
      } while (lexer_.take(","));
    } else {
      measured_ = true;
    }
    if (!lexer_.take("]")) lexer_.complain("expected ',' or ']', not " + lexer_.shown());
    if (first)
      out_.sizes[depth] = count;
    else if (out_.sizes[depth] != count)
      lexer_.complain(begin,
                      "lists of " + std::to_string(out_.sizes[depth]) + " and of " +
                          std::to_string(count) + " elements");
  }

 private:
  void number() {
    Literal literal{{}, {}, lexer_.peek().begin};
    if (lexer_.take("(")) {
      literal.real = part();
      if (!lexer_.take(",")) lexer_.complain("expected the imaginary part of a complex number");
      literal.imaginary = part();
      if (!lexer_.take(")")) lexer_.complain("expected ')', not " + lexer_.shown());
    } else {
      literal.real = part();
    }
    out_.numbers.push_back(literal);
  }
  std::string_view part() {
    const Token& token = lexer_.peek();
    if (token.kind != Token::Kind::number && !lexer_.is("true") && !lexer_.is("false"))
      lexer_.complain("expected a number, not " + lexer_.shown());
    return lexer_.next().text;
  }

  Lexer& lexer_;
  DenseText& out_;
  bool measured_ = false;
};

template <class T> bool parse_real(std::string_view text, T& out) {
  if (text.substr(0, 1) == "+") text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc::result_out_of_range)
    out = static_cast<T>(std::strtod(std::string(text).c_str(), nullptr));  // infinity or zero
  else if (error != std::errc())
    return false;
  return end == text.data() + text.size();
}

bool parse_bits(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), out, 16);
  return error == std::errc() && end == text.data() + text.size();
}

template <class T> bool parse_float(std::string_view text, T& out) {
  if (text.substr(0, 2) == "0x") {
    std::uint64_t bits = 0;
    if (!parse_bits(text, bits) || (sizeof(T) < 8 && bits >> (8 * sizeof(T)) % 64 != 0))
      return false;
    std::memcpy(static_cast<void*>(&out), &bits, sizeof(T));
    return true;
  }
  if constexpr (sizeof(T) >= 4) {
    return parse_real(text, out);
  } else {
    float wide = 0;
    if (!parse_real(text, wide)) return false;
    out = T(wide);
    return true;
  }
}

template <class T> bool parse_element(std::string_view text, T& out) {
  if constexpr (std::is_same_v<T, bool>) {
    out = text == "true" || text == "1" || text == "-1";
    return out || text == "false" || text == "0";
  } else if constexpr (std::is_integral_v<T>) {
    if (text.substr(0, 2) == "0x") {
      std::uint64_t bits = 0;
      if (!parse_bits(text, bits)) return false;
      out = static_cast<T>(bits);
      return static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<T>>(out)) == bits;
    }
    if (text.substr(0, 1) == "+") text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
  } else {
    return parse_float(text, out);
  }
}

template <class T>
constexpr bool is_pair = std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>;

template <class T> bool parse_literal(const Literal& literal, T& out) {
  if constexpr (is_pair<T>) {
    if (literal.imaginary.empty()) return parse_float(literal.real, out.real);
    return parse_float(literal.real, out.real) && parse_float(literal.imaginary, out.imag);
  } else {
    return literal.imaginary.empty() && parse_element(literal.real, out);
  }
}

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

Elements from_digits(const DenseText& text, const Spec& type, const Lexer& lexer) {
  std::string_view digits = text.digits;
  if (digits.substr(0, 2) != "0x" || digits.size() % 2 != 0)
    lexer.complain(text.begin, "the bytes of an array are 0x and pairs of hexadecimal digits");
  digits.remove_prefix(2);
  Elements out;
  out.type = type;
  out.bytes.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]), low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0)
      lexer.complain(text.begin, "the bytes of an array are 0x and pairs of hexadecimal digits");
    out.bytes.push_back(static_cast<unsigned char>(high * 16 + low));
  }
  const auto count = static_cast<std::size_t>(element_count(type.shape));
  const std::size_t wanted = count * size_of(type.dtype);
  if (type.dtype == bool_ && out.bytes.size() == (count + 7) / 8 &&
      out.bytes.size() != count) {  // a bit an element
    std::vector<unsigned char> bits(count);
    for (std::size_t i = 0; i < count; ++i) bits[i] = out.bytes[i / 8] >> (i % 8) & 1;
    out.bytes = std::move(bits);
  } else if (out.bytes.size() == size_of(type.dtype) && wanted != out.bytes.size()) {
    out.splat = true;
  } else if (out.bytes.size() != wanted) {
    lexer.complain(text.begin,
                   std::to_string(out.bytes.size()) + " bytes for " + type_text(type) +
                       ", which has " + std::to_string(wanted));
  }
  if (type.dtype == bool_)
    for (unsigned char& b : out.bytes) b = b != 0;
  return out;
}

}  // namespace

DenseText read_dense(Lexer& lexer) {
  DenseText out;
  out.begin = lexer.peek().begin;
  if (lexer.is(">")) {
    out.empty = true;
  } else if (lexer.peek().kind == Token::Kind::text) {
    out.digits = lexer.next().text;
  } else {
    Lists(lexer, out).read(0);
  }
  return out;
}

Elements elements_of(const DenseText& text, const Spec& type, const Lexer& lexer) {
  if (!text.digits.empty()) return from_digits(text, type, lexer);
  Elements out;
  out.type = type;
  const std::int64_t count = element_count(type.shape);
  if (text.empty || (text.numbers.empty() && count == 0)) {
    if (count != 0) lexer.complain(text.begin, "no elements for " + type_text(type));
    return out;
  }
  out.splat = text.sizes.empty();
  if (!out.splat && !(Shape(text.sizes) == type.shape))
    lexer.complain(
        text.begin,
        "lists of the shape " + to_string(Shape(text.sizes)) + " for " + type_text(type));
  out.bytes.resize(text.numbers.size() * size_of(type.dtype));
  by_dtype(type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::size_t i = 0; i < text.numbers.size(); ++i) {
      T element{};
      if (!parse_literal(text.numbers[i], element))
        lexer.complain(text.numbers[i].begin,
                       "no number of type " + std::string(element_word(type.dtype)));
      std::memcpy(out.bytes.data() + i * sizeof(T), &element, sizeof(T));
    }
  });
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
    } else if (i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      ++i;
      out += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
    }
  }
  return out;
}

Attribute AttributeReader::dense() {
  Attribute out = made(Attribute::Kind::elements);
  expect("<");
  const DenseText text = read_dense(lexer);
  expect(">");
  expect(":");
  out.type = type();
  out.elements = std::make_shared<const Elements>(elements_of(text, out.type, lexer));
  return out;
}

namespace {

template <class T> std::string element_text(T v) {
  if constexpr (std::is_same_v<T, bool>) {
    return v ? "true" : "false";
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(v);
  } else if constexpr (is_pair<T>) {
    return "(" + element_text(v.real) + ", " + element_text(v.imag) + ")";
  } else {
    const double wide =
        static_cast<double>(static_cast<std::conditional_t<sizeof(T) == 8, double, float>>(v));
    std::uint64_t bits = 0;
    std::memcpy(&bits, &v, sizeof(T));
    char buffer[40];
    if (std::isfinite(wide)) {
      const auto end =
          sizeof(T) == 8
              ? std::to_chars(buffer, buffer + sizeof buffer, wide, std::chars_format::scientific)
                    .ptr
              : std::to_chars(buffer,
                              buffer + sizeof buffer,
                              static_cast<float>(wide),
                              std::chars_format::scientific)
                    .ptr;
      std::string text(buffer, end);
      if (const std::size_t e = text.find('e'); e != text.npos && text.find('.') == text.npos)
        text.insert(e, ".0");
      return text;
    }
    std::string digits(2 * sizeof(T), '0');
    for (std::size_t i = 0; i < digits.size(); ++i)
      digits[digits.size() - 1 - i] = "0123456789ABCDEF"[bits >> (4 * i) & 15];
    return "0x" + digits;
  }
}

}  // namespace

std::string dense_text(const Spec& type, const void* data, bool splat) {
  const std::int64_t count = splat ? 1 : element_count(type.shape);
  const auto* bytes = static_cast<const unsigned char*>(data);
  if (count == 0) return "dense<>";
  if (!splat && count > 16) {
    std::string out = "dense<\"0x";
    for (std::size_t i = 0; i < static_cast<std::size_t>(count) * size_of(type.dtype); ++i) {
      out += "0123456789ABCDEF"[bytes[i] >> 4];
      out += "0123456789ABCDEF"[bytes[i] & 15];
    }
    return out + "\">";
  }
  std::string out = "dense<";
  by_dtype(type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto element = [&](std::int64_t i) {
      T v;
      std::memcpy(&v, bytes + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
      return element_text(v);
    };
    if (splat || type.shape.empty()) {
      out += element(0);
      return;
    }
    std::vector<std::int64_t> below(type.shape.size() + 1,
                                    1);  // elements in one list of each level
    for (std::size_t k = type.shape.size(); k-- > 0;) below[k] = below[k + 1] * type.shape[k];
    for (std::int64_t i = 0; i < count; ++i) {
      if (i) out += ", ";
      for (std::size_t k = 0; k < type.shape.size(); ++k)
        if (i % below[k] == 0) out += '[';
      out += element(i);
      for (std::size_t k = type.shape.size(); k-- > 0;)
        if ((i + 1) % below[k] == 0) out += ']';
    }
  });
  return out + ">";
}

}  // namespace fluxion::stablehlo
