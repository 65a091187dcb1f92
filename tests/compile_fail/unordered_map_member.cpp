// EXPECT: of the containers, std::vector, array, tuple, pair, optional and map are trees; this one
// is not
#include <fluxion/fluxion.hpp>
#include <string>
#include <unordered_map>
namespace fx = fluxion;
using fx::Array;
struct M {
  std::unordered_map<std::string, Array> w;
};
int main() {
  M m;
  fx::tree_leaves(m);
}
