// How closures become loops: variables of extent one vanish, loops that never run emit nothing.
#include "trace/error.hpp"
#include "trace/kernel/builder_state.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>

namespace fluxion::kernel {

namespace {

std::int64_t total(const Shape& extents) {
  std::int64_t product = 1;
  for (std::int64_t extent : extents) product *= extent;
  return product;
}

/// Which extents stay variables: those above one; `keep_last` and `keep_first` keep those positions
/// whatever their extent.
std::vector<bool> kept(const Shape& extents, bool keep_first, bool keep_last) {
  std::vector<bool> keep(extents.size());
  for (std::size_t k = 0; k < extents.size(); ++k) {
    keep[k] = extents[k] > 1 || (keep_first && k == 0) || (keep_last && k + 1 == extents.size());
  }
  return keep;
}

}  // namespace

Scalar combined(Combiner combiner, Scalar a, Scalar b) {
  switch (combiner) {
    case Combiner::add:
      return a + b;
    case Combiner::mul:
      return a * b;
    case Combiner::min:
      return min(a, b);
    case Combiner::max:
      return max(a, b);
    case Combiner::bit_and:
      return a & b;
    case Combiner::bit_or:
      return a | b;
    case Combiner::bit_xor:
      return a ^ b;
    default:
      throw InternalError("no single value is combined by this combiner");
  }
}

Index Builder::State::open_variables(const Shape& extents,
                                     const std::vector<bool>& keep,
                                     std::vector<std::int32_t>& variables) {
  Index index(extents.size());
  for (std::size_t k = 0; k < extents.size(); ++k) {
    if (!keep[k]) continue;
    std::int32_t number = static_cast<std::int32_t>(kernel.variables.size());
    kernel.variables.push_back({extents[k]});
    variable_known.push_back({depth(), top().serial, {0, extents[k] - 1}});
    variables.push_back(number);
    if (extents[k] > 1) index[k].variables.push_back({number, 1});
  }
  return index;
}

std::int32_t Builder::State::new_loop(LoopKind kind) {
  kernel.loops.emplace_back();
  kernel.loops.back().kind = kind;
  return static_cast<std::int32_t>(kernel.loops.size()) - 1;
}

std::vector<Scalar> Builder::State::finish_loop(Builder* builder,
                                                std::int32_t number,
                                                Loop loop,
                                                std::span<const Scalar> initial) {
  for (std::size_t k = 0; k < loop.carries.size(); ++k) {
    must(at(loop.carries[k].element).type == initial[k].type(), "a carry changes its type");
  }
  top().items.push_back({true, number});
  std::vector<Scalar> results;
  for (std::size_t k = 0; k < loop.carries.size(); ++k) {
    Id id = append({Verb::result, initial[k].type(), number, static_cast<Id>(k), -1, 0}, depth());
    loop.carries[k].result = id;
    results.push_back({builder, id});
  }
  kernel.loops[static_cast<std::size_t>(number)] = std::move(loop);
  return results;
}

void Builder::parallel(const Shape& extents, const Body& body) {
  State& s = *state_;
  if (total(extents) == 0) return;
  std::vector<bool> keep = kept(extents, false, false);
  bool single = std::find(keep.begin(), keep.end(), true) == keep.end();
  if (single && s.depth() > 0) return body(Index(extents.size()));
  std::int32_t number = s.new_loop(LoopKind::parallel);
  s.open(false, static_cast<double>(total(extents)));
  Loop loop;
  body(s.open_variables(extents, keep, loop.variables));
  loop.body = s.close();
  s.kernel.loops[static_cast<std::size_t>(number)] = std::move(loop);
  s.top().items.push_back({true, number});
}

namespace {

bool is_pair(Combiner c) { return c == Combiner::arg_min || c == Combiner::arg_max; }

/// visit(index) for every index of constants, in row-major order.
template <class Visit> void for_each_constant(const Shape& extents, Visit&& visit) {
  Index index(extents.size());
  for (std::int64_t i = 0, n = total(extents); i < n; ++i) {
    std::int64_t rest = i;
    for (std::size_t k = extents.size(); k-- > 0; rest /= extents[k])
      index[k].constant = rest % extents[k];
    visit(index);
  }
}

/// One accumulator; before its first element it holds the identity, which no combiner changes
/// anything by.
void accumulate(Scalar& sum, Combiner combiner, const Builder::Element& e) {
  if (!sum.defined())
    sum = e.factor.defined() ? e.value * e.factor : e.value;
  else
    sum = e.factor.defined() ? fma(e.value, e.factor, sum) : combined(combiner, sum, e.value);
}

/// A reduction written out, with the bits that its loop would give.
std::vector<Scalar> unrolled(const Shape& extents,
                             Tree tree,
                             const std::vector<Combiner>& combiners,
                             std::vector<Scalar> initial,
                             const Builder::ReduceBody& body) {
  constexpr std::size_t lanes = 64;
  const std::size_t carries = initial.size(), width = tree == Tree::lanes ? lanes : 1;
  std::vector<Scalar> sums(carries * width);
  if (tree == Tree::sequential) sums = initial;
  for_each_constant(extents, [&](const Index& index) {
    const auto j = index.empty() ? 0 : static_cast<std::size_t>(index.back().constant) % width;
    const std::vector<Builder::Element> elements = body(index);
    for (std::size_t k = 0; k < carries; ++k)
      accumulate(sums[k * width + j], combiners[k], elements.at(k));
  });
  if (tree == Tree::sequential) return sums;
  for (std::size_t k = 0; k < carries; ++k) {
    Scalar* const sum = &sums[k * width];
    for (std::size_t half = width / 2; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i)
        if (sum[i + half].defined()) accumulate(sum[i], combiners[k], {sum[i + half]});
    initial[k] = combined(combiners[k], initial[k], sum[0]);
  }
  return initial;
}

}  // namespace

void Builder::unroll_loops(std::int64_t most) { state_->unroll = most; }

std::vector<Scalar> Builder::reduce(const Shape& extents,
                                    Tree tree,
                                    std::vector<Combiner> combiners,
                                    std::vector<Scalar> initial,
                                    const ReduceBody& body,
                                    Scalar trip_count) {
  State& s = *state_;
  s.must(s.depth() > 0, "a reduction outside every parallel loop");
  s.must(combiners.size() == initial.size(), "every carry of a reduction needs a combiner");
  if (total(extents) == 0) return initial;
  bool pairs = std::any_of(combiners.begin(), combiners.end(), is_pair);
  if (total(extents) == 1 && !trip_count.defined() && !pairs) {
    std::vector<Element> elements = body(Index(extents.size()));
    std::vector<Scalar> results;
    for (std::size_t k = 0; k < initial.size(); ++k) {
      const Element& e = elements.at(k);
      if (!e.factor.defined())
        results.push_back(combined(combiners[k], initial[k], e.value));
      else if (tree == Tree::sequential)
        results.push_back(fma(e.value, e.factor, initial[k]));
      else
        results.push_back(initial[k] + e.value * e.factor);
    }
    return results;
  }
  if (total(extents) <= s.unroll && !trip_count.defined() && !pairs)
    return unrolled(extents, tree, combiners, std::move(initial), body);
  Shape domain = extents.empty() ? Shape{1} : extents;
  std::vector<bool> keep = kept(domain, trip_count.defined(), true);
  if (tree == Tree::sequential && std::count(keep.begin(), keep.end(), true) > 1 &&
      domain[domain.size() - 1] == 1) {
    keep.back() = domain.size() == 1;
  }
  std::int32_t number = s.new_loop(LoopKind::reduce);
  Loop loop;
  loop.kind = LoopKind::reduce;
  loop.tree = tree;
  loop.trip_count = trip_count.id();
  s.open(trip_count.defined(), static_cast<double>(total(extents)));
  Index index = s.open_variables(domain, keep, loop.variables);
  index.resize(extents.size());
  std::vector<Element> elements = body(index);
  s.must(elements.size() == initial.size(), "a reduction's body gives another number of elements");
  for (std::size_t k = 0; k < initial.size(); ++k) {
    s.depth_of(elements[k].value.id());
    s.depth_of(elements[k].factor.id());
    loop.carries.push_back(
        {combiners[k], initial[k].id(), elements[k].value.id(), elements[k].factor.id(), -1});
  }
  loop.body = s.close();
  return s.finish_loop(this, number, std::move(loop), initial);
}

std::vector<Scalar> Builder::serial(const Shape& extents,
                                    std::vector<Scalar> initial,
                                    const SerialBody& body,
                                    Scalar trip_count,
                                    bool large) {
  State& s = *state_;
  s.must(s.depth() > 0, "a serial loop outside every parallel loop");
  if (total(extents) == 0) return initial;
  if (total(extents) == 1 && !trip_count.defined()) return body(Index(extents.size()), initial);
  if (total(extents) <= s.unroll && !trip_count.defined() && !large) {
    for_each_constant(extents, [&](const Index& index) { initial = body(index, initial); });
    return initial;
  }
  std::vector<bool> keep = kept(extents, trip_count.defined(), false);
  std::int32_t number = s.new_loop(LoopKind::serial);
  Loop loop;
  loop.kind = LoopKind::serial;
  loop.trip_count = trip_count.id();
  s.open(trip_count.defined(), static_cast<double>(total(extents)));
  Index index = s.open_variables(extents, keep, loop.variables);
  std::vector<Scalar> carries;
  for (std::size_t k = 0; k < initial.size(); ++k) {
    carries.push_back(
        {this,
         s.append({Verb::carry, initial[k].type(), number, static_cast<Id>(k), -1, 0}, s.depth())});
  }
  std::vector<Scalar> next = body(index, carries);
  s.must(next.size() == initial.size(), "a loop's body gives another number of carries");
  for (std::size_t k = 0; k < initial.size(); ++k) {
    s.depth_of(next[k].id());
    loop.carries.push_back({Combiner::add, initial[k].id(), next[k].id(), -1, -1});
  }
  loop.body = s.close();
  return s.finish_loop(this, number, std::move(loop), initial);
}

std::vector<Scalar> Builder::repeat_while(
    std::vector<Scalar> initial,
    const std::function<Scalar(std::vector<Scalar>)>& condition,
    const std::function<std::vector<Scalar>(std::vector<Scalar>)>& body) {
  State& s = *state_;
  s.must(s.depth() > 0, "a while loop outside every parallel loop");
  std::int32_t number = s.new_loop(LoopKind::repeat_while);
  Loop loop;
  loop.kind = LoopKind::repeat_while;
  s.open(false);
  std::vector<Scalar> carries;
  for (std::size_t k = 0; k < initial.size(); ++k) {
    carries.push_back(
        {this,
         s.append({Verb::carry, initial[k].type(), number, static_cast<Id>(k), -1, 0}, s.depth())});
  }
  loop.condition = condition(carries).id();
  s.depth_of(loop.condition);
  s.top().sealed = true;
  s.open(true);
  std::vector<Scalar> next = body(carries);
  s.must(next.size() == initial.size(), "a loop's body gives another number of carries");
  for (std::size_t k = 0; k < initial.size(); ++k) {
    s.depth_of(next[k].id());
    loop.carries.push_back({Combiner::add, initial[k].id(), next[k].id(), -1, -1});
  }
  loop.body = s.close();
  loop.condition_block = s.close();
  return s.finish_loop(this, number, std::move(loop), initial);
}

std::vector<std::int64_t> row_major(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t k = shape.size(); k-- > 1;) strides[k - 1] = strides[k] * shape[k];
  return strides;
}

Affine dot(const Index& index, std::span<const std::int64_t> strides) {
  if (index.size() != strides.size()) throw InternalError("an index of another rank");
  Affine sum;
  for (std::size_t k = 0; k < index.size(); ++k) sum += index[k] * strides[k];
  return sum;
}

}  // namespace fluxion::kernel
