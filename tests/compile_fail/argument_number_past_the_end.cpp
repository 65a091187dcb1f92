// EXPECT: there is no argument of this number
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  fx::grad<2>([](Array x, Array y) { return x * y; })(Array(1.), Array(2.));
}
