// What every transform needs to call a user's function: the line of the call, the types that are
// traced, and the function as the library sees it, on flat lists of arrays.
#pragma once
#include "tree.hpp"

namespace fluxion::detail {
template <class F>
concept Sited = requires {
  typename std::remove_cvref_t<F>::fluxion_callable;
};  // a transform's result: takes the site of the outermost call

/// A library reduction as a value, fx::sum: a pointer has lost its default arguments. (A concept:
/// `&&` in a constexpr condition would instantiate both sides.)
template <class F, class... A>
concept Reduction = std::is_pointer_v<F> && std::is_invocable_v<F, A..., const Axes&, bool>;

/// Calls a user's function, or another transform with the user's site.
template <class F, class... A> decltype(auto) invoke(Site site, const F& f, A&&... args) {
  if constexpr (Sited<F>)
    return f.call(site, static_cast<A&&>(args)...);
  else if constexpr (std::is_member_pointer_v<F>)
    return std::apply(f, std::forward_as_tuple(static_cast<A&&>(args)...));
  else if constexpr (Reduction<F, A...>)
    return f(static_cast<A&&>(args)..., Axes(), false);
  else if constexpr (std::is_void_v<decltype(f(static_cast<A&&>(args)...))>) {
    f(static_cast<A&&>(args)...);
    return std::tuple<>();
  } else
    return f(static_cast<A&&>(args)...);
}

/// operator() for a variadic callable that knows the line of the call: a trailing default argument
/// cannot follow a pack, so the arities are spelt out.
template <class Self, class Wrapped = void> struct Callable {
  using fluxion_callable = Wrapped;  // whose parameter types are also this one's
                                     // clang-format off
  auto operator()(Site s = Site::current()) const { return self().call(s); }
  template <class A> auto operator()(A&& a, Site s = Site::current()) const { return self().call(s, static_cast<A&&>(a)); }
  template <class A, class B> auto operator()(A&& a, B&& b, Site s = Site::current()) const { return self().call(s, static_cast<A&&>(a), static_cast<B&&>(b)); }
  template <class A, class B, class C> auto operator()(A&& a, B&& b, C&& c, Site s = Site::current()) const { return self().call(s, static_cast<A&&>(a), static_cast<B&&>(b), static_cast<C&&>(c)); }
  template <class A, class B, class C, class D> auto operator()(A&& a, B&& b, C&& c, D&& d, Site s = Site::current()) const { return self().call(s, static_cast<A&&>(a), static_cast<B&&>(b), static_cast<C&&>(c), static_cast<D&&>(d)); }
  template <class A, class B, class C, class D, class E> auto operator()(A&& a, B&& b, C&& c, D&& d, E&& e, Site s = Site::current()) const { return self().call(s, static_cast<A&&>(a), static_cast<B&&>(b), static_cast<C&&>(c), static_cast<D&&>(d), static_cast<E&&>(e)); }
  template <class A, class B, class C, class D, class E, class F> auto operator()(A&& a, B&& b, C&& c, D&& d, E&& e, F&& f, Site s = Site::current()) const { return self().call(s, static_cast<A&&>(a), static_cast<B&&>(b), static_cast<C&&>(c), static_cast<D&&>(d), static_cast<E&&>(e), static_cast<F&&>(f)); }
  template <class A, class B, class C, class D, class E, class F, class G> auto operator()(A&& a, B&& b, C&& c, D&& d, E&& e, F&& f, G&& g, Site s = Site::current()) const { return self().call(s, static_cast<A&&>(a), static_cast<B&&>(b), static_cast<C&&>(c), static_cast<D&&>(d), static_cast<E&&>(e), static_cast<F&&>(f), static_cast<G&&>(g)); }
  template <class A, class B, class C, class D, class E, class F, class G, class H> auto operator()(A&& a, B&& b, C&& c, D&& d, E&& e, F&& f, G&& g, H&& h, Site s = Site::current()) const { return self().call(s, static_cast<A&&>(a), static_cast<B&&>(b), static_cast<C&&>(c), static_cast<D&&>(d), static_cast<E&&>(e), static_cast<F&&>(f), static_cast<G&&>(g), static_cast<H&&>(h)); }
  template <class... A> requires(sizeof...(A) > 8) auto operator()(A&&... a) const { return self().call(self().site(), static_cast<A&&>(a)...); }   // longer calls report the line where the transform was made
                                     // clang-format on
 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

// ---- the argument types of a call ----
// "Types decide what is traced": those of the function's parameters where it has a signature, else
// those of the arguments.
template <class F> struct signature {
  using type = void;
};
template <class R, class... P> struct signature<R (*)(P...)> {
  using type = std::tuple<P...>;
};
template <class R, class... P> struct signature<R (*)(P...) noexcept> {
  using type = std::tuple<P...>;
};
template <class M> struct member_signature;
template <class R, class C, class... P> struct member_signature<R (C::*)(P...) const> {
  using type = std::tuple<P...>;
};
template <class R, class C, class... P> struct member_signature<R (C::*)(P...) const noexcept> {
  using type = std::tuple<P...>;
};
template <class R, class C, class... P> struct member_signature<R (C::*)(P...)> {
  using type = std::tuple<P...>;
};
template <class R, class C, class... P> struct member_signature<R (C::*)(P...) noexcept> {
  using type = std::tuple<P...>;
};
template <class F>
  requires requires { &F::operator(); }
struct signature<F> : member_signature<decltype(&F::operator())> {};
template <Sited F>
struct signature<F> : signature<typename F::fluxion_callable> {
};  // jit(grad(f)) takes what f takes

template <class P, class A> struct argument {
  using type = std::decay_t<A>;
};
template <class P, class A>
  requires(kind_of<std::decay_t<P>>() < Kind::pointer && std::is_convertible_v<A, std::decay_t<P>>)
struct argument<P, A> {
  using type = std::decay_t<P>;
};
template <class P> struct argument<P, Spec> {
  using type = Array;
};
template <class S, std::size_t I, class A> struct argument_at : argument<void, A> {};
template <class... P, std::size_t I, class A>
  requires(I < sizeof...(P))
struct argument_at<std::tuple<P...>, I, A>
    : argument<std::tuple_element_t<I, std::tuple<P...>>, A> {};
template <class F, class I, class... A> struct argument_list;
template <class F, std::size_t... I, class... A>
struct argument_list<F, std::index_sequence<I...>, A...> {
  using type = std::tuple<
      typename argument_at<typename signature<F>::type, I, std::remove_cvref_t<A>>::type...>;
};
/// The tuple of trees that a call of f with arguments A... works on.
template <class F, class... A>
using arguments = typename argument_list<F, std::index_sequence_for<A...>, A...>::type;

/// An argument that is differentiated or carried: a bare C++ number there can only mean an array.
template <class A>
using differentiated =
    std::conditional_t<std::is_arithmetic_v<std::decay_t<A>>, Array, std::decay_t<A>>;

Array abstract(const Spec&, Site);
template <class T, class A> T to_tree(A&& a, Site site) {
  if constexpr (std::is_same_v<std::remove_cvref_t<A>, Spec>)
    return detail::abstract(a, site);
  else if constexpr (std::is_arithmetic_v<std::remove_cvref_t<A>> && std::is_same_v<T, Array>)
    return Array(a, site);
  else
    return static_cast<A&&>(a);
}
/// The arguments as trees, moved from rvalues.
template <class Args, class... A> Args pack(Site site, A&&... a) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return Args(detail::to_tree<std::tuple_element_t<I, Args>>(static_cast<A&&>(a), site)...);
  }(std::index_sequence_for<A...>());
}

/// A transform's result is never asked whether it is invocable: its operator() deduces its type, so
/// the question itself would be the error.
template <class F, class... T>
concept CallableWith = Sited<F> || Reduction<F, T...> || std::is_invocable_v<const F&, T...>;

template <class F, class Args> struct call_of;
template <class F, class... T> struct call_of<F, std::tuple<T...>> {
  static constexpr bool fine = CallableWith<F, T...>;
  static consteval void check() {
    if constexpr (!fine) {
      constexpr bool is_mutable = std::is_invocable_v<F&, T...>,
                     by_reference = std::is_invocable_v<const F&, T&...>;
      static_assert(
          !is_mutable,
          "fluxion: a function to be transformed must be callable as const: drop `mutable`");
      static_assert(!by_reference,
                    "fluxion: a function to be transformed takes its arguments by value or const "
                    "reference, not by non-const reference");
      static_assert(is_mutable || by_reference,
                    "fluxion: the function cannot be called with arguments of these types (a "
                    "library function with an optional parameter needs a lambda)");
    }
  }
  static auto probe() {
    if constexpr (fine)
      return std::type_identity<std::decay_t<decltype(detail::invoke(
          Site(), std::declval<const F&>(), std::declval<T>()...))>>();
    else
      return std::type_identity<Array>();  // check() has said why; anything, so that it is the only
                                           // error
  }
  using result = typename decltype(probe())::type;
};
template <class F, class Args> using result_for = typename call_of<F, Args>::result;
template <class F, class... T> using result = result_for<F, std::tuple<T...>>;

// ---- a user's function as the library sees it ----
struct FlatFunction {
  void* self;
  Flat (*call)(void* self, Flat arguments);
  Site site;
};

template <class F, class Args> struct Tracer {
  using Out = result_for<F, Args>;
  const F& f;
  const Args& like;  // structure and static members of the arguments
  Site site;
  std::optional<Out> out = {};  // the structure and static members of the result
  FlatFunction flat() { return {this, &Tracer::run, site}; }
  Out finish(Flat arrays) const { return detail::rebuild(*out, std::move(arrays)); }
  static Flat run(void* p, Flat in) {
    call_of<F, Args>::check();
    Flat result;
    if constexpr (call_of<F, Args>::fine) {
      auto& self = *static_cast<Tracer*>(p);
      Args args = detail::rebuild(self.like, std::move(in));
      self.out.emplace(std::apply(
          [&](auto&... a) -> Out { return detail::invoke(self.site, self.f, std::move(a)...); },
          args));
      Take take{result};
      detail::walk(*self.out, take);  // the arrays move out: the skeleton stays
    }
    return result;
  }
};
template <class Args, class F>
Tracer<F, Args> make_tracer(const F& f, const Args& like, Site site) {
  return {f, like, site};
}
}  // namespace fluxion::detail
