// EXPECT: a library function with an optional parameter needs a lambda
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() { fx::vmap(fx::softmax)(Array(1.)); }
