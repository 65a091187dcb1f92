// EXPECT: print_needs_one_brace_pair_for_each_argument
#include <fluxion/debug.hpp>
namespace fx = fluxion;
using fx::Array;
int main() { fx::debug::print("{} {}", Array(1.)); }
