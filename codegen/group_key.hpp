// What the kernel of a group is made of, so that equal groups of a program are lowered once.
#pragma once
#include "codegen/lower.hpp"

namespace fluxion::codegen {

/// Equal keys, equal kernels: values count by where a group names them first, and by their types.
class GroupKey {
 public:
  /// Keeps references to the graph's operations.
  GroupKey(const Graph&, const Group&);
  std::uint64_t hash() const;
  friend bool operator==(const GroupKey& a, const GroupKey& b);

 private:
  std::vector<std::int64_t> words_;
  std::vector<const Op*> operations_;
};

}  // namespace fluxion::codegen
