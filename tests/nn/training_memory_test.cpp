// What a step of training needs beside its parameters: hardly more than what is alive at once.
#include "bench/peers/networks.hpp"
#include "fluxion/fluxion.hpp"
#include "tests/support/catch.hpp"

namespace fluxion::peers {
namespace {

nn::Linear zeros_of(std::int64_t in, std::int64_t out) { return {zeros({in, out}), zeros({out})}; }

Block block_of(std::int64_t d) {
  return {nn::LayerNorm::init(d),
          zeros_of(d, 3 * d),
          zeros_of(d, d),
          nn::LayerNorm::init(d),
          zeros_of(d, 4 * d),
          zeros_of(4 * d, d)};
}

/// Of a step of Adam.
template <class Model> Memory memory_of_step(const Model& model, const Array& x, const Array& y) {
  const auto adam = nn::adam({.learning_rate = 1e-3f});
  const auto step = [adam](Model m, nn::AdamState<Model> s, Array x, Array y) {
    auto [value, g] =
        value_and_grad([&](Model m) { return nn::softmax_cross_entropy(m(x), y); })(m);
    auto [updates, next] = adam.update(g, s, m);
    return std::tuple{nn::apply_updates(m, updates), next, value};
  };
  return lower(step, model, adam.init(model), x, y).compile().memory();
}

void check_close_to_bound(const char* network, const Memory& memory) {
  INFO(network << ": " << memory);
  CHECK(memory.alive > 0);
  CHECK(memory.alive <= memory.temporaries);
  const std::size_t bound = memory.peak - memory.temporaries + memory.alive;
  CHECK(static_cast<double>(memory.peak) <= 1.05 * static_cast<double>(bound));
}

}  // namespace

TEST_CASE("a step of training takes at most a twentieth more memory than what is alive at once") {
  const int threads = num_threads();  // each has scratch memory
  set_num_threads(1);
  check_close_to_bound(
      "two layers",
      memory_of_step(
          Mlp{{zeros_of(784, 256), zeros_of(256, 10)}}, zeros({128, 784}), zeros({128}, int32)));
  check_close_to_bound("convolutions",
                       memory_of_step(Cnn{{zeros({3, 3, 1, 16}), zeros({16})},
                                          {zeros({3, 3, 16, 32}), zeros({32})},
                                          {{zeros_of(7 * 7 * 32, 128), zeros_of(128, 10)}}},
                                      zeros({32, 28, 28, 1}),
                                      zeros({32}, int32)));
  check_close_to_bound(
      "a recurrent network",
      memory_of_step(
          LstmClassifier{{zeros({28, 512}), zeros({128, 512}), zeros({512})}, zeros_of(128, 10)},
          zeros({28, 64, 28}),
          zeros({64}, int32)));
  check_close_to_bound(
      "a transformer",
      memory_of_step(Gpt{{zeros({256, 128})},
                         zeros({128, 128}),
                         {block_of(128), block_of(128), block_of(128), block_of(128)},
                         nn::LayerNorm::init(128),
                         zeros_of(128, 256)},
                     zeros({4, 128}, int32),
                     zeros({4, 128}, int32)));
  set_num_threads(threads);
}

}  // namespace fluxion::peers
