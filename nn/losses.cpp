// Losses as compositions of the public operations.
#include "fluxion/nn/losses.hpp"

#include <sstream>

namespace fluxion::nn {
namespace {

void check_labels(const char* who, const Array& logits, const Array& labels, const Site& site) {
  bool fits =
      labels.dtype() >= int8 && labels.dtype() <= uint64 && labels.ndim() + 1 == logits.ndim();
  for (int k = 0; fits && k < labels.ndim(); ++k)
    fits =
        labels.shape()[static_cast<std::size_t>(k)] == logits.shape()[static_cast<std::size_t>(k)];
  if (fits) return;
  std::ostringstream text;
  text << who << ": the labels do not fit the logits\n  | logits "
       << Spec{logits.shape(), logits.dtype()} << "\n  | labels "
       << Spec{labels.shape(), labels.dtype()}
       << "\n  = hint: labels are integers, of the logits' shape without the last axis";
  throw Error("labels", site, text.str());
}

}  // namespace

Array mse(const Operand& prediction, const Operand& target) {
  const SiteScope here(prediction.site());
  return mean(square(prediction.array() - target));
}
Array mae(const Operand& prediction, const Operand& target) {
  const SiteScope here(prediction.site());
  return mean(abs(prediction.array() - target));
}
Array huber(const Operand& prediction, const Operand& target, double delta) {
  const SiteScope here(prediction.site());
  const Array d = abs(prediction.array() - target);
  const Array inside = minimum(d, delta);
  return mean(0.5 * square(inside) + delta * (d - inside));
}
Array softmax_cross_entropy(const Operand& logits, const Operand& labels) {
  const SiteScope here(logits.site());
  const Array x = logits.array(), y = labels.array();
  check_labels("softmax_cross_entropy", x, y, logits.site());
  const std::int64_t classes = x.shape()[static_cast<std::size_t>(x.ndim() - 1)];
  return -mean(sum(where(one_hot(y, classes, bool_), log_softmax(x), 0), -1));
}
Array softmax_cross_entropy_with_probabilities(const Operand& logits, const Operand& target) {
  const SiteScope here(logits.site());
  return -mean(sum(target * log_softmax(logits), -1));
}
Array sigmoid_cross_entropy(const Operand& logits, const Operand& target) {
  const SiteScope here(logits.site());
  const Array x = logits.array(), y = target.array();
  return mean(maximum(x, 0) - x * y + log1p(exp(-abs(x))));
}
Array accuracy(const Operand& logits, const Operand& labels) {
  const SiteScope here(logits.site());
  const Array x = logits.array(), y = labels.array();
  check_labels("accuracy", x, y, logits.site());
  return mean((argmax(x, -1) == y.astype(int32)).astype(float32));
}

}  // namespace fluxion::nn
