// EXPECT: an element cannot be assigned to: write x = x.at\(i\).set\(value\)
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  Array x = fx::zeros({3});
  x[0] = 1.f;
}
