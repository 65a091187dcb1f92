// EXPECT: the span of a temporary array would dangle: give the array a name first
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  auto v = fx::exp(Array(1.f)).span<float>();
  (void)v;
}
