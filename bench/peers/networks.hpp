// The networks of the rows, as structs of parameters made from hashed numbers.
#pragma once
#include "bench/peers/rows.hpp"
#include "fluxion/nn.hpp"

#include <cmath>

namespace fluxion::peers {

/// Weights of variance 1 / in.
inline nn::Linear linear(std::uint32_t seed, std::int64_t in, std::int64_t out) {
  return {numbers(seed, {in, out}, static_cast<float>(std::sqrt(3 / static_cast<double>(in)))),
          numbers(seed + 1, {out}, 0.1f)};
}

struct LstmCell {
  Array input, hidden, bias;  // [in, 4 h], [h, 4 h], [4 h]: input, forget, cell and output gates
};

/// All hidden states of the rows of xs, [time, batch, in]; the inputs' products are one product
/// before the loop.
inline Array lstm_states(const Array& xs, const LstmCell& cell) {
  struct State {
    Array h, c;
  };
  const Array zero = zeros({xs.shape()[1], cell.hidden.shape()[0]});
  auto step = [&](State s, Array z) {
    const std::vector<Array> gates = split(z + matmul(s.h, cell.hidden), 4, -1);
    const Array c = sigmoid(gates[1]) * s.c + sigmoid(gates[0]) * tanh(gates[2]);
    const Array h = sigmoid(gates[3]) * tanh(c);
    return std::pair{State{h, c}, h};
  };
  return scan(step, State{zero, zero}, matmul(xs, cell.input) + cell.bias).second;
}

struct Mlp {
  std::vector<nn::Linear> layers;
  Array operator()(Array x) const {
    for (std::size_t i = 0; i + 1 < layers.size(); ++i) x = relu(layers[i](x));
    return layers.back()(x);
  }
};

struct Cnn {
  nn::Conv2d first, second;
  Mlp head;
  nn::MaxPool2d pool = {};
  Array operator()(Array x) const {
    x = pool(relu(second(pool(relu(first(x))))));
    return head(x.reshape({-1, 7 * 7 * 32}));
  }
};

struct LstmClassifier {
  LstmCell cell;
  nn::Linear head;
  Array operator()(Array xs) const { return head(lstm_states(xs, cell)[-1]); }
};

/// A block of a transformer: causal attention, then two layers, each behind a normalization.
struct Block {
  nn::LayerNorm norm1;
  nn::Linear qkv, out;
  nn::LayerNorm norm2;
  nn::Linear up, down;
  std::int64_t heads = 4;
  static Block make(std::uint32_t seed, std::int64_t d) {
    return {nn::LayerNorm::init(d),
            linear(seed, d, 3 * d),
            linear(seed + 2, d, d),
            nn::LayerNorm::init(d),
            linear(seed + 4, d, 4 * d),
            linear(seed + 6, 4 * d, d)};
  }
  Array operator()(Array x) const {
    const std::int64_t batch = x.shape()[0], time = x.shape()[1], d = x.shape()[2];
    std::vector<Array> parts = split(qkv(norm1(x)), 3, -1);
    for (Array& a : parts) a = transpose(a.reshape({batch, time, heads, d / heads}), {0, 2, 1, 3});
    const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(d / heads)));
    const Array scores = matmul(parts[0], swapaxes(parts[1], -1, -2)) * scale;
    const Array past = where(tri(time, time, 0, bool_), scores, -1e9f);
    const Array mixed = transpose(matmul(softmax(past), parts[2]), {0, 2, 1, 3});
    x = x + out(mixed.reshape({batch, time, d}));
    return x + down(gelu(up(norm2(x))));
  }
};

struct Gpt {
  nn::Embedding embed;
  Array position;
  std::vector<Block> blocks;
  nn::LayerNorm norm;
  nn::Linear head;
  Array operator()(Array tokens) const {
    Array x = embed(tokens) + position;
    for (const Block& b : blocks) x = b(x);
    return head(norm(x));
  }
};

}  // namespace fluxion::peers
