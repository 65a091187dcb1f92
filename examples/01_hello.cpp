// Arrays are lazy values: nothing runs until a value is asked for.
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

int main() {
  const Array a = fx::array({{1.f, 2.f}, {3.f, 4.f}});  // float32[2,2]: C++ types are the dtypes
  const Array b = fx::arange(6, fx::float32).reshape({2, 3});
  const Array c = fx::matmul(a, b) + 1;  // a bare number takes the array's dtype
  std::cout << "c = " << c << "\n";      // evaluates, prints
  std::cout << "column sums: " << fx::sum(c, 0) << "\n";
  std::cout << "row 0 with its first two elements replaced: "
            << c.at({0, fx::slice(0, 2)}).set(7.f)[0] << "\n";
  try {
    (void)fx::matmul(a, fx::zeros({3, 2}));
  } catch (const fx::Error& e) {
    std::cout << e.what() << "\n";  // names this file and line
  }
}
