// EXPECT: takes its arguments by value or const reference, not by non-const reference
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  fx::jit([](Array& x) { return x; })(Array(1.));
}
