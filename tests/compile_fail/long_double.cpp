// EXPECT: no matching function for call to .*Array\(long double\)
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() { Array x(1.0L); }
