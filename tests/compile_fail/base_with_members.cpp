// EXPECT: this struct has a base class with members: make the base a member instead
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
struct B {
  Array b;
};
struct M : B {
  Array w;
};
int main() {
  M m;
  fx::tree_leaves(m);
}
