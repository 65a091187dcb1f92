// EXPECT: the function returns a pair: pass fx::has_aux
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  fx::grad([](Array x) { return std::pair{x, x}; })(Array(1.));
}
