// EXPECT: fx::array: the numbers in the braces must all have one type
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() { fx::array({1, 2.5}); }
