// The derivatives of scan: which carries move, what the linear loop needs of the forward one, the
// loop run backwards.
#include "trace/graph_transforms.hpp"
#include "trace/ops/axes.hpp"
#include "trace/ops/regions.hpp"
#include "trace/ops/residuals.hpp"
#include "trace/ops/scan_writer.hpp"

#include <algorithm>

namespace fluxion::ops {
namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// A list over the operands or body inputs of a scan, by what they are.
struct Parts {
  Arrays count, constants, carries, rows;

  Parts(const Scan& s, Arrays x)
      : count(x.first(size(s.count_operands()))),
        constants(x.subspan(count.size(), size(s.constants))),
        carries(x.subspan(count.size() + constants.size(), size(s.carries))),
        rows(x.subspan(count.size() + constants.size() + carries.size())) {}
};

/// The mask over the body's inputs; the row number never moves.
std::vector<bool> body_mask(const std::vector<bool>& constants,
                            const std::vector<bool>& carries,
                            const std::vector<bool>& rows) {
  std::vector<bool> mask{false};
  for (const auto* part : {&constants, &carries, &rows})
    mask.insert(mask.end(), part->begin(), part->end());
  return mask;
}

/// Which carries get a tangent: those that begin with one, and those that one flows into.
/// `transform` gives the transformed body for a mask.
template <class Transform>
auto with_moving_carries(std::vector<bool>& carries, const Transform& transform) {
  auto body = transform();
  for (bool grows = true; grows;) {
    grows = false;
    for (std::size_t k = 0; k < carries.size(); ++k) {
      if (!body.nonzero[k] || carries[k]) continue;
      carries[k] = grows = true;
    }
    if (grows) body = transform();
  }
  return body;
}

/// The tangents that carries begin with, zeros where there were none.
ArrayList initial_tangents(Arrays primals, Arrays tangents, const std::vector<bool>& moving) {
  ArrayList out;
  for (std::size_t k = 0; k < moving.size(); ++k)
    if (moving[k]) out.push_back(or_zeros_of(tangents[k], type_of(primals[k])));
  return out;
}

/// What a step gives for moving carries and rows, from the tangents of all results of the body.
ScanWriter::Result moving_results(Arrays tangents,
                                  const std::vector<bool>& carries,
                                  const Types& types) {
  ScanWriter::Result out;
  for (std::size_t k = 0; k < tangents.size(); ++k) {
    if (k < carries.size()) {
      if (carries[k]) out.carries.push_back(or_zeros_of(tangents[k], types[k]));
    } else if (defined(tangents[k])) {
      out.rows.push_back(tangents[k]);
    }
  }
  return out;
}

/// The tangents of a scan's results, from what its loop gave.
ArrayList result_tangents(Arrays carries,
                          Arrays rows,
                          const std::vector<bool>& moving,
                          const std::vector<bool>& nonzero) {
  ArrayList out = spread(carries, moving);
  const std::vector<bool> row_mask(nonzero.begin() + static_cast<std::ptrdiff_t>(moving.size()),
                                   nonzero.end());
  for (Array& row : spread(rows, row_mask)) out.push_back(std::move(row));
  return out;
}

}  // namespace

Both Scan::jvp_region(Arrays x, Arrays dx) const {
  const Parts p(*this, x), d(*this, dx);
  std::vector<bool> moving = given_of(d.carries);
  const JvpGraph both = with_moving_carries(moving, [&] {
    return jvp_graph(body, body_mask(given_of(d.constants), moving, given_of(d.rows)));
  });
  const Types types = body->output_types();
  const std::size_t n = types.size();
  ScanWriter w(*this, p.count);
  const auto c = w.constants(p.constants),
             dc = w.constants(marked(d.constants, given_of(d.constants)));
  const auto s = w.carries(p.carries),
             ds = w.carries(initial_tangents(p.carries, d.carries, moving));
  const auto r = w.rows(p.rows), dr = w.rows(marked(d.rows, given_of(d.rows)));
  const auto out = w.emit(
      [&](const ScanWriter::Inside& in) {
        const Array row = in.row_number();
        const ArrayList results = inline_graph(
            *both.graph, list({Arrays(&row, 1), in(c), in(s), in(r), in(dc), in(ds), in(dr)}));
        const ArrayList tangents = spread(Arrays(results).subspan(n), both.nonzero);
        ScanWriter::Result step = moving_results(tangents, moving, types);
        const Arrays values = Arrays(results).first(n);
        step.carries = list({values.first(moving.size()), step.carries});
        step.rows = list({values.subspan(moving.size()), step.rows});
        return step;
      },
      rule_site());
  const Arrays last(out.carries), rows(out.rows);
  return {list({last.first(moving.size()), rows.first(written_rows())}),
          result_tangents(
              last.subspan(moving.size()), rows.subspan(written_rows()), moving, both.nonzero)};
}

Both Scan::linearize_region(Arrays x, Arrays dx) const {
  const Parts p(*this, x), d(*this, dx);
  std::vector<bool> moving = given_of(d.carries);
  const LinearizedGraph parts = with_moving_carries(moving, [&] {
    return linearize_graph(body, body_mask(given_of(d.constants), moving, given_of(d.rows)));
  });
  const Types types = body->output_types();
  const std::size_t n = types.size(), first_carry = 1 + size(constants),
                    first_row = first_carry + size(carries);
  const auto kind_of = [&](std::size_t input) {
    if (input == 0 || input >= first_row) return Residuals::Input::again;
    return input < first_carry ? Residuals::Input::constant : Residuals::Input::changing;
  };
  const Residuals residuals(parts, n, kind_of);

  ScanWriter forward(*this, p.count);
  const auto c = forward.constants(p.constants), s = forward.carries(p.carries),
             r = forward.rows(p.rows);
  const auto values = forward.emit(
      [&](const ScanWriter::Inside& in) {
        const Array row = in.row_number();
        const ArrayList out =
            inline_graph(*parts.forward, list({Arrays(&row, 1), in(c), in(s), in(r)}));
        const Arrays results = Arrays(out).first(n);
        return ScanWriter::Result{list({results.first(moving.size())}),
                                  list({results.subspan(moving.size()), residuals.saved(out)})};
      },
      rule_site());
  Both both{list({values.carries, Arrays(values.rows).first(written_rows())}), {}};
  if (parts.linear->outputs().empty()) {
    both.tangents.resize(n);
    return both;
  }
  // An input that the linear loop reads again is given to it again: rows as rows, constants as
  // constants.
  ArrayList inputs{Array()};
  for (Arrays part : {p.constants, p.carries, p.rows})
    inputs.insert(inputs.end(), part.begin(), part.end());
  std::vector<bool> again_rows(size(rows()));
  for (std::size_t input : residuals.inputs())
    if (input >= first_row) again_rows[input - first_row] = true;
  ScanWriter linear(*this, p.count);
  const auto hoisted = linear.constants(residuals.constants(inputs)),
             dc = linear.constants(marked(d.constants, given_of(d.constants)));
  const auto ds = linear.carries(initial_tangents(p.carries, d.carries, moving));
  const auto saved = linear.rows(Arrays(values.rows).subspan(written_rows())),
             again = linear.rows(marked(p.rows, again_rows)),
             dr = linear.rows(marked(d.rows, given_of(d.rows)));
  const auto tangents = linear.emit(
      [&](const ScanWriter::Inside& in) {
        ArrayList here(inputs.size());  // of the inputs that are given again
        here[0] = in.row_number();
        const ArrayList given = spread(in(again), again_rows);
        std::copy(
            given.begin(), given.end(), here.begin() + static_cast<std::ptrdiff_t>(first_row));
        const ArrayList read = residuals.together(in(hoisted), in(saved), here);
        const ArrayList some = inline_graph(*parts.linear, list({read, in(dc), in(ds), in(dr)}));
        return moving_results(spread(some, parts.nonzero), moving, types);
      },
      rule_site());
  both.tangents = result_tangents(tangents.carries, tangents.rows, moving, parts.nonzero);
  return both;
}

namespace {

/// The accumulators of an operation with some of another one's operands.
class Forwarding final : public Accumulators {
 public:
  Forwarding(Accumulators& out, std::vector<std::size_t> of) : out_(out), of_(std::move(of)) {}
  bool needed(std::size_t k) const override { return out_.needed(of_[k]); }
  void add(std::size_t k, const Array& ct) override { out_.add(of_[k], ct); }
  Array buffer(std::size_t k) override { return out_.buffer(of_[k]); }
  void replace(std::size_t k, const Array& ct) override { out_.replace(of_[k], ct); }

 private:
  Accumulators& out_;
  std::vector<std::size_t> of_;
};

}  // namespace

/// Carries that no linear operand flows into are run forwards first; what they were at each step
/// are rows of the loop that is left.
void Scan::transpose_after(const std::vector<bool>& linear_carries,
                           Arrays ct,
                           const Operands& x,
                           Accumulators& out) const {
  const std::size_t skip = size(count_operands()), first_carry = skip + size(constants),
                    first_row = first_carry + size(carries);
  const auto value_or_zeros = [&](std::size_t k) {
    return x.linear(k) ? zeros_of(x.type(k)) : x.value(k);
  };
  ArrayList all;
  for (std::size_t k = 0; k < x.size(); ++k) all.push_back(value_or_zeros(k));
  std::vector<bool> fixed = linear_carries;
  fixed.flip();
  std::vector<bool> outputs = fixed;
  outputs.resize(body->outputs().size());
  const GraphRef step = with_marked_outputs(body, outputs);
  const Arrays values(all);
  ScanWriter w(*this, values.first(skip));
  const auto c = w.constants(values.subspan(skip, size(constants))),
             r = w.rows(values.subspan(first_row));
  const auto s = w.carries(marked(values.subspan(first_carry, size(carries)), fixed));
  const auto run = w.emit(
      [&](const ScanWriter::Inside& in) {
        const ArrayList now = spread(in(s), fixed);
        ArrayList inputs = list({Arrays(&in.row_number(), 1), in(c)});
        for (std::size_t k = 0; k < now.size(); ++k)
          inputs.push_back(or_zeros_of(now[k], body->type(static_cast<ValueId>(inputs.size()))));
        inputs = list({inputs, in(r)});
        return ScanWriter::Result{inline_graph(*step, inputs), in(s)};
      },
      rule_site());
  // The same loop with those carries among its rows.
  Scan rest = *this;
  std::vector<std::size_t> order, of;  // inputs of the body; operands
  ArrayList rest_values, rest_ct;
  Types rest_types;
  const auto add = [&](std::size_t k, const Array& value, const Type& type) {
    of.push_back(k);
    rest_values.push_back(value);
    rest_types.push_back(type);
  };
  const auto original = [&](std::size_t k) {
    add(k, x.value(k), x.type(k));
    order.push_back(k - skip + 1);
  };
  order.push_back(0);
  if (counted) add(0, x.value(0), x.type(0));
  for (std::size_t k = skip; k < first_carry; ++k) original(k);
  for (std::size_t k = first_carry; k < first_row; ++k)
    if (linear_carries[k - first_carry]) original(k);
  for (std::size_t k = first_row; k < x.size(); ++k) original(k);
  for (std::size_t k = first_carry, next = 0; k < first_row; ++k) {
    if (linear_carries[k - first_carry]) continue;
    add(k, run.rows[next], type_of(run.rows[next]));
    ++next;
    order.push_back(k - skip + 1);
  }
  std::vector<bool> keep = linear_carries;
  keep.resize(body->outputs().size(), true);
  rest.carries = static_cast<int>(std::count(linear_carries.begin(), linear_carries.end(), true));
  rest.body = reordered(with_marked_outputs(body, keep), order);
  Forwarding forwarding(out, of);
  rest.transpose(marked(ct, keep), Operands(rest_values, rest_types), forwarding);
}

void Scan::transpose(Arrays ct, const Operands& x, Accumulators& out) const {
  const std::size_t skip = size(count_operands()), first_carry = skip + size(constants),
                    first_row = first_carry + size(carries);
  std::vector<bool> linear{false};
  for (std::size_t k = skip; k < x.size(); ++k) linear.push_back(x.linear(k));
  for (bool grows = true; grows;) {
    const std::vector<bool> reached = reached_outputs(*body, linear);
    grows = false;
    for (std::size_t k = 0; k < size(carries); ++k) {
      if (!reached[k] || linear[1 + size(constants) + k]) continue;
      linear[1 + size(constants) + k] = grows = true;
    }
  }
  const std::vector<bool> linear_carries(
      linear.begin() + static_cast<std::ptrdiff_t>(1 + size(constants)),
      linear.begin() + static_cast<std::ptrdiff_t>(1 + size(constants) + size(carries)));
  if (std::find(linear_carries.begin(), linear_carries.end(), false) != linear_carries.end())
    return transpose_after(linear_carries, ct, x, out);

  std::vector<bool>
      given = given_of(ct),
      seeded;  // seeded by linear input: constants, whose cotangents are summed over the steps
  for (std::size_t k = 1; k < linear.size(); ++k)
    if (linear[k]) seeded.push_back(k <= size(constants));
  const std::size_t linear_constants =
      static_cast<std::size_t>(std::count(seeded.begin(), seeded.end(), true));
  TransposedGraph back;
  for (bool grows = true; grows;) {  // which carries have a cotangent
    back = transpose_graph(body, linear, given, seeded);
    grows = false;
    for (std::size_t k = 0; k < size(carries); ++k) {
      if (!back.nonzero[linear_constants + k] || given[k]) continue;
      given[k] = grows = true;
    }
  }
  ArrayList known_constants, known_rows, sums, initial;
  for (std::size_t k = skip; k < x.size(); ++k) {
    if (!x.linear(k) && k < first_carry) known_constants.push_back(x.value(k));
    if (!x.linear(k) && k >= first_row) known_rows.push_back(x.value(k));
    if (x.linear(k) && k < first_carry) sums.push_back(zeros_of(x.type(k)));
  }
  const std::vector<bool> given_carries(given.begin(),
                                        given.begin() + static_cast<std::ptrdiff_t>(size(carries)));
  for (std::size_t k = 0; k < size(carries); ++k)
    if (given[k]) initial.push_back(or_zeros_of(ct[k], x.type(first_carry + k)));
  Scan backwards = *this;
  backwards.reverse = !reverse;
  ArrayList count;
  if (counted) count.push_back(x.value(0));
  ScanWriter w(backwards, count);
  const auto c = w.constants(known_constants);
  const auto s = w.carries(initial), total = w.carries(sums);
  const auto r = w.rows(known_rows),
             dr = w.rows(marked(ct.subspan(size(carries)), given_of(ct.subspan(size(carries)))));
  const auto result = w.emit(
      [&](const ScanWriter::Inside& in) {
        const ArrayList some = inline_graph(
            *back.graph,
            list({Arrays(&in.row_number(), 1), in(c), in(r), in(s), in(dr), in(total)}));
        const ArrayList all = spread(some, back.nonzero);
        ScanWriter::Result step;
        for (std::size_t k = 0; k < size(carries); ++k)
          if (given[k])
            step.carries.push_back(or_zeros_of(all[linear_constants + k], x.type(first_carry + k)));
        for (std::size_t k = 0; k < linear_constants; ++k) step.carries.push_back(all[k]);
        for (std::size_t k = linear_constants + size(carries); k < all.size(); ++k)
          if (defined(all[k])) step.rows.push_back(all[k]);
        return step;
      },
      rule_site());
  const ArrayList carry_cotangents =
      spread(Arrays(result.carries).first(initial.size()), given_carries);
  for (std::size_t k = 0; k < size(carries); ++k)
    if (x.linear(first_carry + k) && defined(carry_cotangents[k]))
      out.add(first_carry + k, carry_cotangents[k]);
  std::size_t constant = 0, row = 0, row_input = linear_constants + size(carries);
  for (std::size_t k = skip; k < x.size(); ++k) {
    if (!x.linear(k) || (k >= first_carry && k < first_row)) continue;
    if (k < first_carry)
      out.add(k, result.carries[initial.size() + constant++]);
    else if (back.nonzero[row_input++])
      out.add(k, result.rows[row++]);
  }
}

}  // namespace fluxion::ops
