// EXPECT: rule\(primals, tangents\) gets two tuples and returns std::pair\{out, tangent\}
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  auto f = fx::custom_jvp([](Array x) { return x; },
                          [](auto primals, auto) { return std::get<0>(primals); });
  f(Array(1.));
}
