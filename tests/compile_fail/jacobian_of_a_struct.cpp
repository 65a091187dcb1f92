// EXPECT: the argument must be one Array; make one of a struct with fx::ravel
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
struct M {
  Array w;
};
int main() {
  fx::jacfwd([](M m) { return m.w; })(M{Array(1.)});
}
