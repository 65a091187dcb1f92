// Sample rows: for every public operation, what is peculiar to it - operands, domains, dtypes, and
// the laws that do not hold with the reason.
#pragma once
#include "tests/matrix/laws.hpp"

#include <optional>

namespace fluxion::test {

/// One operand: a shape, a domain, and its dtype where that is not the row's.
struct SampleOperand {
  Shape shape;
  double low = -2, high = 2;
  std::optional<DType> dtype = {};
};
using SampleCase = std::vector<SampleOperand>;

/// The laws that may be left out for a row; all others hold for every row.
enum class SampleLaw { differences, adjoints, orders };

struct Sample {
  std::string name;
  ProgramFunction function;
  std::vector<SampleCase> cases;
  std::vector<DType> dtypes;
  bool special = false;  // infinities, NaN and extreme integers are worth a look
  std::vector<std::pair<SampleLaw, std::string>> exceptions = {};
  const std::string* exception(SampleLaw law) const {
    for (const auto& [which, reason] : exceptions)
      if (which == law) return &reason;
    return nullptr;
  }
};
using Samples = std::vector<Sample>;

const std::vector<DType>& every_dtype();    // bool, integers, floats
const std::vector<DType>& number_dtypes();  // integers, floats
const std::vector<DType>& float_dtypes();
const std::vector<DType>& whole_dtypes();  // bool, integers
const std::vector<DType>& integer_dtypes();
const std::vector<DType>& complex_dtypes();

Samples unary_samples();
Samples activation_samples();
Samples binary_samples();
Samples reduction_samples();
Samples shape_samples();
Samples creation_samples();
Samples index_samples();
Samples contraction_samples();
Samples lax_samples();
Samples linalg_samples();
Samples sorting_samples();
Samples special_samples();
Samples complex_samples();
Samples fft_samples();
Samples distribution_samples();
Samples control_flow_samples();
Samples all_samples();

Types sample_types(const SampleCase&, DType);
/// Operands number `seed` of a case.
HostArrays sample_operands(const SampleCase&, DType, unsigned seed, bool special = false);
/// The program of one case.
GraphRef sample_program(const Sample&, const SampleCase&, DType);
/// All cases of a row as one program, so that it is compiled once.
ProgramFunction all_cases(const Sample&);
HostArrays operands_of_all_cases(const Sample&, DType, bool special);

// How rows are written.
using OneOperand = Array (*)(const Operand&);
using TwoOperands = Array (*)(const Operand&, const Operand&);
Sample unary(std::string name, OneOperand, double low = -2, double high = 2);
Sample binary(std::string name, TwoOperands, double low = -2, double high = 2);
/// A function of arrays with one result.
ProgramFunction one(std::function<Array(const ArrayList&)>);

}  // namespace fluxion::test
