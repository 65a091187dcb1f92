// Bundle adjustment: by how much cameras, points and weights move the errors of observations. Its
// Jacobian is sparse: two rows of 15 numbers for an observation, and one number for its weight.
#pragma once
#include "bench/races/numbers.hpp"

#include <array>
#include <utility>

namespace fluxion::races {

/// A camera is rotation (angle times axis), center, focal length, principal point and two
/// coefficients of radial distortion.
inline constexpr std::int64_t camera_numbers = 11, observation_numbers = camera_numbers + 3 + 1;

struct BundleData {
  std::int64_t cameras, points, observations;
  std::vector<double> camera, point, weight;      // [cameras, 11], [points, 3], [observations]
  std::vector<std::int32_t> camera_of, point_of;  // of observations
  std::vector<double> feature;                    // [observations, 2]: where it was seen
};

inline BundleData bundle_data(std::int64_t cameras,
                              std::int64_t points,
                              std::int64_t observations) {
  Numbers numbers(12);
  BundleData data{cameras, points, observations, {}, {}, {}, {}, {}, {}};
  for (std::int64_t c = 0; c < cameras; ++c) {
    for (int i = 0; i < 3; ++i) data.camera.push_back(numbers(-0.5, 0.5));
    for (int i = 0; i < 3; ++i) data.camera.push_back(numbers(-1, 1));
    data.camera.push_back(numbers(400, 600));
    for (int i = 0; i < 2; ++i) data.camera.push_back(numbers(-5, 5));
    for (int i = 0; i < 2; ++i) data.camera.push_back(numbers(-0.1, 0.1));
  }
  for (std::int64_t p = 0; p < points; ++p) {
    for (int i = 0; i < 2; ++i) data.point.push_back(numbers(-2, 2));
    data.point.push_back(numbers(6, 10));
  }
  for (std::int64_t o = 0; o < observations; ++o) {
    data.camera_of.push_back(numbers.below(cameras));
    data.point_of.push_back(numbers.below(points));
  }
  data.weight = numbers.many(observations, 0.5, 1.5);
  data.feature = numbers.many(2 * observations, -100, 100);
  return data;
}

struct Bundle {
  Array camera, point, weight, camera_of, point_of, feature;
};

inline Bundle bundle(const BundleData& data) {
  return {array_of(data.camera, {data.cameras, camera_numbers}),
          array_of(data.point, {data.points, 3}),
          array_of(data.weight, {data.observations}),
          array_of(data.camera_of, {data.observations}),
          array_of(data.point_of, {data.observations}),
          array_of(data.feature, {data.observations, 2})};
}

/// x turned by |rotation| about the axis `rotation` (Rodrigues' formula); no angle, no turn.
inline Array rotated(const Array& rotation, const Array& x) {
  const Array square = sum(fluxion::square(rotation)), turns = square > 0;
  const Array angle = sqrt(where(turns, square, 1)), axis = rotation / angle;
  const Array cosine = cos(angle), sine = sin(angle);
  const Array turned = x * cosine + cross(axis, x) * sine + axis * (sum(axis * x) * (1 - cosine));
  return where(turns, turned, x + cross(rotation, x));
}

/// The error of one observation: of its 15 numbers (camera, point, weight), and where it was seen.
inline Array reprojection_error(const Array& numbers, const Array& feature) {
  const auto part = [&](std::int64_t from, std::int64_t to) { return numbers[slice(from, to)]; };
  const Array seen = rotated(part(0, 3), part(11, 14) - part(3, 6));
  const Array flat = seen[slice(0, 2)] / seen[2];
  const Array square = sum(fluxion::square(flat));
  const Array distortion = 1 + numbers[9] * square + numbers[10] * fluxion::square(square);
  return numbers[14] * (flat * distortion * numbers[6] + part(7, 9) - feature);
}

inline Array weight_error(const Array& weight) { return 1 - square(weight); }

/// The blocks [observations, 2, 15] of the reprojection errors' derivatives, and those of the
/// weights' errors.
inline std::pair<Array, Array> bundle_jacobian(const Bundle& b) {
  const Array numbers = concatenate(
      {take(b.camera, b.camera_of, 0), take(b.point, b.point_of, 0), expand_dims(b.weight, 1)}, 1);
  return {vmap(jacrev(reprojection_error))(numbers, b.feature), vmap(grad(weight_error))(b.weight)};
}

/// The same by hand.
class BundleByHand {
 public:
  explicit BundleByHand(BundleData data);
  void operator()();
  std::vector<double> errors_jacobian, weights_jacobian;

 private:
  BundleData data_;
};

}  // namespace fluxion::races
