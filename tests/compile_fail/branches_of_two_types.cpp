// EXPECT: all branches must return the same type
#include <fluxion/control_flow.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  fx::cond(true, [](Array x) { return x; }, [](Array x) { return std::pair{x, x}; }, Array(1.));
}
