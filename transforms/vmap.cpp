// vmap called with arrays: which axis of which argument is mapped, and what the user gets back.
#include "fluxion/transforms.hpp"
#include "trace/ops.hpp"
#include "trace/ops/collectives.hpp"
#include "transforms/walk.hpp"

namespace fluxion::detail {
namespace {

std::string list_text(const MapAxes& axes) {
  std::string out;
  for (const MapAxis& a : axes.list())
    out += (out.empty() ? "" : ", ") +
           (a.mapped ? std::to_string(a.axis) : std::string("fx::unmapped"));
  return axes.each() ? "{" + out + "}" : out;
}

int normal_axis(
    const MapAxis& a, const Type& type, std::size_t i, std::string_view what, const Site& site) {
  if (!a.mapped) return unbatched;
  const int rank = static_cast<int>(type.shape.size());
  if (a.axis < -rank || a.axis >= rank)
    fail("vmap-axis",
         site,
         "vmap: there is no axis " + std::to_string(a.axis) + " in " + std::string(what) + " " +
             std::to_string(i),
         {"its type is " + to_string(type)},
         rank ? "axes go from " + std::to_string(-rank) + " to " + std::to_string(rank - 1)
              : "a scalar has no axis: mark it fx::unmapped");
  return a.axis < 0 ? a.axis + rank : a.axis;
}

}  // namespace

Flat run_vmap(FlatFunction f, Flat arguments, const Counts& counts, const VmapOptions& options) {
  if (options.in_axes.each() && options.in_axes.list().size() != counts.size())
    fail("vmap-axes",
         f.site,
         "vmap: in_axes has " + std::to_string(options.in_axes.list().size()) + " entries for " +
             std::to_string(counts.size()) + " arguments",
         {"in_axes = " + list_text(options.in_axes)});
  std::vector<int> at;
  std::int64_t size = options.axis_size.value_or(-1);
  std::string first;
  std::size_t k = 0;
  for (std::size_t argument = 0; argument < counts.size(); ++argument) {
    for (std::size_t j = 0; j < counts[argument]; ++j, ++k) {
      if (!defined(arguments[k]))
        fail("empty-array",
             f.site,
             "vmap: an array of argument " + std::to_string(argument) + " is empty");
      const Type& type = type_of(arguments[k]);
      at.push_back(normal_axis(options.in_axes.list()[options.in_axes.each() ? argument : 0],
                               type,
                               argument,
                               "argument",
                               f.site));
      if (at.back() == unbatched) continue;
      const std::int64_t n = type.shape[static_cast<std::size_t>(at.back())];
      const std::string here = "argument " + std::to_string(argument) + " is " + to_string(type) +
                               ", mapped along axis " + std::to_string(at.back()) + " of size " +
                               std::to_string(n);
      if (size >= 0 && n != size)
        fail("vmap-sizes",
             f.site,
             "vmap: the mapped axes differ in size, " + std::to_string(size) + " and " +
                 std::to_string(n),
             {first.empty() ? "axis_size = " + std::to_string(size) : first, here});
      size = n;
      if (first.empty()) first = here;
    }
  }
  if (size < 0)
    fail("vmap-size",
         f.site,
         "vmap: no argument is mapped, so the size of the batch is not known",
         {"in_axes = " + list_text(options.in_axes)},
         "map an argument, or give .axis_size");
  Types one;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    Type t{{}, type_of(arguments[i]).dtype};
    const Shape& shape = type_of(arguments[i]).shape;
    for (int d = 0; d < static_cast<int>(shape.size()); ++d)
      if (d != at[i]) t.shape.push_back(shape[static_cast<std::size_t>(d)]);
    one.push_back(std::move(t));
  }
  const Traced traced = [&] {
    const ops::NamedAxis axis(options.axis_name, size, f.site);
    return trace_function(f, one, "vmap", f.site);
  }();
  arguments.insert(arguments.end(), traced.captures.begin(), traced.captures.end());
  at.resize(arguments.size(), unbatched);
  const ops::BatchedAxis axis_name(options.axis_name);
  const Batched batched = batch(*traced.graph, arguments, at, size);
  if (options.out_axes.each() && options.out_axes.list().size() != batched.results.size())
    fail("vmap-axes",
         f.site,
         "vmap: out_axes has " + std::to_string(options.out_axes.list().size()) + " entries for " +
             std::to_string(batched.results.size()) + " result arrays",
         {"out_axes = " + list_text(options.out_axes)});
  Flat out;
  const RuleSite line(f.site);
  for (std::size_t i = 0; i < batched.results.size(); ++i) {
    const MapAxis& wanted = options.out_axes.list()[options.out_axes.each() ? i : 0];
    const Array& r = batched.results[i];
    if (!wanted.mapped) {
      if (batched.axes[i] != unbatched)
        fail("vmap-out",
             f.site,
             "vmap: result array " + std::to_string(i) +
                 " depends on the mapped axis, but its out_axes entry is fx::unmapped",
             {},
             "give it an axis");
      out.push_back(r);
      continue;
    }
    Type full = type_of(r);
    if (batched.axes[i] == unbatched) full.shape.push_back(size);  // only its rank matters here
    const int axis = normal_axis(wanted, full, i, "result array", f.site);
    out.push_back(batched.axes[i] == unbatched ? repeat_along(r, axis, size)
                                               : move_axis(r, batched.axes[i], axis));
  }
  return out;
}

}  // namespace fluxion::detail
