// Optimizers: gradients and a state in, updates and the next state out; nothing is hidden, nothing
// changes in place.
#pragma once
#include "../fluxion.hpp"

namespace fluxion::nn {

/// A learning rate: a constant, or a function of the step (counted from 0).
class Schedule {
 public:
  Schedule(double value) : initial_(value) {}  // double: `{.learning_rate = lr}` never narrows
  /// The rate at a step: an integer array of shape (); the result is float32.
  Array operator()(const Operand& step) const;

  /// Half a cosine from `initial` to `last` over `steps`, `last` after that (Loshchilov and Hutter
  /// 2016).
  static Schedule cosine(double initial, std::int64_t steps, double last = 0);
  /// From 0 to `peak` in a line over `warmup` steps, then half a cosine to `last` at `steps`.
  static Schedule warmup_cosine(double peak,
                                std::int64_t warmup,
                                std::int64_t steps,
                                double last = 0);
  /// initial * factor^(step / every), the quotient truncated.
  static Schedule step_decay(double initial, std::int64_t every, double factor);
  friend bool operator==(const Schedule&, const Schedule&) = default;

 private:
  enum class Kind { constant, cosine, step_decay };
  Kind kind_ = Kind::constant;
  double initial_ = 0, last_ = 0, factor_ = 1;
  std::int64_t steps_ = 0, warmup_ = 0;
};

template <class Tree> struct SgdState {
  Array count;
  std::optional<Tree> velocity;  // with momentum
};
struct SgdOptions {
  Schedule learning_rate = 1e-2;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;  // added to the gradient
};
/// v = momentum v + g; update -rate v, with Nesterov's look-ahead -rate (g + momentum v) (Sutskever
/// et al. 2013).
class Sgd {
 public:
  explicit Sgd(SgdOptions o) : options_(std::move(o)) {}
  template <class Tree> SgdState<Tree> init(const Tree& params) const {
    SgdState<Tree> s{Array(std::int32_t{0}), std::nullopt};
    if (options_.momentum != 0)
      s.velocity = tree_map([](const Array& p) { return zeros_like(p); }, params);
    return s;
  }
  template <class Tree>
  std::pair<Tree, SgdState<Tree>> update(const Tree& grads,
                                         const SgdState<Tree>& state,
                                         const Tree& params) const {
    const Array rate = options_.learning_rate(state.count);
    const double mu = options_.momentum;
    Tree g = grads;
    if (options_.weight_decay != 0)
      g = tree_map([&](const Array& d, const Array& p) { return d + options_.weight_decay * p; },
                   grads,
                   params);
    SgdState<Tree> next{state.count + 1, std::nullopt};
    Tree step = g;
    if (state.velocity) {
      next.velocity =
          tree_map([&](const Array& v, const Array& d) { return mu * v + d; }, *state.velocity, g);
      step =
          options_.nesterov
              ? tree_map(
                    [&](const Array& d, const Array& v) { return d + mu * v; }, g, *next.velocity)
              : *next.velocity;
    }
    return {tree_map([&](const Array& s) { return -rate.astype(s.dtype()) * s; }, step),
            std::move(next)};
  }

 private:
  SgdOptions options_;
};
inline Sgd sgd(SgdOptions options = {}) { return Sgd(std::move(options)); }
/// With momentum 0.9.
inline Sgd momentum(SgdOptions options = {}) {
  if (options.momentum == 0) options.momentum = 0.9;
  return Sgd(std::move(options));
}

namespace detail {
/// 1 / (1 - beta^count), float32, without the cancellation of 1 - beta^count.
Array bias_correction(double beta, const Operand& count);
}  // namespace detail

template <class Tree> struct AdamState {
  Array count;
  Tree mean, square;
};
struct AdamOptions {
  Schedule learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay =
      0;  // decoupled: adds -rate * weight_decay * p to the update (Loshchilov and Hutter 2019)
};
/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2; update -rate (m / (1 - b1^t)) / (sqrt(v / (1 -
/// b2^t)) + epsilon) (Kingma and Ba 2015, algorithm 1).
class Adam {
 public:
  explicit Adam(AdamOptions o) : options_(std::move(o)) {}
  template <class Tree> AdamState<Tree> init(const Tree& params) const {
    const Tree zero = tree_map([](const Array& p) { return zeros_like(p); }, params);
    return {Array(std::int32_t{0}), zero, zero};
  }
  template <class Tree>
  std::pair<Tree, AdamState<Tree>> update(const Tree& grads,
                                          const AdamState<Tree>& state,
                                          const Tree& params) const {
    const AdamOptions& o = options_;
    const Array count = state.count + 1;
    Tree mean =
        tree_map([&](const Array& m, const Array& g) { return o.beta1 * m + (1 - o.beta1) * g; },
                 state.mean,
                 grads);
    Tree square = tree_map(
        [&](const Array& v, const Array& g) { return o.beta2 * v + (1 - o.beta2) * (g * g); },
        state.square,
        grads);
    const Array rate = o.learning_rate(state.count);
    const Array unbias1 = detail::bias_correction(o.beta1, count),
                unbias2 = detail::bias_correction(o.beta2, count);
    Tree updates = tree_map(
        [&](const Array& m, const Array& v) {
          const DType d = m.dtype();
          return -rate.astype(d) * (m * unbias1.astype(d)) /
                 (fluxion::sqrt(v * unbias2.astype(d)) + o.epsilon);
        },
        mean,
        square);
    if (o.weight_decay != 0)
      updates = tree_map(
          [&](const Array& u, const Array& p) {
            return u - rate.astype(p.dtype()) * (o.weight_decay * p);
          },
          updates,
          params);
    return {std::move(updates), {count, std::move(mean), std::move(square)}};
  }

 private:
  AdamOptions options_;
};
inline Adam adam(AdamOptions options = {}) { return Adam(std::move(options)); }
/// Adam with decoupled weight decay, 1e-2 unless given.
inline Adam adamw(AdamOptions options = {}) {
  if (options.weight_decay == 0) options.weight_decay = 1e-2;
  return Adam(std::move(options));
}

/// params + updates.
template <class Tree> Tree apply_updates(const Tree& params, const Tree& updates) {
  return tree_map([](const Array& p, const Array& u) { return p + u; }, params, updates);
}

/// sqrt of the sum of the squares of all arrays; arrays without a gradient are skipped.
template <class Tree> Array global_norm(const Tree& tree) {
  Array total = 0.f;
  for (const Array& a : tree_leaves(tree))
    if (!fluxion::detail::is_empty(a)) total = total + fluxion::sum(square(a)).astype(float32);
  return fluxion::sqrt(total);
}
/// The gradients, scaled down together so that their global norm is at most `most` (Pascanu et al.
/// 2013).
template <class Tree> Tree clip_by_global_norm(const Tree& grads, double most) {
  const Array scale = minimum(1.f, static_cast<float>(most) / maximum(global_norm(grads), 1e-30f));
  return tree_map([&](const Array& g) { return g * scale.astype(g.dtype()); }, grads);
}

}  // namespace fluxion::nn
