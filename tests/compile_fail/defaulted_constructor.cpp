// EXPECT: neither a plain struct nor comparable.*not even defaulted ones
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
struct M {
  Array w;
  M() = default;
};
int main() {
  M m;
  fx::tree_leaves(m);
}
