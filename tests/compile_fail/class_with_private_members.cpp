// EXPECT: neither a plain struct nor comparable.*To be a tree: public members
#include <fluxion/fluxion.hpp>
namespace fx = fluxion;
using fx::Array;
class M {
  Array w;

 public:
  M(Array w) : w(w) {}
};
int main() {
  M m(Array(1.));
  fx::tree_leaves(m);
}
