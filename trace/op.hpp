// An operation as a value: its attributes are the fields of a plain struct, its rules the struct's
// member functions.
#pragma once
#include "fluxion/array.hpp"
#include "fluxion/members.hpp"
#include "trace/attributes.hpp"
#include "trace/buffer.hpp"
#include "trace/error.hpp"
#include "trace/kernel/nest.hpp"
#include "trace/leaf.hpp"
#include "trace/tensor.hpp"

#include <concepts>
#include <cstring>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fluxion {

class Graph;
/// Shape and dtype: the type of a value.
using Type = Spec;
using Types = std::vector<Type>;
using TypeList = std::span<const Type>;
/// Arrays given to a rule. In tangents and cotangents an empty Array is a symbolic zero.
using Arrays = std::span<const Array>;
using ArrayList = std::vector<Array>;
/// Where the batch axis of each operand is, or `unbatched`.
inline constexpr int unbatched = -1;
using BatchAxes = std::span<const int>;

/// Whether an Array holds anything: an empty one stands for a symbolic zero.
bool defined(const Array&);

/// What a batching rule gives: the results, and where the batch axis of each is (or `unbatched`).
struct Batched {
  ArrayList results;
  std::vector<int> axes;
};

/// Result `result` begins as operand `operand`, of the same type: `body` finds the operand's
/// elements there and only changes some of them, and never reads that operand. The operand's memory
/// becomes the result's where nobody else reads it; elsewhere it is copied first.
struct InPlace {
  std::int32_t operand = 0, result = 0;
};
using InPlaces = std::vector<InPlace>;

/// Results and their tangents.
struct Both {
  ArrayList values, tangents;
};

/// The operands as a transpose rule sees them: known values, or linear with only a type.
class Operands {
 public:
  Operands(Arrays values, TypeList types) : values_(values), types_(types) {}
  std::size_t size() const { return types_.size(); }
  bool linear(std::size_t k) const { return !defined(values_[k]); }
  const Array& value(std::size_t k) const { return values_[k]; }
  const Type& type(std::size_t k) const { return types_[k]; }

 private:
  Arrays values_;
  TypeList types_;
};

/// Cotangents of the linear operands while a graph is walked backwards.
class Accumulators {
 public:
  virtual ~Accumulators() = default;
  /// False where nobody asks for this operand's cotangent.
  virtual bool needed(std::size_t k) const = 0;
  /// Adds to the cotangent of operand k.
  virtual void add(std::size_t k, const Array& cotangent) = 0;
  /// The cotangent so far (zeros at first), to be replaced by an updated one: `replace(k,
  /// scatter_add(buffer(k), ...))` adds in place.
  virtual Array buffer(std::size_t k) = 0;
  virtual void replace(std::size_t k, const Array& cotangent) = 0;
};

// ---- what every operation must say ----
template <class T>
concept Named = requires {
  { T::name } -> std::convertible_to<std::string_view>;
};
template <class T>
concept Typed = requires(const T& op, TypeList in) {
  { op.types(in) } -> std::same_as<Types>;
};
template <class T>
concept Forward = requires(const T& op, Arrays x) {
  { op.jvp(x, x, x) } -> std::same_as<ArrayList>;
};
template <class T>
concept Transposed = requires(const T& op, Arrays ct, const Operands& x, Accumulators& out) {
  op.transpose(ct, x, out);
};
template <class T>
concept Batching = requires(const T& op, Arrays x, BatchAxes at, std::int64_t n) {
  { op.batch(x, at, n) } -> std::same_as<Batched>;
};
template <class T>
concept Pointwise = requires(const T& op, kernel::Reader& x, const kernel::Index& i) {
  { op.at(x, i) } -> std::same_as<kernel::Scalar>;
};
template <class T>
concept Structured = requires(const T& op, kernel::Nest& nest) { op.body(nest); };
template <class T>
concept Referenced = requires(const T& op, ConstTensors in, Tensors out) { op.reference(in, out); };
template <class T>
concept WithLeaf = requires(const T& op, TypeList in, TypeList out) {
  { op.leaf(in, out) } -> std::same_as<LeafSpec>;
};
template <class T>
concept WithRegions = requires(const T& op) {
  { op.regions() } -> std::same_as<std::vector<const Graph*>>;
};
/// Operations that hold programs give results and tangents together: under jvp as one operation;
/// under linearize as a forward one, whose results the linear one reads (the operands `dx` belong
/// to the linear program, so what has one of them as an operand is recorded there).
template <class T>
concept RegionForward = requires(const T& op, Arrays x) {
  { op.jvp_region(x, x) } -> std::same_as<Both>;
  { op.linearize_region(x, x) } -> std::same_as<Both>;
};
template <class T>
concept Aliasing = requires {
  { T::aliases } -> std::convertible_to<bool>;
};  // result 0 is operand 0's memory with another shape
template <class T>
concept Updating = requires(const T& op) {
  { op.in_place() } -> std::same_as<InPlaces>;
};  // which results are operands, changed
template <class T>
concept Effectful = requires {
  { T::effects } -> std::convertible_to<bool>;
};  // never shared, moved or removed
/// The same where it depends on the fields (a loop has the effects of its body).
template <class T>
concept MaybeEffectful = requires(const T& op) {
  { op.has_effects() } -> std::same_as<bool>;
};
/// Runs a program that an operation holds, operation by operation, on host data.
using RegionRunner = std::function<std::vector<detail::Ref<Buffer>>(const Graph&, ConstTensors)>;
template <class T>
concept RegionReferenced =
    requires(const T& op, ConstTensors in, Tensors out, const RegionRunner& run) {
      op.reference(in, out, run);
    };
/// An operation whose program is put in its place before kernels are cut: records the results.
/// Without it the schedule runs the operation (loops, branches).
template <class T>
concept Inlined = requires(const T& op, Arrays x) {
  { op.inlined(x) } -> std::same_as<ArrayList>;
};
struct Pruned;
/// An operation that holds programs may shrink to what gives the results that are used.
template <class T>
concept Prunable = requires(const T& op, const std::vector<bool>& used) {
  { op.prune(used) } -> std::same_as<std::optional<Pruned>>;
};
/// A name that depends on the fields ("add" of a table of elementwise operations).
template <class T>
concept SelfNamed = requires(const T& op) {
  { op.own_name() } -> std::convertible_to<std::string_view>;
};

struct Rules {
  std::string_view name;
  std::string_view (*own_name)(const void*);
  Types (*types)(const void*, TypeList);
  ArrayList (*jvp)(const void*, Arrays x, Arrays y, Arrays dx);
  void (*transpose)(const void*,
                    Arrays,
                    const Operands&,
                    Accumulators&);  // null: not linear in anything
  Batched (*batch)(const void*, Arrays, BatchAxes, std::int64_t size);
  kernel::Scalar (*at)(const void*,
                       kernel::Reader&,
                       const kernel::Index&);  // null: structured, or neither (inlined: call)
  void (*body)(const void*, kernel::Nest&);
  void (*reference)(const void*, ConstTensors, Tensors);
  void (*region_reference)(const void*,
                           ConstTensors,
                           Tensors,
                           const RegionRunner&);  // where there are regions
  ArrayList (*inlined)(const void*, Arrays);      // null: run as it is
  std::optional<Pruned> (*prune)(const void*,
                                 const std::vector<bool>& used);  // null: nothing to drop
  LeafSpec (*leaf)(const void*, TypeList in, TypeList out);       // null: none
  std::vector<const Graph*> (*regions)(const void*);              // null: none
  Both (*jvp_region)(const void*, Arrays x, Arrays dx);           // where there are regions
  Both (*linearize_region)(const void*, Arrays x, Arrays dx);
  InPlaces (*in_place)(const void*);  // null: none
  bool aliases;
  bool (*effects)(const void*);
  std::uint64_t (*hash)(const void*);
  bool (*equal)(const void*, const void*);
  std::string (*print)(const void*);  // "[axis=1, reverse=true]" or empty
  void (*copy)(void* to, const void* from);
  void (*destroy)(void*);
  bool (*parse)(std::string_view name,
                AttributeParser&,
                class Op& out);  // false if the name is another operation's, or the attributes are
                                 // not what `print` writes
};

/// An operation with its attributes. Cheap to copy; small structs live inside.
class Op {
 public:
  Op() = default;
  template <class T>
    requires Named<T>
  Op(T op);
  Op(const Op& o) : rules_(o.rules_) {
    if (rules_) rules_->copy(memory_, o.memory_);
  }
  Op(Op&& o) noexcept : rules_(o.rules_) {
    std::memcpy(memory_, o.memory_, sizeof memory_);
    o.rules_ = nullptr;
  }
  Op& operator=(Op o) noexcept {
    if (rules_) rules_->destroy(memory_);
    rules_ = o.rules_;
    std::memcpy(memory_, o.memory_, sizeof memory_);
    o.rules_ = nullptr;
    return *this;
  }
  ~Op() {
    if (rules_) rules_->destroy(memory_);
  }

  explicit operator bool() const { return rules_ != nullptr; }
  std::string_view name() const { return rules_->own_name(memory_); }
  Types types(TypeList in) const { return rules_->types(memory_, in); }
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const { return rules_->jvp(memory_, x, y, dx); }
  bool transposable() const { return rules_->transpose != nullptr; }
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    rules_->transpose(memory_, ct, x, out);
  }
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return rules_->batch(memory_, x, at, size);
  }
  bool pointwise() const { return rules_->at != nullptr; }
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    return rules_->at(memory_, x, i);
  }
  bool structured() const { return rules_->body != nullptr; }
  void body(kernel::Nest& nest) const { rules_->body(memory_, nest); }
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
    if (rules_->region_reference)
      rules_->region_reference(memory_, in, out, run);
    else
      rules_->reference(memory_, in, out);
  }
  bool inlines() const { return rules_->inlined != nullptr; }
  ArrayList inlined(Arrays x) const { return rules_->inlined(memory_, x); }
  bool prunable() const { return rules_->prune != nullptr; }
  std::optional<Pruned> prune(const std::vector<bool>& used) const;
  LeafSpec leaf(TypeList in, TypeList out) const {
    return rules_->leaf ? rules_->leaf(memory_, in, out) : LeafSpec();
  }
  std::vector<const Graph*> regions() const {
    return rules_->regions ? rules_->regions(memory_) : std::vector<const Graph*>();
  }
  bool has_regions() const { return rules_->regions != nullptr; }
  Both jvp_region(Arrays x, Arrays dx) const { return rules_->jvp_region(memory_, x, dx); }
  Both linearize_region(Arrays x, Arrays dx) const {
    return rules_->linearize_region(memory_, x, dx);
  }
  InPlaces in_place() const { return rules_->in_place ? rules_->in_place(memory_) : InPlaces(); }
  bool aliases() const { return rules_->aliases; }
  bool effects() const { return rules_->effects && rules_->effects(memory_); }
  std::uint64_t hash() const { return rules_->hash(memory_); }
  std::string attributes() const { return rules_->print(memory_); }
  friend bool operator==(const Op& a, const Op& b) {
    return a.rules_ == b.rules_ && (!a.rules_ || a.rules_->equal(a.memory_, b.memory_));
  }
  /// The struct inside, if it is a T.
  template <class T> const T* as() const;

 private:
  template <class T>
  static constexpr bool small = std::is_trivially_copyable_v<T> && sizeof(T) <= 32;
  template <class T> static const T& self(const void* memory) {
    if constexpr (small<T>)
      return *static_cast<const T*>(memory);
    else
      return (*static_cast<Held<T>* const*>(memory))->value;
  }
  template <class T> struct Held;
  template <class T> friend struct RulesFor;
  const Rules* rules_ = nullptr;
  alignas(8) unsigned char memory_[32];
};

template <class T> struct Op::Held {  // a counted T: what memory_ points at when T is not small
  T value;
  std::int64_t count;
};

template <class T> struct RulesFor {
  static_assert(Named<T>, "operation: add `static constexpr auto name = \"...\"`");
  static_assert(Typed<T>, "operation: add `Types types(TypeList in) const`");
  static_assert(!WithRegions<T> || RegionForward<T>,
                "operation: with regions, add `Both jvp_region(Arrays x, Arrays dx) const` and "
                "`Both linearize_region(Arrays x, Arrays dx) const`");
  static_assert(Forward<T> || WithRegions<T>,
                "operation: add `ArrayList jvp(Arrays x, Arrays y, Arrays dx) const`");
  static_assert(Batching<T>,
                "operation: add `Batched batch(Arrays x, BatchAxes at, std::int64_t size) const`");
  static_assert(Pointwise<T> || Structured<T> || WithRegions<T>,
                "operation: add `kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) "
                "const` (pointwise) or `void body(kernel::Nest& nest) const` (structured)");
  static_assert(Referenced<T> || WithRegions<T>,
                "operation: add `void reference(ConstTensors in, Tensors out) const`");
  static_assert(RegionReferenced<T> || !WithRegions<T>,
                "operation: with regions, add `void reference(ConstTensors in, Tensors out, const "
                "RegionRunner& run) const`");
  static const T& self(const void* p) { return Op::self<T>(p); }

  static std::string_view own_name(const void* p) {
    if constexpr (SelfNamed<T>)
      return self(p).own_name();
    else {
      (void)p;
      return T::name;
    }
  }
  static void copy(void* to, const void* from) {
    std::memcpy(to, from, 32);
    if constexpr (!Op::small<T>)
      __atomic_fetch_add(&(*static_cast<Op::Held<T>**>(to))->count, 1, __ATOMIC_RELAXED);
  }
  static void destroy(void* p) {
    if constexpr (!Op::small<T>) {
      auto* held = *static_cast<Op::Held<T>**>(p);
      if (__atomic_sub_fetch(&held->count, 1, __ATOMIC_ACQ_REL) == 0) delete held;
    } else
      (void)p;
  }
  static bool parse(std::string_view name, AttributeParser& in, Op& out) {
    if constexpr (requires {
                    { T::parse(name, in) } -> std::same_as<std::optional<T>>;
                  }) {  // families (SelfNamed) and structs that print themselves
      std::optional<T> op = T::parse(name, in);
      if (op) out = Op(*std::move(op));
      return op.has_value();
    } else {
      if (name != T::name) return false;
      T op{};
      if (!parse_attributes(in, op)) return false;
      out = Op(std::move(op));
      return true;
    }
  }
  static constexpr Rules make() {
    Rules r{};
    r.name = T::name;
    r.own_name = own_name;
    r.types = [](const void* p, TypeList in) { return self(p).types(in); };
    if constexpr (Forward<T>)
      r.jvp = [](const void* p, Arrays x, Arrays y, Arrays dx) { return self(p).jvp(x, y, dx); };
    if constexpr (RegionForward<T>) {
      r.jvp_region = [](const void* p, Arrays x, Arrays dx) { return self(p).jvp_region(x, dx); };
      r.linearize_region = [](const void* p, Arrays x, Arrays dx) {
        return self(p).linearize_region(x, dx);
      };
    }
    if constexpr (Transposed<T>)
      r.transpose = [](const void* p, Arrays ct, const Operands& x, Accumulators& out) {
        self(p).transpose(ct, x, out);
      };
    r.batch = [](const void* p, Arrays x, BatchAxes at, std::int64_t n) {
      return self(p).batch(x, at, n);
    };
    if constexpr (Pointwise<T>)
      r.at = [](const void* p, kernel::Reader& x, const kernel::Index& i) {
        return self(p).at(x, i);
      };
    if constexpr (Structured<T>)
      r.body = [](const void* p, kernel::Nest& nest) { self(p).body(nest); };
    if constexpr (Referenced<T>)
      r.reference = [](const void* p, ConstTensors in, Tensors out) { self(p).reference(in, out); };
    if constexpr (RegionReferenced<T>)
      r.region_reference =
          [](const void* p, ConstTensors in, Tensors out, const RegionRunner& run) {
            self(p).reference(in, out, run);
          };
    if constexpr (Inlined<T>)
      r.inlined = [](const void* p, Arrays x) { return self(p).inlined(x); };
    if constexpr (Prunable<T>)
      r.prune = [](const void* p, const std::vector<bool>& used) { return self(p).prune(used); };
    if constexpr (WithLeaf<T>)
      r.leaf = [](const void* p, TypeList in, TypeList out) { return self(p).leaf(in, out); };
    if constexpr (WithRegions<T>) r.regions = [](const void* p) { return self(p).regions(); };
    if constexpr (Updating<T>) r.in_place = [](const void* p) { return self(p).in_place(); };
    if constexpr (Aliasing<T>) r.aliases = T::aliases;
    if constexpr (Effectful<T>)
      r.effects = [](const void*) -> bool { return T::effects; };
    else if constexpr (MaybeEffectful<T>)
      r.effects = [](const void* p) { return self(p).has_effects(); };
    r.hash = [](const void* p) { return hash_attributes(T::name, self(p)); };
    r.equal = [](const void* a, const void* b) { return equal_attributes(self(a), self(b)); };
    r.print = [](const void* p) {
      if constexpr (requires { self(p).print(); })
        return self(p).print();
      else
        return print_attributes(self(p));
    };
    r.copy = copy;
    r.destroy = destroy;
    r.parse = parse;
    return r;
  }
  static constexpr Rules rules = make();
};

/// The rules of one struct: for the table of operations that the parser knows.
template <class T> constexpr const Rules* rules_of() { return &RulesFor<T>::rules; }

template <class T>
  requires Named<T>
Op::Op(T op) : rules_(&RulesFor<T>::rules) {
  if constexpr (small<T>) {
    std::memset(memory_, 0, sizeof memory_);
    new (memory_) T(std::move(op));
  } else
    *reinterpret_cast<Held<T>**>(memory_) = new Held<T>{std::move(op), 1};
}
template <class T> const T* Op::as() const {
  return rules_ == &RulesFor<T>::rules ? &self<T>(memory_) : nullptr;
}

/// A smaller operation: which of the old one's operands it takes, and which of the old results it
/// gives.
struct Pruned {
  Op op;
  std::vector<std::size_t> operands, results;
};
inline std::optional<Pruned> Op::prune(const std::vector<bool>& used) const {
  return rules_->prune ? rules_->prune(memory_, used) : std::nullopt;
}

// ---- recording ----
/// Records an operation where it belongs: in the innermost frame that wants it, or in the lazy
/// graph. Types are checked now; nothing runs.
ArrayList emit_all(const Op&, Arrays operands, const Site&);
/// The same for an operation with one result.
Array emit(const Op&, Arrays operands, const Site&);
inline Array emit(const Op& op, std::initializer_list<Array> operands, const Site& site) {
  return emit(op, Arrays(operands.begin(), operands.size()), site);
}
/// Inside a rule: the user's line of the operation that is being transformed.
Site rule_site();

/// Shape, dtype of an array that is known not to be empty, without a site.
const Type& type_of(const Array&);
/// A literal scalar; in a traced program it is a constant, never an input.
Array literal(double value, DType, const Site& = rule_site());
/// Zeros or ones of a type.
Array zeros_of(const Type&);
Array ones_of(const Type&);

}  // namespace fluxion
