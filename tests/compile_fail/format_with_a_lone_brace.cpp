// EXPECT: a_brace_in_a_format_is_doubled_or_a_pair|call to consteval function
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() { fx::check(Array(true), "value {", Array(1.)); }
