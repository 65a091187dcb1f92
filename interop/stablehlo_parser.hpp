// From words to functions and operations: the generic form of any operation, and the short forms
// that StableHLO prints.
#pragma once
#include "interop/stablehlo_lexer.hpp"

#include <map>
#include <string>

namespace fluxion::stablehlo {

/// Types and attributes.
class AttributeReader {
 public:
  AttributeReader(std::string_view text, const Site& site) : lexer(text, site) {}

  Spec type();
  Attribute attribute();
  /// `{a = 1, b}` or, with the signs given, what is between them.
  std::vector<std::pair<std::string, Attribute>> dictionary(std::string_view close);
  Attribute list();
  /// The elements of `dense<...> : T`, behind the word dense.
  Attribute dense();
  /// `[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]` as a list of three lists of words.
  Attribute convolution_dimensions();
  void skip_location();

  void expect(std::string_view sign);
  std::string expect_word(std::string_view what);
  std::string expect_symbol();
  std::int64_t expect_integer();

 protected:
  Lexer lexer;
  Attribute made(Attribute::Kind);
  Attribute untyped_number();

 private:
  Attribute number();
  Attribute typed_array();
  Attribute dialect_attribute();
  Attribute words_attribute();
  DType element_type();
  int depth_ = 0;
  friend class Nested;
};

class Parser : public AttributeReader {
 public:
  using AttributeReader::AttributeReader;
  std::vector<Module> modules();

 private:
  struct Named {
    ValueNumber first;
    std::int32_t count;
  };

  friend struct ShortForms;

  Module module();
  Definition function();
  Region region(std::vector<std::pair<std::string, Spec>> arguments, std::string_view close);
  std::vector<std::pair<std::string, Spec>> parameters();
  void operations(Region&, std::string_view close);
  Operation operation();
  void results(Operation&,
               const std::vector<std::pair<std::string, std::int32_t>>& names,
               std::size_t begin);

  void generic(Operation&);
  void short_form(Operation&);
  void clauses(Operation&);
  void clause(Operation&);
  void slice_ranges(Operation&);
  void constant(Operation&);
  void composite(Operation&);
  void custom_call(Operation&);
  void call(Operation&);
  void returns(Operation&);
  void reduce(Operation&);
  void reducer(Operation&);
  void while_loop(Operation&);
  void convolution(Operation&);
  void optional_attributes(Operation&);
  void types(Operation&);
  std::vector<Spec> type_list();
  std::vector<Spec> types_in_parentheses();

  void operand_list(Operation&, std::string_view close);
  ValueNumber operand();
  std::string value_name();
  ValueNumber define(const std::string& name, std::int32_t count, std::size_t at);

  std::vector<std::map<std::string, Named, std::less<>>> scopes_;
  std::int32_t value_count_ = 0;
};

}  // namespace fluxion::stablehlo
