// EXPECT: cannot convert .*Array.* to .float.
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  Array x(1.f);
  float total = fx::sum(x);
  return total > 0;
}
