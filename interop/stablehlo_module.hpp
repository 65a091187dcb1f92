// A StableHLO module as a tree of functions, regions and operations: what the text says, before it
// means anything.
#pragma once
#include "fluxion/core.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fluxion::stablehlo {

/// A place in the text; both count from 1.
struct Location {
  int line = 0, column = 0;
};

/// Throws Error at the user's line; the sentence begins with the place in the text.
[[noreturn]] void fail_at(std::string_view code,
                          const Site&,
                          Location,
                          std::string_view sentence,
                          std::initializer_list<std::string> details = {},
                          std::string_view hint = {});

/// Elements of a literal array in row-major order, as arrays hold them; of a splat only one.
struct Elements {
  Spec type;
  bool splat = false;
  std::vector<unsigned char> bytes;
};

struct Attribute {
  enum class Kind {
    unit,
    boolean,
    integer,
    number,
    text,
    word,
    symbol,
    type,
    list,
    dictionary,
    elements
  };
  Kind kind = Kind::unit;
  Location at;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;  // of a text, a word (LT, NO_TRANSPOSE, e5m10), a symbol
  Spec type;
  std::vector<Attribute> list;
  std::vector<std::string> keys;  // of a dictionary, whose values are the list
  std::shared_ptr<const Elements> elements;

  const Attribute* find(std::string_view key) const;
};

/// The number of a value in its function: arguments, results and arguments of regions in the order
/// of the text.
using ValueNumber = std::int32_t;

struct Operation;
struct Region {
  std::vector<ValueNumber> arguments;
  std::vector<Spec> argument_types;
  std::vector<Operation> operations;  // the last one returns
};

struct Operation {
  std::string name;  // with its dialect: stablehlo.add
  Location at;
  std::vector<ValueNumber> operands;
  std::vector<Spec> operand_types;  // empty where the text does not say
  ValueNumber first_result = 0;
  std::vector<Spec> results;
  std::vector<std::pair<std::string, Attribute>> attributes;
  std::vector<std::string> words;  // bare words between the commas of the short form: LT, FLOAT
  std::vector<Region> regions;

  const Attribute* find(std::string_view key) const;
};

struct Definition {
  std::string name;
  Location at;
  bool is_private = false;
  Region body;
  std::vector<Spec> results;
  std::int32_t value_count = 0;
};

struct Module {
  std::string name;
  std::vector<Definition> functions;

  const Definition* find(std::string_view name) const;
};

/// All modules of a text (several are separated by lines `// -----`). Error `stablehlo-syntax`.
std::vector<Module> parse(std::string_view text, const Site&);

/// "tensor<2x3xf32>".
std::string type_text(const Spec&);
/// The word of a dtype: i1, ui8, bf16, complex<f32>.
std::string_view element_word(DType);

}  // namespace fluxion::stablehlo
