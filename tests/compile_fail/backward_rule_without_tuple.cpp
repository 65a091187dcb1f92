// EXPECT: backward\(residuals, cotangent\) returns a std::tuple
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  auto f = fx::custom_vjp([](Array x) { return x; },
                          [](Array x) { return std::pair{x, x}; },
                          [](Array, Array ct) { return ct; });
  f(Array(1.));
}
