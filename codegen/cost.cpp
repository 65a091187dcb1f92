// Probes operations: their reads and writes are recorded while they write their kernels.
#include "codegen/cost.hpp"

#include "trace/ops/constant.hpp"

#include <memory>
#include <mutex>
#include <unordered_map>

namespace fluxion::codegen {
namespace {

using kernel::Affine;
using kernel::Builder;
using kernel::Index;
using kernel::Scalar;
using Complex = kernel::Complex<Scalar>;

/// Complex elements are pairs; operations with complex results are looked at while they write the
/// real part.
DType plain(DType dtype) {
  if (dtype == complex64) return float32;
  if (dtype == complex128) return float64;
  return dtype;
}
std::int64_t parts_of(DType dtype) { return is_complex(dtype) ? 2 : 1; }

class Probe final : public kernel::Nest {
 public:
  Probe(TypeList operands, TypeList results)
      : operands_(operands), results_(results), builder_("operation"), uses_(operands.size()) {
    for (const Type& type : operands) {
      buffers_.push_back(builder_.buffer(plain(type.dtype),
                                         kernel::Role::input,
                                         parts_of(type.dtype) * element_count(type.shape)));
      strides_.push_back(kernel::row_major(type.shape));
    }
    for (const Type& type : results) {
      outputs_.push_back(builder_.buffer(plain(type.dtype),
                                         kernel::Role::output,
                                         parts_of(type.dtype) * element_count(type.shape)));
    }
    writes_.resize(results.size());
  }

  void run(const Op& op) {
    if (op.structured()) return op.body(*this);
    phase(results_[0].shape, [&](const Index& index) {
      const Scalar element = op.at(*this, index);
      if (operands_.size() == 1 && uses_[0].reads == 1 && element.id() == last_read_.id())
        note_view(index);
      write(0, index, element);
    });
  }

  Builder& builder() override { return builder_; }
  const Spec& operand(int k) const override { return operands_[static_cast<std::size_t>(k)]; }
  const Spec& result(int k) const override { return results_[static_cast<std::size_t>(k)]; }

  Scalar read(int k, const Index& index) override {
    const auto at = static_cast<std::size_t>(k);
    const Affine place = dot(index, strides_[at]);
    note(at, place, false);
    read_at_ = place;
    return last_read_ = builder_.load(buffers_[at], place * parts_of(operands_[at].dtype));
  }
  Scalar read(int k, const Index& index, Scalar predicate, Scalar otherwise) override {
    if (const auto known = builder_.constant_of(predicate))
      return *known ? read(k, index) : otherwise;
    const auto at = static_cast<std::size_t>(k);
    const Affine place = dot(index, strides_[at]);
    note(at, place, true);
    return builder_.load(buffers_[at], place * parts_of(operands_[at].dtype), predicate, otherwise);
  }
  int part() const override { return 0; }
  Complex read_complex(int k, const Index& index) override {
    const auto at = static_cast<std::size_t>(k);
    const Affine place = dot(index, strides_[at]);
    note(at, place, false);
    uses_[at].both = true;
    return {builder_.load(buffers_[at], place * 2), builder_.load(buffers_[at], place * 2 + 1)};
  }
  Complex read_complex(int k, const Index& index, Scalar predicate, Complex otherwise) override {
    if (const auto known = builder_.constant_of(predicate))
      return *known ? read_complex(k, index) : otherwise;
    const auto at = static_cast<std::size_t>(k);
    const Affine place = dot(index, strides_[at]);
    note(at, place, true);
    uses_[at].both = true;
    return {builder_.load(buffers_[at], place * 2, predicate, otherwise.re),
            builder_.load(buffers_[at], place * 2 + 1, predicate, otherwise.im)};
  }
  Scalar part_of(const Complex& result) override { return result.re; }

  void phase(const Shape& domain, std::function<void(const Index&)> body) override {
    ++phases_;
    domain_ = domain;
    builder_.parallel(domain, [&](const Index& index) {
      place_ = dot(index, kernel::row_major(domain));
      body(index);
    });
  }
  void write(int k, const Index& index, Scalar value) override {
    const auto at = static_cast<std::size_t>(k);
    const Affine place = dot(index, kernel::row_major(results_[at].shape));
    if (!(place == place_) || !(domain_ == results_[at].shape)) whole_ = false;
    ++writes_[at];
    builder_.store(outputs_[at], offset(at, index), value);
  }
  void write(int k, const Index& index, Scalar value, Scalar predicate) override {
    whole_ = false;
    const auto at = static_cast<std::size_t>(k);
    builder_.store(outputs_[at], offset(at, index), value, predicate);
  }
  void update(int k,
              const Index& index,
              kernel::Combiner combiner,
              Scalar value,
              kernel::Promise promise,
              Scalar predicate) override {
    whole_ = false;
    const auto at = static_cast<std::size_t>(k);
    builder_.update(outputs_[at], offset(at, index), combiner, value, promise, predicate);
  }
  void multiply_complex(int k, const Index& index, Complex value, Scalar predicate) override {
    for (Scalar part : {value.re, value.im})
      update(k, index, kernel::Combiner::mul, part, kernel::Promise::unique, predicate);
  }

  kernel::Kernel finish() { return builder_.finish(); }
  OperationFacts facts(const Op& op);

 private:
  struct Use {
    int reads = 0;
    bool elsewhere = false;
    bool other_rows = false;
    bool both = false;  // parts of a complex element
  };
  Affine offset(std::size_t k, const Index& index) const {
    return dot(index, kernel::row_major(results_[k].shape)) * parts_of(results_[k].dtype);
  }
  void note(std::size_t k, const Affine& place, bool predicated) {
    ++uses_[k].reads;
    if (predicated || !(place == place_)) uses_[k].elsewhere = true;
    const std::int64_t row = row_of(k);
    const auto [least, greatest] = builder_.range(place - place_ * row);
    if (least < 0 || greatest >= row) uses_[k].other_rows = true;
  }
  /// Elements of operand k for each element of the results; 0 where they do not come out even.
  std::int64_t row_of(std::size_t k) const {
    const std::int64_t all = element_count(operands_[k].shape);
    const std::int64_t results = results_.empty() ? 0 : element_count(results_[0].shape);
    return results > 0 && all % results == 0 ? all / results : 0;
  }

  void note_view(const Index& index) {
    if (read_at_.constant != 0 || !read_at_.opaque.empty()) return;
    std::vector<std::int64_t> strides(index.size());
    std::size_t found = 0;
    for (std::size_t k = 0; k < index.size(); ++k) {
      if (index[k].variables.empty()) continue;
      for (const Affine::Term& term : read_at_.variables) {
        if (term.of != index[k].variables[0].of) continue;
        strides[k] = term.scale;
        ++found;
      }
    }
    if (found == read_at_.variables.size()) view_ = std::move(strides);
  }

  TypeList operands_, results_;
  Builder builder_;
  std::vector<Use> uses_;
  std::vector<std::int64_t> view_;
  Affine read_at_;
  Scalar last_read_;
  std::vector<std::int32_t> buffers_, outputs_;
  std::vector<std::vector<std::int64_t>> strides_;
  std::vector<int> writes_;
  Shape domain_;
  Affine place_;
  int phases_ = 0;
  bool whole_ = true;
};

bool costs(kernel::Verb verb, DType type) {
  using kernel::Verb;
  return verb == Verb::sqrt ||
         ((verb == Verb::div || verb == Verb::rem) && (type == float32 || type == float64));
}

constexpr std::size_t most_parts = 16;  // each is a loop of its own

/// The axis along which an operation lays its operands one after the other, if it does.
void find_parts(const Op& op, TypeList operands, const Type& result, OperationFacts& facts) {
  if (op.name() != "concatenate" || operands.size() < 2 || operands.size() > most_parts) return;
  for (std::size_t axis = 0; axis < result.shape.size(); ++axis)
    if (operands[0].shape[axis] != result.shape[axis]) facts.parts_axis = static_cast<int>(axis);
  if (facts.parts_axis < 0) return;
  for (const Type& type : operands) {
    facts.parts.push_back(type.shape[static_cast<std::size_t>(facts.parts_axis)]);
    facts.part_loads.push_back(static_cast<double>(element_count(type.shape)));
  }
}

OperationFacts Probe::facts(const Op& op) {
  const kernel::Kernel kernel = finish();
  OperationFacts facts;
  facts.operands.resize(operands_.size());
  bool indices = false;
  visit_instructions(kernel, [&](const kernel::Instruction& i, double count) {
    if (i.verb == kernel::Verb::loop_index) indices = true;
    if (i.verb == kernel::Verb::load) {
      const auto buffer = static_cast<std::size_t>(kernel.accesses[i.bits].buffer);
      if (buffer < operands_.size())
        facts.operands[buffer].loads += uses_[buffer].both ? count / 2 : count;
    }
    if (costs(i.verb, i.type)) facts.expensive = true;
  });
  facts.instructions = static_cast<int>(kernel.instructions.size());
  for (const kernel::Loop& loop : kernel.loops) {
    if (loop.kind != kernel::LoopKind::parallel) facts.expensive = true;
    if (loop.kind == kernel::LoopKind::reduce && loop.tree == kernel::Tree::lanes)
      facts.lanes = true;
  }
  if (kernel.facts.transcendentals > 0 || facts.instructions > 64) facts.expensive = true;
  facts.whole = op.structured() && whole_ && phases_ == 1 && op.in_place().empty();
  for (int writes : writes_) facts.whole = facts.whole && writes == 1;
  facts.flat = op.pointwise() && !indices;
  facts.view = view_;
  if (facts.whole && !operands_.empty()) facts.row = row_of(0);
  for (std::size_t k = 0; k < operands_.size(); ++k) {
    OperandUse& use = facts.operands[k];
    use.single = element_count(operands_[k].shape) == 1;
    use.same_place = !uses_[k].elsewhere && (op.pointwise() || facts.whole) &&
                     element_count(operands_[k].shape) == element_count(results_[0].shape);
    facts.flat = facts.flat && (use.same_place || use.single);
    if (row_of(k) != facts.row || uses_[k].other_rows) facts.row = 0;
  }
  return facts;
}

struct Remembered {
  Op op;
  Types operands, results;
  OperationFacts facts;
};

std::uint64_t hash_of_types(std::uint64_t h, TypeList types) {
  for (const Type& type : types) {
    h = mix(h, static_cast<std::uint64_t>(type.dtype));
    for (std::int64_t n : type.shape) h = mix(h, static_cast<std::uint64_t>(n));
  }
  return h;
}

}  // namespace

void visit_instructions(const kernel::Kernel& kernel,
                        const std::function<void(const kernel::Instruction&, double)>& visit) {
  const auto walk = [&](const auto& self, const kernel::Block& block, double count) -> void {
    for (const kernel::Item& item : block) {
      const auto at = static_cast<std::size_t>(item.index);
      if (!item.is_loop) {
        visit(kernel.instructions[at], count);
        continue;
      }
      const kernel::Loop& loop = kernel.loops[at];
      double times = count;
      for (std::int32_t v : loop.variables)
        times *= static_cast<double>(kernel.variables[static_cast<std::size_t>(v)].extent);
      self(self, loop.condition_block, times);
      self(self, loop.body, times);
    }
  };
  walk(walk, kernel.top, 1);
}

void parallel_parts(Builder& builder,
                    const Shape& domain,
                    int axis,
                    const std::vector<std::int64_t>& parts,
                    const Builder::Body& body) {
  std::int64_t begin = 0;
  for (std::int64_t size : parts) {
    Shape part;
    for (std::size_t k = 0; k < domain.size(); ++k)
      part.push_back(static_cast<int>(k) == axis ? size : domain[k]);
    builder.parallel(part, [&](const Index& index) {
      Index at = index;
      at[static_cast<std::size_t>(axis)] += Affine{begin, {}, {}};
      body(at);
    });
    begin += size;
  }
}

const OperationFacts& facts_of(const Op& op, TypeList operands, TypeList results) {
  static std::mutex lock;
  static auto* table = new std::unordered_multimap<std::uint64_t, std::unique_ptr<Remembered>>;
  const std::uint64_t hash = hash_of_types(op.hash(), operands);
  const auto equal = [](TypeList a, TypeList b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  };
  const auto find = [&]() -> const OperationFacts* {
    const auto [from, to] = table->equal_range(hash);
    for (auto e = from; e != to; ++e) {
      const Remembered& r = *e->second;
      if (r.op == op && equal(r.operands, operands)) return &r.facts;
    }
    return nullptr;
  };
  {
    std::lock_guard guard(lock);
    if (const auto* found = find()) return *found;
  }
  Probe probe(operands, results);
  // A complex constant has no element that a kernel could hold.
  const bool constant = op.as<ops::Constant>() != nullptr;
  if (!constant) probe.run(op);
  auto made = std::make_unique<Remembered>(Remembered{
      op, Types(operands.begin(), operands.end()), Types(results.begin(), results.end()), {}});
  if (constant) {
    made->facts.flat = true;
    made->facts.instructions = 1;
  } else {
    made->facts = probe.facts(op);
    find_parts(op, operands, results[0], made->facts);
  }
  std::lock_guard guard(lock);
  if (const auto* found = find()) return *found;
  return table->emplace(hash, std::move(made))->second->facts;
}

}  // namespace fluxion::codegen
