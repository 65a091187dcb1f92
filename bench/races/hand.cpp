// A hand that is made up, and how it is posed.
#include "bench/races/hand.hpp"

#include <algorithm>

namespace fluxion::races {

Motion composed(const Motion& a, const Motion& b) {
  Motion c{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) {
      for (std::size_t k = 0; k < 3; ++k) c[i][j] += a[i][k] * b[k][j];
      if (j == 3) c[i][j] += a[i][3];
    }
  return c;
}

namespace {

/// [R^T, -R^T t].
Motion inverse_of(const Motion& m) {
  Motion inverse{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 0; k < 3; ++k) {
      inverse[i][k] = m[k][i];
      inverse[i][3] -= m[k][i] * m[k][3];
    }
  return inverse;
}

Motion about_axis(std::size_t axis, double angle) {
  const std::size_t next = (axis + 1) % 3, last = (axis + 2) % 3;
  Motion m{};
  m[axis][axis] = 1;
  m[next][next] = m[last][last] = std::cos(angle);
  m[last][next] = std::sin(angle);
  m[next][last] = -m[last][next];
  return m;
}

Array matrices(const std::vector<Motion>& motions) {
  std::vector<double> all;
  for (const Motion& m : motions) {
    for (const auto& row : m) all.insert(all.end(), row.begin(), row.end());
    all.insert(all.end(), {0, 0, 0, 1});
  }
  return array_of(all, {static_cast<std::int64_t>(motions.size()), 4, 4});
}

}  // namespace

HandData hand_data(std::int64_t vertices, std::int64_t measured) {
  Numbers numbers(14);
  HandData data{vertices, measured, {}, {}, {}, {}, {}, {}, {}, {}};
  std::vector<Motion> rest;
  for (std::int32_t bone = 0; bone < hand_bones; ++bone) {
    const bool of_wrist = bone % 4 == 1;  // a finger's first bone, and the forearm
    data.parents.push_back(bone == 0 ? -1 : of_wrist ? 0 : bone - 1);
    Motion m = about_axis(0, numbers(-0.5, 0.5));
    for (std::size_t axis : {1, 2}) m = composed(m, about_axis(axis, numbers(-0.5, 0.5)));
    for (auto& row : m) row[3] = numbers(-1, 1);
    data.relative.push_back(m);
    const std::int32_t parent = data.parents.back();
    rest.push_back(parent < 0 ? m : composed(rest[static_cast<std::size_t>(parent)], m));
    data.inverse.push_back(inverse_of(rest.back()));
  }
  data.base = numbers.many(3 * vertices, -3, 3);
  data.base.resize(static_cast<std::size_t>(4 * vertices), 1);
  data.weights = numbers.many(hand_bones * vertices, 0, 1);
  for (std::int64_t v = 0; v < vertices; ++v) {
    const auto weight = [&, v](std::int64_t bone) -> double& {
      return data.weights[static_cast<std::size_t>(bone * vertices + v)];
    };
    double total = 0;
    for (std::int64_t bone = 0; bone < hand_bones; ++bone) total += weight(bone);
    for (std::int64_t bone = 0; bone < hand_bones; ++bone) weight(bone) /= total;
  }
  for (std::int64_t m = 0; m < measured; ++m) data.vertex_of.push_back(numbers.below(vertices));
  data.points = numbers.many(3 * measured, -3, 3);
  data.pose = numbers.many(pose_numbers, -1, 1);
  return data;
}

HandModel hand_model(const HandData& data) {
  return {std::vector<int>(data.parents.begin(), data.parents.end()),
          matrices(data.relative),
          matrices(data.inverse),
          array_of(data.base, {4, data.vertices}),
          array_of(data.weights, {hand_bones, data.vertices})};
}

std::vector<std::int32_t> hand_angle_places() {
  std::vector<std::int32_t> places(static_cast<std::size_t>(3 * hand_bones), pose_numbers);
  for (std::int32_t finger = 0; finger < hand_fingers; ++finger) {
    std::int32_t* bone = &places[static_cast<std::size_t>(3 * (4 * finger + 2))];
    const std::int32_t first = 6 + 4 * finger;
    bone[0] = first;
    bone[1] = first + 1;
    bone[3] = first + 2;
    bone[6] = first + 3;
  }
  return places;
}

Array absolute_motions(const Array& relative, const std::vector<int>& parents) {
  const auto bones = static_cast<std::int32_t>(parents.size());
  std::vector<std::int32_t> depth, place;  // of a bone; among those as deep, then among all
  std::vector<std::vector<std::int32_t>> levels;
  for (std::int32_t bone = 0; bone < bones; ++bone) {
    const int parent = parents[static_cast<std::size_t>(bone)];
    depth.push_back(parent < 0 ? 0 : depth[static_cast<std::size_t>(parent)] + 1);
    const auto level = static_cast<std::size_t>(depth.back());
    if (level == levels.size()) levels.emplace_back();
    place.push_back(static_cast<std::int32_t>(levels[level].size()));
    levels[level].push_back(bone);
  }
  const auto index = [](const std::vector<std::int32_t>& numbers) {
    return array_of(numbers, {static_cast<std::int64_t>(numbers.size())});
  };
  std::vector<Array> motions;
  std::vector<std::int32_t> order(parents.size());
  std::int32_t before = 0;
  for (const std::vector<std::int32_t>& level : levels) {
    Array own = take(relative, index(level), 0);
    if (!motions.empty()) {
      std::vector<std::int32_t> above;
      for (std::int32_t bone : level) {
        const auto parent = static_cast<std::size_t>(parents[static_cast<std::size_t>(bone)]);
        above.push_back(place[parent]);
      }
      own = matmul(take(motions.back(), index(above), 0), own);
    }
    motions.push_back(own);
    for (std::int32_t bone : level) order[static_cast<std::size_t>(bone)] = before++;
  }
  return take(concatenate(motions), index(order), 0);
}

}  // namespace fluxion::races
