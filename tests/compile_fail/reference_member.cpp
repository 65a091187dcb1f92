// EXPECT: a member of this struct is a reference
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
struct M {
  Array w;
  const Array& r;
};
int main() {
  Array a;
  M m{a, a};
  fx::tree_leaves(m);
}
