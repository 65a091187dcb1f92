// How StableHLO's text falls into words.
#include "interop/stablehlo_lexer.hpp"

#include "trace/error.hpp"

#include <algorithm>

namespace fluxion::stablehlo {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool hexadecimal(char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool in_word(char c) { return letter(c) || digit(c) || c == '.' || c == '$'; }

}  // namespace

Lexer::Lexer(std::string_view text, const Site& site) : text_(text), site_(site), lines_{0} {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') lines_.push_back(i + 1);
}

Location Lexer::location(std::size_t offset) const {
  const auto after = std::upper_bound(lines_.begin(), lines_.end(), offset);
  return {static_cast<int>(after - lines_.begin()), static_cast<int>(offset - after[-1] + 1)};
}

void Lexer::complain(std::size_t offset, const std::string& what) const {
  const std::size_t newline = offset == 0 ? text_.npos : text_.rfind('\n', offset - 1);
  const std::size_t begin = newline == text_.npos ? 0 : newline + 1;
  const std::size_t from = offset - begin > 60 ? offset - 40 : begin;
  std::string line(text_.substr(from, std::min<std::size_t>(text_.find('\n', offset) - from, 80)));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  fail_at("stablehlo-syntax",
          site_,
          location(offset),
          what,
          {line, std::string(offset - from, ' ') + "^"});
}

std::string Lexer::shown() {
  const Token& t = peek();
  if (t.kind == Token::Kind::end) return "the end of the text";
  static constexpr std::string_view before[] = {"", "", "%", "@", "^", "", "\"", "#", ""};
  std::string text(t.text.substr(0, 40));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return "'" + std::string(before[static_cast<int>(t.kind)]) + text +
         (t.kind == Token::Kind::text ? "\"'" : "'");
}

void Lexer::skip() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      ++at_;
    } else if (text_.substr(at_, 2) == "//") {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else {
      return;
    }
  }
}

std::size_t Lexer::end_of_word(std::size_t from) const {
  while (from < text_.size() && in_word(text_[from])) ++from;
  return from;
}

std::size_t Lexer::end_of_number(std::size_t i) const {
  const auto at = [&](std::size_t k) { return k < text_.size() ? text_[k] : '\0'; };
  if (at(i) == '-' || at(i) == '+') ++i;
  if (at(i) == '0' && at(i + 1) == 'x') {
    i += 2;
    while (hexadecimal(at(i))) ++i;
    return i;
  }
  while (digit(at(i))) ++i;
  if (at(i) == '.' && digit(at(i + 1))) {
    ++i;
    while (digit(at(i))) ++i;
  } else if (at(i) == '.') {
    ++i;
  }
  if (at(i) == 'e' || at(i) == 'E') {
    std::size_t k = i + 1;
    if (at(k) == '-' || at(k) == '+') ++k;
    if (digit(at(k))) {
      while (digit(at(k))) ++k;
      i = k;
    }
  }
  return i;
}

std::size_t Lexer::end_of_quoted(std::size_t from) const {
  std::size_t i = from + 1;
  while (i < text_.size() && text_[i] != '"' && text_[i] != '\n') i += text_[i] == '\\' ? 2 : 1;
  if (i >= text_.size() || text_[i] != '"') complain(from, "a text in quotes is never closed");
  return i;
}

Token Lexer::read() {
  skip();
  const std::size_t begin = at_;
  const auto token = [&](Token::Kind kind, std::size_t from, std::size_t to, std::size_t end) {
    at_ = end;
    return Token{kind, text_.substr(from, to - from), begin};
  };
  if (begin >= text_.size())
    return token(Token::Kind::end, text_.size(), text_.size(), text_.size());
  const char c = text_[begin], after = begin + 1 < text_.size() ? text_[begin + 1] : '\0';
  if (letter(c)) {
    const std::size_t end = end_of_word(begin);
    return token(Token::Kind::word, begin, end, end);
  }
  if (digit(c) || ((c == '-' || c == '+') && digit(after))) {
    const std::size_t end = end_of_number(begin);
    return token(Token::Kind::number, begin, end, end);
  }
  if (c == '"') {
    const std::size_t end = end_of_quoted(begin);
    return token(Token::Kind::text, begin + 1, end, end + 1);
  }
  if (c == '@' && after == '"') {
    const std::size_t end = end_of_quoted(begin + 1);
    return token(Token::Kind::symbol, begin + 2, end, end + 1);
  }
  if ((c == '%' || c == '@' || c == '^' || c == '#') && (in_word(after) || after == '-')) {
    std::size_t end = begin + 1;
    while (end < text_.size() && (in_word(text_[end]) || text_[end] == '-') &&
           text_.substr(end, 2) != "->")
      ++end;
    const Token::Kind kind = c == '%'   ? Token::Kind::value
                             : c == '@' ? Token::Kind::symbol
                             : c == '^' ? Token::Kind::block
                                        : Token::Kind::hash;
    return token(kind, begin + 1, end, end);
  }
  const std::size_t length =
      text_.substr(begin, 2) == "->" || text_.substr(begin, 2) == "::" ? 2 : 1;
  if (length == 1 && std::string_view("()[]{}<>=,:?*#!-").find(c) == std::string_view::npos)
    complain(begin, "a character that means nothing here");
  return token(Token::Kind::sign, begin, begin + length, begin + length);
}

char Lexer::raw() {
  if (ahead_) {
    at_ = last_end_;
    ahead_ = false;
  }
  skip();
  return at_ < text_.size() ? text_[at_] : '\0';
}
char Lexer::take_raw() {
  const char c = raw();
  if (at_ < text_.size()) ++at_;
  last_end_ = at_;
  return c;
}

}  // namespace fluxion::stablehlo
