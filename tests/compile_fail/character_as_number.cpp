// EXPECT: no matching function for call to .*Array\(char\)
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() { Array x('a'); }
