// EXPECT: unresolved overloaded function type
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
Array f(Array x) { return x; }
Array f(Array x, Array y) { return x * y; }
int main() { fx::grad(f)(Array(1.)); }
