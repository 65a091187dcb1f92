// Literal arrays in the text: lists of numbers, or bytes as hexadecimal digits.
#pragma once
#include "interop/stablehlo_lexer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fluxion::stablehlo {

/// One number of a list as it is written; of a complex one, both parts.
struct Literal {
  std::string_view real, imaginary;
  std::size_t begin;
};

/// What stands between dense< and >, before its type is known.
struct DenseText {
  std::vector<Literal> numbers;     // of nested lists, in row-major order
  std::vector<std::int64_t> sizes;  // of the lists; none: a splat
  std::string_view digits;          // "0x...", where the bytes are given
  bool empty = false;
  std::size_t begin = 0;
};
DenseText read_dense(Lexer&);
/// The elements as a type has them; every mistake is one of the text.
Elements elements_of(const DenseText&, const Spec&, const Lexer&);

/// A text without its escapes: \n, \", \\, and \ with two hexadecimal digits.
std::string unescaped(std::string_view);
/// The text of elements, such that `elements_of` gives them back bit for bit.
std::string dense_text(const Spec&, const void* data, bool splat);

}  // namespace fluxion::stablehlo
