// EXPECT: fx::while_loop: the body must return a state of the type it got
#include <fluxion/control_flow.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  fx::while_loop([](auto s) { return s.first < 3; },
                 [](auto s) { return std::tuple{s.first, s.second}; },
                 std::pair{Array(1.), Array(2.)});
}
