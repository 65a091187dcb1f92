// The user's own C++ functions, called by compiled programs.
#pragma once
#include "transforms.hpp"

namespace fluxion {

/// How fx::vmap treats a pure_callback: call it for each example; call it once, where arguments
/// without a batch axis get one of size 1; or once with every argument repeated to the whole batch.
enum class VmapMethod { sequential, expand_dims, broadcast_all };

namespace detail {
/// A thing of the user's that operations hold; equal by its number alone.
class HostObject : public Shared {
 public:
  HostObject();
  ~HostObject() override;
  std::uint64_t number() const { return number_; }

 private:
  std::uint64_t number_;
};
/// A user's function on flat lists of evaluated arrays.
struct HostFunction : HostObject {
  virtual Flat call(Flat arguments, Site) const = 0;
};

template <class F, class Args> class TypedHostFunction final : public HostFunction {
 public:
  TypedHostFunction(F f, Args like) : f_(std::move(f)), like_(std::move(like)) {}
  Flat call(Flat arguments, Site site) const override {
    Args args = detail::rebuild(like_, std::move(arguments));
    return std::apply(
        [&](auto&... each) -> Flat {
          using Out = std::decay_t<decltype(detail::invoke(site, f_, std::move(each)...))>;
          const Out out = detail::invoke(site, f_, std::move(each)...);
          return detail::leaves(out);
        },
        args);
  }
  const Args& like() const { return like_; }
  bool is(const F& f) const {
    if constexpr (std::is_pointer_v<F>)
      return f == f_;
    else
      return std::is_empty_v<F>;
  }

 private:
  F f_;
  Args like_;
};
/// The function as an operation holds it. One without state is one object for all its calls, so
/// that a program that is recorded again is the same program.
template <class F, class Args> Ref<const HostFunction> host_function(F f, Args like) {
  using Typed = TypedHostFunction<F, Args>;
  if constexpr (std::is_empty_v<F> || std::is_pointer_v<F>) {
    static const Ref<const Typed> first(new Typed(f, like));
    if (first->is(f) && detail::same_structure(first->like(), like))
      return Ref<const HostFunction>(first.raw());
  }
  return Ref<const HostFunction>(new Typed(std::move(f), std::move(like)));
}

/// `results`: arrays with the types that the function must give; their values are not looked at.
Flat run_pure_callback(
    Ref<const HostFunction>, const Flat& results, Flat arguments, VmapMethod, Site);
/// The same, once for each time that the program gets there, in the program's order.
Flat run_io_callback(Ref<const HostFunction>, const Flat& results, Flat arguments, Site);

template <class R> struct result_like {
  using type = std::decay_t<R>;
  static const type& of(const type& like, Site) { return like; }
};
template <> struct result_like<Spec> {
  using type = Array;
  static Array of(const Spec& spec, Site site) { return detail::abstract(spec, site); }
};

template <class Self> struct CallbackWith : Callable<Self> {
  Site site() const { return Site::current(); }
  template <class G, class R, class... A>
  auto call(Site site, G&& g, const R& result, A&&... a) const {
    using F = std::decay_t<G>;
    const F f(static_cast<G&&>(g));
    using Args = arguments<F, A...>;
    using Like = result_like<std::decay_t<R>>;
    call_of<F, Args>::check();
    static_assert(std::is_same_v<result_for<F, Args>, typename Like::type>,
                  "fx::pure_callback, io_callback: the function must return the type of the result "
                  "that is announced: an Array for an fx::Spec");
    const Args args = detail::pack<Args>(site, static_cast<A&&>(a)...);
    const typename Like::type like = Like::of(result, site);
    Flat out = static_cast<const Self&>(*this).run(
        detail::host_function<F, Args>(f, detail::skeleton(args)),
        detail::leaves(like),
        detail::leaves(args),
        site);
    return detail::rebuild(like, std::move(out));
  }
};
struct PureCallback : CallbackWith<PureCallback> {
  VmapMethod vmap_method = VmapMethod::sequential;
  /// The same with another method: fx::pure_callback.with(fx::VmapMethod::expand_dims)(f, ...).
  constexpr PureCallback with(VmapMethod method) const {
    PureCallback other = *this;
    other.vmap_method = method;
    return other;
  }
  Flat run(Ref<const HostFunction> f, const Flat& results, Flat arguments, Site site) const {
    return detail::run_pure_callback(
        std::move(f), results, std::move(arguments), vmap_method, site);
  }
};
struct IoCallback : CallbackWith<IoCallback> {
  Flat run(Ref<const HostFunction> f, const Flat& results, Flat arguments, Site site) const {
    return detail::run_io_callback(std::move(f), results, std::move(arguments), site);
  }
};
}  // namespace detail

/// pure_callback(f, result, x...): f called with the values of x by the program when it runs, also
/// inside jit and vmap. `result` says what f returns: an fx::Spec for one Array, or a tree of
/// arrays with the right shapes and dtypes (error `callback-result` where f returns another). f
/// must depend on its arguments alone: it may be called any number of times. It has no derivative
/// (error `no-derivative`): wrap it in fx::custom_jvp. What f throws reaches whoever asked for the
/// value.
inline constexpr detail::PureCallback pure_callback{};
/// io_callback(f, result, x...): the same for a function that does something that can be seen: it
/// is called once for each time that the program gets there, in the program's order, and once for
/// each example of a batch.
inline constexpr detail::IoCallback io_callback{};
}  // namespace fluxion
