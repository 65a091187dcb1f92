// What an operation sees while it writes its part of a kernel: operands to read at an index, results to write at an index.
#pragma once
#include "trace/kernel/builder.hpp"

namespace fluxion::kernel {

/// The operands of an operation. A read is a load, or the fused producer's own expression.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual Builder& builder() = 0;
  virtual const Spec& operand(int k) const = 0;
  virtual const Spec& result(int k = 0) const = 0;
  /// Operand k at `index` (in bounds). bool_ is a bit; 16-bit floats come as they are: convert before computing.
  virtual Scalar read(int k, const Index& index) = 0;
  /// The same, but where `predicate` does not hold nothing is read and the result is `otherwise`.
  virtual Scalar read(int k, const Index& index, Scalar predicate, Scalar otherwise) = 0;
};

/// A structured operation's view: phases over parallel domains, each of which writes results.
class Nest : public Reader {
 public:
  /// A phase: `body` is run for every index of `domain`, independently; phases run one after the other. The engine decides where the loops are,
  /// and may put phases of several operations over the same domain into the same loops.
  virtual void phase(const Shape& domain, std::function<void(const Index&)> body) = 0;
  virtual void write(int k, const Index& index, Scalar value) = 0;
  virtual void write(int k, const Index& index, Scalar value, Scalar predicate) = 0;
  /// result[index] = combine(result[index], value); the elements must have been written in an earlier phase.
  virtual void update(int k, const Index& index, Combiner, Scalar value, Promise, Scalar predicate = {}) = 0;
};

}  // namespace fluxion::kernel
