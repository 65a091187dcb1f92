// EXPECT: a tree may not hold pointers.*hold the value itself
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
struct M {
  Array* w;
};
int main() {
  M m{};
  fx::tree_leaves(m);
}
