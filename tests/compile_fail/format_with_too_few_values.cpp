// EXPECT: a_format_has_one_pair_of_braces_for_each_value|call to consteval function
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() { fx::debug::print("{} {}", Array(1.)); }
