// Hand tracking: by how much the 26 numbers of a hand's pose move the errors of the points that
// were measured on it.
#pragma once
#include "bench/races/numbers.hpp"

#include <array>
#include <utility>

namespace fluxion::races {

/// A rigid motion: [rotation, translation].
using Motion = std::array<std::array<double, 4>, 3>;

/// A wrist, four bones for each of five fingers, a forearm; the skin's vertices follow them by
/// weights.
inline constexpr std::int64_t hand_fingers = 5, hand_bones = 4 * hand_fingers + 2,
                              pose_numbers = 6 + 4 * hand_fingers;

struct HandData {
  std::int64_t vertices, measured;
  std::vector<std::int32_t> parents;    // of bones; -1: none
  std::vector<Motion> relative;         // bones at rest, in their parents' frames
  std::vector<Motion> inverse;          // of bones at rest, in the hand's frame
  std::vector<double> base, weights;    // [4, vertices], [bones, vertices]
  std::vector<std::int32_t> vertex_of;  // of measured points
  std::vector<double> points;           // [measured, 3]
  std::vector<double> pose;             // rotation, translation, 4 angles for each finger
};

HandData hand_data(std::int64_t vertices, std::int64_t measured);

/// b after a.
Motion composed(const Motion& a, const Motion& b);

struct HandModel {
  std::vector<int> parents;
  Array relative, inverse, base, weights;  // [bones, 4, 4] twice, as above twice
};
struct Measured {
  Array vertex_of, points;
};

HandModel hand_model(const HandData& data);
inline Measured measured(const HandData& data) {
  return {array_of(data.vertex_of, {data.measured}), array_of(data.points, {data.measured, 3})};
}

/// Which vertices take the pose: ADBench's program poses all, and then looks at those that were
/// measured.
enum class Posed { all, measured };

/// Which number of the pose turns a bone about its x and z axes; pose_numbers: none.
std::vector<std::int32_t> hand_angle_places();

/// Rotations [n, 3, 3] about x, then y, then z, of angles [n, 3] about x, z and y.
inline Array euler_rotations(const Array& angles) {
  const Array c = cos(angles), s = sin(angles);
  const auto column = [](const Array& a, int k) { return a[{all, k}]; };
  const Array cx = column(c, 0), cz = column(c, 1), cy = column(c, 2);
  const Array sx = column(s, 0), sz = column(s, 1), sy = column(s, 2);
  return stack({cz * cy,
                cz * sy * sx - sz * cx,
                cz * sy * cx + sz * sx,
                sz * cy,
                sz * sy * sx + cz * cx,
                sz * sy * cx - cz * sx,
                -sy,
                cy * sx,
                cy * cx},
               1)
      .reshape({-1, 3, 3});
}

/// The rotation [3, 3] by |v| about v.
inline Array axis_rotation(const Array& v) {
  const Array angle = sqrt(sum(square(v))), axis = v / angle;
  const Array x = axis[0], y = axis[1], z = axis[2], o = zeros_like(x);
  const Array cross = stack({o, -z, y, z, o, -x, -y, x, o}).reshape({3, 3});
  return eye(3, float64) * cos(angle) + cross * sin(angle) + outer(axis, axis) * (1 - cos(angle));
}

/// Motions of bones in their parents' frames, in the hand's frame: [bones, 4, 4]. All bones as far
/// from the root at once.
Array absolute_motions(const Array& relative, const std::vector<int>& parents);

/// Positions [3, vertices] of a skin at rest ([4, vertices]) that follows bones by weights.
inline Array posed(const Array& pose,
                   const HandModel& model,
                   const Array& base,
                   const Array& weights) {
  const Array angles = take(
      concatenate({pose, zeros({1}, float64)}), array_of(hand_angle_places(), {hand_bones, 3}), 0);
  const Array turns = pad(euler_rotations(angles), {{0, 0}, {0, 1}, {0, 1}});
  const Array corner = diag(array_of(std::vector<double>{0, 0, 0, 1}, {4}));
  const Array absolute = absolute_motions(matmul(model.relative, turns + corner), model.parents);
  const Array motions = matmul(absolute[{all, slice(0, 3)}], model.inverse);  // [bones, 3, 4]
  const Array rest = expand_dims(weights, 1) * base;  // [bones, 4, vertices]
  const Array skin = tensordot(motions, rest, {0, 2}, {0, 1});
  return matmul(axis_rotation(pose[slice(0, 3)]), skin) + expand_dims(pose[slice(3, 6)], 1);
}

/// The errors [measured, 3] of measured points.
inline Array hand_errors(const Array& pose,
                         const HandModel& model,
                         const Measured& measured,
                         Posed which) {
  const auto seen = [&](const Array& of_vertices) {
    return take(of_vertices, measured.vertex_of, 1);
  };
  const Array skin = which == Posed::all
                         ? seen(posed(pose, model, model.base, model.weights))
                         : posed(pose, model, seen(model.base), seen(model.weights));
  return measured.points - transpose(skin);
}

/// The same and its Jacobian by hand: of the pose's numbers, only those that move a bone.
class HandByHand {
 public:
  HandByHand(HandData data, Posed which);
  void operator()();
  std::vector<double> errors, jacobian;  // [measured, 3], [measured, 3, 26]

 private:
  struct Moved {
    int number, bone;
    Motion by;  // the derivative of the bone's motion
  };
  void move_bones();
  std::array<double, 3> vertex(std::size_t place) const;

  HandData data_;
  Posed which_;
  std::vector<Motion> motions_;
  std::vector<Moved> moved_;
  std::vector<std::array<double, 3>> skin_;
};

}  // namespace fluxion::races
