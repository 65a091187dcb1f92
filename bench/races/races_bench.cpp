// What do derivatives cost beside those that one would write by hand? Four programs of ADBench, in
// float64, each beside plain C++ with its derivative written out.
#include "bench/races/bundle.hpp"
#include "bench/races/gmm.hpp"
#include "bench/races/hand.hpp"
#include "bench/races/lstm.hpp"

#include <benchmark/benchmark.h>

namespace fx = fluxion;
namespace races = fluxion::races;
using fx::Array;

namespace {

/// A jitted function of arrays that are there; all results are awaited.
template <class F, class... A> void run(benchmark::State& state, const F& f, const A&... x) {
  const auto fast = fx::jit(f);
  (fx::eval(x), ...);
  fx::eval(fast(x...));
  for (auto _ : state) fx::eval(fast(x...));
}

template <class ByHand> void run_by_hand(benchmark::State& state, ByHand work) {
  for (auto _ : state) {
    work();
    benchmark::ClobberMemory();
  }
}

races::GmmData gmm_of(const benchmark::State& state) {
  return races::gmm_data(1000, state.range(0), state.range(1));
}
void gmm(benchmark::State& state) {
  const races::GmmData data = gmm_of(state);
  const auto objective = [](races::GmmParameters p, Array points, Array gamma, Array m) {
    return races::gmm_log_posterior(p, points, gamma, m);
  };
  run(state,
      fx::value_and_grad(objective),
      races::gmm_parameters(data),
      races::gmm_points(data),
      Array(data.wishart_gamma),
      Array(data.wishart_m));
}
BENCHMARK(gmm)->Args({10, 25})->Args({64, 50})->UseRealTime()->Unit(benchmark::kMillisecond);

void gmm_by_hand(benchmark::State& state) { run_by_hand(state, races::GmmByHand(gmm_of(state))); }
BENCHMARK(gmm_by_hand)
    ->Args({10, 25})
    ->Args({64, 50})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

const auto bundle_of = [] { return races::bundle_data(49, 7776, 31843); };
void bundle(benchmark::State& state) {
  run(state, races::bundle_jacobian, races::bundle(bundle_of()));
}
BENCHMARK(bundle)->UseRealTime()->Unit(benchmark::kMillisecond);

void bundle_by_hand(benchmark::State& state) {
  run_by_hand(state, races::BundleByHand(bundle_of()));
}
BENCHMARK(bundle_by_hand)->UseRealTime()->Unit(benchmark::kMillisecond);

const auto lstm_of = [] { return races::lstm_data(2, 1024, 14); };
void lstm(benchmark::State& state) {
  const races::LstmData data = lstm_of();
  run(state,
      fx::value_and_grad(races::lstm_loss),
      races::lstm_weights(data),
      races::lstm_input(data));
}
BENCHMARK(lstm)->UseRealTime()->Unit(benchmark::kMillisecond);

void lstm_by_hand(benchmark::State& state) { run_by_hand(state, races::LstmByHand(lstm_of())); }
BENCHMARK(lstm_by_hand)->UseRealTime()->Unit(benchmark::kMillisecond);

const auto hand_of = [] { return races::hand_data(544, 100); };
template <races::Posed which> void hand(benchmark::State& state) {
  const races::HandData data = hand_of();
  const auto errors = [](Array pose, races::HandModel model, races::Measured measured) {
    return races::hand_errors(pose, model, measured, which);
  };
  run(state,
      fx::jacfwd(errors),
      races::array_of(data.pose, {races::pose_numbers}),
      races::hand_model(data),
      races::measured(data));
}
BENCHMARK(hand<races::Posed::all>)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(hand<races::Posed::measured>)->UseRealTime()->Unit(benchmark::kMillisecond);

template <races::Posed which> void hand_by_hand(benchmark::State& state) {
  run_by_hand(state, races::HandByHand(hand_of(), which));
}
BENCHMARK(hand_by_hand<races::Posed::all>)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(hand_by_hand<races::Posed::measured>)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
