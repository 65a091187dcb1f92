// A function on one array as a value that compares: a static member of layers.
#pragma once
#include "../fluxion.hpp"

namespace fluxion::nn {

/// A function Array -> Array: a library function, a lambda, a functor. Default-constructed: the
/// identity. Functions compare by address, closures without captures by type, others by identity;
/// so jit knows whether two models are the same program.
class Activation {
 public:
  Activation() = default;
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Activation> &&
             std::is_invocable_r_v<Array, const std::decay_t<F>&, const Array&>)
  Activation(F&& f) : held_(new Held<std::decay_t<F>>(static_cast<F&&>(f))) {}
  Array operator()(const Array& x) const { return held_ ? held_->call(x) : x; }
  friend bool operator==(const Activation& a, const Activation& b) {
    return a.held_.raw() == b.held_.raw() || (a.held_ && b.held_ && a.held_->same(*b.held_));
  }

 private:
  struct Any : detail::Shared {
    virtual Array call(const Array&) const = 0;
    virtual const void* type() const = 0;
    virtual bool same(const Any&) const = 0;
  };
  template <class F> struct Held final : Any {
    F f;
    explicit Held(F g) : f(std::move(g)) {}
    Array call(const Array& x) const override { return f(x); }
    const void* type() const override { return &detail::type_key<F>; }
    bool same(const Any& o) const override {
      if (o.type() != type()) return false;
      if constexpr (std::is_pointer_v<F>)
        return f == static_cast<const Held&>(o).f;
      else
        return std::is_empty_v<F>;
    }
  };
  detail::Ref<const Any> held_;
};

}  // namespace fluxion::nn
