// Chooses what the lanes of a loop are, and writes it for one of them.
#include "codegen/loop_kernel.hpp"

#include "codegen/cost.hpp"
#include "codegen/elements.hpp"
#include "trace/ops/control_flow.hpp"

#include <algorithm>
#include <set>

namespace fluxion::codegen {
namespace {

using kernel::Affine;
using kernel::Index;
using kernel::Scalar;

constexpr std::size_t most_scalars = 256;     // that a lane carries
constexpr double most_reads = 100000;         // of one step of a lane, where arrays are tiny
constexpr double most_reads_of_arrays = 600;  // where they are not: loops over them are better
constexpr std::int64_t tiny = 16;             // elements
constexpr std::int64_t written_out = 64;      // iterations of loops in the body

std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// The loop by parts, whichever kind it is.
struct Parts {
  const Graph* body;
  std::size_t skip, first_initial, first_input,
      carries;  // operands before the first carry's; of the body

  explicit Parts(const Op& op) {
    if (const auto* s = op.as<ops::Scan>()) {
      skip = size(s->count_operands());
      first_input = 1 + size(s->constants);
      first_initial = skip + size(s->constants);
      carries = size(s->carries);
      body = &optimized_program(op, 0);
    } else {
      const auto& loop = *op.as<ops::While>();
      skip = 0;
      first_input = size(loop.body_constants);
      first_initial = size(loop.condition_constants) + first_input;
      carries = size(loop.carries());
      body = &optimized_program(op, 1);
    }
  }
};

/// Whether a step of one lane is short enough to be written out: what it reads, if `lanes` elements
/// are run side by side.
bool is_short(const Graph& body, double lanes) {
  double reads = 0;
  bool all_tiny = true;
  for (const Operation& o : body.operations()) {
    if (o.op.has_regions()) {
      reads += 100;
      continue;
    }
    if (!o.op.pointwise() && !o.op.structured()) return false;
    for (const Type& type : body.operand_types(o))
      if (is_complex(type.dtype)) return false;
    for (const Type& type : body.result_types(o))
      if (is_complex(type.dtype)) return false;
    const OperationFacts& facts = facts_of(o.op, body.operand_types(o), body.result_types(o));
    if (!o.op.in_place().empty()) {
      reads += 4;
      continue;
    }
    const auto elements = static_cast<double>(element_count(body.type(o.first_result).shape));
    all_tiny = all_tiny && elements / lanes <= static_cast<double>(tiny);
    double loads = 0;
    for (const OperandUse& use : facts.operands) loads += use.loads;
    reads += std::max(1.0, std::max(elements, loads) / lanes);
  }
  return reads <= (all_tiny ? most_reads : most_reads_of_arrays);
}

class LoopLowering {
 public:
  LoopLowering(const Graph& graph,
               std::int32_t number,
               const Shape& lanes,
               const std::set<std::size_t>& in_memory)
      : graph_(graph),
        o_(graph.operations()[size(number)]),
        parts_(o_.op),
        builder_(std::string(o_.op.name())),
        in_memory_(in_memory) {
    lanes_.shape = lanes;
    builder_.unroll_loops(written_out);
    out_.group.operations = {number};
    for (std::size_t k = 0; k < o_.operands.size(); ++k) {
      const bool memory = k >= parts_.first_initial && k < parts_.first_initial + parts_.carries &&
                          in_memory_.contains(k - parts_.first_initial);
      buffers_.push_back(-1);
      if (memory) continue;
      buffers_.back() = declare(o_.operands[k], kernel::Role::input);
      out_.group.inputs.push_back(o_.operands[k]);
      out_.group.own_place.push_back(false);
    }
    for (std::int32_t k = 0; k < o_.result_count; ++k) {
      results_.push_back(declare(o_.first_result + k, kernel::Role::output));
      out_.group.outputs.push_back(o_.first_result + k);
    }
    for (std::size_t k : in_memory_)
      out_.group.in_place.push_back(
          {o_.operands[parts_.first_initial + k], o_.first_result + static_cast<ValueId>(k)});
  }

  LoopKernel run() {
    builder_.parallel(lanes_.shape, [&](const Index& lane) {
      lanes_.index = lane;
      write();
    });
    out_.kernel = builder_.finish();
    return std::move(out_);
  }

 private:
  std::int32_t declare(ValueId v, kernel::Role role) {
    const Type& type = graph_.type(v);
    if (is_complex(type.dtype)) throw NotElementwise();
    return builder_.buffer(type.dtype, role, element_count(type.shape));
  }
  Scalar load(std::size_t operand, const Index& index, Scalar predicate) {
    const Type& type = graph_.type(o_.operands[operand]);
    return load(buffers_[operand], type, index, predicate);
  }
  Scalar load(std::int32_t buffer, const Type& type, const Index& index, Scalar predicate) {
    const Affine offset = dot(index, kernel::row_major(type.shape));
    if (!predicate.defined()) return builder_.load(buffer, offset);
    return builder_.load(buffer, offset, predicate, builder_.constant_bits(type.dtype, 0));
  }
  /// Stores what is the same in all lanes in the first one only.
  void store(std::int32_t buffer,
             const Shape& shape,
             const Index& index,
             Scalar value,
             Scalar predicate,
             bool own) {
    if (!own && element_count(lanes_.shape) > 1) {
      Affine lane = dot(lanes_.index, kernel::row_major(lanes_.shape));
      const Scalar first = builder_.value(lane) == 0;
      predicate = predicate.defined() ? predicate & first : first;
    }
    const Affine offset = dot(index, kernel::row_major(shape));
    if (predicate.defined())
      builder_.store(buffer, offset, value, predicate);
    else
      builder_.store(buffer, offset, value);
  }

  void write();
  void step(const Affine& row, Elements& elements);
  Scalar count();

  const Graph& graph_;
  const Operation& o_;
  Parts parts_;
  Lanes lanes_;
  kernel::Builder builder_;
  std::set<std::size_t> in_memory_;  // carries
  std::vector<std::int32_t> buffers_, results_;
  LoopKernel out_;
};

Scalar LoopLowering::count() {
  const auto* s = o_.op.as<ops::Scan>();
  if (!s || !s->counted) return {};
  const Scalar given = load(0, {}, {});
  return max(min(given, given.like(static_cast<double>(s->length))), given.like(0));
}

void LoopLowering::write() {
  RegionWriter writer(builder_, lanes_, [&](std::size_t k, const Index& index, Scalar predicate) {
    return load(parts_.skip + k, index, predicate);
  });
  for (std::size_t k : in_memory_) {
    writer.keep_in_memory(k, [this, k](const Index& index, Scalar predicate) {
      return load(
          results_[k], graph_.type(o_.first_result + static_cast<ValueId>(k)), index, predicate);
    });
  }
  const LaneState initial = writer.initial(
      *parts_.body, parts_.first_initial - parts_.skip, parts_.first_input, parts_.carries);
  const auto each = [this](const Affine& row, Elements& elements) { step(row, elements); };
  LaneState last;
  if (const auto* s = o_.op.as<ops::Scan>()) {
    const Scalar steps = count();
    last = writer.scan(o_.op, steps, initial, each);
    if (steps.defined() && s->written_rows() > 0) {  // rows that no step has written
      const Scalar rest = steps.like(static_cast<double>(s->length)) - steps;
      builder_.serial(
          {s->length},
          {},
          [&](const Index& turn, std::vector<Scalar>) {
            const Affine row = builder_.affine(steps) + turn[0];
            for (std::size_t k = parts_.carries; k < results_.size(); ++k) {
              const Type& type = graph_.type(o_.first_result + static_cast<ValueId>(k));
              Shape one;
              for (std::size_t axis = 1; axis < type.shape.size(); ++axis)
                one.push_back(type.shape[axis]);
              for (const Index& index : lanes_.elements(one)) {
                Index whole{row};
                whole.insert(whole.end(), index.begin(), index.end());
                store(results_[k],
                      type.shape,
                      whole,
                      builder_.constant_bits(type.dtype, 0),
                      {},
                      lanes_.lead(one));
              }
            }
            return std::vector<Scalar>();
          },
          rest);
    }
  } else {
    last = writer.repeat(o_.op, initial, each);
  }
  for (std::size_t k = 0; k < parts_.carries; ++k) {
    if (in_memory_.contains(k)) continue;
    const Shape& shape = graph_.type(o_.first_result + static_cast<ValueId>(k)).shape;
    const std::vector<Index> places = lanes_.elements(shape);
    for (std::size_t i = 0; i < places.size(); ++i)
      store(results_[k], shape, places[i], last[k][i], {}, lanes_.lead(shape));
  }
}

/// The rows that a step writes and what it changes in memory: all values first, then the stores.
void LoopLowering::step(const Affine& row, Elements& elements) {
  const Graph& body = *parts_.body;
  struct Store {
    std::int32_t buffer;
    const Shape* shape;
    Index index;
    Scalar value, predicate;
    bool own;
  };
  std::vector<Store> stores;
  for (std::size_t k = parts_.carries; k < body.outputs().size(); ++k) {
    const Shape& one = body.type(body.outputs()[k]).shape;
    for (const Index& index : lanes_.elements(one)) {
      Index whole{row};
      whole.insert(whole.end(), index.begin(), index.end());
      stores.push_back({results_[k],
                        &graph_.type(o_.first_result + static_cast<ValueId>(k)).shape,
                        whole,
                        elements.at(body.outputs()[k], index),
                        {},
                        lanes_.lead(one)});
    }
  }
  for (std::size_t k : in_memory_) {
    // The chain of operations that change the carry, first to last.
    std::vector<const Operation*> chain;
    for (ValueId v = body.outputs()[k]; v != static_cast<ValueId>(parts_.first_input + k);) {
      const auto maker =
          std::find_if(body.operations().begin(), body.operations().end(), [&](const Operation& o) {
            return o.first_result <= v && v < o.first_result + o.result_count;
          });
      chain.insert(chain.begin(), &*maker);
      v = maker->operands[0];
    }
    for (const Operation* o : chain)
      for (Elements::Write& w : elements.writes_of(*o))
        stores.push_back({results_[k],
                          &graph_.type(o_.first_result + static_cast<ValueId>(k)).shape,
                          std::move(w.index),
                          w.value,
                          w.predicate,
                          true});
  }
  for (const Store& s : stores) store(s.buffer, *s.shape, s.index, s.value, s.predicate, s.own);
}

/// Whether the body gives the carry back as it was, or changed in place by operations that only a
/// few elements concern.
bool stays_in_memory(const Graph& body, std::size_t input, ValueId output) {
  ValueId v = output;
  while (v != static_cast<ValueId>(input)) {
    const auto maker =
        std::find_if(body.operations().begin(), body.operations().end(), [&](const Operation& o) {
          return o.first_result <= v && v < o.first_result + o.result_count;
        });
    if (maker == body.operations().end()) return false;
    const InPlaces places = maker->op.in_place();
    if (places.size() != 1 || places[0].operand != 0 || maker->result_count != 1) return false;
    v = maker->operands[0];
  }
  return true;
}

/// What the lanes may be: leading axes of a carry or of a row that is written, most lanes first.
std::vector<Shape> candidates(const Op& op, const Parts& parts) {
  const Graph& body = *parts.body;
  Shape longest;
  const auto consider = [&](const Shape& shape) {
    if (element_count(shape) > element_count(longest)) longest = shape;
  };
  for (std::size_t k = 0; k < parts.carries; ++k)
    if (!stays_in_memory(body, parts.first_input + k, body.outputs()[k]) ||
        body.type(body.outputs()[k]).shape.empty())
      consider(body.type(body.outputs()[k]).shape);
  for (std::size_t k = parts.carries; k < body.outputs().size(); ++k)
    consider(body.type(body.outputs()[k]).shape);
  std::vector<Shape> all;
  const auto* loop = op.as<ops::While>();
  for (std::size_t rank = longest.size() + 1; rank-- > 0;) {
    const Shape lanes(std::span<const std::int64_t>(longest.begin(), rank));
    if (loop && (lanes.size() < loop->lanes().size() ||
                 !std::equal(loop->lanes().begin(), loop->lanes().end(), lanes.begin())))
      continue;
    if (element_count(lanes) > 0) all.push_back(lanes);
  }
  return all;
}

}  // namespace

std::optional<LoopKernel> loop_kernel(const Graph& graph, std::int32_t number) {
  const Operation& o = graph.operations()[size(number)];
  if (!o.op.as<ops::Scan>() && !o.op.as<ops::While>()) return std::nullopt;
  if (o.op.effects()) return std::nullopt;
  const Parts parts(o.op);
  for (const Shape& shape : candidates(o.op, parts)) {
    const Lanes lanes{shape, {}};
    if (!is_short(*parts.body, static_cast<double>(element_count(shape)))) continue;
    std::set<std::size_t> in_memory;
    std::size_t scalars = 0;
    for (std::size_t k = 0; k < parts.body->outputs().size(); ++k) {
      const std::size_t count = lanes.count(parts.body->type(parts.body->outputs()[k]).shape);
      const bool may_stay =
          k < parts.carries && shape.empty() &&
          stays_in_memory(*parts.body, parts.first_input + k, parts.body->outputs()[k]);
      if (may_stay && count > static_cast<std::size_t>(tiny))
        in_memory.insert(k);
      else
        scalars += count;
    }
    if (scalars > most_scalars) continue;
    try {
      return LoopLowering(graph, number, shape, in_memory).run();
    } catch (const NotElementwise&) {
    }
  }
  return std::nullopt;
}

}  // namespace fluxion::codegen
