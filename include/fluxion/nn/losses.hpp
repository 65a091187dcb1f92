// Losses: what training makes small. Each is the mean over all examples.
#pragma once
#include "../fluxion.hpp"

namespace fluxion::nn {

/// Mean of (prediction - target)^2 over all elements.
Array mse(const Operand& prediction, const Operand& target);
/// Mean of |prediction - target|.
Array mae(const Operand& prediction, const Operand& target);
/// Mean of d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2) (Huber 1964).
Array huber(const Operand& prediction, const Operand& target, double delta = 1);
/// -log softmax(logits)[label], the mean over all examples: logits [..., classes], integer labels
/// [...]. Error "labels" where the shapes or dtypes do not fit.
Array softmax_cross_entropy(const Operand& logits, const Operand& labels);
/// -sum(target * log softmax(logits)), the mean over all examples: targets are probabilities of
/// logits' shape.
Array softmax_cross_entropy_with_probabilities(const Operand& logits, const Operand& target);
/// -(y log sigmoid(x) + (1 - y) log(1 - sigmoid(x))), the mean over all elements, without overflow.
Array sigmoid_cross_entropy(const Operand& logits, const Operand& target);
/// The share of rows whose largest logit is the label; float32.
Array accuracy(const Operand& logits, const Operand& labels);

}  // namespace fluxion::nn
