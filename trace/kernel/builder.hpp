// How kernels are written: scalars with operators, loops as closures; instructions are shared,
// folded and hoisted as they are made.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <functional>
#include <optional>
#include <span>

namespace fluxion::kernel {

class Builder;

/// A value of a kernel under construction.
class Scalar {
 public:
  Scalar() = default;
  Scalar(Builder* builder, Id id) : builder_(builder), id_(id) {}
  Id id() const { return id_; }
  Builder& builder() const { return *builder_; }
  DType type() const;
  bool defined() const { return builder_ != nullptr; }
  /// A constant of this value's type.
  Scalar like(double value) const;

  friend Scalar operator+(Scalar, Scalar);
  friend Scalar operator-(Scalar, Scalar);
  friend Scalar operator*(Scalar, Scalar);
  friend Scalar operator/(Scalar, Scalar);
  friend Scalar operator%(Scalar, Scalar);
  friend Scalar operator-(Scalar);
  friend Scalar operator&(Scalar, Scalar);
  friend Scalar operator|(Scalar, Scalar);
  friend Scalar operator^(Scalar, Scalar);
  friend Scalar operator~(Scalar);
  friend Scalar operator<<(Scalar, Scalar);
  friend Scalar operator>>(Scalar, Scalar);  // logical for unsigned, arithmetic for signed
  friend Scalar operator==(Scalar, Scalar);
  friend Scalar operator!=(Scalar, Scalar);
  friend Scalar operator<(Scalar, Scalar);
  friend Scalar operator<=(Scalar, Scalar);
  friend Scalar operator>(Scalar, Scalar);
  friend Scalar operator>=(Scalar, Scalar);
  // with a literal of the same type
  friend Scalar operator+(Scalar a, double b) { return a + a.like(b); }
  friend Scalar operator-(Scalar a, double b) { return a - a.like(b); }
  friend Scalar operator*(Scalar a, double b) { return a * a.like(b); }
  friend Scalar operator/(Scalar a, double b) { return a / a.like(b); }
  friend Scalar operator-(double a, Scalar b) { return b.like(a) - b; }
  friend Scalar operator/(double a, Scalar b) { return b.like(a) / b; }
  friend Scalar operator<(Scalar a, double b) { return a < a.like(b); }
  friend Scalar operator>(Scalar a, double b) { return a > a.like(b); }
  friend Scalar operator<=(Scalar a, double b) { return a <= a.like(b); }
  friend Scalar operator>=(Scalar a, double b) { return a >= a.like(b); }
  friend Scalar operator==(Scalar a, double b) { return a == a.like(b); }
  friend Scalar operator!=(Scalar a, double b) { return a != a.like(b); }

 private:
  Builder* builder_ = nullptr;
  Id id_ = -1;
};
Scalar fma(Scalar a, Scalar b, Scalar c);
Scalar mulhi(Scalar a, Scalar b);
Scalar min(Scalar a, Scalar b);
Scalar max(Scalar a, Scalar b);
Scalar abs(Scalar);
Scalar floor(Scalar);
Scalar ceil(Scalar);
Scalar round_even(Scalar);
Scalar truncate(Scalar);
Scalar sqrt(Scalar);
Scalar clz(Scalar);
Scalar popcount(Scalar);
Scalar shift_left(Scalar, Scalar);
Scalar shift_right_logical(Scalar, Scalar);
Scalar shift_right_arithmetic(Scalar, Scalar);
Scalar select(Scalar condition, Scalar yes, Scalar no);
Scalar convert(Scalar, DType);
Scalar bitcast(Scalar, DType);

/// The index of an element, one affine expression per axis.
using Index = std::vector<Affine>;
/// Row-major strides in elements.
std::vector<std::int64_t> row_major(const Shape&);
/// sum of index[k] * strides[k].
Affine dot(const Index&, std::span<const std::int64_t> strides);

/// Writes one kernel. A pure instruction is placed in the outermost block where its operands are
/// known (so what a loop does not change is computed before it) and made once there. Loads of
/// inputs are pure; loads of outputs and scratch stay where they are. Constants are folded exactly.
class Builder {
 public:
  explicit Builder(std::string name);
  Builder(const Builder&) = delete;
  ~Builder();

  std::int32_t buffer(DType, Role, std::int64_t count);
  std::int32_t table(DType, std::vector<std::uint64_t> bits);

  Scalar constant(DType,
                  double value);  // exact for every value a double holds; of a complex type: a part
  Scalar constant_bits(DType, std::uint64_t bits);
  Scalar value(const Affine&);        // as an int64
  Affine affine(Scalar int64_value);  // the way back; sums and products by constants stay affine
  /// Value range, inclusive, if it is known from loop extents; {min int64, max int64} otherwise.
  std::pair<std::int64_t, std::int64_t> range(const Affine&) const;
  Affine divide(const Affine&,
                std::int64_t by);  // for values >= 0; stays affine where the terms allow
  Affine modulo(const Affine&, std::int64_t by);
  Scalar in_range(const Affine&,
                  std::int64_t low,
                  std::int64_t high);  // low <= x < high; a constant where the range decides

  Scalar load(std::int32_t buffer, const Affine& offset);
  /// Touches no memory where `predicate` does not hold, and gives `otherwise` there. Nested
  /// predicates: the caller combines them with &.
  Scalar load(std::int32_t buffer, const Affine& offset, Scalar predicate, Scalar otherwise);
  void store(std::int32_t buffer, const Affine& offset, Scalar value);
  void store(std::int32_t buffer, const Affine& offset, Scalar value, Scalar predicate);
  void update(std::int32_t buffer,
              const Affine& offset,
              Combiner,
              Scalar value,
              Promise,
              Scalar predicate = {});
  Scalar lookup(std::int32_t table, Scalar index);
  Scalar emit(Verb, DType, Scalar a = {}, Scalar b = {}, Scalar c = {});

  using Body = std::function<void(const Index&)>;
  void parallel(const Shape& extents, const Body&);
  struct Element {
    Scalar value;
    Scalar factor = {};  // with add: fma(value, factor, accumulator)
  };
  using ReduceBody = std::function<std::vector<Element>(const Index&)>;
  /// `trip_count` bounds the first variable at run time (<= extents[0]).
  std::vector<Scalar> reduce(const Shape& extents,
                             Tree,
                             std::vector<Combiner>,
                             std::vector<Scalar> initial,
                             const ReduceBody&,
                             Scalar trip_count = {});
  using SerialBody = std::function<std::vector<Scalar>(const Index&, std::vector<Scalar> carries)>;
  /// `large`: the body is not for writing out.
  std::vector<Scalar> serial(const Shape& extents,
                             std::vector<Scalar> initial,
                             const SerialBody&,
                             Scalar trip_count = {},
                             bool large = false);
  std::vector<Scalar> repeat_while(
      std::vector<Scalar> initial,
      const std::function<Scalar(std::vector<Scalar>)>& condition,
      const std::function<std::vector<Scalar>(std::vector<Scalar>)>& body);

  /// From now on reductions and serial loops of at most `most` iterations are written out, in the
  /// order that a loop would have.
  void unroll_loops(std::int64_t most);

  /// The finished kernel: unused instructions dropped, facts counted, verified.
  Kernel finish();

  DType type_of(Id) const;
  /// The bits of a value that is known now.
  std::optional<std::uint64_t> constant_of(Scalar) const;
  /// Whether the blocks that are open know the value: false once the loop that computes it is
  /// closed.
  bool in_scope(Scalar) const;
  void count_transcendental();  // called by the functions of math.hpp

 private:
  struct State;
  State* state_;
};

/// What a combiner of single values makes of two.
Scalar combined(Combiner, Scalar a, Scalar b);
/// The identity of a combiner in a type, as bits (arg_*: of the value).
std::uint64_t identity_bits(Combiner, DType);

}  // namespace fluxion::kernel
