// EXPECT: fx::grad: the function must return one Array
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
int main() {
  fx::grad([](Array x) { return x.item<double>(); })(Array(1.));
}
