// The short forms of operations, as StableHLO's own printer writes them.
#include "interop/stablehlo_parser.hpp"
#include "trace/error.hpp"

namespace fluxion::stablehlo {
namespace {

struct Form {
  std::string_view name;
  void (*read)(Parser&, Operation&);
};

}  // namespace

/// Opens the parser's own readers to the table of forms.
struct ShortForms {
  template <void (Parser::*f)(Operation&)> static void run(Parser& p, Operation& o) { (p.*f)(o); }
  static constexpr Form table[] = {
      {"stablehlo.constant", run<&Parser::constant>},
      {"stablehlo.custom_call", run<&Parser::custom_call>},
      {"call", run<&Parser::call>},
      {"func.call", run<&Parser::call>},
      {"return", run<&Parser::returns>},
      {"func.return", run<&Parser::returns>},
      {"stablehlo.return", run<&Parser::returns>},
      {"stablehlo.reduce", run<&Parser::reduce>},
      {"stablehlo.while", run<&Parser::while_loop>},
      {"stablehlo.convolution", run<&Parser::convolution>},
      {"stablehlo.composite", run<&Parser::composite>},
  };
};

void Parser::short_form(Operation& out) {
  for (const Form& form : ShortForms::table)
    if (form.name == out.name) return form.read(*this, out);
  if (out.name.find('.') == out.name.npos)
    lexer.complain("there is no operation '" + out.name + "'");
  clauses(out);
}

// %a, %b, key = value, WORD [0:4:1] {attributes} : types, with or without parentheses
void Parser::clauses(Operation& out) {
  const bool parentheses = lexer.take("(");
  if (!(parentheses ? lexer.is(")") : lexer.is(":") || lexer.is("{"))) {
    do clause(out);
    while (lexer.take(","));
  }
  if (parentheses) expect(")");
  if (lexer.is("[")) slice_ranges(out);
  optional_attributes(out);
  types(out);
}

void Parser::clause(Operation& out) {
  if (lexer.peek().kind == Token::Kind::value) {
    out.operands.push_back(operand());
    return;
  }
  std::string word = expect_word("an operand or a clause");
  if (!lexer.take("=")) {
    out.words.push_back(std::move(word));
    return;
  }
  Attribute value = lexer.peek().kind == Token::Kind::number
                        ? untyped_number()
                        : attribute();  // behind dim = 0 stands the colon of the operation's types
  if (lexer.take("x")) {                // contracting_dims = [1] x [0]
    Attribute both = made(Attribute::Kind::list);
    both.list.push_back(std::move(value));
    both.list.push_back(attribute());
    value = std::move(both);
  }
  out.attributes.emplace_back(std::move(word), std::move(value));
}

void Parser::slice_ranges(Operation& out) {  // [0:4, 1:9:2]
  Attribute parts[3] = {
      made(Attribute::Kind::list), made(Attribute::Kind::list), made(Attribute::Kind::list)};
  expect("[");
  if (!lexer.take("]")) {
    do {
      for (int k = 0; k < 3; ++k) {
        Attribute bound = made(Attribute::Kind::integer);
        bound.integer = 1;
        if (k == 1) expect(":");
        if (k < 2 || lexer.take(":")) bound.integer = expect_integer();
        parts[k].list.push_back(std::move(bound));
      }
    } while (lexer.take(","));
    expect("]");
  }
  static constexpr std::string_view names[] = {"start_indices", "limit_indices", "strides"};
  for (int k = 0; k < 3; ++k) out.attributes.emplace_back(names[k], std::move(parts[k]));
}

void Parser::types(Operation& out) {
  expect(":");
  const std::size_t begin = lexer.peek().begin;
  const bool in_parentheses = lexer.is("(");
  std::vector<Spec> before = in_parentheses ? types_in_parentheses() : type_list();
  if (lexer.take("->")) {
    out.results = lexer.is("(") ? types_in_parentheses() : type_list();
    if (before.size() != out.operands.size())
      lexer.complain(begin,
                     std::to_string(out.operands.size()) + " operands and the types of " +
                         std::to_string(before.size()));
    out.operand_types = std::move(before);
  } else if (in_parentheses) {
    lexer.complain("expected '->', not " + lexer.shown());
  } else if (out.name == "stablehlo.select" &&
             before.size() == 2) {  // the condition's and the result's
    out.operand_types = {before[0], before[1], before[1]};
    out.results = {before[1]};
  } else if (before.size() ==
             1) {  // operands and result have one type (stablehlo.complex: the result's)
    if (out.name != "stablehlo.complex") out.operand_types.assign(out.operands.size(), before[0]);
    out.results = {before[0]};
  } else if (before.size() == out.operands.size()) {  // stablehlo.optimization_barrier
    out.operand_types = before;
    out.results = std::move(before);
  } else {
    lexer.complain(begin,
                   std::to_string(before.size()) + " types for " +
                       std::to_string(out.operands.size()) + " operands");
  }
}

void Parser::constant(Operation& out) {
  optional_attributes(out);
  const std::size_t begin = lexer.peek().begin;
  Attribute value = attribute();
  if (value.kind != Attribute::Kind::elements) lexer.complain(begin, "expected dense<...>");
  out.results = {value.elements->type};
  out.attributes.emplace_back("value", std::move(value));
}

void Parser::custom_call(Operation& out) {
  Attribute target = made(Attribute::Kind::symbol);
  target.text = expect_symbol();
  out.attributes.emplace_back("call_target_name", std::move(target));
  expect("(");
  operand_list(out, ")");
  optional_attributes(out);
  types(out);
}

void Parser::composite(Operation& out) {  // stablehlo.composite "name" %a, %b {...} : (T, T) -> T
  if (lexer.peek().kind != Token::Kind::text)
    lexer.complain("expected the name of the composite in quotes, not " + lexer.shown());
  Attribute name = made(Attribute::Kind::text);
  name.text = lexer.next().text;
  out.attributes.emplace_back("name", std::move(name));
  if (!lexer.is("{") && !lexer.is(":")) {
    do out.operands.push_back(operand());
    while (lexer.take(","));
  }
  optional_attributes(out);
  types(out);
}

void Parser::call(Operation& out) {
  out.name = "call";
  Attribute callee = made(Attribute::Kind::symbol);
  callee.text = expect_symbol();
  out.attributes.emplace_back("callee", std::move(callee));
  expect("(");
  operand_list(out, ")");
  optional_attributes(out);
  types(out);
}

void Parser::returns(Operation& out) {
  out.name = "return";
  if (lexer.peek().kind != Token::Kind::value) return;
  const std::size_t begin = lexer.peek().begin;
  do out.operands.push_back(operand());
  while (lexer.take(","));
  optional_attributes(out);
  expect(":");
  out.operand_types = type_list();
  if (out.operand_types.size() != out.operands.size())
    lexer.complain(begin,
                   std::to_string(out.operands.size()) + " results and the types of " +
                       std::to_string(out.operand_types.size()));
}

// reduce(%x init: %i), (%y init: %j) applies stablehlo.add across dimensions = [0] : types, or with
// reducer(%a: T, %b: T) (..) {..}
void Parser::reduce(Operation& out) {
  std::vector<ValueNumber> inits;
  do {
    expect("(");
    out.operands.push_back(operand());
    expect("init");
    expect(":");
    inits.push_back(operand());
    expect(")");
  } while (lexer.take(","));
  out.operands.insert(out.operands.end(), inits.begin(), inits.end());
  std::string applies;
  const Location at = lexer.location();
  if (lexer.take("applies")) applies = expect_word("an operation");
  expect("across");
  expect("dimensions");
  expect("=");
  out.attributes.emplace_back("dimensions", list());
  optional_attributes(out);
  types(out);
  if (applies.empty()) return reducer(out);
  if (out.results.size() != 1) lexer.complain("'applies' reduces one array");
  const Spec scalar{Shape(), out.results[0].dtype};
  Region body;
  body.argument_types = {scalar, scalar};
  body.arguments = {value_count_, value_count_ + 1};
  Operation combine, result;
  combine.name = applies;
  combine.at = result.at = at;
  combine.operands = body.arguments;
  combine.operand_types = body.argument_types;
  combine.results = {scalar};
  combine.first_result = value_count_ + 2;
  result.name = "return";
  result.operands = {combine.first_result};
  result.operand_types = {scalar};
  value_count_ += 3;
  body.operations.push_back(std::move(combine));
  body.operations.push_back(std::move(result));
  out.regions.push_back(std::move(body));
}

void Parser::reducer(Operation& out) {
  expect("reducer");
  const std::size_t count = out.operands.size() / 2;
  std::vector<std::pair<std::string, Spec>> first, second;
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t begin = lexer.peek().begin;
    auto pair = parameters();
    if (pair.size() != 2) lexer.complain(begin, "the reducer takes two arguments for each array");
    first.push_back(std::move(pair[0]));
    second.push_back(std::move(pair[1]));
  }
  first.insert(
      first.end(), std::make_move_iterator(second.begin()), std::make_move_iterator(second.end()));
  expect("{");
  out.regions.push_back(region(std::move(first), "}"));
}

void Parser::while_loop(Operation& out) {  // while(%a = %b, ..) : T, .. cond { .. } do { .. }
  std::vector<std::string> names;
  expect("(");
  if (!lexer.take(")")) {
    do {
      names.push_back(value_name());
      expect("=");
      out.operands.push_back(operand());
    } while (lexer.take(","));
    expect(")");
  }
  if (lexer.take(":")) out.results = type_list();
  if (out.results.size() != names.size())
    lexer.complain(std::to_string(names.size()) + " values and the types of " +
                   std::to_string(out.results.size()));
  out.operand_types = out.results;
  if (lexer.take("attributes")) optional_attributes(out);
  for (std::string_view word : {"cond", "do"}) {
    expect(word);
    std::vector<std::pair<std::string, Spec>> arguments;
    for (std::size_t k = 0; k < names.size(); ++k) arguments.emplace_back(names[k], out.results[k]);
    expect("{");
    out.regions.push_back(region(std::move(arguments), "}"));
  }
}

// convolution(%x, %k) dim_numbers = [..]x[..]->[..], window = {stride = [..], pad = [[..]], ..}
// {attributes} : types
void Parser::convolution(Operation& out) {
  expect("(");
  operand_list(out, ")");
  expect("dim_numbers");
  expect("=");
  out.attributes.emplace_back("dimension_numbers", convolution_dimensions());
  expect(",");
  expect("window");
  expect("=");
  expect("{");
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"stride", "window_strides"},
      {"pad", "padding"},
      {"lhs_dilate", "lhs_dilation"},
      {"rhs_dilate", "rhs_dilation"},
      {"reverse", "window_reversal"}};
  for (auto& [key, value] : dictionary("}")) {
    bool known = false;
    for (const auto& [shorter, name] : names)
      if (key == shorter) {
        out.attributes.emplace_back(name, std::move(value));
        known = true;
      }
    if (!known) lexer.complain("a window has no '" + key + "'");
  }
  optional_attributes(out);
  types(out);
}

}  // namespace fluxion::stablehlo
