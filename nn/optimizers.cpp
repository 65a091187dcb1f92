// Learning rates as functions of the step.
#include "fluxion/nn/optimizers.hpp"

#include <cmath>

namespace fluxion::nn {

Schedule Schedule::cosine(double initial, std::int64_t steps, double last) {
  return warmup_cosine(initial, 0, steps, last);
}
Schedule Schedule::warmup_cosine(double peak,
                                 std::int64_t warmup,
                                 std::int64_t steps,
                                 double last) {
  Schedule s(peak);
  s.kind_ = Kind::cosine;
  s.last_ = last;
  s.steps_ = steps;
  s.warmup_ = warmup;
  return s;
}
Schedule Schedule::step_decay(double initial, std::int64_t every, double factor) {
  Schedule s(initial);
  s.kind_ = Kind::step_decay;
  s.steps_ = every;
  s.factor_ = factor;
  return s;
}

Array Schedule::operator()(const Operand& step) const {
  const SiteScope here(step.site());
  const auto first = static_cast<float>(initial_);
  if (kind_ == Kind::constant) return Array(first);
  const Array t = step.array().astype(float32);
  if (kind_ == Kind::step_decay)
    return first * power(static_cast<float>(factor_), floor(t / static_cast<float>(steps_)));
  const auto last = static_cast<float>(last_);
  const Array done = clip((t - static_cast<float>(warmup_)) /
                              static_cast<float>(std::max<std::int64_t>(steps_ - warmup_, 1)),
                          0.f,
                          1.f);
  const Array fall = last + (first - last) * 0.5f * (1 + cos(static_cast<float>(M_PI) * done));
  if (warmup_ == 0) return fall;
  return where(t < static_cast<float>(warmup_), first * t / static_cast<float>(warmup_), fall);
}

Array detail::bias_correction(double beta, const Operand& count) {
  const SiteScope here(count.site());
  return -1 / expm1(count.array().astype(float32) * static_cast<float>(std::log(beta)));
}

}  // namespace fluxion::nn
