// Rows of networks: the first call of a gradient (trace, compile, run), and steps of training.
#include "bench/peers/networks.hpp"
#include "bench/peers/rows.hpp"

#include <memory>

namespace fluxion::peers {
namespace {

template <class Model> Array loss(const Model& m, const Array& x, const Array& y) {
  return nn::softmax_cross_entropy(m(x), y);
}

Work gradient_of_mlp() {
  return work(value_and_grad([](Mlp m, Array x, Array y) { return loss(m, x, y); }),
              Mlp{{linear(1, 64, 128), linear(3, 128, 128), linear(5, 128, 10)}},
              numbers(7, {32, 64}),
              integers(8, {32}, 10));
}

Work gradient_of_200_layers() {
  std::vector<nn::Linear> layers;
  for (std::uint32_t i = 0; i < 200; ++i) layers.push_back(linear(2 * i + 1, 32, 32));
  return work(value_and_grad([](std::vector<nn::Linear> layers, Array x) {
                for (const nn::Linear& layer : layers) x = tanh(layer(x));
                return mean(square(x));
              }),
              layers,
              numbers(0, {8, 32}));
}

Work gradient_of_block() {
  return work(value_and_grad([](Block b, Array x) { return mean(square(b(x))); }),
              Block::make(1, 64),
              numbers(9, {2, 32, 64}));
}

/// Steps of Adam, one a call; the result is the loss before the step.
template <class Model> Work trainer(Model model, Array x, Array y) {
  const auto adam = nn::adam({.learning_rate = 1e-3f});
  auto state = adam.init(model);
  auto step = jit([adam](Model m, nn::AdamState<Model> s, Array x, Array y) {
    auto [value, g] = value_and_grad([&](Model m) { return loss(m, x, y); })(m);
    auto [updates, next] = adam.update(g, s, m);
    return std::tuple{nn::apply_updates(m, updates), next, value};
  });
  auto both =
      std::make_shared<std::pair<Model, nn::AdamState<Model>>>(std::move(model), std::move(state));
  eval(*both);
  const auto call = [=] {
    Array value;
    std::tie(both->first, both->second, value) =
        step(std::move(both->first), std::move(both->second), x, y);
    eval(*both, value);
    return std::vector<Array>{value};
  };
  return {call, 1, [=] { return lower(step, both->first, both->second, x, y).compile().memory(); }};
}

Work train_mlp() {
  return trainer(Mlp{{linear(1, 784, 256), linear(3, 256, 10)}},
                 numbers(7, {128, 784}),
                 integers(8, {128}, 10));
}

Work train_cnn() {
  return trainer(Cnn{{numbers(1, {3, 3, 1, 16}, 0.5f), numbers(2, {16}, 0.1f)},
                     {numbers(3, {3, 3, 16, 32}, 0.15f), numbers(4, {32}, 0.1f)},
                     {{linear(5, 7 * 7 * 32, 128), linear(7, 128, 10)}}},
                 numbers(9, {128, 28, 28, 1}),
                 integers(10, {128}, 10));
}

Work train_lstm() {
  return trainer(
      LstmClassifier{
          {numbers(1, {28, 512}, 0.1f), numbers(2, {128, 512}, 0.08f), numbers(3, {512}, 0.1f)},
          linear(4, 128, 10)},
      numbers(7, {28, 64, 28}),
      integers(8, {64}, 10));
}

Work train_gpt() {
  std::vector<Block> blocks;
  for (std::uint32_t i = 0; i < 4; ++i) blocks.push_back(Block::make(10 + 10 * i, 128));
  return trainer(Gpt{{numbers(1, {256, 128}, 0.1f)},
                     numbers(2, {128, 128}, 0.1f),
                     blocks,
                     nn::LayerNorm::init(128),
                     linear(3, 128, 256)},
                 integers(7, {4, 128}, 256),
                 integers(8, {4, 128}, 256));
}

}  // namespace

void add_network_rows(Rows& rows) {
  rows["first_mlp_grad"] = gradient_of_mlp;
  rows["first_200_layers_grad"] = gradient_of_200_layers;
  rows["first_transformer_grad"] = gradient_of_block;
  rows["train_mlp"] = train_mlp;
  rows["train_cnn"] = train_cnn;
  rows["train_lstm"] = train_lstm;
  rows["train_gpt"] = train_gpt;
}

}  // namespace fluxion::peers
