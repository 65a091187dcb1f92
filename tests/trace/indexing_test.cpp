// Reading and updating parts of arrays: slices, positions, arrays of positions, as NumPy has them.
#include "tests/support/values.hpp"

namespace fx = fluxion;
using namespace fluxion::test;
using fx::all;
using fx::Array;
using fx::ellipsis;
using fx::newaxis;
using fx::slice;

namespace {

/// 0, 1, 2, ... in a shape.
Array counted(const fx::Shape& shape) {
  std::int64_t n = 1;
  for (auto s : shape) n *= s;
  return fx::arange(n, fx::float32).reshape(shape);
}

}  // namespace

TEST_CASE("positions take away an axis, and count from the end where negative") {
  const Array x = counted({3, 4});
  check_array(x[1], {4}, {4, 5, 6, 7});
  check_array(x[-1], {4}, {8, 9, 10, 11});
  check_array(x[{1, 2}], {}, {6});
  check_array(x[{-3, -4}], {}, {0});
  check_array(x[{all, 2}], {3}, {2, 6, 10});
  check_array(x[2][3], {}, {11});
  CHECK(x[{0, 1}].item<float>() == 1);
}

TEST_CASE("slices have Python's meaning, with steps of either sign and bounds outside") {
  const Array x = counted({6});
  check_array(x[slice(1, 4)], {3}, {1, 2, 3});
  check_array(x[slice({}, -1)], {5}, {0, 1, 2, 3, 4});
  check_array(x[slice(-2, {})], {2}, {4, 5});
  check_array(x[slice(0, {}, 2)], {3}, {0, 2, 4});
  check_array(x[slice(1, {}, 3)], {2}, {1, 4});
  check_array(x[slice({}, {}, -1)], {6}, {5, 4, 3, 2, 1, 0});
  check_array(x[slice(4, 0, -2)], {2}, {4, 2});
  check_array(x[slice({}, {}, -4)], {2}, {5, 1});
  check_array(x[slice(10, 20)], {0}, {});
  check_array(x[slice(4, 2)], {0}, {});
  check_array(x[slice(-100, 100)], {6}, {0, 1, 2, 3, 4, 5});
  check_array(x[slice(100, -100, -3)], {2}, {5, 2});
  check_array(counted({2, 3})[{slice({}, {}, -1), slice({}, {}, -1)}], {2, 3}, {5, 4, 3, 2, 1, 0});
}

TEST_CASE("ellipsis stands for the axes not named, newaxis makes one") {
  const Array x = counted({2, 3, 4});
  check_array(x[{ellipsis, 0}], {2, 3}, {0, 4, 8, 12, 16, 20});
  check_array(x[{1, ellipsis, slice(0, 2)}], {3, 2}, {12, 13, 16, 17, 20, 21});
  CHECK(x[ellipsis].shape() == fx::Shape({2, 3, 4}));
  CHECK(x[newaxis].shape() == fx::Shape({1, 2, 3, 4}));
  CHECK(x[{ellipsis, newaxis}].shape() == fx::Shape({2, 3, 4, 1}));
  CHECK(x[{all, newaxis, 1, newaxis}].shape() == fx::Shape({2, 1, 1, 4}));
  CHECK(Array(3.f)[newaxis].shape() == fx::Shape({1}));
  CHECK(Array(3.f)[ellipsis].shape() == fx::Shape({}));
}

TEST_CASE("an array of positions puts its axes where the axis was") {
  const Array x = counted({3, 4});
  check_array(x[fx::array({2, 0})], {2, 4}, {8, 9, 10, 11, 0, 1, 2, 3});
  check_array(
      x[{all, fx::array({{0, 1}, {3, -1}})}], {3, 2, 2}, {0, 1, 3, 3, 4, 5, 7, 7, 8, 9, 11, 11});
  check_array(x[Array(1)], {4}, {4, 5, 6, 7});
  check_array(x[fx::array({std::uint8_t{1}})], {1, 4}, {4, 5, 6, 7});
  check_array(x[{slice({}, {}, -1), fx::array({0, 2})}], {3, 2}, {8, 10, 4, 6, 0, 2});
  CHECK(x[fx::zeros({0}, fx::int32)].shape() == fx::Shape({0, 4}));
}

TEST_CASE("several arrays of positions go together, and stand first where they are apart") {
  const Array x = counted({3, 4});
  check_array(x[{fx::array({0, 2}), fx::array({1, 3})}], {2}, {1, 11});
  check_array(x[{fx::array({{0}, {2}}), fx::array({1, 3})}], {2, 2}, {1, 3, 9, 11});
  const Array y = counted({2, 3, 4});
  check_array(y[{0, fx::array({2, 0})}], {2, 4}, {8, 9, 10, 11, 0, 1, 2, 3});
  check_array(y[{all, fx::array({2, 0}), 1}], {2, 2}, {9, 1, 21, 13});
  // NumPy: y[[0, 1], :, [3, 0]] has shape (2, 3)
  check_array(y[{fx::array({0, 1}), all, fx::array({3, 0})}], {2, 3}, {3, 7, 11, 12, 16, 20});
  // and y[0, :, [3, 0]] counts the position as an array: shape (2, 3)
  check_array(y[{0, all, fx::array({3, 0})}], {2, 3}, {3, 7, 11, 0, 4, 8});
  CHECK(y[{fx::array({0, 1}), newaxis, all, 0}].shape() == fx::Shape({2, 1, 3}));
}

TEST_CASE("positions in arrays that lie outside are moved inside") {
  const Array x = counted({4});
  check_array(x[fx::array({-1, -4, -9, 3, 9})], {5}, {3, 0, 0, 3, 3});
}

TEST_CASE("updates give a new array") {
  const Array x = counted({2, 3});
  check_array(x.at({0, slice(0, 2)}).set(7), {2, 3}, {7, 7, 2, 3, 4, 5});
  check_array(x, {2, 3}, {0, 1, 2, 3, 4, 5});
  check_array(x.at(1).set(fx::array({9.f, 8.f, 7.f})), {2, 3}, {0, 1, 2, 9, 8, 7});
  check_array(x.at({all, -1}).add(10), {2, 3}, {0, 1, 12, 3, 4, 15});
  check_array(x.at({ellipsis, 1}).multiply(fx::array({2.f, 3.f})), {2, 3}, {0, 2, 2, 3, 12, 5});
  check_array(x.at({0, 0}).set(5), {2, 3}, {5, 1, 2, 3, 4, 5});
  check_array(x.at(0).min(1), {2, 3}, {0, 1, 1, 3, 4, 5});
  check_array(x.at(0).max(1), {2, 3}, {1, 1, 2, 3, 4, 5});
  check_array(x.at(all).set(0), {2, 3}, {0, 0, 0, 0, 0, 0});
  check_array(x.at(slice(5, 9)).set(0), {2, 3}, {0, 1, 2, 3, 4, 5});
  check_array(x.at({1, slice({}, {}, 2)}).get(), {2}, {3, 5});
}

TEST_CASE("updates reach strided and reversed slices") {
  const Array x = counted({6});
  check_array(x.at(slice(0, {}, 2)).set(-1), {6}, {-1, 1, -1, 3, -1, 5});
  check_array(x.at(slice({}, {}, -1)).set(x), {6}, {5, 4, 3, 2, 1, 0});
  check_array(x.at(slice(4, 0, -2)).add(fx::array({100.f, 200.f})), {6}, {0, 1, 202, 3, 104, 5});
  check_array(x.at(slice(1, {}, 3)).multiply(10), {6}, {0, 10, 2, 3, 40, 5});
  check_array(counted({2, 3}).at({newaxis, 0, slice(0, 2)}).set(fx::array({{8.f, 9.f}})),
              {2, 3},
              {8, 9, 2, 3, 4, 5});
}

TEST_CASE("updates at arrays of positions combine what meets, and drop what is outside") {
  const Array x = counted({5});
  const Array i = fx::array({1, 1, 3});
  check_array(x.at(i).add(10), {5}, {0, 21, 2, 13, 4});
  check_array(x.at(i).set(fx::array({7.f, 8.f, 9.f})), {5}, {0, 8, 2, 9, 4});
  check_array(x.at(i).multiply(2), {5}, {0, 4, 2, 6, 4});
  check_array(x.at(i).max(2), {5}, {0, 2, 2, 3, 4});
  check_array(x.at(i).min(2), {5}, {0, 1, 2, 2, 4});
  check_array(x.at(fx::array({-1, 7, -9})).set(0), {5}, {0, 1, 2, 3, 0});
  const Array y = counted({3, 4});
  check_array(y.at({fx::array({0, 2}), fx::array({1, 3})}).set(-1),
              {3, 4},
              {0, -1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1});
  check_array(y.at({fx::array({2, 0}), slice(1, 3)}).set(fx::array({{-1.f, -2.f}, {-3.f, -4.f}})),
              {3, 4},
              {0, -3, -4, 3, 4, 5, 6, 7, 8, -1, -2, 11});
  check_array(y.at({slice({}, {}, -2), fx::array({0, 0})}).add(1),
              {3, 4},
              {2, 1, 2, 3, 4, 5, 6, 7, 10, 9, 10, 11});
  check_array(y.at({1, fx::array({3, 0})}).set(fx::array({-1.f, -2.f})),
              {3, 4},
              {0, 1, 2, 3, -2, 5, 6, -1, 8, 9, 10, 11});
  check_array(counted({2, 2, 2}).at({fx::array({0, 1}), all, 1}).set(0),
              {2, 2, 2},
              {0, 0, 2, 0, 4, 0, 6, 0});
  CHECK(y.at({newaxis, fx::array({0}), all}).set(fx::zeros({1, 1, 4})).shape() ==
        fx::Shape({3, 4}));
}

TEST_CASE("take, take_along_axis and one_hot") {
  const Array x = counted({2, 3});
  check_array(fx::take(x, fx::array({5, 0, -1})), {3}, {5, 0, 5});
  check_array(fx::take(x, fx::array({2, 0}), 1), {2, 2}, {2, 0, 5, 3});
  check_array(fx::take(x, 1, 0), {3}, {3, 4, 5});
  check_array(fx::take_along_axis(x, fx::array({{2, 0}, {1, 1}}), 1), {2, 2}, {2, 0, 4, 4});
  check_array(fx::take_along_axis(x, fx::array({{1, 0, 1}}), 0), {1, 3}, {3, 1, 5});
  check_array(fx::take_along_axis(x, fx::argmax(x, -1, true), -1), {2, 1}, {2, 5});
  check_array(
      fx::one_hot(fx::array({1, 0, 3, -1}), 3), {4, 3}, {0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(fx::one_hot(2, 4, fx::int32).dtype() == fx::int32);
}

TEST_CASE("dynamic slices are moved so that they fit") {
  const Array x = counted({3, 4});
  check_array(fx::lax::dynamic_slice(x, {1, 2}, {2, 2}), {2, 2}, {6, 7, 10, 11});
  check_array(fx::lax::dynamic_slice(x, {5, 3}, {2, 2}), {2, 2}, {6, 7, 10, 11});
  check_array(fx::lax::dynamic_slice(x, {-1, -4}, {1, 4}), {1, 4}, {8, 9, 10, 11});
  check_array(fx::lax::dynamic_update_slice(x, fx::array({{-1.f, -2.f}}), {9, 1}),
              {3, 4},
              {0, 1, 2, 3, 4, 5, 6, 7, 8, -1, -2, 11});
}

TEST_CASE("gradients of reading and updating go to the right elements") {
  const Array x = counted({4});
  check_array(
      fx::grad([](Array v) { return fx::sum(v[slice(1, {}, 2)] * 3); })(x), {4}, {0, 3, 0, 3});
  check_array(
      fx::grad([](Array v) { return fx::sum(v[fx::array({1, 1, -1})]); })(x), {4}, {0, 2, 0, 1});
  check_array(fx::grad([](Array v) { return fx::sum(v.at(slice(0, 2)).set(0) * 5); })(x),
              {4},
              {0, 0, 5, 5});
  check_array(
      fx::grad([](Array v) {
        return fx::sum(fx::zeros({4}).at(slice({}, {}, -2)).set(v) * fx::arange(4, fx::float32));
      })(fx::ones({2})),
      {2},
      {3, 1});
  check_array(
      fx::grad([](Array v) {
        return fx::sum(fx::zeros({4}).at(fx::array({2, 0})).add(v) * fx::arange(4, fx::float32));
      })(fx::ones({2})),
      {2},
      {2, 0});
}

TEST_CASE("indices that cannot be are refused at the user's line with what is there") {
  const Array x = counted({3, 4});
  CHECK(refusal([&] { x[7]; }) ==
        "error[index]: []: position 7 is outside axis 0 of size 3\n  | x f32[3,4]\n  = hint: "
        "positions count from 0 to 2, or from -3 to -1");
  CHECK(refusal([&] { x[{0, -5}]; }) ==
        "error[index]: []: position -5 is outside axis 1 of size 4\n  | x f32[3,4]\n  = hint: "
        "positions count from 0 to 3, or from -4 to -1");
  CHECK(refusal([&] { x[{0, 0, 0}]; }) ==
        "error[index]: []: 3 indices for an array of 2 axes\n  | x f32[3,4]");
  CHECK(refusal([&] { x[{ellipsis, ellipsis}]; }) ==
        "error[index]: []: fx::ellipsis stands in the list twice");
  CHECK(refusal([&] { x[slice(0, 3, 0)]; }) == "error[index]: []: the step of fx::slice is 0");
  CHECK(refusal([&] { x[x > 3]; }) ==
        "error[index]: []: a mask of bools selects a number of elements that only its values "
        "tell\n  | mask bool[3,4]\n  = hint: fx::where(mask, x, otherwise) keeps the shape");
  CHECK(refusal([&] { x[x[0]]; }) ==
        "error[index]: []: positions are integers, these are f32[4]\n  = hint: convert first: "
        "i.astype(fx::int32)");
  CHECK(refusal([&] { x.at(0).set(Array(1.0)); }) ==
        "error[dtype]: set: f64 values do not go into an array of f32\n  | x f32[3,4]\n  = hint: "
        "convert the values: v.astype(x.dtype()), or the array");
  CHECK(refusal([&] {
          x.at(0).set(fx::ones({3}));
        }).find("error[broadcast]: set: the shape [3] does not broadcast to [4]") == 0);
  CHECK(refusal([&] {
          fx::ones({2}, fx::bool_).at(0).add(true);
        }).find("error[dtype]: add: an array of bools has no arithmetic") == 0);
  CHECK(refusal([&] {
          x[fx::zeros({0}, fx::int32)].at(Array(0)).get();
        }).find("error[index]: []: axis 0 of f32[0,4] has no elements to choose from") == 0);
  CHECK(line_of([&] { x[9]; }) == __LINE__);
  CHECK(line_of([&] { x[{0, 9}]; }) == __LINE__);
  CHECK(line_of([&] { x.at(9).set(1); }) == __LINE__);
}
