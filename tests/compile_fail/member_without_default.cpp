// EXPECT: a member of this struct has no default value: give it one, or a default constructor
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
struct C {
  int n;
  C(int n) : n(n) {}
  bool operator==(const C&) const = default;
};
struct M {
  Array w;
  C c = C(3);
  Array d;
};
int main() {
  M m;
  fx::tree_leaves(m);
}
