// EXPECT: fx::scan: the body returns std::pair\{carry, y\}
#include <fluxion/control_flow.hpp>
#include <fluxion/ops.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  fx::scan([](Array c, Array x) { return c + x; }, Array(1.), fx::zeros({3}));
}
