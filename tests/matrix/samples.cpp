// Rows of elementwise functions, and what all rows share.
#include "tests/matrix/samples.hpp"

#include <cmath>
#include <limits>

namespace fluxion::test {

namespace fx = fluxion;

const std::vector<DType>& every_dtype() {
  static const std::vector<DType> all = {bool_,
                                         int8,
                                         int16,
                                         int32,
                                         int64,
                                         uint8,
                                         uint16,
                                         uint32,
                                         uint64,
                                         float16,
                                         bfloat16,
                                         float32,
                                         float64};
  return all;
}
const std::vector<DType>& number_dtypes() {
  static const std::vector<DType> all(every_dtype().begin() + 1, every_dtype().end());
  return all;
}
const std::vector<DType>& float_dtypes() {
  static const std::vector<DType> all(every_dtype().end() - 4, every_dtype().end());
  return all;
}
const std::vector<DType>& whole_dtypes() {
  static const std::vector<DType> all(every_dtype().begin(), every_dtype().end() - 4);
  return all;
}
const std::vector<DType>& integer_dtypes() {
  static const std::vector<DType> all(every_dtype().begin() + 1, every_dtype().end() - 4);
  return all;
}

const std::vector<DType>& complex_dtypes() {
  static const std::vector<DType> all = {complex64, complex128};
  return all;
}

Types sample_types(const SampleCase& operands, DType dtype) {
  Types types;
  for (const SampleOperand& o : operands) types.push_back({o.shape, o.dtype.value_or(dtype)});
  return types;
}

namespace {

double whole_number(const SampleOperand& o, DType dtype, double u) {
  if (dtype == bool_) return std::floor(2 * u);
  double low = o.dtype ? o.low : std::max(o.low * 4, -9.0), high = o.dtype ? o.high : o.high * 4;
  if (is_unsigned(dtype)) low = std::max(low, 0.0);
  return std::floor(low + (high - low + 1) * u);
}

double special_number(DType dtype, std::uint32_t which) {
  if (is_differentiable(dtype)) {
    const double values[] = {0, -0.0, INFINITY, -INFINITY, NAN, 1, -1, 1e-3, 3.5, -2.5};
    return values[which % 10];
  }
  return which % 2 ? 0 : 1;
}

}  // namespace

HostArrays sample_operands(const SampleCase& operands, DType dtype, unsigned seed, bool special) {
  HostArrays arrays;
  std::mt19937 random(77 * seed + 5);
  for (const SampleOperand& o : operands) {
    const Type type{o.shape, o.dtype.value_or(dtype)};
    std::vector<double> numbers;
    const std::int64_t parts = is_complex(type.dtype) ? 2 : 1;
    for (std::int64_t i = 0; i < parts * element_count(o.shape); ++i) {
      const double u = static_cast<double>(random()) / 4294967296.0;
      const bool odd = special && !o.dtype && random() % 4 == 0;
      numbers.push_back(odd                             ? special_number(type.dtype, random())
                        : is_differentiable(type.dtype) ? o.low + (o.high - o.low) * u
                                                        : whole_number(o, type.dtype, u));
    }
    arrays.emplace_back(type, numbers);
  }
  return arrays;
}

GraphRef sample_program(const Sample& sample, const SampleCase& operands, DType dtype) {
  return program(sample_types(operands, dtype), sample.function);
}

ProgramFunction all_cases(const Sample& row) {
  return [row](const ArrayList& all) {
    ArrayList out;
    std::size_t next = 0;
    for (const SampleCase& operands : row.cases) {
      const auto from = all.begin() + static_cast<std::ptrdiff_t>(next);
      next += operands.size();
      for (const Array& a :
           row.function(ArrayList(from, from + static_cast<std::ptrdiff_t>(operands.size()))))
        out.push_back(a);
    }
    return out;
  };
}

HostArrays operands_of_all_cases(const Sample& row, DType dtype, bool special) {
  HostArrays all;
  unsigned seed = 0;
  for (const SampleCase& operands : row.cases)
    for (HostArray& a : sample_operands(operands, dtype, seed++, special && row.special))
      all.push_back(std::move(a));
  return all;
}

ProgramFunction one(std::function<Array(const ArrayList&)> f) {
  return [f = std::move(f)](const ArrayList& x) { return ArrayList{f(x)}; };
}

Sample unary(std::string name, OneOperand f, double low, double high) {
  Sample sample{std::move(name),
                one([f](const ArrayList& x) { return f(x[0]); }),
                {},
                every_dtype(),
                true,
                {}};
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{2, 3}, Shape{37}, Shape{5, 67}})
    sample.cases.push_back({{shape, low, high}});
  return sample;
}

Sample binary(std::string name, TwoOperands f, double low, double high) {
  Sample sample{std::move(name),
                one([f](const ArrayList& x) { return f(x[0], x[1]); }),
                {},
                every_dtype(),
                true,
                {}};
  const std::pair<Shape, Shape> shapes[] = {{{}, {}},
                                            {{0}, {0}},
                                            {{1}, {3}},
                                            {{2, 3}, {3}},
                                            {{37}, {}},
                                            {{5, 1}, {1, 67}},
                                            {{4, 1, 3}, {2, 1}},
                                            {{2, 0}, {1}}};
  for (const auto& [a, b] : shapes) sample.cases.push_back({{a, low, high}, {b, low, high}});
  return sample;
}

Samples unary_samples() {
  Samples rows = {
      unary("abs", fx::abs),
      unary("negative", fx::negative),
      unary("positive", fx::positive),
      unary("sign", fx::sign),
      unary("signbit", fx::signbit),
      unary("square", fx::square),
      unary("reciprocal", fx::reciprocal, 0.5, 2),
      unary("floor", fx::floor),
      unary("ceil", fx::ceil),
      unary("trunc", fx::trunc),
      unary("round", fx::round),
      unary("exp", fx::exp),
      unary("exp2", fx::exp2),
      unary("expm1", fx::expm1),
      unary("log", fx::log, 0.5, 3),
      unary("log1p", fx::log1p, -0.4, 2),
      unary("log2", fx::log2, 0.5, 3),
      unary("log10", fx::log10, 0.5, 3),
      unary("sqrt", fx::sqrt, 0.5, 3),
      unary("rsqrt", fx::rsqrt, 0.5, 3),
      unary("cbrt", fx::cbrt, 0.5, 3),
      unary("sin", fx::sin),
      unary("cos", fx::cos),
      unary("tan", fx::tan, -0.7, 0.7),
      unary("asin", fx::asin, -0.6, 0.6),
      unary("acos", fx::acos, -0.6, 0.6),
      unary("atan", fx::atan),
      unary("sinh", fx::sinh),
      unary("cosh", fx::cosh),
      unary("tanh", fx::tanh),
      unary("asinh", fx::asinh),
      unary("acosh", fx::acosh, 1.5, 3),
      unary("atanh", fx::atanh, -0.6, 0.6),
      unary("sinc", fx::sinc),
      unary("radians", fx::radians),
      unary("degrees", fx::degrees),
      unary("erf", fx::erf),
      unary("erfc", fx::erfc),
      unary("erf_inv", fx::erf_inv, -0.6, 0.6),
      unary("logit", fx::logit, 0.25, 0.75),
      unary("isnan", fx::isnan),
      unary("isinf", fx::isinf),
      unary("isfinite", fx::isfinite),
      unary("isposinf", fx::isposinf),
      unary("isneginf", fx::isneginf),
      unary("logical_not", fx::logical_not),
      unary("bitwise_not", fx::bitwise_not),
      unary("stop_gradient", fx::stop_gradient),
      unary("nan_to_num", [](const Operand& x) { return fx::nan_to_num(x, 0.5); }),
      unary("name", [](const Operand& x) { return fx::name(x, "hidden"); }),
  };
  for (Sample& row : rows) {
    if (row.name == "bitwise_not") row.dtypes = whole_dtypes();
    if (row.name == "stop_gradient")
      row.exceptions = {{SampleLaw::differences, "its derivative is zero by definition"}};
  }
  return rows;
}

Samples activation_samples() {
  return {
      unary("relu", fx::relu),
      unary("relu6", fx::relu6),
      unary("sigmoid", fx::sigmoid),
      unary("log_sigmoid", fx::log_sigmoid),
      unary("silu", fx::silu),
      unary("softplus", fx::softplus),
      unary("soft_sign", fx::soft_sign),
      unary("mish", fx::mish),
      unary("gelu", fx::gelu),
      unary("gelu_exact", fx::gelu_exact),
      unary("selu", fx::selu),
      unary("hard_tanh", fx::hard_tanh),
      unary("hard_sigmoid", fx::hard_sigmoid),
      unary("hard_silu", fx::hard_silu),
      unary("elu", [](const Operand& x) { return fx::elu(x, 0.7); }),
      unary("leaky_relu", [](const Operand& x) { return fx::leaky_relu(x, 0.1); }),
  };
}

Samples binary_samples() {
  Samples rows = {
      binary("add", fx::add),
      binary("subtract", fx::subtract),
      binary("multiply", fx::multiply),
      binary("divide", fx::divide, 0.5, 2),
      binary("true_divide", fx::true_divide, 0.5, 2),
      binary("floor_divide", fx::floor_divide, 0.5, 2),
      binary("remainder", fx::remainder, 0.5, 2),
      binary("fmod", fx::fmod, 0.5, 2),
      binary("power", fx::power, 0.5, 2),
      binary("minimum", fx::minimum),
      binary("maximum", fx::maximum),
      binary("fmin", fx::fmin),
      binary("fmax", fx::fmax),
      binary("atan2", fx::atan2, 0.5, 2),
      binary("hypot", fx::hypot, 0.5, 2),
      binary("logaddexp", fx::logaddexp),
      binary("logaddexp2", fx::logaddexp2),
      binary("copysign", fx::copysign),
      binary("heaviside", fx::heaviside),
      binary("xlogy", fx::xlogy, 0.5, 2),
      binary("xlog1py", fx::xlog1py, 0.5, 2),
      binary("equal", fx::equal),
      binary("not_equal", fx::not_equal),
      binary("less", fx::less),
      binary("less_equal", fx::less_equal),
      binary("greater", fx::greater),
      binary("greater_equal", fx::greater_equal),
      binary("isclose", [](const Operand& x, const Operand& y) { return fx::isclose(x, y, 0.1); }),
      binary("allclose",
             [](const Operand& x, const Operand& y) { return fx::allclose(x, y, 0.9); }),
      binary("array_equal", fx::array_equal),
      binary("logical_and", fx::logical_and),
      binary("logical_or", fx::logical_or),
      binary("logical_xor", fx::logical_xor),
      binary("bitwise_and", fx::bitwise_and),
      binary("bitwise_or", fx::bitwise_or),
      binary("bitwise_xor", fx::bitwise_xor),
      binary("left_shift", fx::left_shift),
      binary("right_shift", fx::right_shift),
      binary("shift_right_logical", fx::lax::shift_right_logical),
  };
  for (Sample& row : rows) {
    if (row.name.starts_with("bitwise")) row.dtypes = whole_dtypes();
    if (row.name.find("shift") != std::string::npos) row.dtypes = integer_dtypes();
  }
  const std::vector<SampleCase> conditions = {{{{}, 0, 1, bool_}, {{}}, {{}}},
                                              {{{0}, 0, 1, bool_}, {{0}}, {{0}}},
                                              {{{2, 3}, 0, 1, bool_}, {{3}}, {{}}},
                                              {{{5, 1}, 0, 1, bool_}, {{5, 67}}, {{1, 67}}},
                                              {{{}, 0, 1, bool_}, {{37}}, {{37}}}};
  rows.push_back({"where",
                  one([](const ArrayList& x) { return fx::where(x[0], x[1], x[2]); }),
                  conditions,
                  every_dtype(),
                  true});
  rows.push_back({"clip",
                  one([](const ArrayList& x) { return fx::clip(x[0], x[1], x[2]); }),
                  {{{{}}, {{}, -1, 0}, {{}, 0.5, 1}},
                   {{{2, 3}}, {{3}, -1, 0}, {{}, 0.5, 1}},
                   {{{0}}, {{}, -1, 0}, {{0}, 0.5, 1}},
                   {{{5, 67}}, {{5, 1}, -1, 0}, {{67}, 0.5, 1}}},
                  number_dtypes()});
  return rows;
}

Samples all_samples() {
  Samples all;
  for (const Samples& more : {unary_samples(),
                              activation_samples(),
                              binary_samples(),
                              reduction_samples(),
                              shape_samples(),
                              creation_samples(),
                              index_samples(),
                              contraction_samples(),
                              lax_samples(),
                              linalg_samples(),
                              sorting_samples(),
                              special_samples(),
                              complex_samples(),
                              fft_samples(),
                              distribution_samples(),
                              control_flow_samples()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace fluxion::test
