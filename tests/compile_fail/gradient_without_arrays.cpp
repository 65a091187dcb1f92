// EXPECT: fx::grad: the argument to differentiate holds no array
#include <fluxion/fluxion.hpp>
#include <string>
namespace fx = fluxion;
using fx::Array;
int main() {
  fx::grad([](auto s) { return Array(1.); })(std::string("x"));
}
