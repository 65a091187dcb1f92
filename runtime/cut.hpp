// A cut: the pending operations that one evaluation runs, claimed from the lazy graph.
#pragma once
#include "trace/graph.hpp"
#include "trace/node.hpp"

#include <span>
#include <vector>

namespace fluxion {

struct Cut {
  std::vector<detail::Ref<detail::Node>>
      nodes;  // in the order of recording; kept alive until the results are in
  std::vector<detail::Node*> roots;  // those whose values somebody can ask for
  std::vector<detail::Ref<const detail::Node>>
      leaves;                  // what the operations read from outside: inputs of the program
  std::vector<bool> last_use;  // of a leaf: nobody else will ever read it
  /// Structure as words: for each node its operation's hash and where its operands come from; types
  /// of leaves; which nodes are roots.
  std::vector<std::uint64_t> key;
  std::uint64_t hash = 0;
  std::uint64_t mark = 0;  // by which its nodes and leaves are known, until another cut looks at
                           // them (under lazy_lock)
};

/// Claims the asked pending nodes, what they depend on, and every held pending node that shares a
/// pending ancestor with them (or, `everything`, every held pending node at all), so that nothing
/// is ever computed twice. Under lazy_lock.
Cut claim(std::span<detail::Node* const> asked, bool everything);

/// The program of a cut. Under lazy_lock, before another cut is claimed. Cuts with equal keys and
/// operations give equal programs.
GraphRef program_of(const Cut&);

/// How many recorded operations this process has evaluated so far: for tests of "nothing is
/// computed twice".
std::uint64_t evaluated_operations() noexcept;

}  // namespace fluxion
