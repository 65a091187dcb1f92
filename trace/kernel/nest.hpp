// What an operation sees while it writes its part of a kernel: operands to read at an index,
// results to write at an index.
#pragma once
#include "trace/kernel/builder.hpp"
#include "trace/kernel/complex.hpp"

namespace fluxion::kernel {

/// The operands of an operation. A read is a load, or the fused producer's own expression.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual Builder& builder() = 0;
  virtual const Spec& operand(int k) const = 0;
  virtual const Spec& result(int k = 0) const = 0;
  /// Operand k at `index` (in bounds). bool_ is a bit; 16-bit floats come as they are: convert
  /// before computing.
  virtual Scalar read(int k, const Index& index) = 0;
  /// The same, but where `predicate` does not hold nothing is read and the result is `otherwise`.
  virtual Scalar read(int k, const Index& index, Scalar predicate, Scalar otherwise) = 0;

  // Complex numbers are pairs. An operation with complex results writes itself once for each part;
  // what only moves elements need not know: `read` of a complex operand gives the part that is
  // asked for.
  /// The part of complex results that is asked for: 0 the real one, 1 the imaginary one.
  virtual int part() const = 0;
  /// Both parts of a complex operand's element.
  virtual Complex<Scalar> read_complex(int k, const Index& index) = 0;
  virtual Complex<Scalar> read_complex(int k,
                                       const Index& index,
                                       Scalar predicate,
                                       Complex<Scalar> otherwise) = 0;
  /// For `at`: the part that is asked for of a result of which both are computed; the other one is
  /// remembered.
  virtual Scalar part_of(const Complex<Scalar>& result) = 0;
};

/// A structured operation's view: phases over parallel domains, each of which writes results.
class Nest : public Reader {
 public:
  /// A phase: `body` is run for every index of `domain`, independently; phases run one after the
  /// other. The engine decides where the loops are, and may put phases of several operations over
  /// the same domain into the same loops.
  virtual void phase(const Shape& domain, std::function<void(const Index&)> body) = 0;
  virtual void write(int k, const Index& index, Scalar value) = 0;
  virtual void write(int k, const Index& index, Scalar value, Scalar predicate) = 0;
  /// result[index] = combine(result[index], value); the elements must have been written in an
  /// earlier phase.
  virtual void update(
      int k, const Index& index, Combiner, Scalar value, Promise, Scalar predicate = {}) = 0;
  /// result[index] = result[index] * value, both parts at once whichever is asked for; nothing else
  /// may write there in this phase.
  virtual void multiply_complex(int k,
                                const Index& index,
                                Complex<Scalar> value,
                                Scalar predicate) = 0;
};

/// The product as it is defined: four products, none of them fused with a sum.
inline Complex<Scalar> naive_product(const Complex<Scalar>& a, const Complex<Scalar>& b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

}  // namespace fluxion::kernel
