// The words of StableHLO's text.
#pragma once
#include "interop/stablehlo_module.hpp"

namespace fluxion::stablehlo {

struct Token {
  enum class Kind { end, word, value, symbol, block, number, text, hash, sign };
  Kind kind = Kind::end;
  std::string_view
      text;  // without the leading % @ ^ #; a text without its quotes, escapes as written
  std::size_t begin = 0;
};

/// One token ahead; comments and blanks are passed over.
class Lexer {
 public:
  Lexer(std::string_view text, const Site& site);

  const Token& peek() {
    if (!ahead_) {
      token_ = read();
      ahead_ = true;
    }
    return token_;
  }
  Token next() {
    Token token = peek();
    ahead_ = false;
    last_end_ = at_;
    return token;
  }
  /// Whether the next token is this word or sign.
  bool is(std::string_view text) {
    const Token& t = peek();
    return (t.kind == Token::Kind::word || t.kind == Token::Kind::sign) && t.text == text;
  }
  bool take(std::string_view text) {
    if (!is(text)) return false;
    next();
    return true;
  }
  /// The characters right after the last token, for what has words of its own (sizes of a type).
  char raw();
  char take_raw();

  Location location(std::size_t offset) const;
  Location location() { return location(peek().begin); }
  const Site& site() const { return site_; }
  /// Throws "stablehlo-syntax" at a place of the text.
  [[noreturn]] void complain(std::size_t offset, const std::string& what) const;
  [[noreturn]] void complain(const std::string& what) { complain(peek().begin, what); }
  /// The next token as an error shows it.
  std::string shown();

 private:
  Token read();
  void skip();
  std::size_t end_of_word(std::size_t from) const;
  std::size_t end_of_number(std::size_t from) const;
  std::size_t end_of_quoted(std::size_t from) const;

  std::string_view text_;
  const Site& site_;
  std::vector<std::size_t> lines_;  // where each begins
  std::size_t at_ = 0, last_end_ = 0;
  Token token_;
  bool ahead_ = false;
};

}  // namespace fluxion::stablehlo
