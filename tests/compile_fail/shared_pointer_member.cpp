// EXPECT: a tree may not hold pointers.*hold the value itself
#include <fluxion/fluxion.hpp>
#include <memory>
namespace fx = fluxion;
using fx::Array;
struct M {
  std::shared_ptr<Array> w;
};
int main() {
  M m;
  fx::tree_leaves(m);
}
