// The derivatives of the races are those that are written by hand.
#include "bench/races/bundle.hpp"
#include "bench/races/gmm.hpp"
#include "bench/races/hand.hpp"
#include "bench/races/lstm.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

namespace fx = fluxion;
namespace races = fluxion::races;
using fx::Array;

namespace {

/// The largest difference, as a part of the largest number.
double difference(const Array& ours, const std::vector<double>& expected) {
  const std::vector<double> values = ours.to_vector<double>();
  REQUIRE(values.size() == expected.size());
  double most = 0, largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    most = std::max(most, std::abs(values[i] - expected[i]));
    largest = std::max(largest, std::abs(expected[i]));
  }
  REQUIRE(largest > 0);
  return most / largest;
}

constexpr double enough = 1e-10;

}  // namespace

TEST_CASE("the gradient of a mixture of Gaussians is the one by hand") {
  for (auto [points, d, k] : {std::array{20, 3, 4}, std::array{33, 10, 5}, std::array{2, 1, 2}}) {
    const races::GmmData data = races::gmm_data(points, d, k);
    const auto f = fx::jit(fx::value_and_grad(races::gmm_log_posterior));
    const auto [value, gradient] = f(races::gmm_parameters(data),
                                     races::gmm_points(data),
                                     Array(data.wishart_gamma),
                                     Array(data.wishart_m));
    races::GmmByHand by_hand(data);
    CHECK(value.item<double>() == Approx(by_hand()).epsilon(enough));
    CHECK(difference(gradient.alphas, by_hand.alphas_gradient) < enough);
    CHECK(difference(gradient.means, by_hand.means_gradient) < enough);
    CHECK(difference(gradient.factors, by_hand.factors_gradient) < enough);
  }
}

TEST_CASE("the sparse Jacobian of bundle adjustment is the one by hand") {
  races::BundleData data = races::bundle_data(5, 20, 77);
  std::fill(data.camera.begin(), data.camera.begin() + 3, 0);  // does not turn
  const auto [errors, weights] = fx::jit(races::bundle_jacobian)(races::bundle(data));
  races::BundleByHand by_hand(data);
  by_hand();
  CHECK(errors.shape() == fx::Shape{77, 2, races::observation_numbers});
  CHECK(difference(errors, by_hand.errors_jacobian) < enough);
  CHECK(difference(weights, by_hand.weights_jacobian) < enough);
}

TEST_CASE("the gradient of a recurrent network is the one by hand") {
  for (auto [layers, characters, bits] : {std::array{2, 12, 14}, std::array{3, 2, 5}}) {
    const races::LstmData data = races::lstm_data(layers, characters, bits);
    const auto f = fx::jit(fx::value_and_grad(races::lstm_loss));
    const auto [value, gradient] = f(races::lstm_weights(data), races::lstm_input(data));
    races::LstmByHand by_hand(data);
    CHECK(value.item<double>() == Approx(by_hand()).epsilon(enough));
    CHECK(difference(gradient.layers, by_hand.weights_gradient) < enough);
    CHECK(difference(gradient.ends, by_hand.ends_gradient) < enough);
  }
}

TEST_CASE("the Jacobian of a hand's pose is the one by hand, whichever vertices are posed") {
  const races::HandData data = races::hand_data(37, 9);
  for (const races::Posed which : {races::Posed::all, races::Posed::measured}) {
    const auto errors = [which](Array pose, races::HandModel model, races::Measured measured) {
      return races::hand_errors(pose, model, measured, which);
    };
    const Array pose = races::array_of(data.pose, {races::pose_numbers});
    const races::HandModel model = races::hand_model(data);
    const races::Measured measured = races::measured(data);
    races::HandByHand by_hand(data, which);
    by_hand();
    CHECK(difference(errors(pose, model, measured), by_hand.errors) < enough);
    CHECK(difference(fx::jit(fx::jacfwd(errors))(pose, model, measured), by_hand.jacobian) <
          enough);
  }
}
