// EXPECT: cannot convert .*Array.* to .bool.
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  Array x(1.);
  bool positive = x > 0;
  return positive;
}
