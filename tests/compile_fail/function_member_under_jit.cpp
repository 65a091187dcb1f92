// EXPECT: std::function cannot be compared: use fx::nn::Activation or a function pointer
#include <fluxion/fluxion.hpp>
#include <functional>
namespace fx = fluxion;
using fx::Array;
struct M {
  Array w;
  std::function<Array(Array)> act;
};
int main() {
  M m{Array(1.), [](Array x) { return x; }};
  fx::jit([](M m) { return m.act(m.w); })(m);
}
