// Hand tracking, its Jacobian written by hand.
#include "bench/races/hand.hpp"

namespace fluxion::races {
namespace {

using Vector = std::array<double, 3>;

/// A rotation about x, y and z, and its derivatives by the angles about x and z; the motions stand
/// still in their last column.
struct Turn {
  Motion value, by_x, by_z;
};

Turn turn(double tx, double tz, double ty) {
  const double cx = std::cos(tx), sx = std::sin(tx), cy = std::cos(ty), sy = std::sin(ty),
               cz = std::cos(tz), sz = std::sin(tz);
  return {{{{cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx, 0},
            {sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx, 0},
            {-sy, cy * sx, cy * cx, 0}}},
          {{{0, cz * sy * cx + sz * sx, -cz * sy * sx + sz * cx, 0},
            {0, sz * sy * cx - cz * sx, -sz * sy * sx - cz * cx, 0},
            {0, cy * cx, -cy * sx, 0}}},
          {{{-sz * cy, -sz * sy * sx - cz * cx, -sz * sy * cx + cz * sx, 0},
            {cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx, 0},
            {0, 0, 0, 0}}}};
}

/// The product of a motion's derivative, whose last row is 0, and a motion.
Motion moved_further(const Motion& derivative, const Motion& motion) {
  Motion c{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) {
      for (std::size_t k = 0; k < 3; ++k) c[i][j] += derivative[i][k] * motion[k][j];
      if (j == 3) c[i][j] += derivative[i][3];
    }
  return c;
}
/// The product of a motion and of a motion's derivative.
Motion moved_before(const Motion& motion, const Motion& derivative) {
  Motion c{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t k = 0; k < 3; ++k) c[i][j] += motion[i][k] * derivative[k][j];
  return c;
}

Vector turned(const Motion& m, const Vector& v) {
  Vector r{};
  for (std::size_t i = 0; i < 3; ++i) r[i] = m[i][0] * v[0] + m[i][1] * v[1] + m[i][2] * v[2];
  return r;
}

struct AxisTurn {
  Motion value{};
  std::array<Motion, 3> by{};
};

/// The rotation by |v| about v, and its derivatives by v.
AxisTurn axis_turn(const double* v) {
  const double angle = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]), c = std::cos(angle),
               s = std::sin(angle);
  const Vector w{v[0] / angle, v[1] / angle, v[2] / angle};
  const auto cross = [](const Vector& a) {
    return std::array<Vector, 3>{{{0, -a[2], a[1]}, {a[2], 0, -a[0]}, {-a[1], a[0], 0}}};
  };
  AxisTurn r;
  const auto w_cross = cross(w);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      r.value[i][j] = (i == j ? c : 0) + w_cross[i][j] * s + w[i] * w[j] * (1 - c);
  for (std::size_t k = 0; k < 3; ++k) {
    Vector dw;
    for (std::size_t i = 0; i < 3; ++i) dw[i] = ((i == k ? 1 : 0) - w[i] * w[k]) / angle;
    const auto dw_cross = cross(dw);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j)
        r.by[k][i][j] = w[k] * ((i == j ? -s : 0) + w_cross[i][j] * c + w[i] * w[j] * s) +
                        dw_cross[i][j] * s + (dw[i] * w[j] + w[i] * dw[j]) * (1 - c);
  }
  return r;
}

}  // namespace

HandByHand::HandByHand(HandData data, Posed which)
    : errors(static_cast<std::size_t>(3 * data.measured)),
      jacobian(errors.size() * pose_numbers),
      data_(std::move(data)),
      which_(which),
      motions_(data_.relative.size()),
      skin_(static_cast<std::size_t>(data_.vertices)) {}

/// The motions of all bones, and the derivatives of those that a number of the pose moves.
void HandByHand::move_bones() {
  const std::vector<std::int32_t> places = hand_angle_places();
  const auto angle = [&](std::int32_t place) {
    return place < pose_numbers ? data_.pose[static_cast<std::size_t>(place)] : 0.0;
  };
  moved_.clear();
  std::size_t begins[hand_bones + 1];  // of a bone's derivatives
  for (std::size_t bone = 0; bone < hand_bones; ++bone) {
    const std::int32_t* place = &places[3 * bone];
    const Turn t = turn(angle(place[0]), angle(place[1]), angle(place[2]));
    const Motion relative = composed(data_.relative[bone], t.value);
    const std::int32_t parent = data_.parents[bone];
    begins[bone] = moved_.size();
    Motion rest = data_.relative[bone];
    if (parent >= 0) {
      const auto above = static_cast<std::size_t>(parent);
      motions_[bone] = composed(motions_[above], relative);
      rest = composed(motions_[above], rest);
      for (std::size_t k = begins[above]; k < begins[above + 1]; ++k)
        moved_.push_back(
            {moved_[k].number, static_cast<int>(bone), moved_further(moved_[k].by, relative)});
    } else {
      motions_[bone] = relative;
    }
    if (place[0] < pose_numbers)
      moved_.push_back({place[0], static_cast<int>(bone), moved_before(rest, t.by_x)});
    if (place[1] < pose_numbers)
      moved_.push_back({place[1], static_cast<int>(bone), moved_before(rest, t.by_z)});
    begins[bone + 1] = moved_.size();
  }
  for (Moved& m : moved_)
    m.by = moved_further(m.by, data_.inverse[static_cast<std::size_t>(m.bone)]);
  for (std::size_t bone = 0; bone < hand_bones; ++bone)
    motions_[bone] = composed(motions_[bone], data_.inverse[bone]);
}

/// Where the bones bring a vertex.
Vector HandByHand::vertex(std::size_t place) const {
  const auto vertices = static_cast<std::size_t>(data_.vertices);
  Vector sum{};
  for (std::size_t bone = 0; bone < hand_bones; ++bone) {
    const Motion& m = motions_[bone];
    const double weight = data_.weights[bone * vertices + place];
    for (std::size_t i = 0; i < 3; ++i) {
      double coordinate = m[i][3];
      for (std::size_t k = 0; k < 3; ++k) coordinate += m[i][k] * data_.base[k * vertices + place];
      sum[i] += weight * coordinate;
    }
  }
  return sum;
}

void HandByHand::operator()() {
  const auto vertices = static_cast<std::size_t>(data_.vertices);
  move_bones();
  const AxisTurn global = axis_turn(data_.pose.data());
  if (which_ == Posed::all)
    for (std::size_t v = 0; v < vertices; ++v) skin_[v] = vertex(v);
  for (std::size_t p = 0; p < data_.vertex_of.size(); ++p) {
    const auto v = static_cast<std::size_t>(data_.vertex_of[p]);
    const Vector local = which_ == Posed::all ? skin_[v] : vertex(v),
                 seen = turned(global.value, local);
    double* rows = &jacobian[3 * pose_numbers * p];
    const auto set = [&](std::size_t number, const Vector& d) {
      for (std::size_t i = 0; i < 3; ++i) rows[i * pose_numbers + number] = -d[i];
    };
    for (std::size_t i = 0; i < 3; ++i)
      errors[3 * p + i] = data_.points[3 * p + i] - seen[i] - data_.pose[3 + i];
    for (std::size_t k = 0; k < 3; ++k) {
      set(k, turned(global.by[k], local));
      Vector unit{};
      unit[k] = 1;
      set(3 + k, unit);
    }
    std::array<Vector, pose_numbers> d{};
    for (const Moved& m : moved_) {
      const double weight = data_.weights[static_cast<std::size_t>(m.bone) * vertices + v];
      for (std::size_t i = 0; i < 3; ++i) {
        double coordinate = m.by[i][3];
        for (std::size_t k = 0; k < 3; ++k) coordinate += m.by[i][k] * data_.base[k * vertices + v];
        d[static_cast<std::size_t>(m.number)][i] += weight * coordinate;
      }
    }
    for (std::size_t number = 6; number < pose_numbers; ++number)
      set(number, turned(global.value, d[number]));
  }
}

}  // namespace fluxion::races
