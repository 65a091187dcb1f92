// jit: a function compiled once for each signature of its arguments, and how a call finds its
// program.
#pragma once
#include "programs.hpp"
#include "transforms.hpp"

namespace fluxion {
namespace detail {
struct CacheEntry : Shared {
  const void* types;  // &type_key of the argument types
  Ref<Program> program;
  const CacheEntry* next = nullptr;  // older; never changed once published
  explicit CacheEntry(const void* t) : types(t) {}
};
template <class Out, class Args> struct TypedEntry final : CacheEntry {
  Args like;  // without arrays: only its structure and static members are compared
  std::optional<Out> out;
  explicit TypedEntry(Args l) : CacheEntry(&type_key<Args>), like(std::move(l)) {}
};
/// The programs of one jitted function, newest first. Read without a lock; entries live as long as
/// the cache.
class Cache : public Shared {
 public:
  ~Cache() override;
  const CacheEntry* newest() const { return __atomic_load_n(&newest_, __ATOMIC_ACQUIRE); }
  void add(Ref<CacheEntry>);

 private:
  const CacheEntry* newest_ = nullptr;
};

/// An argument where it lies, or converted to the parameter's type.
template <class T, class A>
using View = std::conditional_t<std::is_same_v<T, std::remove_cvref_t<A>>, const T&, T>;
template <class T, class A> View<T, A> view(A& a, Site site) {
  if constexpr (std::is_same_v<T, std::remove_cvref_t<A>>)
    return a;
  else
    return detail::to_tree<T>(a, site);
}
/// Empties the arrays of an rvalue argument: the program holds the last references, and may write
/// over them.
template <class A, class T> void give(T& a) {
  if constexpr (!std::is_lvalue_reference_v<A> && !std::is_const_v<T> &&
                kind_of<T>() < Kind::pointer) {
    Forget forget;
    detail::walk(a, forget);
  }
}

template <class F> class Jit : public Callable<Jit<F>, F> {
 public:
  Jit(F f, Site site) : f_(std::move(f)), site_(site), cache_(new Cache) {}
  Site site() const { return site_; }
  template <class... A> auto call(Site site, A&&... a) const {
    return run(site, std::type_identity<arguments<F, A...>>(), static_cast<A&&>(a)...);
  }

 private:
  template <class... T, class... A>
  auto run(Site site, std::type_identity<std::tuple<T...>>, A&&... a) const {
    using Args = std::tuple<T...>;
    call_of<F, Args>::check();
    using Out = result_for<F, Args>;
    using Entry = TypedEntry<Out, Args>;
    const std::tuple<View<T, A>...> args(
        detail::view<T>(a, site)...);  // no tree is copied on a hit
    Flat flat;
    flat.reserve(sizeof...(A));
    const std::array<Given, sizeof...(A)> given = std::apply(
        [&](const auto&... each) {
          return std::array<Given, sizeof...(A)>{
              (detail::collect(each, flat), Given{flat.size(), !std::is_lvalue_reference_v<A>})...};
        },
        args);
    if (detail::inside_frame()) {
      const Args like =
          std::apply([](const auto&... each) { return Args(detail::skeleton<T>(each)...); }, args);
      auto tracer = detail::make_tracer(f_, like, site);
      Flat out = detail::run_inside_frame(tracer.flat(), std::move(flat));
      return tracer.finish(std::move(out));
    }
    const Entry* entry = find<Entry>(flat, args, std::index_sequence_for<T...>());
    if (!entry) {
      Ref<Entry> made(new Entry(std::apply(
          [](const auto&... each) { return Args(detail::skeleton<T>(each)...); }, args)));
      auto tracer = detail::make_tracer(f_, made->like, site);
      made->program = detail::compile(tracer.flat(), flat);
      made->out = std::move(tracer.out);
      entry = made.raw();
      cache_->add(Ref<CacheEntry>(made.raw()));
    } else if (detail::checking_jit()) {
      auto tracer = detail::make_tracer(f_, entry->like, site);
      entry->program->check(tracer.flat());
    }
    (detail::give<A>(a), ...);  // only now: a call that was refused has taken nothing
    return detail::rebuild(*entry->out, entry->program->run(std::move(flat), given, site));
  }
  template <class Entry, class Views, std::size_t... I>
  const Entry* find(const Flat& flat, const Views& args, std::index_sequence<I...>) const {
    for (const CacheEntry* e = cache_->newest(); e; e = e->next) {
      if (e->types != &type_key<decltype(Entry::like)>) continue;
      auto& entry = static_cast<const Entry&>(*e);
      if (entry.program->accepts(flat) &&
          (detail::same_structure(std::get<I>(entry.like), std::get<I>(args)) && ...))
        return &entry;
    }
    return nullptr;
  }

  F f_;
  Site site_;
  Ref<Cache> cache_;
};
}  // namespace detail

/// f compiled: traced at the first call with arguments of some types, shapes, dtypes and static
/// members, found again at every other. Captured arrays become hidden inputs as they are at that
/// first call; rvalue arguments give their memory away.
template <class F> auto jit(F f, Site site = Site::current()) {
  return detail::Jit<F>(std::move(f), site);
}
}  // namespace fluxion
