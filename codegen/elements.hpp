// Elements of a program's values inside a kernel that is being written: computed where they are
// asked for, one at a time.
#pragma once
#include "trace/graph.hpp"
#include "trace/kernel/builder.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace fluxion::codegen {

/// Thrown where a program cannot be computed element by element: the caller has another way.
struct NotElementwise {};

/// The lanes that a kernel runs over: the first axes of what is different in every lane.
struct Lanes {
  Shape shape;
  kernel::Index index;  // of the lane that is being written
  bool lead(const Shape& of) const {
    return of.size() >= shape.size() && std::equal(shape.begin(), shape.end(), of.begin());
  }
  /// The indices of all elements of a value in this lane: constants behind the lane's own index.
  std::vector<kernel::Index> elements(const Shape&) const;
  std::size_t count(const Shape&) const;
};

/// The elements that one lane has of an array, as scalars.
class LaneArray {
 public:
  LaneArray(const Lanes& lanes, Shape shape, std::vector<kernel::Scalar> elements)
      : lanes_(&lanes), shape_(std::move(shape)), elements_(std::move(elements)) {}
  /// At an index of the array; NotElementwise if that lies in another lane.
  kernel::Scalar at(kernel::Builder&, const kernel::Index&) const;
  bool in_scope(const kernel::Builder& builder) const {
    return std::all_of(
        elements_.begin(), elements_.end(), [&](kernel::Scalar s) { return builder.in_scope(s); });
  }

 private:
  const Lanes* lanes_;
  Shape shape_;
  std::vector<kernel::Scalar> elements_;
};

/// One program of operations with `at`, structured operations of one phase, loops and branches over
/// such.
class Elements {
 public:
  /// Reads an input of the program; where `predicate` (if there is one) does not hold, anything may
  /// come back and nothing is touched.
  using Read = std::function<kernel::Scalar(
      std::size_t input, const kernel::Index&, kernel::Scalar predicate)>;
  /// `given`: values that are read as inputs are, by their number, although operations make them.
  Elements(kernel::Builder& builder,
           const Lanes& lanes,
           const Graph& graph,
           Read read,
           const std::set<ValueId>* given = nullptr);

  kernel::Scalar at(ValueId, const kernel::Index&, kernel::Scalar predicate = {});
  /// All elements that this lane has of a value.
  std::vector<kernel::Scalar> all(ValueId);
  /// Values that are an input changed in place: they are read through these writes.
  struct Write {
    kernel::Index index;
    kernel::Scalar value, predicate;
  };
  /// What an operation that changes operand 0 in place writes there, before anything is stored.
  std::vector<Write> writes_of(const Operation&);

 private:
  class View;
  friend class View;
  using Key = std::vector<std::int64_t>;
  Key key(ValueId, const kernel::Index&, kernel::Scalar predicate) const;
  kernel::Scalar make(ValueId,
                      std::int32_t operation,
                      const kernel::Index&,
                      kernel::Scalar predicate);
  void make_before(ValueId, const kernel::Index&, kernel::Scalar predicate);
  void structured(const Operation&, const kernel::Index&, kernel::Scalar predicate);
  kernel::Scalar updated(const Operation&, const kernel::Index&, kernel::Scalar predicate);
  void region(const Operation&);
  Read reader(const Operation&, std::size_t first_operand);

  kernel::Builder& builder_;
  const Lanes& lanes_;
  const Graph& graph_;
  Read read_;
  const std::set<ValueId>* given_;
  std::vector<std::int32_t> makers_;
  std::map<Key, kernel::Scalar> known_;
  bool large_ = false;  // so many operations that one asking the next may be too deep for a stack
  int depth_ = 0;       // of operations that ask each other
  std::map<ValueId, LaneArray> regions_;  // results of loops and branches
};

/// The elements that one lane has of several arrays: the state of a loop. An array that stays in
/// memory has none.
using LaneState = std::vector<std::vector<kernel::Scalar>>;

/// Writes the program of a loop or a branch again and again, or once.
class RegionWriter {
 public:
  /// `operand`: reads an operand of the operation (a counted scan's count is not one of them).
  RegionWriter(kernel::Builder& builder, const Lanes& lanes, Elements::Read operand)
      : builder_(builder), lanes_(lanes), operand_(std::move(operand)) {}
  /// Carry k stays in memory: `read` gives its elements.
  void keep_in_memory(
      std::size_t carry,
      std::function<kernel::Scalar(const kernel::Index&, kernel::Scalar predicate)> read) {
    memory_[carry] = std::move(read);
  }
  /// Called in every step when the next carries are known, before anything is stored.
  using Step = std::function<void(const kernel::Affine& row, Elements&)>;

  /// The operation's state, from operands that begin at `first`.
  LaneState initial(const Graph& program,
                    std::size_t first_operand,
                    std::size_t first_input,
                    std::size_t count);
  /// `count`: how many rows, if that is known only at run time.
  LaneState scan(const Op&, kernel::Scalar count, LaneState, const Step&);
  LaneState repeat(const Op&, LaneState, const Step&);
  LaneState choose(const Op&, kernel::Scalar index);

 private:
  kernel::Scalar carry(const LaneState&,
                       const Graph&,
                       std::size_t k,
                       std::size_t first_carry,
                       const kernel::Index&,
                       kernel::Scalar predicate);
  kernel::Builder& builder_;
  const Lanes& lanes_;
  Elements::Read operand_;
  std::map<std::size_t, std::function<kernel::Scalar(const kernel::Index&, kernel::Scalar)>>
      memory_;
};

/// A program of an operation after the passes; remembered. Thread-safe.
const Graph& optimized_program(const Op&, std::size_t number);

/// A scalar as loops carry it, and back: 16-bit floats ride as float32.
kernel::Scalar carried(kernel::Scalar);
kernel::Scalar uncarried(kernel::Scalar, DType);

}  // namespace fluxion::codegen
