// grad, vjp, linearize, jvp called with arrays: the function is recorded in a bound frame, its
// derivative recorded around it.
#include "fluxion/transforms.hpp"
#include "trace/graph_transforms.hpp"
#include "trace/ops.hpp"
#include "transforms/walk.hpp"

namespace fluxion::detail {
namespace {

std::string nth(std::size_t i) { return "array " + std::to_string(i); }

/// A function's result recorded at known arguments, and its derivative as a linear program.
struct Linearization {
  Flat values;    // of all outputs, outside the frame
  Traced linear;  // tangents of the active arguments -> tangents of the outputs in `nonzero`
  std::vector<bool> active;   // by argument
  std::vector<bool> nonzero;  // by output
  Types argument_types, output_types;
};

/// `wanted`: which arguments are differentiated (those of other than floating dtype never are).
/// `outputs`: how many of the outputs have derivatives (the rest is aux).
Linearization linearize_call(FlatFunction f,
                             const Flat& arguments,
                             const std::vector<bool>& wanted,
                             std::string_view what,
                             std::size_t outputs) {
  Linearization out;
  FrameScope frame(Frame::Kind::bound, what, f.site);
  Flat inputs;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Array& a = arguments[i];
    if (!defined(a)) {
      inputs.push_back(a);
      out.active.push_back(false);
      out.argument_types.emplace_back();
      continue;
    }
    out.active.push_back(wanted[i] && is_differentiable(type_of(a).dtype));
    out.argument_types.push_back(type_of(a));
    inputs.push_back(out.active.back() ? frame.bind(a, f.site) : a);
  }
  Flat results = f.call(f.self, std::move(inputs));
  for (std::size_t i = 0; i < results.size(); ++i)
    if (!defined(results[i]))
      fail("empty-array",
           f.site,
           std::string(what) + ": the function returned an empty Array (" + nth(i) +
               " of the result)");
  const BoundProgram program = frame.close_bound(results);
  FrameScope derivative(Frame::Kind::bound, "a derivative", f.site);
  ArrayList tangents(program.inputs.size());
  std::size_t bound = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (out.active[i]) tangents[bound++] = derivative.input(out.argument_types[i], f.site);
  Both both =
      differentiate(*program.graph, Derivative::linearize, program.inputs, tangents, program.known);
  ArrayList moving;
  for (std::size_t i = 0; i < both.tangents.size(); ++i) {
    out.output_types.push_back(type_of(both.values[i]));
    out.nonzero.push_back(i < outputs && defined(both.tangents[i]));
    if (out.nonzero.back()) moving.push_back(both.tangents[i]);
  }
  out.linear = derivative.close(moving);
  out.values = std::move(both.values);
  return out;
}

/// The cotangents of all arguments; an empty Array for those that are not differentiated.
/// `cotangents`: one for each nonzero output, in order.
Flat pull_back(const Linearization& l, Arrays cotangents) {
  ArrayList inputs(static_cast<std::size_t>(l.linear.graph->input_count()));
  std::copy(l.linear.captures.begin(),
            l.linear.captures.end(),
            inputs.end() - static_cast<std::ptrdiff_t>(l.linear.captures.size()));
  const ArrayList some = transpose(*l.linear.graph, inputs, cotangents);
  Flat out(l.active.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!l.active[i]) continue;
    const Array& ct = some[next++];
    out[i] = defined(ct) ? ct : zeros_of(l.argument_types[i]);
  }
  return out;
}

class VjpPull final : public Pull {
 public:
  explicit VjpPull(Linearization l) : l_(std::move(l)) {}
  Flat apply(Flat cotangents, Site site) override {
    ArrayList given;
    for (std::size_t i = 0; i < cotangents.size(); ++i) {
      if (!l_.nonzero[i]) continue;
      const Array& ct = cotangents[i];
      if (!defined(ct)) {
        given.push_back(zeros_of(l_.output_types[i]));
        continue;
      }
      if (!(type_of(ct) == l_.output_types[i]))
        fail("cotangent-type",
             site,
             "vjp: a cotangent has another type than the result that it belongs to",
             {nth(i) + " of the result is " + to_string(l_.output_types[i]),
              "its cotangent is " + to_string(type_of(ct))},
             "cotangents have the shape and dtype of the results");
      given.push_back(ct);
    }
    return pull_back(l_, given);
  }

 private:
  Linearization l_;
};

void check_tangent(std::string_view who,
                   std::size_t i,
                   const Array& tangent,
                   const Type& primal,
                   const Site& site) {
  if (!(type_of(tangent) == primal))
    fail("tangent-type",
         site,
         std::string(who) + ": a tangent has another type than its primal",
         {nth(i) + " is " + to_string(primal), "its tangent is " + to_string(type_of(tangent))},
         "tangents have the shape and dtype of the primals");
}

class LinearPull final : public Pull {
 public:
  explicit LinearPull(Linearization l) : l_(std::move(l)) {}
  Flat apply(Flat tangents, Site site) override {
    ArrayList inputs;
    for (std::size_t i = 0; i < tangents.size(); ++i) {
      if (!l_.active[i]) continue;
      if (!defined(tangents[i])) {
        inputs.push_back(zeros_of(l_.argument_types[i]));
        continue;
      }
      check_tangent("linearize", i, tangents[i], l_.argument_types[i], site);
      inputs.push_back(tangents[i]);
    }
    inputs.insert(inputs.end(), l_.linear.captures.begin(), l_.linear.captures.end());
    const ArrayList some = inline_graph(*l_.linear.graph, inputs);
    Flat out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < l_.nonzero.size(); ++i)
      out.push_back(l_.nonzero[i] ? some[next++] : zeros_of(l_.output_types[i]));
    return out;
  }

 private:
  Linearization l_;
};

std::vector<bool> all_of(const Flat& f) { return std::vector<bool>(f.size(), true); }

}  // namespace

Flat run_value_and_grad(FlatFunction f,
                        Flat arguments,
                        const std::vector<bool>& wanted,
                        Flat& value) {
  bool any = false;
  std::string types;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!wanted[i] || !defined(arguments[i])) continue;
    any |= is_differentiable(type_of(arguments[i]).dtype);
    types += (types.empty() ? "" : ", ") + to_string(type_of(arguments[i]));
  }
  if (!any)
    fail("grad-input",
         f.site,
         "grad: the argument to differentiate holds no array of floating dtype",
         {"it holds " + (types.empty() ? std::string("no arrays") : types)},
         "convert it: x.astype(fx::float32)");
  const Linearization l = linearize_call(f, arguments, wanted, "grad", 1);
  const Type& loss = l.output_types[0];
  if (loss.shape.size() != 0 || !is_floating(loss.dtype))
    fail("grad-output",
         f.site,
         "grad: the function must return a real scalar, it returned " + to_string(loss),
         {},
         loss.shape.size()
             ? "reduce it, for example with fx::sum or fx::mean; for all derivatives use fx::jacrev"
             : "return a floating number");
  Flat gradient;
  if (l.nonzero[0]) {
    const Array one = ones_of(loss);
    gradient = pull_back(l, {&one, 1});
  } else {
    gradient.resize(arguments.size());
    for (std::size_t i = 0; i < gradient.size(); ++i)
      if (l.active[i]) gradient[i] = zeros_of(l.argument_types[i]);
  }
  value = l.values;
  Flat out;
  for (std::size_t i = 0; i < gradient.size(); ++i)
    if (wanted[i]) out.push_back(std::move(gradient[i]));
  return out;
}

Ref<Pull> run_vjp(FlatFunction f, Flat primals, Flat& value) {
  Linearization l =
      linearize_call(f, primals, all_of(primals), "vjp", static_cast<std::size_t>(-1));
  value = l.values;
  return Ref<Pull>(new VjpPull(std::move(l)));
}

Ref<Pull> run_linearize(FlatFunction f, Flat primals, Flat& value) {
  Linearization l =
      linearize_call(f, primals, all_of(primals), "linearize", static_cast<std::size_t>(-1));
  value = l.values;
  return Ref<Pull>(new LinearPull(std::move(l)));
}

Flat run_jvp(FlatFunction f, Flat primals, Flat tangents, Flat& value) {
  FrameScope frame(Frame::Kind::bound, "jvp", f.site);
  Flat inputs;
  ArrayList given;
  for (std::size_t i = 0; i < primals.size(); ++i) {
    if (!defined(primals[i]))
      fail("empty-array", f.site, "jvp: " + nth(i) + " of the primals is empty");
    const Type& type = type_of(primals[i]);
    const bool active = is_differentiable(type.dtype) && defined(tangents[i]);
    if (active) {
      check_tangent("jvp", i, tangents[i], type, f.site);
      given.push_back(tangents[i]);
    }
    inputs.push_back(active ? frame.bind(primals[i], f.site) : primals[i]);
  }
  const Flat results = f.call(f.self, std::move(inputs));
  const BoundProgram program = frame.close_bound(results);
  given.resize(program.inputs.size());
  Both both = differentiate(*program.graph, Derivative::jvp, program.inputs, given, program.known);
  for (std::size_t i = 0; i < both.tangents.size(); ++i)
    if (!defined(both.tangents[i])) both.tangents[i] = zeros_of(type_of(both.values[i]));
  value = std::move(both.values);
  return std::move(both.tangents);
}

namespace {

/// The rows of the identity, shaped as `count` tangents of a type.
Array basis(const Type& type, std::int64_t count, const Site& site) {
  const Type row{{count, count}, int32};
  const Array eye = ops::convert(
      ops::compare(ops::Direction::eq, ops::iota(row, 0, site), ops::iota(row, 1, site), site),
      type.dtype,
      site);
  Shape shape{count};
  for (std::int64_t n : type.shape) shape.push_back(n);
  return ops::reshape(eye, shape, site);
}

}  // namespace

Flat run_jacobian(FlatFunction f, Flat arguments, std::size_t which, bool forward) {
  const std::string who = forward ? "jacfwd" : "jacrev";
  const Type in = type_of(arguments[which]);
  if (!is_differentiable(in.dtype))
    fail("grad-input",
         f.site,
         who + ": the argument to differentiate is " + to_string(in) + ", which has no derivative",
         {},
         "convert it: x.astype(fx::float32)");
  std::vector<bool> wanted(arguments.size());
  wanted[which] = true;
  const Linearization l = linearize_call(f, arguments, wanted, who, static_cast<std::size_t>(-1));
  for (std::size_t i = 0; i < l.output_types.size(); ++i)
    if (!is_differentiable(l.output_types[i].dtype))
      fail("grad-output",
           f.site,
           who + ": " + nth(i) + " of the result is " + to_string(l.output_types[i]) +
               ", which has no derivative");
  const RuleSite line(f.site);
  const auto residuals = l.linear.captures;
  Flat out(l.output_types.size());
  for (std::size_t i = 0; i < out.size(); ++i) {  // outputs that do not depend on the argument
    if (l.nonzero[i]) continue;
    Type t = l.output_types[i];
    for (std::int64_t n : in.shape) t.shape.push_back(n);
    out[i] = zeros_of(t);
  }
  if (forward) {
    const std::int64_t n = element_count(in.shape);
    ArrayList x{basis(in, n, f.site)};
    x.insert(x.end(), residuals.begin(), residuals.end());
    std::vector<int> at(x.size(), unbatched);
    at[0] = 0;
    const Batched rows = batch(*l.linear.graph, x, at, n);
    std::size_t next = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!l.nonzero[i]) continue;
      const Array row = rows.axes[next] == unbatched
                            ? repeat_along(rows.results[next], 0, n)
                            : move_axis(rows.results[next], rows.axes[next], 0);
      ++next;
      Shape shape = l.output_types[i].shape;
      for (std::int64_t k : in.shape) shape.push_back(k);
      out[i] = ops::reshape(
          move_axis(row, 0, static_cast<int>(l.output_types[i].shape.size())), shape, f.site);
    }
    return out;
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < out.size();
       ++i) {  // one backward program per output, batched over its elements
    if (!l.nonzero[i]) continue;
    std::vector<bool> linear(static_cast<std::size_t>(l.linear.graph->input_count())),
        given(l.linear.graph->outputs().size());
    linear[0] = given[next++] = true;
    const TransposedGraph backward = transpose_graph(l.linear.graph, linear, given);
    Type t = l.output_types[i];
    const std::int64_t n = element_count(t.shape);
    Shape shape = t.shape;
    for (std::int64_t k : in.shape) shape.push_back(k);
    if (!backward.nonzero[0]) {
      out[i] = zeros_of(Type{shape, t.dtype});
      continue;
    }
    ArrayList x(residuals.begin(), residuals.end());
    x.push_back(basis(t, n, f.site));
    std::vector<int> at(x.size(), unbatched);
    at.back() = 0;
    const Batched rows = batch(*backward.graph, x, at, n);
    const Array row = rows.axes[0] == unbatched ? repeat_along(rows.results[0], 0, n)
                                                : move_axis(rows.results[0], rows.axes[0], 0);
    out[i] = ops::reshape(row, shape, f.site);
  }
  return out;
}

}  // namespace fluxion::detail
