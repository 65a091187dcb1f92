// EXPECT: no match for call to .*brace-enclosed initializer list
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
struct M {
  Array w, b;
};
int main() {
  fx::grad([](M m) { return m.w; })({Array(1.), Array(2.)});
}
