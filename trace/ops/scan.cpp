// scan: a loop of known length over rows. Under a transform it is a scan of the transformed body.
#include "trace/graph_transforms.hpp"
#include "trace/ops/axes.hpp"
#include "trace/ops/regions.hpp"
#include "trace/ops/scan_writer.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace fluxion::ops {
namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

}  // namespace

ScanWriter::Result ScanWriter::emit(const std::function<Result(const Inside&)>& body,
                                    const Site& site) {
  Scan s = like_;
  s.constants = static_cast<int>(operands_[0].size());
  s.carries = static_cast<int>(operands_[1].size());
  Types types{{{}, int64}};
  ArrayList operands = count_;
  Inside inside;
  for (int kind : {0, 1, 2}) {
    inside.begin_[kind] = types.size();
    for (const Array& a : operands_[kind])
      types.push_back(kind == 2 ? row_type(type_of(a)) : type_of(a));
    operands.insert(operands.end(), operands_[kind].begin(), operands_[kind].end());
  }
  s.body = record_graph(types, [&](Arrays in) {
    inside.all_ = in;
    Result r = body(inside);
    if (r.carries.size() != operands_[1].size())
      throw InternalError("scan: a body gives another number of carries");
    r.carries.insert(r.carries.end(), r.rows.begin(), r.rows.end());
    return r.carries;
  });
  ArrayList out = emit_all(s, operands, site);
  const auto middle = out.begin() + static_cast<std::ptrdiff_t>(operands_[1].size());
  return {{out.begin(), middle}, {middle, out.end()}};
}

Types Scan::types(TypeList in) const {
  const int given = static_cast<int>(in.size()) - count_operands();
  if (given + 1 != body->input_count())
    throw InternalError("scan: another number of operands than the body has inputs");
  if (counted && !(in[0] == Type{{}, int64}))
    throw InternalError("scan: the count is no int64 scalar");
  for (int k = 0; k < given; ++k) {
    const Type& wanted = body->type(k + 1);
    const Type& is = in[size(k + count_operands())];
    if (!(is == (k < constants + carries ? wanted : rows_type(wanted, length))))
      throw InternalError(fmt::format(
          "scan: operand {} is {}, the body takes {}", k, to_string(is), to_string(wanted)));
  }
  Types out = body->output_types();
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (k >= size(carries))
      out[k] = rows_type(out[k], length);
    else if (!(out[k] == body->type(static_cast<ValueId>(size(1 + constants) + k))))
      throw InternalError("scan: a carry changes its type");
  }
  return out;
}

bool Scan::has_effects() const { return ops::has_effects(*body); }

void Scan::reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
  const std::int64_t steps =
      counted ? std::clamp<std::int64_t>(*in[0].as<std::int64_t>(), 0, length) : length;
  const ConstTensors operands = in.subspan(size(count_operands()));
  std::vector<ConstTensor> inputs(1 + operands.size());
  for (std::size_t k = 0; k < operands.size(); ++k) inputs[k + 1] = operands[k];
  std::vector<detail::Ref<Buffer>> last;
  for (std::size_t k = size(carries); k < out.size(); ++k)
    if (const std::size_t bytes = bytes_of(out[k].type)) std::memset(out[k].data, 0, bytes);
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t row = reverse ? steps - 1 - step : step;
    inputs[0] = {{{}, int64}, &row};
    for (std::size_t k = size(constants + carries); k < operands.size(); ++k) {
      const Type type = row_type(operands[k].type);
      inputs[k + 1] = {type,
                       static_cast<const char*>(operands[k].data) +
                           static_cast<std::size_t>(row) * bytes_of(type)};
    }
    std::vector<detail::Ref<Buffer>> next = run(*body, inputs);
    for (std::size_t k = 0; k < size(carries); ++k)
      inputs[1 + size(constants) + k].data = next[k]->data();
    for (std::size_t k = size(carries); k < out.size(); ++k) {
      const std::size_t bytes = bytes_of(row_type(out[k].type));
      if (bytes)
        std::memcpy(static_cast<char*>(out[k].data) + static_cast<std::size_t>(row) * bytes,
                    next[k]->data(),
                    bytes);
    }
    last = std::move(next);  // the carries of the step before are not read any more
  }
  for (std::size_t k = 0; k < size(carries); ++k)
    if (const std::size_t bytes = bytes_of(out[k].type))
      std::memcpy(out[k].data, inputs[1 + size(constants) + k].data, bytes);
}

std::optional<Pruned> Scan::prune(const std::vector<bool>& used) const {
  const std::size_t first_carry = 1 + size(constants), first_row = first_carry + size(carries);
  std::vector<bool> outputs = used, inputs;
  for (bool grows = true; grows;) {  // a carry lives while something that lives depends on it
    inputs = needed_inputs(*body, outputs);
    grows = false;
    for (std::size_t k = 0; k < size(carries); ++k) {
      if (!(inputs[first_carry + k] || used[k]) || outputs[k]) continue;
      outputs[k] = grows = true;
    }
  }
  for (std::size_t k = 0; k < size(carries); ++k) inputs[first_carry + k] = outputs[k];
  inputs[0] = true;
  const auto all = [](const std::vector<bool>& m) {
    return std::find(m.begin(), m.end(), false) == m.end();
  };
  if (all(outputs) && all(inputs)) return std::nullopt;
  Pruned out;
  Scan smaller = *this;
  std::vector<std::size_t> order;
  smaller.constants = smaller.carries = 0;
  if (counted) out.operands.push_back(0);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!inputs[k]) continue;
    order.push_back(k);
    if (k == 0) continue;
    out.operands.push_back(k - 1 + size(count_operands()));
    if (k < first_carry)
      ++smaller.constants;
    else if (k < first_row)
      ++smaller.carries;
  }
  for (std::size_t k = 0; k < outputs.size(); ++k)
    if (outputs[k]) out.results.push_back(k);
  smaller.body = reordered(body->with_outputs(marked(body->outputs(), outputs)), order);
  out.op = smaller;
  return out;
}

Batched Scan::batch(Arrays x, BatchAxes at, std::int64_t n) const {
  if (counted && at[0] != unbatched) return batch_by_masks(x, at, n);
  const std::size_t skip = size(count_operands()), first_carry = skip + size(constants),
                    first_row = first_carry + size(carries);
  std::vector<int> axes{unbatched};  // of the body's inputs
  for (std::size_t k = skip; k < x.size(); ++k)
    axes.push_back(k < first_carry || at[k] == unbatched ? at[k] : 0);
  BatchedGraph one;
  for (bool grows = true; grows;) {
    one = batch_graph(body, axes, n);
    grows = false;
    for (std::size_t k = 0; k < size(carries); ++k) {
      int& axis = axes[1 + size(constants) + k];
      if (one.axes[k] == unbatched || axis != unbatched) continue;
      axis = 0;
      grows = true;
    }
  }
  ScanWriter w(*this, x.first(skip));
  ArrayList initial, rows;
  for (std::size_t k = first_carry; k < x.size(); ++k) {
    const bool batched = axes[k - skip + 1] != unbatched;
    if (k < first_row)
      initial.push_back(batched ? batch_first(x[k], at[k], n) : x[k]);
    else
      rows.push_back(batched ? move_axis(x[k], at[k], 1) : x[k]);
  }
  const auto c = w.constants(x.subspan(skip, size(constants))), s = w.carries(initial),
             r = w.rows(rows);
  const auto result = w.emit(
      [&](const ScanWriter::Inside& in) {
        ArrayList all{in.row_number()};
        for (const auto& group : {c, s, r})
          for (Array& a : in(group)) all.push_back(std::move(a));
        ArrayList out = inline_graph(*one.graph, all);
        ScanWriter::Result step;
        for (std::size_t k = 0; k < out.size(); ++k) {
          const bool carry = k < size(carries);
          const bool batched =
              carry ? axes[1 + size(constants) + k] != unbatched : one.axes[k] != unbatched;
          (carry ? step.carries : step.rows)
              .push_back(batched ? batch_first(out[k], one.axes[k], n) : out[k]);
        }
        return step;
      },
      rule_site());
  Batched out;
  for (std::size_t k = 0; k < result.carries.size(); ++k) {
    out.results.push_back(result.carries[k]);
    out.axes.push_back(axes[1 + size(constants) + k]);
  }
  for (std::size_t k = 0; k < result.rows.size(); ++k) {
    out.results.push_back(result.rows[k]);
    out.axes.push_back(one.axes[size(carries) + k] == unbatched ? unbatched : 1);
  }
  return out;
}

/// Lanes with counts of their own: all run as long as the longest, and keep what they have where
/// they are not concerned.
Batched Scan::batch_by_masks(Arrays x, BatchAxes at, std::int64_t n) const {
  const Site site = rule_site();
  const std::size_t first_carry = 1 + size(constants);
  const Array longest = reduce(Reduction::max, x[0], {0}, site);
  Scan plain = *this;
  // One lane of the loop with its count among the constants, which batches as any other.
  const auto one = [&] {
    Types types{{{}, int64}};
    for (const Type& type : body->input_types().subspan(1)) types.push_back(type);
    types.insert(types.begin() + 1, Type{{}, int64});
    return record_graph(types, [&](Arrays in) {
      ArrayList inner{in[0]};
      inner.insert(inner.end(), in.begin() + 2, in.end());
      ArrayList out = inline_graph(*body, inner);
      const Array active = compare(Direction::lt, in[0], in[1], site);
      for (std::size_t k = 0; k < out.size(); ++k)
        out[k] = select(active,
                        out[k],
                        k < size(carries) ? inner[first_carry + k] : zeros_of(type_of(out[k])),
                        site);
      return out;
    });
  }();
  plain.body = one;
  plain.constants += 1;
  ArrayList operands{longest};
  operands.insert(operands.end(), x.begin(), x.end());
  std::vector<int> axes{unbatched};
  axes.insert(axes.end(), at.begin(), at.end());
  return plain.batch(operands, axes, n);
}

std::span<const Rules* const> scan_rules() {
  static constexpr const Rules* rules[] = {rules_of<Scan>()};
  return rules;
}

ArrayList scan(Scan s, Arrays operands, const Site& site) {
  return emit_all(std::move(s), operands, site);
}

}  // namespace fluxion::ops
