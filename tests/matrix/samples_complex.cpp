// Rows of functions of complex numbers.
#include "tests/matrix/samples.hpp"

namespace fluxion::test {
namespace {

namespace fx = fluxion;
namespace lax = fluxion::lax;

/// Away from branch cuts: both parts between the bounds.
Sample of_one(std::string name, OneOperand f, double low = 0.3, double high = 1.4) {
  Sample sample{std::move(name), one([f](const ArrayList& x) { return f(x[0]); }), {}, {}};
  sample.dtypes = complex_dtypes();
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{2, 3}, Shape{37}})
    sample.cases.push_back({{shape, low, high}});
  return sample;
}

Sample of_two(std::string name, TwoOperands f, double low = -1, double high = 1.5) {
  Sample sample{std::move(name), one([f](const ArrayList& x) { return f(x[0], x[1]); }), {}, {}};
  sample.dtypes = complex_dtypes();
  const std::pair<Shape, Shape> shapes[] = {
      {{}, {}}, {{0}, {0}}, {{1}, {3}}, {{2, 3}, {3}}, {{37}, {}}, {{4, 1}, {1, 9}}};
  for (const auto& [a, b] : shapes) sample.cases.push_back({{a, low, high}, {b, low, high}});
  return sample;
}

Sample row(std::string name, ProgramFunction f, std::vector<SampleCase> cases) {
  return {std::move(name), std::move(f), std::move(cases), complex_dtypes()};
}

Samples elementwise_rows() {
  return {
      of_one("complex abs", fx::abs),
      of_one("complex negative", fx::negative),
      of_one("complex sign", fx::sign),
      of_one("complex square", fx::square),
      of_one("complex reciprocal", fx::reciprocal),
      of_one("complex exp", fx::exp),
      of_one("complex exp2", fx::exp2),
      of_one("complex expm1", fx::expm1),
      of_one("complex log", fx::log),
      of_one("complex log2", fx::log2),
      of_one("complex log10", fx::log10),
      of_one("complex log1p", fx::log1p),
      of_one("complex sqrt", fx::sqrt),
      of_one("complex rsqrt", fx::rsqrt),
      of_one("complex sin", fx::sin),
      of_one("complex cos", fx::cos),
      of_one("complex tan", fx::tan, 0.3, 0.9),
      of_one("complex sinh", fx::sinh),
      of_one("complex cosh", fx::cosh),
      of_one("complex tanh", fx::tanh, 0.3, 0.9),
      of_one("complex asin", fx::asin),
      of_one("complex acos", fx::acos),
      of_one("complex atan", fx::atan),
      of_one("complex asinh", fx::asinh),
      of_one("complex acosh", fx::acosh),
      of_one("complex atanh", fx::atanh),
      of_one("complex sigmoid", fx::sigmoid),
      of_one("real", fx::real),
      of_one("imag", fx::imag),
      of_one("conj", fx::conj),
      of_one("angle", fx::angle),
      of_one("isreal", fx::isreal),
      of_one("iscomplex", fx::iscomplex),
      of_one("complex isnan", fx::isnan),
      of_one("complex isinf", fx::isinf),
      of_one("complex isfinite", fx::isfinite),
      of_one("complex third power", [](const Operand& x) { return fx::power(x, 3); }),
      of_two("complex add", fx::add),
      of_two("complex subtract", fx::subtract),
      of_two("complex multiply", fx::multiply),
      of_two("complex divide", fx::divide, 0.4, 1.5),
      of_two("complex power", fx::power, 0.4, 1.5),
      of_two("complex equal", fx::equal),
      of_two("complex not_equal", fx::not_equal),
      of_two("complex less", fx::less),
      of_two("complex greater_equal", fx::greater_equal),
      of_two("complex minimum", fx::minimum),
      of_two("complex maximum", fx::maximum),
      of_two("complex isclose",
             [](const Operand& x, const Operand& y) { return fx::isclose(x, y, 0.3); }),
  };
}

Samples conversion_rows() {
  const std::vector<SampleCase> lone = {{{{}}}, {{{0}}}, {{{2, 3}}}, {{{37}}}};
  const std::vector<SampleCase> pairs = {
      {{{}}, {{}}}, {{{0}}, {{0}}}, {{{2, 3}}, {{3}}}, {{{37}}, {{}}}};
  Samples rows = {
      {"complex",
       one([](const ArrayList& x) { return fx::complex(x[0], x[1]); }),
       pairs,
       {float32, float64, int32, bfloat16}},
      {"astype complex",
       one([](const ArrayList& x) {
         return x[0].astype(x[0].dtype() == float64 ? complex128 : complex64) * 2;
       }),
       lone,
       {bool_, int16, uint32, float16, float32, float64}},
      row("astype real",
          one([](const ArrayList& x) {
            return x[0].astype(x[0].dtype() == complex128 ? float64 : float32);
          }),
          lone),
      row("complex astype bool",
          one([](const ArrayList& x) { return fx::where(x[0], 1, 2); }),
          lone),
      row("complex astype narrower and wider",
          one([](const ArrayList& x) {
            return fx::sum(x[0].astype(complex64).astype(complex128)).astype(int32);
          }),
          {{{{4}, 3.2, 3.3}}}),
      {"real meets complex",
       one([](const ArrayList& x) { return x[0] * 0.5 + x[1]; }),
       {{{{2, 3}}, {{3}, -1, 1, complex128}}, {{{37}}, {{}, -1, 1, complex128}}},
       {float32, float64, int32}},
  };
  return rows;
}

Samples reduction_rows() {
  const std::vector<SampleCase> cases = {
      {{{1}}}, {{{5}}}, {{{2, 3}}}, {{{3, 2, 2}}}, {{{0}}}, {{{2, 0}}}, {{{7, 43}, -1, 1}}};
  const auto axes_of = [](const Array& x) { return x.ndim() == 3 ? Axes{0, 2} : Axes(-1); };
  return {
      row("complex sum",
          one([=](const ArrayList& x) { return fx::sum(x[0], axes_of(x[0])); }),
          cases),
      row("complex prod",
          one([=](const ArrayList& x) { return fx::prod(x[0], axes_of(x[0])); }),
          cases),
      row("complex mean", one([](const ArrayList& x) { return fx::mean(x[0]); }), {{{{2, 3}}}}),
      row("complex var", one([](const ArrayList& x) { return fx::var(x[0], 0); }), {{{{4, 3}}}}),
      row("complex any", one([](const ArrayList& x) { return fx::any(x[0], 0); }), {{{{4, 3}}}}),
      row("complex reduce_window sum",
          one([](const ArrayList& x) {
            return lax::reduce_window(
                x[0], lax::Reduction::sum, {{2, 3}, {1, 2}, {2, 1}, {1, 1}, {{1, 0}, {0, 1}}});
          }),
          {{{{3, 5}}}, {{{5, 21}}}}),
      row("complex reduce_window prod",
          one([](const ArrayList& x) {
            return lax::reduce_window(x[0], lax::Reduction::prod, {{2}, {1}, {1}, {2}, {{1, 1}}});
          }),
          {{{{5}}}, {{{33}}}}),
  };
}

Samples structured_rows() {
  const auto scattered = [](auto how) {
    return one([how](const ArrayList& x) {
      return how(x[0], x[2], x[1], lax::ScatterDimensions{{1}, {0}, {0}});
    });
  };
  const std::vector<SampleCase> updates = {
      {{{4, 2}, 0.3, 1.2}, {{5, 2}, 0.3, 1.2}, {{5, 1}, -1, 4, int32}},
      {{{9, 20}, 0.3, 1.2}, {{30, 20}, 0.3, 1.2}, {{30, 1}, 0, 8, int32}}};
  return {
      row("complex matmul",
          one([](const ArrayList& x) { return fx::matmul(x[0], x[1]); }),
          {{{{1, 1}}, {{1, 1}}},
           {{{2, 3}}, {{3, 2}}},
           {{{3, 0}}, {{0, 2}}},
           {{{4}}, {{4}}},
           {{{2, 2, 5}}, {{2, 5, 3}}},
           {{{6, 67}, -1, 1}, {{67, 9}, -1, 1}}}),
      row("complex outer",
          one([](const ArrayList& x) { return fx::outer(x[0], x[1]); }),
          {{{{3}}, {{2}}}}),
      row("complex rows against rows",
          one([](const ArrayList& x) { return lax::dot_general(x[0], x[1], {{1}, {1}}); }),
          {{{{2, 3}}, {{3, 3}}}, {{{3, 40}, -1, 1}, {{2, 40}, -1, 1}}}),
      row("complex convolution",
          one([](const ArrayList& x) {
            return lax::conv_general_dilated(
                x[0], x[1], {.strides = {2}, .padding = {{1, 2}}, .rhs_dilation = {2}});
          }),
          {{{{1, 2, 5}}, {{2, 2, 2}}}, {{{2, 4, 30}, -1, 1}, {{3, 4, 3}, -1, 1}}}),
      row("complex scatter", scattered([](auto&&... x) { return lax::scatter(x...); }), updates),
      row("complex scatter_add",
          scattered([](auto&&... x) { return lax::scatter_add(x...); }),
          updates),
      row("complex scatter_mul",
          scattered([](auto&&... x) { return lax::scatter_mul(x...); }),
          updates),
      row("complex take",
          one([](const ArrayList& x) { return fx::take(x[0], x[1], 0); }),
          {{{{3, 2}}, {{3}, 0, 2, int32}}}),
      row("complex moves",
          one([](const ArrayList& x) {
            const Array y = fx::concatenate({x[0].T(), fx::flip(x[0].T(), 0)}, 1);
            return fx::pad(y[{fx::slice(0, 2)}], {{1, 0}, {0, 1}});
          }),
          {{{{3, 2}}}, {{{5, 33}}}}),
      row("complex where",
          one([](const ArrayList& x) { return fx::where(fx::real(x[0]) > 0, x[0], x[1]); }),
          {{{{2, 3}}, {{3}}}, {{{37}}, {{}}}}),
  };
}

}  // namespace

Samples complex_samples() {
  Samples all = elementwise_rows();
  for (const Samples& more : {conversion_rows(), reduction_rows(), structured_rows()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace fluxion::test
