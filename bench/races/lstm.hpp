// A recurrent network of characters whose weights are diagonal: each gate of a cell reads one
// number. The gradient of its loss by all weights.
#pragma once
#include "bench/races/numbers.hpp"

#include <utility>

namespace fluxion::races {

/// A layer has weights, then biases, of its forget, input, output and change gates.
struct LstmData {
  std::int64_t layers, characters, bits;
  std::vector<double> weights;   // [layers, 8, bits]
  std::vector<double> ends;      // [3, bits]: input weights, output weights, output biases
  std::vector<double> state;     // [layers, 2, bits]: hidden and cell of each layer
  std::vector<double> sequence;  // [characters, bits], of 0 and 1
};

inline LstmData lstm_data(std::int64_t layers, std::int64_t characters, std::int64_t bits) {
  Numbers numbers(13);
  LstmData data{layers,
                characters,
                bits,
                numbers.many(layers * 8 * bits, -1, 1),
                numbers.many(3 * bits, -1, 1),
                numbers.many(layers * 2 * bits, -1, 1),
                {}};
  for (std::int64_t i = 0; i < characters * bits; ++i) data.sequence.push_back(numbers.below(2));
  return data;
}

struct LstmWeights {
  Array layers, ends;
};
struct LstmInput {
  Array state, sequence;
};

inline LstmWeights lstm_weights(const LstmData& data) {
  return {array_of(data.weights, {data.layers, 8, data.bits}), array_of(data.ends, {3, data.bits})};
}
inline LstmInput lstm_input(const LstmData& data) {
  return {array_of(data.state, {data.layers, 2, data.bits}),
          array_of(data.sequence, {data.characters, data.bits})};
}

/// The hidden states of a layer, [time, bits]. What its gates read of the inputs alone is computed
/// for all times at once.
inline Array lstm_layer(const Array& weights, const Array& state, const Array& inputs) {
  struct State {
    Array hidden, cell;
  };
  struct Gates {
    Array forget, output;
  };
  const auto step = [&](State s, Gates gates) {
    const Array input = sigmoid(s.hidden * weights[1] + weights[5]);
    const Array change = tanh(s.hidden * weights[3] + weights[7]);
    const Array cell = s.cell * gates.forget + input * change;
    const Array hidden = gates.output * tanh(cell);
    return std::pair{State{hidden, cell}, hidden};
  };
  const Gates gates{sigmoid(inputs * weights[0] + weights[4]),
                    sigmoid(inputs * weights[2] + weights[6])};
  return scan(step, State{state[0], state[1]}, gates).second;
}

/// The mean, over characters and bits, of the loss of the next character's prediction.
inline Array lstm_loss(const LstmWeights& weights, const LstmInput& input) {
  const Array wanted = input.sequence[slice(1, {})];
  Array x = input.sequence[slice(0, -1)] * weights.ends[0];
  for (std::int64_t layer = 0; layer < weights.layers.shape()[0]; ++layer)
    x = lstm_layer(weights.layers[layer], input.state[layer], x);
  const Array predicted = x * weights.ends[1] + weights.ends[2];
  const Array normalizer = log(sum(exp(predicted), 1, true) + 2);
  return -mean(wanted * (predicted - normalizer));
}

/// The same and its gradient by hand.
class LstmByHand {
 public:
  explicit LstmByHand(LstmData data);
  double operator()();
  std::vector<double> weights_gradient, ends_gradient;

 private:
  double forward();
  void backward();
  /// What a step of a layer saves for its derivative; each is [bits].
  enum Saved { input, hidden, cell, forget, in, out, change, squashed, saved_rows };
  double* saved(std::int64_t time, std::int64_t layer, Saved row);

  LstmData data_;
  std::vector<double> tape_, last_, probabilities_, state_, hidden_, cell_;
};

}  // namespace fluxion::races
