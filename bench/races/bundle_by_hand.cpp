// Bundle adjustment, its Jacobian written by hand.
#include "bench/races/bundle.hpp"

namespace fluxion::races {
namespace {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

double dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vector cross_product(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
/// [v] with [v] y = v x y.
Matrix cross_matrix(const Vector& v) {
  return {{{0, -v[2], v[1]}, {v[2], 0, -v[0]}, {-v[1], v[0], 0}}};
}

struct Rotated {
  Vector value;
  Matrix by_rotation, by_x;
};

/// x turned, and its derivatives.
Rotated rotate(const Vector& rotation, const Vector& x) {
  const double square = dot(rotation, rotation);
  if (square == 0) {
    Rotated r{cross_product(rotation, x), cross_matrix(x), cross_matrix(rotation)};
    for (std::size_t i = 0; i < 3; ++i) {
      r.value[i] += x[i];
      for (double& e : r.by_rotation[i]) e = -e;
      r.by_x[i][i] += 1;
    }
    return r;
  }
  const double angle = std::sqrt(square), inverse = 1 / angle, c = std::cos(angle),
               s = std::sin(angle);
  const Vector w{rotation[0] * inverse, rotation[1] * inverse, rotation[2] * inverse};
  const Vector w_cross_x = cross_product(w, x);
  const double along = dot(w, x), tilt = along * (1 - c);
  const Matrix w_cross = cross_matrix(w), x_cross = cross_matrix(x);
  Rotated r;
  // By the axis: -s [x] + (1 - c) (w x^T + (w . x) I); the axis moves by (I - w w^T) / angle.
  Matrix by_axis;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      by_axis[i][j] = -s * x_cross[i][j] + (1 - c) * w[i] * x[j] + (i == j ? tilt : 0);
      r.by_x[i][j] = s * w_cross[i][j] + (1 - c) * w[i] * w[j] + (i == j ? c : 0);
    }
  for (std::size_t i = 0; i < 3; ++i) {
    r.value[i] = x[i] * c + w_cross_x[i] * s + w[i] * tilt;
    const double by_angle = c * w_cross_x[i] - s * x[i] + s * along * w[i];
    const double off = dot(by_axis[i], w);
    for (std::size_t j = 0; j < 3; ++j)
      r.by_rotation[i][j] = by_angle * w[j] + (by_axis[i][j] - off * w[j]) * inverse;
  }
  return r;
}

/// The derivatives [2][15] of an observation's error.
void observe(const double* camera,
             const double* point,
             double weight,
             const double* feature,
             double* jacobian) {
  const Vector from{point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]};
  const Rotated seen = rotate({camera[0], camera[1], camera[2]}, from);
  const double depth = 1 / seen.value[2], flat[2] = {seen.value[0] * depth, seen.value[1] * depth};
  const double square = flat[0] * flat[0] + flat[1] * flat[1];
  const double focal = camera[6],
               distortion = 1 + camera[9] * square + camera[10] * square * square;
  const double bend = 2 * camera[9] + 4 * camera[10] * square, scale = weight * focal;
  for (std::size_t i = 0; i < 2; ++i) {
    double* row = jacobian + observation_numbers * static_cast<std::int64_t>(i);
    const double by_flat[2] = {bend * flat[i] * flat[0] + (i == 0 ? distortion : 0),
                               bend * flat[i] * flat[1] + (i == 1 ? distortion : 0)};
    const Vector by_seen{by_flat[0] * depth,
                         by_flat[1] * depth,
                         -(by_flat[0] * flat[0] + by_flat[1] * flat[1]) * depth};
    for (std::size_t j = 0; j < 3; ++j) {
      double by_rotation = 0, by_from = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        by_rotation += by_seen[k] * seen.by_rotation[k][j];
        by_from += by_seen[k] * seen.by_x[k][j];
      }
      row[j] = scale * by_rotation;
      row[3 + j] = -scale * by_from;
      row[11 + j] = scale * by_from;
    }
    const double distorted = flat[i] * distortion;
    row[6] = weight * distorted;
    row[7] = i == 0 ? weight : 0;
    row[8] = i == 1 ? weight : 0;
    row[9] = scale * flat[i] * square;
    row[10] = scale * flat[i] * square * square;
    row[14] = distorted * focal + camera[7 + i] - feature[i];
  }
}

}  // namespace

BundleByHand::BundleByHand(BundleData data)
    : errors_jacobian(static_cast<std::size_t>(2 * observation_numbers * data.observations)),
      weights_jacobian(static_cast<std::size_t>(data.observations)),
      data_(std::move(data)) {}

void BundleByHand::operator()() {
  for (std::size_t o = 0; o < data_.weight.size(); ++o) {
    const auto camera = static_cast<std::size_t>(camera_numbers * data_.camera_of[o]);
    const auto point = static_cast<std::size_t>(3 * data_.point_of[o]);
    observe(&data_.camera[camera],
            &data_.point[point],
            data_.weight[o],
            &data_.feature[2 * o],
            &errors_jacobian[2 * observation_numbers * o]);
    weights_jacobian[o] = -2 * data_.weight[o];
  }
}

}  // namespace fluxion::races
