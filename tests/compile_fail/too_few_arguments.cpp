// EXPECT: the function cannot be called with arguments of these types
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  fx::grad([](Array x, Array y) { return x * y; })(Array(1.));
}
