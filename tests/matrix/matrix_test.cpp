// The laws on every row of every operation, and the table of what each primitive was shown to obey.
#include "tests/matrix/samples.hpp"
#include "tests/support/catch.hpp"

#include <fmt/format.h>

using namespace fluxion;
using namespace fluxion::test;

namespace {

std::int64_t operand_elements(const SampleCase& operands) {
  std::int64_t count = 0;
  for (const SampleOperand& o : operands) count += element_count(o.shape);
  return count;
}

bool small(const SampleCase& operands) { return operand_elements(operands) <= 24; }

OperandSampler sampler(const SampleCase& operands, DType dtype) {
  return [operands, dtype](unsigned seed) { return sample_operands(operands, dtype, seed); };
}

/// Checks a law; an exception is a broken one.
template <class F>
void hold(const Sample& row, DType dtype, const char* law, const F& f, const GraphRef& graph = {}) {
  std::string broken;
  try {
    broken = f();
  } catch (const std::exception& error) {
    broken = std::string("threw ") + error.what();
  }
  if (broken.empty()) return;
  std::ostringstream name;
  name << row.name << ", " << dtype;
  const std::string text = graph ? to_string(*graph) : "";
  INFO(name.str() << ": the law of " << law << " is broken: " << broken << "\n"
                  << text.substr(0, 1500));
  FAIL_CHECK();
}

bool excused(const Sample& row, SampleLaw law) { return row.exception(law) != nullptr; }

/// The dtypes in which a row is differentiated.
std::vector<DType> wide_dtypes(const Sample& row) {
  std::vector<DType> out;
  for (DType dtype : {float64, complex128})
    if (std::find(row.dtypes.begin(), row.dtypes.end(), dtype) != row.dtypes.end())
      out.push_back(dtype);
  return out;
}

/// The same between other operations: each operand is what a kernel computes before it, still in
/// its domain, each result is read by an elementwise operation and a sum.
ProgramFunction fused(const Sample& row) {
  return [row, f = all_cases(row)](const ArrayList& all) {
    ArrayList inner;
    std::size_t next = 0;
    for (const SampleCase& operands : row.cases)
      for (const SampleOperand& o : operands) {
        const Array& x = all[next++];
        inner.push_back(o.dtype || x.ndim() == 0 ? x : where(x < flip(x), flip(x), x));
      }
    ArrayList out;
    for (const Array& a : f(inner)) {
      const Array b = a.dtype() == bool_ ? !a : is_floating(a.dtype()) ? tanh(a) : a + a;
      out.push_back(b);
      out.push_back(sum(b.astype(is_differentiable(b.dtype()) ? b.dtype() : int32), {}));
    }
    return out;
  };
}

void check_compiled(const Samples& rows) {
  for (const Sample& row : rows) {
    for (DType dtype : row.dtypes) {
      const HostArrays operands = operands_of_all_cases(row, dtype, true);
      hold(row, dtype, "compilation", [&] {
        const GraphRef graph = program(types_of(operands), all_cases(row));
        return law_of_compilation(graph, operands);
      });
      if (dtype != float32 && dtype != float64 && dtype != int32 && dtype != bfloat16 &&
          dtype != complex64)
        continue;
      const HostArrays moderate = operands_of_all_cases(row, dtype, false);
      hold(row, dtype, "compilation in a larger program", [&] {
        const GraphRef graph = program(types_of(moderate), fused(row));
        return law_of_compilation(graph, moderate);
      });
      if (dtype == float32 || dtype == int32 || dtype == complex64)
        hold(row, dtype, "calls", [&] { return law_of_calls(all_cases(row), moderate); });
    }
  }
  SUCCEED();
}

void check_transformed(const Samples& rows) {
  for (const Sample& row : rows) {
    for (const SampleCase& operands : row.cases) {
      for (DType dtype : {float64, int32, complex128}) {
        if (std::find(row.dtypes.begin(), row.dtypes.end(), dtype) == row.dtypes.end()) continue;
        const GraphRef graph = sample_program(row, operands, dtype);
        hold(row, dtype, "text", [&] { return law_of_text(graph); }, graph);
        if (operand_elements(operands) > 80) continue;
        const OperandSampler samples = sampler(operands, dtype);
        hold(row, dtype, "batches", [&] { return law_of_batches(graph, samples); }, graph);
        hold(
            row,
            dtype,
            "nested batches",
            [&] { return law_of_nested_batches(graph, samples); },
            graph);
      }
    }
  }
  SUCCEED();
}

void check_written(const Samples& rows) {
  for (const Sample& row : rows) {
    for (const SampleCase& operands : row.cases) {
      for (DType dtype : row.dtypes) {
        const GraphRef graph = sample_program(row, operands, dtype);
        hold(row, dtype, "StableHLO", [&] { return law_of_stablehlo(graph); }, graph);
      }
    }
  }
  SUCCEED();
}

void check_differentiated(const Sample& row, DType dtype) {
  for (const SampleCase& operands : row.cases) {
    const GraphRef graph = sample_program(row, operands, dtype);
    const HostArrays values = sample_operands(operands, dtype, 0);
    if (!excused(row, SampleLaw::adjoints))
      hold(row, dtype, "adjoints", [&] { return law_of_adjoints(graph, values); }, graph);
    if (!small(operands)) continue;
    if (!excused(row, SampleLaw::differences))
      hold(row, dtype, "differences", [&] { return law_of_differences(graph, values); }, graph);
    if (!excused(row, SampleLaw::orders)) {
      const int order = operand_elements(operands) <= (is_complex(dtype) ? 6 : 12) ? 3 : 1;
      hold(row, dtype, "orders", [&] { return law_of_orders(graph, values, order); }, graph);
    }
  }
}
void check_differentiated(const Samples& rows) {
  for (const Sample& row : rows)
    for (DType dtype : wide_dtypes(row)) check_differentiated(row, dtype);
  SUCCEED();
}

/// The gradients of batches are the batches of gradients, and derivatives compile, too.
void check_composed_transforms(const Sample& row, DType dtype) {
  for (std::size_t c = 0; c < row.cases.size(); ++c) {
    const SampleCase& operands = row.cases[c];
    if (!small(operands)) continue;
    const GraphRef graph = sample_program(row, operands, dtype);
    const std::vector<bool> active = differentiated_inputs(*graph);
    if (std::find(active.begin(), active.end(), true) == active.end()) continue;
    const GraphRef gradient = gradient_program(graph);
    const auto samples = [&](unsigned seed) {
      HostArrays all = sample_operands(operands, dtype, seed);
      const Types types(gradient->input_types().begin(), gradient->input_types().end());
      for (std::size_t k = all.size(); k < types.size(); ++k)
        all.push_back(random_arrays({&types[k], 1}, 31 * seed + static_cast<unsigned>(k))[0]);
      return all;
    };
    hold(
        row,
        dtype,
        "batches of gradients",
        [&] { return law_of_batches(gradient, samples, 8); },
        gradient);
    if (c % 2 == 1)
      hold(
          row,
          dtype,
          "compilation of gradients",
          [&] { return law_of_compilation(gradient, samples(0)); },
          gradient);
  }
}
void check_composed_transforms(const Samples& rows) {
  for (const Sample& row : rows)
    for (DType dtype : wide_dtypes(row)) check_composed_transforms(row, dtype);
  SUCCEED();
}

}  // namespace

TEST_CASE("unary functions compile to what they mean") { check_compiled(unary_samples()); }
TEST_CASE("activations compile to what they mean") { check_compiled(activation_samples()); }
TEST_CASE("binary functions compile to what they mean") { check_compiled(binary_samples()); }
TEST_CASE("reductions compile to what they mean") { check_compiled(reduction_samples()); }
TEST_CASE("shapes compile to what they mean") { check_compiled(shape_samples()); }
TEST_CASE("creation compiles to what it means") { check_compiled(creation_samples()); }
TEST_CASE("indexing compiles to what it means") { check_compiled(index_samples()); }
TEST_CASE("contractions compile to what they mean") { check_compiled(contraction_samples()); }
TEST_CASE("lax functions compile to what they mean") { check_compiled(lax_samples()); }
TEST_CASE("linear algebra compiles to what it means") { check_compiled(linalg_samples()); }
TEST_CASE("sorting compiles to what it means") { check_compiled(sorting_samples()); }
TEST_CASE("special functions compile to what they mean") { check_compiled(special_samples()); }
TEST_CASE("distributions compile to what they mean") { check_compiled(distribution_samples()); }

TEST_CASE("loops, branches and collectives obey every law") {
  check_compiled(control_flow_samples());
  check_transformed(control_flow_samples());
  check_differentiated(control_flow_samples());
  check_composed_transforms(control_flow_samples());
}

TEST_CASE("elementwise functions obey the laws of text and batches") {
  for (const Samples& rows : {unary_samples(), activation_samples(), binary_samples()})
    check_transformed(rows);
}
TEST_CASE("reductions and shapes obey the laws of text and batches") {
  for (const Samples& rows : {reduction_samples(), shape_samples(), creation_samples()})
    check_transformed(rows);
}
TEST_CASE("indexing, contractions and lax functions obey the laws of text and batches") {
  for (const Samples& rows : {index_samples(), contraction_samples(), lax_samples()})
    check_transformed(rows);
}

TEST_CASE("linear algebra obeys the laws of text and batches") {
  check_transformed(linalg_samples());
}

TEST_CASE("distributions obey the laws") {
  check_transformed(distribution_samples());
  check_differentiated(distribution_samples());
  check_composed_transforms(distribution_samples());
}

TEST_CASE("linear algebra obeys the laws of derivatives") {
  check_differentiated(linalg_samples());
}

TEST_CASE("gradients of linear algebra batch and compile") {
  check_composed_transforms(linalg_samples());
}

TEST_CASE("elementwise functions obey the laws of derivatives") {
  for (const Samples& rows : {unary_samples(), activation_samples(), binary_samples()})
    check_differentiated(rows);
}
TEST_CASE("reductions and shapes obey the laws of derivatives") {
  for (const Samples& rows : {reduction_samples(), shape_samples(), creation_samples()})
    check_differentiated(rows);
}
TEST_CASE("indexing, contractions and lax functions obey the laws of derivatives") {
  for (const Samples& rows : {index_samples(), contraction_samples(), lax_samples()})
    check_differentiated(rows);
}

TEST_CASE("sorting obeys the laws of derivatives") { check_differentiated(sorting_samples()); }
TEST_CASE("special functions obey the laws of derivatives") {
  check_differentiated(special_samples());
}
TEST_CASE("gradients of sorting batch and compile") {
  check_composed_transforms(sorting_samples());
}
TEST_CASE("gradients of special functions batch and compile") {
  check_composed_transforms(special_samples());
}
TEST_CASE("sorting and special functions are transformed") {
  check_transformed(sorting_samples());
  check_transformed(special_samples());
}

TEST_CASE("gradients of elementwise functions batch and compile") {
  for (const Samples& rows : {unary_samples(), activation_samples(), binary_samples()})
    check_composed_transforms(rows);
}
TEST_CASE("gradients of all other functions batch and compile") {
  for (const Samples& rows : {reduction_samples(),
                              shape_samples(),
                              creation_samples(),
                              index_samples(),
                              contraction_samples(),
                              lax_samples()})
    check_composed_transforms(rows);
}

TEST_CASE("every program is the same after a way through StableHLO") {
  check_written(all_samples());
}

TEST_CASE("complex functions compile to what they mean") { check_compiled(complex_samples()); }
TEST_CASE("complex functions obey the laws of text and batches") {
  check_transformed(complex_samples());
}
TEST_CASE("complex functions obey the laws of derivatives") {
  check_differentiated(complex_samples());
}
TEST_CASE("gradients of complex functions batch and compile") {
  check_composed_transforms(complex_samples());
}
TEST_CASE("Fourier transforms compile to what they mean") { check_compiled(fft_samples()); }
TEST_CASE("Fourier transforms obey the laws of text and batches") {
  check_transformed(fft_samples());
}
TEST_CASE("Fourier transforms obey the laws of derivatives") {
  check_differentiated(fft_samples());
}
TEST_CASE("gradients of Fourier transforms batch and compile") {
  check_composed_transforms(fft_samples());
}
