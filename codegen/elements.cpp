// Computes elements by asking operations for their expressions.
#include "codegen/elements.hpp"

#include "codegen/cost.hpp"
#include "trace/ops/constant.hpp"

#include <algorithm>
#include <utility>

namespace fluxion::codegen {

using kernel::Affine;
using kernel::Builder;
using kernel::Index;
using kernel::Scalar;
using Complex = kernel::Complex<Scalar>;

namespace {

constexpr std::size_t most_choices = 32;  // elements among which a computed index chooses
constexpr std::size_t most_writes = 16;   // of an operation that changes a value in place
constexpr int most_asking = 256;          // operations that may ask each other

Index in_row_major(std::int64_t number, const Shape& shape) {
  Index index(shape.size());
  for (std::size_t k = shape.size(); k-- > 0; number /= std::max<std::int64_t>(1, shape[k]))
    index[k].constant = number % std::max<std::int64_t>(1, shape[k]);
  return index;
}

}  // namespace

std::size_t Lanes::count(const Shape& of) const {
  const std::size_t skip = lead(of) ? shape.size() : 0;
  std::size_t n = 1;
  for (std::size_t k = skip; k < of.size(); ++k) n *= static_cast<std::size_t>(of[k]);
  return n;
}

std::vector<Index> Lanes::elements(const Shape& of) const {
  const std::size_t skip = lead(of) ? shape.size() : 0;
  Shape rest;
  for (std::size_t k = skip; k < of.size(); ++k) rest.push_back(of[k]);
  std::vector<Index> all;
  const auto n = static_cast<std::int64_t>(count(of));
  for (std::int64_t i = 0; i < n; ++i) {
    Index one(index.begin(), index.begin() + static_cast<std::ptrdiff_t>(skip));
    for (Affine& a : in_row_major(i, rest)) one.push_back(std::move(a));
    all.push_back(std::move(one));
  }
  return all;
}

Scalar LaneArray::at(Builder& builder, const Index& index) const {
  const std::size_t skip = lanes_->lead(shape_) ? lanes_->shape.size() : 0;
  for (std::size_t k = 0; k < skip; ++k)
    if (lanes_->shape[k] != 1 && !(index[k] == lanes_->index[k])) throw NotElementwise();
  Affine place;
  std::int64_t stride = 1;
  for (std::size_t k = shape_.size(); k-- > skip; stride *= shape_[k]) place += index[k] * stride;
  if (place.is_constant()) {
    const std::int64_t last = static_cast<std::int64_t>(elements_.size()) - 1;
    return elements_[static_cast<std::size_t>(std::clamp<std::int64_t>(place.constant, 0, last))];
  }
  if (elements_.empty() || elements_.size() > most_choices) throw NotElementwise();
  const Scalar number = builder.value(place);
  Scalar chosen = elements_[0];
  for (std::size_t k = 1; k < elements_.size(); ++k)
    chosen = select(number == static_cast<double>(k), elements_[k], chosen);
  return chosen;
}

Scalar carried(Scalar s) {
  return s.type() == float16 || s.type() == bfloat16 ? convert(s, float32) : s;
}
Scalar uncarried(Scalar s, DType to) { return s.type() == to ? s : convert(s, to); }

Elements::Elements(Builder& builder,
                   const Lanes& lanes,
                   const Graph& graph,
                   Read read,
                   const std::set<ValueId>* given)
    : builder_(builder),
      lanes_(lanes),
      graph_(graph),
      read_(std::move(read)),
      given_(given),
      makers_(static_cast<std::size_t>(graph.value_count()), -1) {
  const auto& operations = graph.operations();
  large_ = operations.size() > static_cast<std::size_t>(most_asking);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (operations[i].op.effects() && !given_) throw NotElementwise();
    for (std::int32_t k = 0; k < operations[i].result_count; ++k)
      makers_[static_cast<std::size_t>(operations[i].first_result + k)] =
          static_cast<std::int32_t>(i);
  }
}

Elements::Key Elements::key(ValueId v, const Index& index, Scalar predicate) const {
  Key key{v, predicate.defined() ? predicate.id() : -1};
  for (const Affine& a : index) {
    key.push_back(a.constant);
    for (const auto* terms : {&a.variables, &a.opaque}) {
      key.push_back(static_cast<std::int64_t>(terms->size()));
      for (const Affine::Term& term : *terms) {
        key.push_back(term.of);
        key.push_back(term.scale);
      }
    }
  }
  return key;
}

/// What one operation sees: elements of its operands at any index.
class Elements::View final : public kernel::Nest {
 public:
  View(Elements& elements, const Operation& operation, Index place, Scalar predicate)
      : elements_(elements),
        operation_(operation),
        place_(std::move(place)),
        predicate_(predicate) {}

  Builder& builder() override { return elements_.builder_; }
  const Spec& operand(int k) const override {
    return elements_.graph_.type(operation_.operands[static_cast<std::size_t>(k)]);
  }
  const Spec& result(int k) const override {
    return elements_.graph_.type(operation_.first_result + k);
  }
  Scalar read(int k, const Index& index) override { return read(k, index, predicate_); }
  Scalar read(int k, const Index& index, Scalar predicate, Scalar otherwise) override {
    if (const auto constant = builder().constant_of(predicate))
      return *constant ? read(k, index) : otherwise;
    const Scalar both = predicate_.defined() ? predicate & predicate_ : predicate;
    return select(predicate, read(k, index, both), otherwise);
  }
  void phase(const Shape& domain, std::function<void(const Index&)> body) override {
    if (!collecting_) return body(place_);
    const std::int64_t n = element_count(domain);
    if (n > static_cast<std::int64_t>(most_writes)) throw NotElementwise();
    for (std::int64_t i = 0; i < n; ++i) body(in_row_major(i, domain));
  }
  void write(int k, const Index& index, Scalar value) override { write(k, index, value, {}); }
  void write(int k, const Index& index, Scalar value, Scalar predicate) override {
    if (collecting_) {
      writes.push_back({index, value, predicate});
    } else {
      if (predicate.defined()) throw NotElementwise();
      elements_.known_[elements_.key(operation_.first_result + k, index, predicate_)] = value;
    }
  }
  void update(int k,
              const Index& index,
              kernel::Combiner combiner,
              Scalar value,
              kernel::Promise,
              Scalar predicate) override {
    if (!collecting_ || combiner != kernel::Combiner::set) throw NotElementwise();
    write(k, index, value, predicate);
  }
  // Complex elements have another way.
  int part() const override { return 0; }
  Complex read_complex(int, const Index&) override { throw NotElementwise(); }
  Complex read_complex(int, const Index&, Scalar, Complex) override { throw NotElementwise(); }
  Scalar part_of(const Complex&) override { throw NotElementwise(); }
  void multiply_complex(int, const Index&, Complex, Scalar) override { throw NotElementwise(); }
  void collect() { collecting_ = true; }
  std::vector<Write> writes;

 private:
  Scalar read(int k, const Index& index, Scalar predicate) {
    return elements_.at(operation_.operands[static_cast<std::size_t>(k)], index, predicate);
  }
  Elements& elements_;
  const Operation& operation_;
  Index place_;
  Scalar predicate_;
  bool collecting_ = false;
};

Scalar Elements::at(ValueId v, const Index& index, Scalar predicate) {
  for (Scalar p : {Scalar(), predicate}) {
    const auto found = known_.find(key(v, index, p));
    if (found != known_.end() && builder_.in_scope(found->second)) return found->second;
    if (!predicate.defined()) break;
  }
  if (v < graph_.input_count() || (given_ && given_->contains(v)))
    return read_(static_cast<std::size_t>(v), index, predicate);
  struct Deeper {
    int& depth;
    explicit Deeper(int& d) : depth(d) { ++depth; }
    ~Deeper() { --depth; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
  };
  const bool deep = large_ && depth_ % most_asking == 0;
  const Deeper inside(depth_);
  if (deep) make_before(v, index, predicate);
  const Scalar made = make(v, makers_[static_cast<std::size_t>(v)], index, predicate);
  known_[key(v, index, predicate)] = made;
  return made;
}

/// What an element needs of elements at the same index, one after the other: a chain of ten
/// thousand operations that ask each other does not fit on a stack.
void Elements::make_before(ValueId v, const Index& index, Scalar predicate) {
  std::vector<char> seen(makers_.size());
  std::vector<ValueId> open{v};
  const auto wants = [&](ValueId of) {
    return makers_[static_cast<std::size_t>(of)] >= 0 && !seen[static_cast<std::size_t>(of)] &&
           !(given_ && given_->contains(of)) && !known_.contains(key(of, index, predicate));
  };
  while (!open.empty()) {
    const ValueId next = open.back();
    const Operation& o =
        graph_.operations()[static_cast<std::size_t>(makers_[static_cast<std::size_t>(next)])];
    if (std::exchange(seen[static_cast<std::size_t>(next)], 1)) {
      open.pop_back();
      if (next != v) at(next, index, predicate);
      continue;
    }
    if (!o.op.pointwise() || o.op.has_regions()) continue;
    const OperationFacts& facts = facts_of(o.op, graph_.operand_types(o), graph_.result_types(o));
    for (std::size_t k = 0; k < o.operands.size(); ++k)
      if (facts.operands[k].same_place &&
          graph_.type(o.operands[k]).shape == graph_.type(next).shape && wants(o.operands[k]))
        open.push_back(o.operands[k]);
  }
}

std::vector<Scalar> Elements::all(ValueId v) {
  std::vector<Scalar> out;
  for (const Index& index : lanes_.elements(graph_.type(v).shape)) out.push_back(at(v, index));
  return out;
}

Scalar Elements::make(ValueId v, std::int32_t number, const Index& index, Scalar predicate) {
  const Operation& o = graph_.operations()[static_cast<std::size_t>(number)];
  const Type& type = graph_.type(v);
  if (is_complex(type.dtype)) throw NotElementwise();
  for (ValueId operand : o.operands)
    if (is_complex(graph_.type(operand).dtype)) throw NotElementwise();
  if (const auto* constant = o.op.as<ops::Constant>())
    return builder_.constant_bits(type.dtype, constant->low);
  if (o.op.has_regions()) {
    const auto found = regions_.find(v);
    if (found == regions_.end() || !found->second.in_scope(builder_)) region(o);
    return regions_.at(v).at(builder_, index);
  }
  if (o.op.pointwise()) {
    View view(*this, o, index, predicate);
    return o.op.at(view, index);
  }
  if (!o.op.structured()) throw NotElementwise();
  if (!o.op.in_place().empty()) return updated(o, index, predicate);
  structured(o, index, predicate);
  const auto found = known_.find(key(v, index, predicate));
  if (found == known_.end()) throw NotElementwise();
  return found->second;
}

void Elements::structured(const Operation& o, const Index& index, Scalar predicate) {
  if (!facts_of(o.op, graph_.operand_types(o), graph_.result_types(o)).whole)
    throw NotElementwise();
  View view(*this, o, index, predicate);
  o.op.body(view);
}

std::vector<Elements::Write> Elements::writes_of(const Operation& o) {
  View view(*this, o, {}, {});
  view.collect();
  o.op.body(view);
  if (view.writes.size() > most_writes) throw NotElementwise();
  return std::move(view.writes);
}

/// An element of what an operation changes in place: what was there, unless one of its writes meets
/// it.
Scalar Elements::updated(const Operation& o, const Index& index, Scalar predicate) {
  if (o.op.in_place().size() != 1 || o.op.in_place()[0].operand != 0) throw NotElementwise();
  Scalar value = at(o.operands[0], index, predicate);
  for (const Write& w : writes_of(o)) {
    Scalar here = w.predicate;
    for (std::size_t k = 0; k < index.size(); ++k) {
      if (index[k] == w.index[k]) continue;
      const Scalar same = builder_.value(index[k]) == builder_.value(w.index[k]);
      here = here.defined() ? here & same : same;
    }
    value = here.defined() ? select(here, w.value, value) : w.value;
  }
  return value;
}

}  // namespace fluxion::codegen
