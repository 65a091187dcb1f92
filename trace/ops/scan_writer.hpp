// Scans as rules write them: groups of constants, carries and rows, and a body that knows its
// groups.
#pragma once
#include "trace/ops/control_flow.hpp"

namespace fluxion::ops {

class ScanWriter {
 public:
  /// A group of operands of one kind.
  struct Group {
    int kind = 0;
    std::size_t begin = 0, count = 0;
  };
  /// The body's inputs while it is recorded.
  class Inside {
   public:
    const Array& row_number() const { return all_[0]; }
    ArrayList operator()(const Group& g) const {
      const auto first = all_.begin() + static_cast<std::ptrdiff_t>(begin_[g.kind] + g.begin);
      return {first, first + static_cast<std::ptrdiff_t>(g.count)};
    }

   private:
    friend class ScanWriter;
    Arrays all_;
    std::size_t begin_[3] = {};
  };
  /// What the body gives, or what the whole scan gives: carries, then written rows.
  struct Result {
    ArrayList carries, rows;
  };

  /// Length, direction and count are those of `like`, whose count operand is `count` (none or one).
  ScanWriter(const Scan& like, Arrays count) : like_(like), count_(count.begin(), count.end()) {}
  Group constants(Arrays a) { return add(0, a); }
  Group carries(Arrays a) { return add(1, a); }
  Group rows(Arrays a) { return add(2, a); }
  Result emit(const std::function<Result(const Inside&)>& body, const Site&);

 private:
  Group add(int kind, Arrays a) {
    operands_[kind].insert(operands_[kind].end(), a.begin(), a.end());
    return {kind, operands_[kind].size() - a.size(), a.size()};
  }

  Scan like_;
  ArrayList count_, operands_[3];
};

}  // namespace fluxion::ops
