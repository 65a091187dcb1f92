// Arrays print as NumPy prints them; the expected texts are NumPy's own (2.4).
#include "tests/support/values.hpp"

#include <complex>
#include <limits>
#include <sstream>

namespace fx = fluxion;
using fx::Array;

namespace {

template <class T> std::string text(const T& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

constexpr float nan32 = std::numeric_limits<float>::quiet_NaN(),
                inf32 = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("floats are aligned at their points") {
  CHECK(text(fx::array({1.f, 2.5f, 3.f})) == "[1.  2.5 3. ]");
  CHECK(text(fx::array({{1.f, 2.f}, {3.f, 4.f}})) == "[[1. 2.]\n [3. 4.]]");
  CHECK(text(fx::array({-1.5f, 2.25f})) == "[-1.5   2.25]");
  CHECK(text(fx::array({0.1f, 0.22f, 0.333f})) == "[0.1   0.22  0.333]");
  CHECK(text(fx::array({0.f})) == "[0.]");
  CHECK(text(fx::array({-0., 0.})) == "[-0.  0.]");
  CHECK(text(fx::array({{{1.5f}}})) == "[[[1.5]]]");
  CHECK(text(fx::zeros({2, 2, 2})) == "[[[0. 0.]\n  [0. 0.]]\n\n [[0. 0.]\n  [0. 0.]]]");
}

TEST_CASE("floats show the digits that tell them apart, at most eight decimals") {
  CHECK(text(fx::array({1.f / 3, 2.f / 3})) == "[0.33333334 0.6666667 ]");
  CHECK(text(fx::array({1. / 3, 2. / 3})) == "[0.33333333 0.66666667]");
  CHECK(text(fx::array({1.23456789012, 2.})) == "[1.23456789 2.        ]");
  CHECK(text(fx::array({0.1f, 0.2f}).astype(fx::float16)) == "[0.1 0.2]");
}

TEST_CASE("wide ranges are written with exponents") {
  CHECK(text(fx::array({1e-5f, 1.f})) == "[1.e-05 1.e+00]");
  CHECK(text(fx::array({1.5e-5f, 1.f})) == "[1.5e-05 1.0e+00]");
  CHECK(text(fx::array({1e-3f, 1000.f})) == "[1.e-03 1.e+03]");
  CHECK(text(fx::array({123456.789, 0.001})) == "[1.23456789e+05 1.00000000e-03]");
  CHECK(text(fx::array({1e8f})) == "[1.e+08]");
  CHECK(text(fx::array({16777216.f, 0.5f})) == "[1.6777216e+07 5.0000000e-01]");
  CHECK(text(fx::array({65504.f, 1e-4f}).astype(fx::float16)) == "[6.55e+04 1.00e-04]");
}

TEST_CASE("NaN and infinities keep to the columns") {
  CHECK(text(fx::array({nan32, 1.f, inf32, -inf32})) == "[ nan   1.  inf -inf]");
  CHECK(text(fx::array({nan32, -1.5f})) == "[ nan -1.5]");
  CHECK(text(fx::array({inf32, inf32})) == "[inf inf]");
  CHECK(text(fx::array({1e-20, static_cast<double>(nan32), 5e10})) == "[1.e-20    nan 5.e+10]");
}

TEST_CASE("integers and bools are aligned to the right") {
  CHECK(text(fx::array({1, -20, 300})) == "[  1 -20 300]");
  CHECK(text(fx::array({std::uint8_t{255}, std::uint8_t{0}})) == "[255   0]");
  CHECK(text(fx::array({std::numeric_limits<std::int64_t>::max(),
                        std::numeric_limits<std::int64_t>::min()})) ==
        "[ 9223372036854775807 -9223372036854775808]");
  CHECK(text(fx::array({true, false})) == "[ True False]");
  CHECK(text(fx::array({true, true})) == "[ True  True]");
}

TEST_CASE("long rows are wrapped at 75 columns") {
  CHECK(text(fx::arange(40)) ==
        "[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n 24 25 26 27 28 "
        "29 30 31 32 33 34 35 36 37 38 39]");
  std::vector<float> tenths;
  for (int i = 0; i < 30; ++i) tenths.push_back(static_cast<float>(i) * 0.1f);
  CHECK(text(fx::array(tenths)) ==
        "[0.         0.1        0.2        0.3        0.4        0.5\n"
        " 0.6        0.7        0.8        0.90000004 1.         1.1\n"
        " 1.2        1.3000001  1.4        1.5        1.6        1.7\n"
        " 1.8000001  1.9        2.         2.1000001  2.2        2.3\n"
        " 2.4        2.5        2.6000001  2.7        2.8        2.9       ]");
}

TEST_CASE("more than a thousand elements are shortened") {
  CHECK(text(fx::arange(2000)) == "[   0    1    2 ... 1997 1998 1999]");
  CHECK(text(fx::arange(1001, fx::float64).reshape({7, 143})) ==
        "[[   0.    1.    2. ...  140.  141.  142.]\n [ 143.  144.  145. ...  283.  284.  285.]\n "
        "[ 286.  287.  288. ...  426.  427.  428.]\n ...\n"
        " [ 572.  573.  574. ...  712.  713.  714.]\n [ 715.  716.  717. ...  855.  856.  857.]\n "
        "[ 858.  859.  860. ...  998.  999. 1000.]]");
  CHECK(text(fx::arange(2400, fx::float64).reshape({3, 8, 100})[{fx::slice(0, 1)}]).substr(0, 2) ==
        "[[");
}

TEST_CASE("scalars print as numbers, empty arrays as brackets") {
  CHECK(text(Array(1.f)) == "1.0");
  CHECK(text(Array(0.1f)) == "0.1");
  CHECK(text(Array(1e20f)) == "1e+20");
  CHECK(text(Array(1e-5f)) == "1e-05");
  CHECK(text(Array(1. / 3)) == "0.3333333333333333");
  CHECK(text(Array(123456789.)) == "123456789.0");
  CHECK(text(Array(1e16)) == "1e+16");
  CHECK(text(Array(3.4028235e38f)) == "3.4028235e+38");
  CHECK(text(Array(-0.f)) == "-0.0");
  CHECK(text(Array(nan32)) == "nan");
  CHECK(text(Array(5)) == "5");
  CHECK(text(Array(true)) == "True");
  CHECK(text(fx::zeros({0, 3})) == "[]");
  CHECK(text(Array()) == "Array()");
}

TEST_CASE("complex numbers are aligned part by part") {
  const std::complex<float> numbers[] = {{1, 2}, {-0.5f, -1}};
  const Array x = fx::array({numbers[0], numbers[1]});
  CHECK(text(x) == "[ 1. +2.j -0.5-1.j]");
  CHECK(text(x[0]) == "(1+2j)");
  CHECK(text(x[1]) == "(-0.5-1j)");
}

TEST_CASE("inside a traced function only the type is there to print") {
  std::string seen;
  fx::jit([&](Array x) {
    seen = text(x * 2);
    return x;
  })(fx::ones({2, 3}));
  CHECK(seen == "f32[2,3]");
}

TEST_CASE("types print as they do in errors") {
  CHECK(text(fx::float32) == "f32");
  CHECK(text(fx::Shape{2, 3}) == "[2,3]");
  CHECK(text(fx::Spec{{8, 3}, fx::bfloat16}) == "bf16[8,3]");
}
