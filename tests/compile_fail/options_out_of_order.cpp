// EXPECT: designator order for field .*in_axes.* does not match declaration order
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  fx::vmap([](Array x) { return x; }, {.axis_name = "i", .in_axes = 0});
}
