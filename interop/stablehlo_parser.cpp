// Modules, functions, regions and the generic form of an operation.
#include "interop/stablehlo_parser.hpp"

#include "trace/error.hpp"

namespace fluxion::stablehlo {
namespace {

constexpr std::size_t most_nested_regions = 32;

}  // namespace

std::vector<Module> parse(std::string_view text, const Site& site) {
  return Parser(text, site).modules();
}

std::vector<Module> Parser::modules() {
  std::vector<Module> out;
  while (lexer.peek().kind != Token::Kind::end) {
    if (lexer.peek().kind ==
        Token::Kind::hash) {  // #loc1 = loc(...): a name for an attribute that nothing here reads
      lexer.next();
      expect("=");
      if (lexer.is("loc"))
        skip_location();
      else
        attribute();
    } else {
      out.push_back(module());
    }
  }
  if (out.empty()) lexer.complain("the text has no module");
  return out;
}

Module Parser::module() {
  Module out;
  const bool wrapped = lexer.take("module") || lexer.take("builtin.module");
  if (wrapped) {
    if (lexer.peek().kind == Token::Kind::symbol) out.name = expect_symbol();
    if (lexer.take("attributes")) {
      expect("{");
      dictionary("}");
    }
    expect("{");
  }
  const auto at_end = [&] {
    return wrapped ? lexer.is("}")
                   : lexer.peek().kind == Token::Kind::end || lexer.is("module") ||
                         lexer.peek().kind == Token::Kind::hash;
  };
  while (!at_end()) {
    const std::size_t begin = lexer.peek().begin;
    Definition f = function();
    if (out.find(f.name)) lexer.complain(begin, "a second function called @" + f.name);
    out.functions.push_back(std::move(f));
  }
  if (wrapped) expect("}");
  skip_location();
  return out;
}

std::vector<std::pair<std::string, Spec>> Parser::parameters() {
  std::vector<std::pair<std::string, Spec>> out;
  expect("(");
  if (lexer.take(")")) return out;
  do {
    std::string name = value_name();
    expect(":");
    const Spec type = this->type();
    if (lexer.take("{")) dictionary("}");
    skip_location();
    out.emplace_back(std::move(name), type);
  } while (lexer.take(","));
  expect(")");
  return out;
}

Definition Parser::function() {
  Definition out;
  if (!lexer.take("func.func") && !lexer.take("func"))
    lexer.complain("expected a function, not " + lexer.shown());
  if (lexer.take("private"))
    out.is_private = true;
  else
    lexer.take("public");
  out.at = lexer.location();
  out.name = expect_symbol();
  value_count_ = 0;
  scopes_.clear();
  auto arguments = parameters();
  if (lexer.take("->")) {
    if (lexer.take("(")) {
      if (!lexer.take(")")) {
        do {
          out.results.push_back(type());
          if (lexer.take("{")) dictionary("}");
        } while (lexer.take(","));
        expect(")");
      }
    } else {
      out.results.push_back(type());
    }
  }
  if (lexer.take("attributes")) {
    expect("{");
    dictionary("}");
  }
  expect("{");
  out.body = region(std::move(arguments), "}");
  skip_location();
  out.value_count = value_count_;
  return out;
}

Region Parser::region(std::vector<std::pair<std::string, Spec>> arguments, std::string_view close) {
  Region out;
  if (scopes_.size() >= most_nested_regions) lexer.complain("regions nest too deep");
  scopes_.emplace_back();
  for (auto& [name, type] : arguments) {
    out.arguments.push_back(define(name, 1, lexer.peek().begin));
    out.argument_types.push_back(type);
  }
  operations(out, close);
  scopes_.pop_back();
  return out;
}

void Parser::operations(Region& out, std::string_view close) {
  if (lexer.peek().kind == Token::Kind::block) {
    if (!out.arguments.empty()) lexer.complain("a region with several blocks");
    lexer.next();
    if (lexer.is("("))
      for (auto& [name, type] : parameters()) {
        out.arguments.push_back(define(name, 1, lexer.peek().begin));
        out.argument_types.push_back(type);
      }
    expect(":");
  }
  while (!lexer.take(close)) {
    if (lexer.peek().kind == Token::Kind::block) lexer.complain("a region with several blocks");
    out.operations.push_back(operation());
  }
}

std::string Parser::value_name() {
  if (lexer.peek().kind != Token::Kind::value)
    lexer.complain("expected a value, not " + lexer.shown());
  return std::string(lexer.next().text);
}

ValueNumber Parser::define(const std::string& name, std::int32_t count, std::size_t at) {
  for (const auto& scope : scopes_)
    if (scope.find(name) != scope.end()) lexer.complain(at, "%" + name + " is defined twice");
  const ValueNumber first = value_count_;
  value_count_ += count;
  scopes_.back().emplace(name, Named{first, count});
  return first;
}

ValueNumber Parser::operand() {
  const std::size_t begin = lexer.peek().begin;
  const std::string name = value_name();
  std::int64_t which = 0;
  bool numbered = false;
  if (lexer.peek().kind == Token::Kind::hash) {
    const std::string_view digits = lexer.next().text;
    numbered = true;
    for (char c : digits) {
      if (c < '0' || c > '9' || which > 100000) lexer.complain(begin, "no result of that number");
      which = which * 10 + (c - '0');
    }
  }
  for (std::size_t k = scopes_.size(); k-- > 0;) {
    const auto found = scopes_[k].find(name);
    if (found == scopes_[k].end()) continue;
    const Named& named = found->second;
    if (which >= named.count || (!numbered && named.count != 1))
      lexer.complain(begin, "%" + name + " stands for " + std::to_string(named.count) + " values");
    return named.first + static_cast<ValueNumber>(which);
  }
  lexer.complain(begin, "%" + name + " is not defined before it is used");
}

void Parser::operand_list(Operation& out, std::string_view close) {
  if (lexer.take(close)) return;
  do out.operands.push_back(operand());
  while (lexer.take(","));
  expect(close);
}

Operation Parser::operation() {
  Operation out;
  const std::size_t begin = lexer.peek().begin;
  std::vector<std::pair<std::string, std::int32_t>> names;
  if (lexer.peek().kind == Token::Kind::value) {
    do {
      std::string name = value_name();
      std::int64_t count = 1;
      if (lexer.take(":")) count = expect_integer();
      if (count < 1 || count > 10000) lexer.complain(begin, "so many results are not possible");
      names.emplace_back(std::move(name), static_cast<std::int32_t>(count));
    } while (lexer.take(","));
    expect("=");
  }
  out.at = lexer.location();
  if (lexer.peek().kind == Token::Kind::text) {
    out.name = lexer.next().text;
    generic(out);
  } else {
    out.name = expect_word("an operation");
    short_form(out);
  }
  skip_location();
  results(out, names, begin);
  return out;
}

void Parser::results(Operation& out,
                     const std::vector<std::pair<std::string, std::int32_t>>& names,
                     std::size_t begin) {
  std::int64_t named = 0;
  for (const auto& [name, count] : names) named += count;
  if (named > static_cast<std::int64_t>(out.results.size()) ||
      (!names.empty() && named != static_cast<std::int64_t>(out.results.size())))
    lexer.complain(begin,
                   out.name + " has " + std::to_string(out.results.size()) +
                       " results, and the text names " + std::to_string(named));
  out.first_result = value_count_;
  if (names.empty()) value_count_ += static_cast<std::int32_t>(out.results.size());
  for (const auto& [name, count] : names) define(name, count, begin);
}

void Parser::generic(Operation& out) {
  if (out.name == "func.return") out.name = "return";
  expect("(");
  operand_list(out, ")");
  if (lexer.take("<")) {
    expect("{");
    out.attributes = dictionary("}");
    expect(">");
  }
  if (lexer.take("(")) {
    do {
      expect("{");
      out.regions.push_back(region({}, "}"));
    } while (lexer.take(","));
    expect(")");
  }
  optional_attributes(out);
  expect(":");
  const std::size_t begin = lexer.peek().begin;
  out.operand_types = types_in_parentheses();
  expect("->");
  out.results = lexer.is("(") ? types_in_parentheses() : std::vector<Spec>{type()};
  if (out.operand_types.size() != out.operands.size())
    lexer.complain(begin,
                   std::to_string(out.operands.size()) + " operands and the types of " +
                       std::to_string(out.operand_types.size()));
}

void Parser::optional_attributes(Operation& out) {
  if (!lexer.take("{")) return;
  auto more = dictionary("}");
  out.attributes.insert(out.attributes.end(),
                        std::make_move_iterator(more.begin()),
                        std::make_move_iterator(more.end()));
}

std::vector<Spec> Parser::type_list() {
  std::vector<Spec> out;
  do out.push_back(type());
  while (lexer.take(","));
  return out;
}

std::vector<Spec> Parser::types_in_parentheses() {
  expect("(");
  if (lexer.take(")")) return {};
  std::vector<Spec> out = type_list();
  expect(")");
  return out;
}

}  // namespace fluxion::stablehlo
