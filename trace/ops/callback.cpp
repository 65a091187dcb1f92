// callback: a C++ function of the user's, called with values.
#include "fluxion/callbacks.hpp"
#include "trace/frame.hpp"
#include "trace/ops.hpp"
#include "trace/ops/axes.hpp"
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/host.hpp"
#include "trace/outside.hpp"

#include <cstring>

namespace fluxion {
template <> struct EnumWords<VmapMethod> {
  static constexpr bool given = true;
  static constexpr std::string_view words[] = {"sequential", "expand_dims", "broadcast_all"};
};
}  // namespace fluxion

namespace fluxion::ops {
std::span<const Rules* const> callback_rules();

namespace {

/// Calls the function with arrays of its own, and copies what it gives.
void call_host(const detail::HostFunction& function,
               ConstTensors in,
               Tensors out,
               const Site& site) {
  const OutsideScope outside;
  detail::Flat arguments;
  for (const ConstTensor& x : in)
    arguments.push_back(detail::make_array(x.data, x.type.shape, x.type.dtype, site));
  const detail::Flat results = function.call(std::move(arguments), site);
  if (out.empty()) return;  // nobody wants what it gives
  if (results.size() != out.size())
    throw Error("callback-result",
                site,
                "the function of a callback returned " + std::to_string(results.size()) +
                    " arrays, not " + std::to_string(out.size()));
  detail::eval_flat(results, site);
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (!defined(results[k]) || !(type_of(results[k]) == out[k].type))
      throw Error("callback-result",
                  site,
                  "the function of a callback returned another type than announced\n  | array " +
                      std::to_string(k) + " of the result is announced as " +
                      to_string(out[k].type) + "\n  | the function returned " +
                      (defined(results[k]) ? to_string(type_of(results[k])) : "an empty Array"));
    if (const std::size_t bytes = bytes_of(out[k].type))
      std::memcpy(out[k].data, detail::host_bytes(results[k], site), bytes);
  }
}

/// Of the arguments alone: nobody sees when and how often it is called.
struct PureCallback {
  static constexpr auto name = "pure_callback";
  HostHandle function;
  Types results;  // of one call
  VmapMethod vmap_method;
  LaneList lanes;
  SiteHandle site;

  Types types(TypeList) const {
    if (function.size() == 0) throw InternalError("pure_callback: the function is gone");
    Types out;
    for (const Type& type : results) out.push_back(with_lane_axes(lanes, type));
    return out;
  }
  std::vector<const Graph*> regions() const { return {}; }
  Both jvp_region(Arrays, Arrays) const {
    fail_without_derivative("pure_callback: nobody knows the derivative of the function");
  }
  Both linearize_region(Arrays x, Arrays dx) const { return jvp_region(x, dx); }
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    PureCallback batched = *this;
    ArrayList operands;
    if (vmap_method == VmapMethod::sequential) {
      std::tie(operands, batched.lanes) = with_lanes(lanes, x, at, size);
    } else {
      for (Type& type : batched.results) type.shape = with_axis(type.shape, 0, size);
      for (std::size_t k = 0; k < x.size(); ++k)
        operands.push_back(vmap_method == VmapMethod::broadcast_all || at[k] != unbatched
                               ? batch_first(x[k], at[k], size)
                               : batch_first(x[k], unbatched, 1));
    }
    return {emit_all(batched, operands, rule_site()), std::vector<int>(results.size(), 0)};
  }
  void reference(ConstTensors in, Tensors out, const RegionRunner&) const {
    const Site place = site.site();
    for_each_lane(lanes, in, out, [&](ConstTensors x, Tensors y, const auto&) {
      call_host(function.as<detail::HostFunction>(), x, y, place);
    });
  }
};

/// Seen from outside: operand 0 says whether it happens.
struct IoCallback {
  static constexpr auto name = "io_callback";
  static constexpr bool effects = true;
  HostHandle function;
  Types results;  // of one call
  LaneList lanes;
  SiteHandle site;

  Types types(TypeList in) const {
    if (function.size() == 0) throw InternalError("io_callback: the function is gone");
    if (!(without_lane_axes(lanes, 0, in[0]) == Type{{}, bool_}))
      throw InternalError("io_callback: operand 0 is no condition");
    Types out;
    for (const Type& type : results) out.push_back(with_lane_axes(lanes, type));
    return out;
  }
  std::vector<const Graph*> regions() const { return {}; }
  Both jvp_region(Arrays x, Arrays) const {
    if (!results.empty())
      fail_without_derivative("io_callback: nobody knows the derivative of the function");
    return {emit_all(*this, x, rule_site()), {}};
  }
  Both linearize_region(Arrays x, Arrays dx) const { return jvp_region(x, dx); }
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    auto [operands, all] = with_lanes(lanes, x, at, size);
    return {emit_all(IoCallback{function, results, all, site}, operands, rule_site()),
            std::vector<int>(results.size(), 0)};
  }
  void reference(ConstTensors in, Tensors out, const RegionRunner&) const {
    const Site place = site.site();
    for_each_lane(lanes, in, out, [&](ConstTensors x, Tensors y, const auto&) {
      if (*x[0].as<bool>())
        return call_host(function.as<detail::HostFunction>(), x.subspan(1), y, place);
      for (const Tensor& t : y)
        if (const std::size_t bytes = bytes_of(t.type)) std::memset(t.data, 0, bytes);
    });
  }
};

Types types_of(const detail::Flat& like, std::string_view what, const Site& site) {
  Types out;
  for (const Array& a : like) {
    if (!defined(a))
      fail("empty-array", site, std::string(what) + ": an array is empty, so it has no type");
    out.push_back(type_of(a));
  }
  return out;
}

}  // namespace

std::span<const Rules* const> callback_rules() {
  static constexpr const Rules* rules[] = {rules_of<PureCallback>(), rules_of<IoCallback>()};
  return rules;
}

}  // namespace fluxion::ops

namespace fluxion::detail {

Flat run_pure_callback(Ref<const HostFunction> function,
                       const Flat& results,
                       Flat arguments,
                       VmapMethod method,
                       Site given) {
  const Site site = current_site(given);
  ops::types_of(arguments, "pure_callback", site);
  return emit_all(ops::PureCallback{ops::HostHandle(Ref<const HostObject>(function.raw())),
                                    ops::types_of(results, "pure_callback", site),
                                    method,
                                    {},
                                    ops::SiteHandle(site)},
                  arguments,
                  site);
}

Flat run_io_callback(Ref<const HostFunction> function,
                     const Flat& results,
                     Flat arguments,
                     Site given) {
  const Site site = current_site(given);
  ops::types_of(arguments, "io_callback", site);
  ArrayList operands{ops::always_active()};
  operands.insert(operands.end(), arguments.begin(), arguments.end());
  const Types types = ops::types_of(results, "io_callback", site);
  Flat out = emit_all(
      ops::IoCallback{
          ops::HostHandle(Ref<const HostObject>(function.raw())), types, {}, ops::SiteHandle(site)},
      operands,
      site);
  // Called below a derivative, the results would look like constants of it.
  for (Array& a : out)
    if (is_differentiable(type_of(a).dtype) && !arguments.empty())
      a = ops::no_derivative(
          a, arguments, "io_callback: nobody knows the derivative of the function", site);
  return out;
}

}  // namespace fluxion::detail
