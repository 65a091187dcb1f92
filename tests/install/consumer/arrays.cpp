// Section 1 of the tour: arrays are lazy values.
#include "expect.hpp"

#include <fluxion/fluxion.hpp>
#include <iostream>
#include <numeric>
#include <span>
#include <sstream>
#include <vector>

namespace fx = fluxion;
using fx::Array;

int main() {
  std::vector<double> x(12);
  std::iota(x.begin(), x.end(), 0.0);
  Array index_array = fx::array({1, 0, 1});

  Array a = fx::array({{1.f, 2.f}, {3.f, 4.f}});
  Array b = fx::arange(6, fx::float32).reshape({2, 3});
  Array c = fx::matmul(a, b) + 1;
  std::ostringstream printed;
  printed << c << '\n';
  EXPECT(printed.str() == "[[ 7. 10. 13.]\n [13. 20. 27.]]\n");
  float s = fx::sum(c).item<float>();
  EXPECT(s == 90.f);
  std::vector<float> v = c.to_vector<float>();
  EXPECT((v == std::vector<float>{7, 10, 13, 13, 20, 27}));
  std::span<const float> view = c.span<float>();
  EXPECT(view.size() == 6 && view[5] == 27.f);
  EXPECT(view.data() == c.span<float>().data());
  if (c[{0, 0}] > 2.f) {
    float l = float(fx::sum(c));
    EXPECT(l == 90.f);
  } else {
    EXPECT(!"7 > 2");
  }
  Array d = fx::from_span(std::span<const double>(x), {3, 4});
  x[0] = 100;
  EXPECT(d.dtype() == fx::float64 && (d[{0, 0}]).item<double>() == 0.0);

  bool deleted = false;
  {
    static double memory[4] = {1, 2, 3, 4};
    Array borrowed = fx::borrow(memory, {2, 2}, fx::float64, [&](double*) { deleted = true; });
    EXPECT(fx::sum(borrowed).item<double>() == 10.0);
    EXPECT(borrowed.span<double>().data() == memory);
  }
  EXPECT(deleted);

  EXPECT(c.shape() == fx::Shape({2, 3}) && c.ndim() == 2 && c.size() == 6);
  EXPECT(c.dtype() == fx::float32);
  EXPECT((c[0].to_vector<float>() == std::vector<float>{7, 10, 13}));
  EXPECT((c[{fx::all, fx::slice(0, 2)}].to_vector<float>() == std::vector<float>{7, 10, 13, 20}));
  EXPECT((c[{fx::ellipsis, fx::newaxis}].shape() == fx::Shape({2, 3, 1})));
  EXPECT(c[index_array].shape() == fx::Shape({3, 3}));
  EXPECT(
      (c[index_array].to_vector<float>() == std::vector<float>{13, 20, 27, 7, 10, 13, 13, 20, 27}));
  Array e = c.at({0, fx::slice(0, 2)}).set(7.f);
  EXPECT((e.to_vector<float>() == std::vector<float>{7, 7, 13, 13, 20, 27}));
  EXPECT((c.to_vector<float>() == v));
  EXPECT((c.at(1).add(1).to_vector<float>() == std::vector<float>{7, 10, 13, 14, 21, 28}));
  EXPECT((c.at({fx::all, 0}).max(10).to_vector<float>() ==
          std::vector<float>{10, 10, 13, 13, 20, 27}));
  fx::eval(a, c, e);

  Array i = fx::array({7, -7});
  EXPECT(((i / 2).to_vector<int>() == std::vector<int>{3, -3}));
  EXPECT(fx::array({1.0, 2.0}).dtype() == fx::float64);
  EXPECT((a + 1).dtype() == fx::float32 && (i + 1).dtype() == fx::int32);
  EXPECT(bool(fx::all(a > 0)) && !bool(fx::any(a > 4)));
  a += 1;
  EXPECT((a.to_vector<float>() == std::vector<float>{2, 3, 4, 5}));
  return failures;
}
