// Writes the kernel of a group: the recursion from outputs to inputs, remembered per value and
// place.
#include "codegen/lower.hpp"

#include "codegen/cost.hpp"
#include "trace/ops/constant.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace fluxion::codegen {
namespace {

using kernel::Affine;
using kernel::Builder;
using kernel::Index;
using kernel::Scalar;
using Complex = kernel::Complex<Scalar>;

DType component_type(DType dtype) {
  if (dtype == complex64) return float32;
  if (dtype == complex128) return float64;
  return dtype;
}

/// One element of a value: its row-major number, and its index in `shape` where that is known.
struct Place {
  Affine linear;
  Index index;
  Shape shape;
  bool indexed = false;
};

class Lowering {
 public:
  Lowering(const Graph& graph, const Group& group)
      : graph_(graph), group_(group), builder_(kernel_name()) {
    for (std::int32_t i : group.operations) {
      const Operation& o = operation(i);
      for (std::int32_t k = 0; k < o.result_count; ++k) makers_[o.first_result + k] = i;
    }
    for (ValueId v : group.inputs) declare(v, kernel::Role::input, loads_);
    for (ValueId v : group.outputs) declare(v, kernel::Role::output, stores_);
  }

  kernel::Kernel run() {
    std::vector<std::int32_t> structured;
    for (std::int32_t i : group_.operations)
      if (operation(i).op.structured()) structured.push_back(i);
    if (!group_.stages.empty()) {
      over_rows();
    } else if (structured.empty()) {
      over_domain({});
    } else if (facts(structured[0]).whole) {
      over_domain(structured);
    } else {
      for (component_ = 0; component_ < components(); ++component_) general(structured[0]);
    }
    return builder_.finish();
  }

 private:
  class View;
  friend class View;

  const Operation& operation(std::int32_t i) const {
    return graph_.operations()[static_cast<std::size_t>(i)];
  }
  const OperationFacts& facts(std::int32_t i) const {
    const Operation& o = operation(i);
    return facts_of(o.op, graph_.operand_types(o), graph_.result_types(o));
  }
  std::string kernel_name() const {
    std::string name;
    for (std::int32_t i : group_.operations) {
      if (operation(i).op.as<ops::Constant>()) continue;
      if (name.size() > 60) return name + "_etc";
      if (!name.empty()) name += '_';
      name += operation(i).op.name();
    }
    return name.empty() ? "constant" : name;
  }
  void declare(ValueId v, kernel::Role role, std::map<ValueId, std::int32_t>& into) {
    const Type& type = graph_.type(v);
    const std::int64_t parts = is_complex(type.dtype) ? 2 : 1;
    into[v] = builder_.buffer(component_type(type.dtype), role, parts * element_count(type.shape));
  }
  int components() const {
    for (ValueId v : group_.outputs)
      if (is_complex(graph_.type(v).dtype)) return 2;
    return 1;
  }

  Affine offset(ValueId v, const Affine& linear) const { return offset(v, linear, component_); }
  Affine offset(ValueId v, const Affine& linear, int component) const {
    return is_complex(graph_.type(v).dtype) ? linear * 2 + component : linear;
  }
  /// What f gives for the real and for the imaginary part.
  template <class F> Complex both(const F& f) {
    const int asked = component_;
    Complex parts;
    component_ = 0;
    parts.re = f();
    component_ = 1;
    parts.im = f();
    component_ = asked;
    return parts;
  }

  Index index_of(const Affine& linear, const Shape& shape) {
    Index index(shape.size());
    Affine rest = linear;
    for (std::size_t k = shape.size(); k-- > 0;) {
      if (shape[k] == 1) continue;
      const bool last =
          std::all_of(shape.begin(), shape.begin() + k, [](auto n) { return n == 1; });
      index[k] = last ? rest : builder_.modulo(rest, shape[k]);
      if (!last) rest = builder_.divide(rest, shape[k]);
    }
    return index;
  }

  void over_domain(const std::vector<std::int32_t>& structured);
  void over_rows();
  void along_row(const Group::Stage&, const Index& row);
  void general(std::int32_t i);
  void write_structured(const std::vector<std::int32_t>& structured, const Place& place);
  void store(const std::vector<ValueId>& values, const Place& place);
  Scalar value(ValueId v, const Place& place, Scalar predicate);
  Scalar make(ValueId v, std::int32_t maker, const Place& place, Scalar predicate);
  Scalar load(ValueId v, const Place& place, Scalar predicate);
  Scalar load(std::int32_t buffer, ValueId v, const Affine& element, Scalar predicate);
  Affine in_row(const Affine& linear, std::int64_t length) const;

  // What is known already: (value, component, predicate, row-major number) -> scalar.
  using Key = std::vector<std::int64_t>;
  Key key(ValueId v, const Affine& linear, Scalar predicate) const {
    return key(v, linear, predicate, component_);
  }
  Key key(ValueId v, const Affine& linear, Scalar predicate, int component) const {
    const bool parts = is_complex(graph_.type(v).dtype);
    Key key{v,
            parts ? component : 0,
            predicate.defined() ? predicate.id() : -1,
            linear.constant,
            static_cast<std::int64_t>(linear.variables.size())};
    for (const auto* terms : {&linear.variables, &linear.opaque}) {
      for (const Affine::Term& term : *terms) {
        key.push_back(term.of);
        key.push_back(term.scale);
      }
    }
    return key;
  }
  std::optional<Scalar> known(const Key& key) const {
    const auto found = known_.find(key);
    if (found == known_.end() || !builder_.in_scope(found->second)) return std::nullopt;
    return found->second;
  }

  const Graph& graph_;
  const Group& group_;
  Builder builder_;
  std::unordered_map<ValueId, std::int32_t> makers_;
  std::map<ValueId, std::int32_t> loads_, stores_;
  std::map<Key, Scalar> known_;
  int component_ = 0;
  // Of a row group: the row's number, and the rows that stages left for later ones.
  struct Kept {
    std::int32_t buffer;
    std::int64_t length;
    bool ready = false;
  };
  Affine row_;
  std::map<ValueId, Kept> kept_;
};

/// The view that one operation has of the kernel.
class Lowering::View final : public kernel::Nest {
 public:
  /// `place` and `predicate`: of the element that is asked for; of structured operations, none.
  View(Lowering& lowering, std::int32_t number, const Place* place, Scalar predicate)
      : lowering_(lowering),
        operation_(lowering.operation(number)),
        facts_(lowering.facts(number)),
        place_(place),
        predicate_(predicate) {}

  Builder& builder() override { return lowering_.builder_; }
  const Spec& operand(int k) const override {
    return lowering_.graph_.type(operation_.operands[static_cast<std::size_t>(k)]);
  }
  const Spec& result(int k) const override {
    return lowering_.graph_.type(operation_.first_result + k);
  }

  Scalar read(int k, const Index& index) override { return read(k, index, predicate_); }
  Scalar read(int k, const Index& index, Scalar predicate, Scalar otherwise) override {
    if (const auto constant = builder().constant_of(predicate))
      return *constant ? read(k, index) : otherwise;
    const Scalar both = predicate_.defined() ? predicate & predicate_ : predicate;
    return select(predicate, read(k, index, both), otherwise);
  }

  int part() const override { return lowering_.component_; }
  Complex read_complex(int k, const Index& index) override {
    return lowering_.both([&] { return read(k, index); });
  }
  Complex read_complex(int k, const Index& index, Scalar predicate, Complex otherwise) override {
    return lowering_.both([&] {
      return read(k, index, predicate, lowering_.component_ ? otherwise.im : otherwise.re);
    });
  }
  Scalar part_of(const Complex& result) override {
    const int other = 1 - lowering_.component_;
    const ValueId v = operation_.first_result;
    lowering_.known_[lowering_.key(v, place_->linear, predicate_, other)] =
        other ? result.im : result.re;
    return other ? result.re : result.im;
  }

  void phase(const Shape& domain, std::function<void(const Index&)> body) override {
    if (place_) return body(place_->index);  // inside the loops that the group shares
    builder().parallel(domain, body);
  }
  void write(int k, const Index& index, Scalar value) override {
    const ValueId v = operation_.first_result + k;
    const Affine linear = dot(index, kernel::row_major(result(k).shape));
    if (place_) {
      lowering_.known_[lowering_.key(v, linear, {})] = value;
    } else if (const auto buffer = stored(v)) {
      builder().store(*buffer, lowering_.offset(v, linear), value);
    }
  }
  void write(int k, const Index& index, Scalar value, Scalar predicate) override {
    const ValueId v = operation_.first_result + k;
    const Affine linear = dot(index, kernel::row_major(result(k).shape));
    if (const auto buffer = stored(v))
      builder().store(*buffer, lowering_.offset(v, linear), value, predicate);
  }
  void update(int k,
              const Index& index,
              kernel::Combiner combiner,
              Scalar value,
              kernel::Promise promise,
              Scalar predicate) override {
    const ValueId v = operation_.first_result + k;
    const Affine linear = dot(index, kernel::row_major(result(k).shape));
    if (const auto buffer = stored(v)) {
      builder().update(*buffer, lowering_.offset(v, linear), combiner, value, promise, predicate);
    }
  }
  void multiply_complex(int k, const Index& index, Complex value, Scalar predicate) override {
    const ValueId v = operation_.first_result + k;
    const auto buffer = stored(v);
    if (!buffer) return;
    const Affine linear = dot(index, kernel::row_major(result(k).shape));
    const Affine re = lowering_.offset(v, linear, 0), im = lowering_.offset(v, linear, 1);
    const Scalar zero = value.re.like(0);
    const Complex now{builder().load(*buffer, re, predicate, zero),
                      builder().load(*buffer, im, predicate, zero)};
    const Complex next = kernel::naive_product(now, value);
    builder().store(*buffer, re, next.re, predicate);
    builder().store(*buffer, im, next.im, predicate);
  }

 private:
  std::optional<std::int32_t> stored(ValueId v) const {
    const auto found = lowering_.stores_.find(v);
    if (found == lowering_.stores_.end()) return std::nullopt;
    return found->second;
  }
  Scalar read(int k, const Index& index, Scalar predicate) {
    const auto at = static_cast<std::size_t>(k);
    const ValueId v = operation_.operands[at];
    const Shape& shape = operand(k).shape;
    const OperandUse& use = facts_.operands[at];
    Place place;
    if (use.single) {
      place = {{}, Index(shape.size()), shape, true};
    } else if (use.same_place && place_) {
      place = *place_;
      if (place.indexed && !(place.shape == shape)) place.indexed = false;
    } else {
      place = {dot(index, kernel::row_major(shape)), index, shape, true};
    }
    return lowering_.value(v, place, predicate);
  }

  Lowering& lowering_;
  const Operation& operation_;
  const OperationFacts& facts_;
  const Place* place_;
  Scalar predicate_;
};

Scalar Lowering::load(ValueId v, const Place& place, Scalar predicate) {
  const auto buffer = loads_.find(v);
  if (buffer == loads_.end())
    throw InternalError("lower: %" + std::to_string(v) + " is read before it is computed");
  return load(buffer->second, v, place.linear, predicate);
}

Scalar Lowering::load(std::int32_t buffer, ValueId v, const Affine& element, Scalar predicate) {
  if (!predicate.defined()) return builder_.load(buffer, offset(v, element));
  const Scalar zero = builder_.constant_bits(component_type(graph_.type(v).dtype), 0);
  return builder_.load(buffer, offset(v, element), predicate, zero);
}

/// The number within the row of the element with this number.
Affine Lowering::in_row(const Affine& linear, std::int64_t length) const {
  Affine element = linear - row_ * length;
  const auto [least, greatest] = builder_.range(element);
  if (least < 0 || greatest >= length) throw NotOneRow();
  return element;
}

Scalar Lowering::value(ValueId v, const Place& place, Scalar predicate) {
  // What is computed everywhere serves where less is asked for.
  if (const auto found = known(key(v, place.linear, {}))) return *found;
  const Key where = key(v, place.linear, predicate);
  if (predicate.defined()) {
    if (const auto found = known(where)) return *found;
  }
  const auto maker = makers_.find(v);
  const auto kept = kept_.find(v);
  Scalar result;
  if (kept != kept_.end() && kept->second.ready)
    result = load(kept->second.buffer, v, in_row(place.linear, kept->second.length), predicate);
  else
    result = maker == makers_.end() ? load(v, place, predicate)
                                    : make(v, maker->second, place, predicate);
  known_[where] = result;
  return result;
}

Scalar Lowering::make(ValueId v, std::int32_t maker, const Place& place, Scalar predicate) {
  const Operation& o = operation(maker);
  const Type& type = graph_.type(v);
  if (const auto* constant = o.op.as<ops::Constant>()) {
    std::uint64_t bits = constant->low;
    if (type.dtype == complex128 && component_ == 1) bits = constant->high;
    if (type.dtype == complex64) bits = component_ == 1 ? bits >> 32 : bits & 0xffffffffu;
    return builder_.constant_bits(component_type(type.dtype), bits);
  }
  if (!o.op.pointwise() && !group_.stages.empty()) throw NotOneRow();
  if (!o.op.pointwise())
    throw InternalError("lower: " + std::string(o.op.name()) + " is read away from its loops");
  Place here = place;
  if (!here.indexed || !(here.shape == type.shape)) {
    // An operation that looks at no index gets one that says nothing.
    const bool needed = !facts(maker).flat;
    here.index = needed ? index_of(here.linear, type.shape) : Index(type.shape.size());
    here.shape = type.shape;
    here.indexed = needed;
  }
  View view(*this, maker, &here, predicate);
  return o.op.at(view, here.index);
}

/// Where each value goes: its place in memory, and in the row's scratch. All values before the
/// first store: an output may lie in the memory of an input that another output reads at this
/// place.
void Lowering::store(const std::vector<ValueId>& values, const Place& place) {
  std::vector<Scalar> elements;
  const auto for_each_part = [&](auto&& visit) {
    for (ValueId v : values) {
      const int parts = is_complex(graph_.type(v).dtype) ? 2 : 1;
      for (component_ = 0; component_ < parts; ++component_) visit(v);
      component_ = 0;
    }
  };
  for_each_part([&](ValueId v) { elements.push_back(value(v, place, {})); });
  std::size_t next = 0;
  for_each_part([&](ValueId v) {
    const Scalar element = elements[next++];
    if (const auto kept = kept_.find(v); kept != kept_.end()) {
      const Affine at = in_row(place.linear, kept->second.length);
      builder_.store(kept->second.buffer, offset(v, at), element);
    }
    if (const auto output = stores_.find(v); output != stores_.end())
      builder_.store(output->second, offset(v, place.linear), element);
  });
}

void Lowering::write_structured(const std::vector<std::int32_t>& structured, const Place& place) {
  for (std::int32_t i : structured) {
    const int parts = is_complex(graph_.type(operation(i).first_result).dtype) ? 2 : 1;
    for (component_ = 0; component_ < parts; ++component_) {
      View view(*this, i, &place, {});
      operation(i).op.body(view);
    }
    component_ = 0;
  }
}

void Lowering::over_domain(const std::vector<std::int32_t>& structured) {
  if (group_.flat) {
    builder_.parallel({element_count(group_.domain)},
                      [&](const Index& i) { store(group_.outputs, {i[0], {}, {}, false}); });
    return;
  }
  const Builder::Body body = [&](const Index& index) {
    const Place place{dot(index, kernel::row_major(group_.domain)), index, group_.domain, true};
    write_structured(structured, place);
    store(group_.outputs, place);
  };
  if (group_.parts_axis < 0) return builder_.parallel(group_.domain, body);
  parallel_parts(builder_, group_.domain, group_.parts_axis, group_.parts, body);
}

void Lowering::over_rows() {
  const std::int64_t rows = element_count(group_.rows);
  for (const Group::Stage& stage : group_.stages) {
    for (ValueId v : stage.kept) {
      const Type& type = graph_.type(v);
      const std::int64_t length = element_count(type.shape) / rows;
      const std::int64_t parts = is_complex(type.dtype) ? 2 : 1;
      const DType dtype = component_type(type.dtype);
      kept_[v] = {builder_.buffer(dtype, kernel::Role::scratch, parts * length), length};
    }
  }
  builder_.parallel(group_.rows, [&](const Index& row) {
    row_ = dot(row, kernel::row_major(group_.rows));
    for (const Group::Stage& stage : group_.stages) {
      if (stage.along_row) {
        along_row(stage, row);
        continue;
      }
      const Place place{row_, row, group_.rows, true};
      std::vector<std::int32_t> structured;
      for (std::int32_t i : stage.operations)
        if (operation(i).op.structured()) structured.push_back(i);
      write_structured(structured, place);
      store(stage.results, place);
    }
  });
}

void Lowering::along_row(const Group::Stage& stage, const Index& row) {
  const auto store_at = [&](const Place& place) { store(stage.results, place); };
  if (stage.flat) {
    const std::int64_t length = element_count(stage.domain) / element_count(group_.rows);
    builder_.parallel({length},
                      [&](const Index& j) { store_at({row_ * length + j[0], {}, {}, false}); });
  } else {
    const Shape inner(std::span(stage.domain).subspan(group_.rows.size()));
    builder_.parallel(inner, [&](const Index& within) {
      Index index = row;
      index.insert(index.end(), within.begin(), within.end());
      store_at({dot(index, kernel::row_major(stage.domain)), index, stage.domain, true});
    });
  }
  for (ValueId v : stage.kept) kept_[v].ready = true;
}

void Lowering::general(std::int32_t i) {
  View view(*this, i, nullptr, {});
  operation(i).op.body(view);
}

}  // namespace

kernel::Kernel lower(const Graph& graph, const Group& group) {
  return Lowering(graph, group).run();
}

}  // namespace fluxion::codegen
