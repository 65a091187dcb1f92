// StableHLO's types and attributes, read from text.
#include "interop/stablehlo_dense.hpp"
#include "interop/stablehlo_parser.hpp"
#include "trace/error.hpp"
#include "trace/tensor.hpp"

#include <charconv>

namespace fluxion::stablehlo {

/// Refuses text that nests so deep that reading it would end the stack.
class Nested {
 public:
  explicit Nested(AttributeReader& reader) : reader_(reader) {
    if (++reader_.depth_ > 40) reader_.lexer.complain("this nests too deep");
  }
  ~Nested() { --reader_.depth_; }
  Nested(const Nested&) = delete;
  Nested& operator=(const Nested&) = delete;

 private:
  AttributeReader& reader_;
};

namespace {

void fill(Attribute& to, std::vector<std::pair<std::string, Attribute>> entries) {
  for (auto& [key, value] : entries) {
    to.keys.push_back(std::move(key));
    to.list.push_back(std::move(value));
  }
}

}  // namespace

void AttributeReader::expect(std::string_view sign) {
  if (!lexer.take(sign))
    lexer.complain("expected '" + std::string(sign) + "', not " + lexer.shown());
}
std::string AttributeReader::expect_word(std::string_view what) {
  if (lexer.peek().kind != Token::Kind::word)
    lexer.complain("expected " + std::string(what) + ", not " + lexer.shown());
  return std::string(lexer.next().text);
}
std::string AttributeReader::expect_symbol() {
  if (lexer.peek().kind != Token::Kind::symbol)
    lexer.complain("expected a name that begins with @, not " + lexer.shown());
  return std::string(lexer.next().text);
}
std::int64_t AttributeReader::expect_integer() {
  const Token token = lexer.peek();
  std::int64_t v = 0;
  const auto [end, error] =
      std::from_chars(token.text.data(), token.text.data() + token.text.size(), v);
  if (token.kind != Token::Kind::number || error != std::errc() ||
      end != token.text.data() + token.text.size())
    lexer.complain("expected an integer, not " + lexer.shown());
  lexer.next();
  return v;
}

DType AttributeReader::element_type() {
  static constexpr std::pair<std::string_view, DType> words[] = {{"i1", bool_},
                                                                 {"i8", int8},
                                                                 {"i16", int16},
                                                                 {"i32", int32},
                                                                 {"i64", int64},
                                                                 {"ui8", uint8},
                                                                 {"ui16", uint16},
                                                                 {"ui32", uint32},
                                                                 {"ui64", uint64},
                                                                 {"si8", int8},
                                                                 {"si16", int16},
                                                                 {"si32", int32},
                                                                 {"si64", int64},
                                                                 {"index", int64},
                                                                 {"f16", float16},
                                                                 {"bf16", bfloat16},
                                                                 {"f32", float32},
                                                                 {"f64", float64}};
  const std::size_t begin = lexer.peek().begin;
  if (lexer.take("complex")) {
    expect("<");
    const DType part = element_type();
    expect(">");
    if (part != float32 && part != float64)
      lexer.complain(begin, "complex numbers have parts of f32 or f64");
    return part == float32 ? complex64 : complex128;
  }
  if (lexer.peek().kind == Token::Kind::word)
    for (const auto& [word, dtype] : words)
      if (lexer.take(word)) return dtype;
  lexer.complain("expected an element type, not " + lexer.shown());
}

Spec AttributeReader::type() {
  Spec out;
  const std::size_t begin = lexer.peek().begin;
  if (!lexer.take("tensor")) {
    out.dtype = element_type();
    return out;
  }
  expect("<");
  std::int64_t elements = 1;
  for (char c = lexer.raw(); (c >= '0' && c <= '9') || c == '?' || c == '*'; c = lexer.raw()) {
    if (c == '?' || c == '*')
      lexer.complain("a size that is known only at run time: every size must be a number");
    std::int64_t size = 0;
    for (; c >= '0' && c <= '9'; c = lexer.raw()) {
      size = size * 10 + (lexer.take_raw() - '0');
      if (size > (std::int64_t{1} << 40)) lexer.complain(begin, "this array is too large");
    }
    if (lexer.take_raw() != 'x') lexer.complain("expected 'x' between sizes");
    out.shape.push_back(size);
    if (out.shape.size() > 64) lexer.complain(begin, "an array has at most 64 axes");
    if (size != 0 && elements > (std::int64_t{1} << 40) / size)
      lexer.complain(begin, "this array is too large");
    if (size != 0) elements *= size;
  }
  out.dtype = element_type();
  expect(">");
  return out;
}

Attribute AttributeReader::made(Attribute::Kind kind) {
  Attribute out;
  out.kind = kind;
  out.at = lexer.location();
  return out;
}

Attribute AttributeReader::untyped_number() {
  Attribute out = made(Attribute::Kind::integer);
  const std::string_view text = lexer.peek().text;
  if (text.find_first_of(".eE") != text.npos && text.substr(0, 2) != "0x") {
    out.kind = Attribute::Kind::number;
    std::from_chars(text.data() + (text[0] == '+'), text.data() + text.size(), out.number);
    lexer.next();
  } else if (text.substr(0, 2) == "0x") {
    std::uint64_t bits = 0;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), bits, 16);
    if (error != std::errc() || end != text.data() + text.size())
      lexer.complain("a number that does not fit into 64 bits");
    out.integer = static_cast<std::int64_t>(bits);
    lexer.next();
  } else {
    out.integer = expect_integer();
  }
  return out;
}

Attribute AttributeReader::number() {
  Attribute out = untyped_number();
  if (lexer.take(":")) {
    out.type = type();
    if (out.kind == Attribute::Kind::integer && out.type.dtype >= float16)
      out.kind = Attribute::Kind::number, out.number = static_cast<double>(out.integer);
  }
  return out;
}

Attribute AttributeReader::list() {
  Attribute out = made(Attribute::Kind::list);
  const Nested nested(*this);
  expect("[");
  if (lexer.take("]")) return out;
  do out.list.push_back(attribute());
  while (lexer.take(","));
  expect("]");
  return out;
}

Attribute AttributeReader::typed_array() {  // behind the word array: <i64: 1, 2>
  Attribute out = made(Attribute::Kind::list);
  expect("<");
  out.type.dtype = element_type();
  if (lexer.take(":")) {
    do out.list.push_back(attribute());
    while (lexer.take(","));
  }
  expect(">");
  return out;
}

std::vector<std::pair<std::string, Attribute>> AttributeReader::dictionary(std::string_view close) {
  std::vector<std::pair<std::string, Attribute>> out;
  const Nested nested(*this);
  if (lexer.take(close)) return out;
  do {
    const bool quoted = lexer.peek().kind == Token::Kind::text;
    std::string key =
        quoted ? std::string(lexer.next().text) : expect_word("the name of an attribute");
    Attribute value = made(Attribute::Kind::unit);
    if (lexer.take("=")) value = attribute();
    out.emplace_back(std::move(key), std::move(value));
  } while (lexer.take(","));
  expect(close);
  return out;
}

Attribute AttributeReader::convolution_dimensions() {
  Attribute out = made(Attribute::Kind::list);
  for (int k = 0; k < 3; ++k) {
    if (k) expect(k == 1 ? "x" : "->");
    out.list.push_back(list());
  }
  return out;
}

Attribute AttributeReader::words_attribute() {  // <transpose NO_TRANSPOSE>: the last word says it
  Attribute out = made(Attribute::Kind::word);
  while (!lexer.is(">")) {
    const Token token = lexer.next();
    if (token.kind != Token::Kind::word && token.kind != Token::Kind::number &&
        token.kind != Token::Kind::text)
      lexer.complain(token.begin, "expected a word");
    out.text = token.text;
  }
  expect(">");
  return out;
}

Attribute AttributeReader::dialect_attribute() {  // #stablehlo.gather<...>, #stablehlo<precision
                                                  // DEFAULT>, #stablehlo.conv<[b, 0]x[0]->[b, 0]>
  Attribute out = made(Attribute::Kind::dictionary);
  const std::string name(lexer.next().text);
  if (!lexer.take("<")) {
    out.kind = Attribute::Kind::word;
    out.text = name;
    return out;
  }
  if (name == "stablehlo.conv") {
    out = convolution_dimensions();
    expect(">");
    return out;
  }
  const bool has_dot = name.find('.') != name.npos;
  if (!has_dot) return words_attribute();
  fill(out, dictionary(">"));
  return out;
}

Attribute AttributeReader::attribute() {
  const Nested nested(*this);
  const Token& token = lexer.peek();
  switch (token.kind) {
    case Token::Kind::number:
      return number();
    case Token::Kind::hash:
      return dialect_attribute();
    case Token::Kind::text: {
      Attribute out = made(Attribute::Kind::text);
      out.text = unescaped(lexer.next().text);
      return out;
    }
    case Token::Kind::symbol: {
      Attribute out = made(Attribute::Kind::symbol);
      out.text = lexer.next().text;
      while (lexer.take("::")) out.text += "::" + expect_symbol();
      return out;
    }
    case Token::Kind::sign: {
      if (token.text == "[") return list();
      if (token.text == "{") {
        Attribute out = made(Attribute::Kind::dictionary);
        lexer.next();
        fill(out, dictionary("}"));
        return out;
      }
      if (lexer.take("<")) return words_attribute();
      break;
    }
    case Token::Kind::word: {
      if (lexer.is("true") || lexer.is("false")) {
        Attribute out = made(Attribute::Kind::boolean);
        out.boolean = lexer.next().text == "true";
        return out;
      }
      if (lexer.take("dense")) return dense();
      if (lexer.take("array")) return typed_array();
      if (lexer.take("unit")) return made(Attribute::Kind::unit);
      if (lexer.is("tensor") || lexer.is("complex") || lexer.is("i1") || lexer.is("i8") ||
          lexer.is("i16") || lexer.is("i32") || lexer.is("i64") || lexer.is("f16") ||
          lexer.is("bf16") || lexer.is("f32") || lexer.is("f64")) {
        Attribute out = made(Attribute::Kind::type);
        out.type = type();
        return out;
      }
      Attribute out = made(Attribute::Kind::word);
      out.text = lexer.next().text;
      return out;
    }
    default:
      break;
  }
  lexer.complain("expected the value of an attribute, not " + lexer.shown());
}

void AttributeReader::skip_location() {
  while (lexer.take("loc")) {
    expect("(");
    for (int open = 1; open > 0;) {
      const Token token = lexer.next();
      if (token.kind == Token::Kind::end) lexer.complain(token.begin, "a location is never closed");
      if (token.kind != Token::Kind::sign) continue;
      open += token.text == "(" ? 1 : token.text == ")" ? -1 : 0;
    }
  }
}

}  // namespace fluxion::stablehlo
