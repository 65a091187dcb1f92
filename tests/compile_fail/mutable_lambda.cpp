// EXPECT: must be callable as const: drop `mutable`
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  int n = 0;
  fx::jit([n](Array x) mutable {
    ++n;
    return x;
  })(Array(1.));
}
