// Making, reducing and rearranging arrays; expected values by NumPy or by hand.
#include "tests/support/values.hpp"

#include <numeric>

namespace fx = fluxion;
using namespace fluxion::test;
using fx::Array;

namespace {

const Array six() { return fx::arange(6, fx::float32).reshape({2, 3}); }

}  // namespace

TEST_CASE("constants and ranges") {
  check_array(fx::zeros({2, 0}), {2, 0}, {});
  check_array(fx::ones({2}, fx::int8), {2}, {1, 1});
  check_array(fx::full({2, 2}, 7), {2, 2}, {7, 7, 7, 7});
  CHECK(fx::full({2}, 7).dtype() == fx::int32);
  CHECK(fx::full({2}, 2.9, fx::int32).dtype() == fx::int32);
  check_array(fx::full({2, 3}, fx::array({1., 2., 3.})), {2, 3}, {1, 2, 3, 1, 2, 3});
  check_array(fx::full_like(six(), 2), {2, 3}, {2, 2, 2, 2, 2, 2});
  CHECK(fx::full_like(six(), 2).dtype() == fx::float32);
  check_array(fx::arange(4), {4}, {0, 1, 2, 3});
  check_array(fx::arange(2, 10, 3), {3}, {2, 5, 8});
  check_array(fx::arange(5, 0, -2), {3}, {5, 3, 1});
  check_array(fx::arange(3, 3), {0}, {});
  check_array(fx::arange(5, 0), {0}, {});
  check_near(fx::arange(0., 1., 0.25), {4}, {0, 0.25, 0.5, 0.75}, 0);
  CHECK(fx::arange(0., 1., 0.25).dtype() == fx::float64);
  CHECK(fx::arange(3.f).dtype() == fx::float32);
  check_near(fx::linspace(-1, 1, 5), {5}, {-1, -0.5, 0, 0.5, 1}, 0);
  check_near(fx::linspace(0., 1., 4, {}, false), {4}, {0, 0.25, 0.5, 0.75}, 0);
  check_array(fx::linspace(3, 9, 1), {1}, {3});
  CHECK(fx::linspace(0., 1., 3).dtype() == fx::float64);
  check_near(fx::logspace(0., 3., 4), {4}, {1, 10, 100, 1000}, 1e-14);
  check_array(fx::eye(2), {2, 2}, {1, 0, 0, 1});
  check_array(fx::eye(2, 3, 1), {2, 3}, {0, 1, 0, 0, 0, 1});
  check_array(fx::tri(2, 3, 0), {2, 3}, {1, 0, 0, 1, 1, 0});
  const auto grid = fx::meshgrid({fx::array({1, 2, 3}), fx::array({10, 20})});
  check_array(grid[0], {2, 3}, {1, 2, 3, 1, 2, 3});
  check_array(grid[1], {2, 3}, {10, 10, 10, 20, 20, 20});
  check_array(fx::meshgrid({fx::array({1, 2, 3}), fx::array({10, 20})}, false)[0],
              {3, 2},
              {1, 1, 2, 2, 3, 3});
  CHECK(refusal([] { fx::arange(0, 3, 0); }) == "error[arange]: arange: the step is 0");
  CHECK(refusal([] { fx::zeros({2, -1}); }) ==
        "error[shape]: zeros: the shape [2,-1] has a negative size");
}

TEST_CASE("reductions along one axis, several, all, with axes kept") {
  const Array x = six();
  check_array(fx::sum(x), {}, {15});
  check_array(fx::sum(x, 0), {3}, {3, 5, 7});
  check_array(fx::sum(x, -1, true), {2, 1}, {3, 12});
  check_array(fx::sum(x, {0, 1}, true), {1, 1}, {15});
  check_array(fx::prod(x + 1, 1), {2}, {6, 120});
  check_array(fx::mean(x, 0), {3}, {1.5, 2.5, 3.5});
  check_array(fx::max(x, 1), {2}, {2, 5});
  check_array(fx::min(x), {}, {0});
  check_array(fx::any(x > 4, 1), {2}, {0, 1});
  check_array(fx::all(x > -1), {}, {1});
  check_array(fx::all(x, 1), {2}, {0, 1});
  check_array(fx::count_nonzero(x, 1), {2}, {2, 3});
  check_array(fx::ptp(x, 1), {2}, {2, 2});
  check_near(fx::var(x), {}, {35.0 / 12});
  check_near(fx::var(x, 1, false, 1), {2}, {1, 1});
  check_near(fx::std(x, 0), {3}, {1.5, 1.5, 1.5});
  check_near(fx::average(x, fx::array({1.f, 1.f, 2.f}), 1), {2}, {1.25, 4.25});
  check_near(fx::linalg::norm(fx::array({3., 4.})), {}, {5}, 1e-15);
  check_array(fx::sum(fx::zeros({0, 3})), {}, {0});
  check_array(fx::sum(fx::zeros({0, 3}), 0), {3}, {0, 0, 0});
  check_array(fx::mean(fx::zeros({0})), {}, {NAN});
  CHECK(fx::max(fx::zeros({0, 3}), 1).shape() == fx::Shape({0}));
  check_array(fx::sum(Array(2.f)), {}, {2});
  check_array(fx::max(fx::array({1.f, static_cast<float>(NAN), 2.f})), {}, {NAN});
}

TEST_CASE("sums keep their digits and their range") {
  CHECK(fx::sum(fx::full({300}, 100, fx::int8)).item<int>() == 30000);
  CHECK(fx::sum(fx::full({300}, 200, fx::uint8)).item<std::uint32_t>() == 60000);
  CHECK(fx::mean(fx::full({4000}, 100, fx::float16)).astype(fx::float32).item<float>() == 100);
  CHECK(fx::sum(fx::full({4096}, 1, fx::bfloat16)).astype(fx::float32).item<float>() == 4096);
  CHECK(fx::linalg::norm(fx::full({4}, 300, fx::float16)).astype(fx::float32).item<float>() == 600);
  CHECK(fx::var(fx::array({1e8, 1e8 + 1, 1e8 + 2})).item<double>() == Approx(2.0 / 3));
}

TEST_CASE("positions of extremes") {
  const Array x = fx::array({{3.f, 9.f, 9.f}, {static_cast<float>(NAN), 1.f, 7.f}});
  check_array(fx::argmax(x, 1), {2}, {1, 0});
  check_array(fx::argmin(x, 0, true), {1, 3}, {1, 1, 1});
  check_array(fx::argmax(six()), {}, {5});
  check_array(fx::argmin(six(), {}, true), {1, 1}, {0});
  check_array(fx::argmax(fx::array({false, true, true})), {}, {1});
  CHECK(fx::argmax(x, 1).dtype() == fx::int32);
}

TEST_CASE("reductions of exponentials do not overflow") {
  const Array x = fx::array({{1000., 1000.}, {-1000., -1001.}});
  check_near(
      fx::logsumexp(x, 1), {2}, {1000 + std::log(2.0), -1000 + std::log1p(std::exp(-1.0))}, 1e-15);
  check_array(fx::logsumexp(fx::array({-INFINITY, -INFINITY})), {}, {-INFINITY});
  check_array(fx::logsumexp(fx::array({1.f, INFINITY})), {}, {INFINITY});
  check_array(fx::logsumexp(fx::zeros({0})), {}, {-INFINITY});
  check_near(fx::softmax(x, 1),
             {2, 2},
             {0.5, 0.5, 1 / (1 + std::exp(-1.0)), 1 / (1 + std::exp(1.0))},
             1e-15);
  check_near(fx::softmax(x, {0, 1}), {2, 2}, {0.5, 0.5, 0, 0}, 1e-15);
  check_near(
      fx::log_softmax(x, 1),
      {2, 2},
      {-std::log(2.0), -std::log(2.0), -std::log1p(std::exp(-1.0)), -std::log1p(std::exp(1.0))},
      1e-15);
  check_near(fx::standardize(fx::array({1., 3.}), -1, 0), {2}, {-1, 1}, 1e-15);
  check_near(fx::grad([](Array v) { return fx::logsumexp(v); })(fx::array({0., std::log(3.0)})),
             {2},
             {0.25, 0.75},
             1e-15);
  // d/dv of softmax(v)_0 = p0 (1 - p0), -p0 p1
  check_near(fx::grad([](Array v) { return fx::softmax(v)[0]; })(fx::array({0., std::log(3.0)})),
             {2},
             {0.1875, -0.1875},
             1e-15);
}

TEST_CASE("reductions that pass over NaN") {
  const Array x = fx::array(
      {{1.f, static_cast<float>(NAN)}, {static_cast<float>(NAN), static_cast<float>(NAN)}});
  check_array(fx::nansum(x, 1), {2}, {1, 0});
  check_array(fx::nanmean(x, 1), {2}, {1, NAN});
  check_array(fx::nanmax(x, 1), {2}, {1, NAN});
  check_array(fx::nanmin(x), {}, {1});
}

TEST_CASE("running reductions, both ways, along any axis") {
  const Array x = six();
  check_array(fx::cumsum(x, 1), {2, 3}, {0, 1, 3, 3, 7, 12});
  check_array(fx::cumsum(x, 0), {2, 3}, {0, 1, 2, 3, 5, 7});
  check_array(fx::cumsum(x), {6}, {0, 1, 3, 6, 10, 15});
  check_array(fx::cumsum(x, 1, true), {2, 3}, {3, 3, 2, 12, 9, 5});
  check_array(fx::cumprod(x + 1, -1), {2, 3}, {1, 2, 6, 4, 20, 120});
  check_array(fx::cummax(fx::array({1, 3, 2, 5, 4})), {5}, {1, 3, 3, 5, 5});
  check_array(fx::cummin(fx::array({3, 1, 2, 0, 4}), 0, true), {5}, {0, 0, 0, 0, 4});
  check_near(fx::cumlogsumexp(fx::log(fx::array({1., 2., 3.}))),
             {3},
             {0, std::log(3.0), std::log(6.0)},
             1e-15);
  const Array ones = fx::ones({1000}, fx::float64);
  CHECK(fx::array_equal(fx::cumsum(ones), fx::arange(1, 1001, fx::float64)).item<bool>());
  CHECK(fx::cumsum(fx::array({true, true})).dtype() == fx::int32);
  CHECK(fx::cumsum(fx::zeros({0, 2}), 0).shape() == fx::Shape({0, 2}));
  check_array(fx::diff(fx::array({1, 4, 9, 16})), {3}, {3, 5, 7});
  check_array(fx::diff(fx::array({1, 4, 9, 16}), 2), {2}, {2, 2});
  check_array(
      fx::grad([](Array v) { return fx::sum(fx::cumsum(v)); })(fx::ones({4})), {4}, {4, 3, 2, 1});
}

TEST_CASE("axes in other orders") {
  const Array x = fx::arange(24, fx::float32).reshape({2, 3, 4});
  CHECK(fx::transpose(x).shape() == fx::Shape({4, 3, 2}));
  CHECK(fx::transpose(x, {1, -1, 0}).shape() == fx::Shape({3, 4, 2}));
  CHECK(x.T()[{1, 2, 1}].item<float>() == 21);
  CHECK(fx::swapaxes(x, 0, -1)[{3, 1, 0}].item<float>() == 7);
  CHECK(fx::moveaxis(x, 0, -1)[{2, 3, 1}].item<float>() == 23);
  check_array(fx::flip(six(), 1), {2, 3}, {2, 1, 0, 5, 4, 3});
  check_array(fx::flip(six()), {2, 3}, {5, 4, 3, 2, 1, 0});
  check_array(fx::roll(six(), 1, 1), {2, 3}, {2, 0, 1, 5, 3, 4});
  check_array(fx::roll(six(), -7), {2, 3}, {1, 2, 3, 4, 5, 0});
  check_array(fx::rot90(six()), {3, 2}, {2, 5, 1, 4, 0, 3});
  check_array(fx::rot90(six(), 2), {2, 3}, {5, 4, 3, 2, 1, 0});
  check_array(fx::rot90(six(), -1), {3, 2}, {3, 0, 4, 1, 5, 2});
}

TEST_CASE("the same elements with other sizes") {
  CHECK(six().reshape({3, -1}).shape() == fx::Shape({3, 2}));
  CHECK(six().flatten().shape() == fx::Shape({6}));
  CHECK(fx::squeeze(fx::ones({1, 3, 1})).shape() == fx::Shape({3}));
  CHECK(fx::squeeze(fx::ones({1, 3, 1}), -1).shape() == fx::Shape({1, 3}));
  CHECK(fx::expand_dims(six(), {0, -1}).shape() == fx::Shape({1, 2, 3, 1}));
  check_array(fx::broadcast_to(fx::array({1, 2}), {2, 2}), {2, 2}, {1, 2, 1, 2});
  CHECK(fx::broadcast_arrays({fx::ones({3, 1}), fx::ones({2})})[1].shape() == fx::Shape({3, 2}));
  check_array(fx::tile(fx::array({1, 2}), {2, 2}), {2, 4}, {1, 2, 1, 2, 1, 2, 1, 2});
  check_array(fx::tile(six(), {2}), {2, 6}, {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
  check_array(fx::repeat(six(), 2, 0), {4, 3}, {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
  check_array(fx::repeat(fx::array({{1, 2}}), 2), {4}, {1, 1, 2, 2});
}

TEST_CASE("joining and cutting") {
  const Array x = six();
  check_array(fx::concatenate({x, x + 10}, 1), {2, 6}, {0, 1, 2, 10, 11, 12, 3, 4, 5, 13, 14, 15});
  CHECK(fx::concatenate({fx::ones({1}, fx::int32), fx::ones({1})}).dtype() == fx::float32);
  check_array(fx::stack({fx::array({1, 2}), fx::array({3, 4})}, 1), {2, 2}, {1, 3, 2, 4});
  check_array(fx::stack({Array(1), Array(2)}), {2}, {1, 2});
  CHECK(fx::vstack({fx::ones({3}), fx::ones({2, 3})}).shape() == fx::Shape({3, 3}));
  CHECK(fx::hstack({fx::ones({3}), fx::ones({2})}).shape() == fx::Shape({5}));
  CHECK(fx::hstack({fx::ones({2, 1}), fx::ones({2, 2})}).shape() == fx::Shape({2, 3}));
  const auto parts = fx::split(x, 3, 1);
  CHECK(parts.size() == 3);
  check_array(parts[2], {2, 1}, {2, 5});
  const auto cut = fx::split(fx::arange(10), {3, 3, -1});
  CHECK(cut.size() == 4);
  check_array(cut[0], {3}, {0, 1, 2});
  check_array(cut[1], {0}, {});
  check_array(cut[3], {1}, {9});
}

TEST_CASE("borders of constants, edges, mirrors and wraps") {
  const Array x = fx::array({1, 2, 3});
  check_array(fx::pad(x, {{1, 2}}), {6}, {0, 1, 2, 3, 0, 0});
  check_array(fx::pad(six(), {{1, 0}, {0, 1}}, 9.f), {3, 4}, {9, 9, 9, 9, 0, 1, 2, 9, 3, 4, 5, 9});
  check_array(fx::pad(x, {{2, 1}}, fx::PadMode::edge), {6}, {1, 1, 1, 2, 3, 3});
  // NumPy, np.pad([1, 2, 3], (5, 6), mode)
  check_array(
      fx::pad(x, {{5, 6}}, fx::PadMode::reflect), {14}, {2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2, 1});
  check_array(fx::pad(x, {{5, 6}}, fx::PadMode::symmetric),
              {14},
              {2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2, 3});
  check_array(
      fx::pad(x, {{5, 6}}, fx::PadMode::wrap), {14}, {2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3});
  check_array(fx::pad(fx::array({7}), {{2, 1}}, fx::PadMode::reflect), {4}, {7, 7, 7, 7});
  check_array(fx::pad(fx::array({{1, 2}, {3, 4}}), {{0, 1}}, fx::PadMode::symmetric),
              {3, 3},
              {1, 2, 2, 3, 4, 4, 3, 4, 4});
  check_array(fx::lax::pad(x, 0, {{-1, 1, 1}}), {5}, {0, 2, 0, 3, 0});
}

TEST_CASE("triangles and diagonals") {
  const Array x = fx::arange(1, 10).reshape({3, 3});
  check_array(fx::tril(x), {3, 3}, {1, 0, 0, 4, 5, 0, 7, 8, 9});
  check_array(fx::triu(x, 1), {3, 3}, {0, 2, 3, 0, 0, 6, 0, 0, 0});
  check_array(fx::diag(x), {3}, {1, 5, 9});
  check_array(fx::diag(x, 1), {2}, {2, 6});
  check_array(fx::diag(x, -2), {1}, {7});
  check_array(fx::diag(x, 5), {0}, {});
  check_array(fx::diag(fx::array({1, 2}), 1), {3, 3}, {0, 1, 0, 0, 0, 2, 0, 0, 0});
  check_array(fx::diag(fx::array({1, 2}), -1), {3, 3}, {0, 0, 0, 1, 0, 0, 0, 2, 0});
  check_array(fx::diagonal(fx::arange(12).reshape({2, 2, 3}), 1, 1, 2), {2, 2}, {1, 5, 7, 11});
  check_array(fx::trace(x), {}, {15});
  CHECK(fx::tril(fx::ones({2, 3, 4})).shape() == fx::Shape({2, 3, 4}));
}

TEST_CASE("shapes and axes that do not fit are refused") {
  const Array x = six();
  CHECK(refusal([&] { x.reshape({4, -1}); }) ==
        "error[reshape]: reshape: 6 elements do not fill the shape [4,-1]\n  | x f32[2,3] has 6 "
        "elements\n  = hint: the other sizes multiply to 4");
  CHECK(refusal([&] { x.reshape({7}); }) ==
        "error[reshape]: reshape: 6 elements do not fill the shape [7]\n  | x f32[2,3] has 6 "
        "elements\n  = hint: the new shape would need 7");
  CHECK(refusal([&] { x.reshape({-1, -1}); }) ==
        "error[reshape]: reshape: the shape [-1,-1] has two sizes of -1\n  = hint: one size may be "
        "-1");
  CHECK(refusal([&] { fx::sum(x, 2); }) ==
        "error[axis]: sum: there is no axis 2 in an array of 2 axes\n  = hint: axes count from 0 "
        "to 1, or from -2 to -1");
  CHECK(refusal([&] { fx::sum(x, {0, -2}); }) == "error[axis]: sum: axis 0 is named twice");
  CHECK(
      refusal([&] { fx::sum(Array(1.f), 0); }) ==
      "error[axis]: sum: there is no axis 0 in an array of 0 axes\n  = hint: a scalar has no axes");
  CHECK(refusal([&] { fx::squeeze(x, 0); }) ==
        "error[axis]: squeeze: axis 0 has size 2, not 1\n  | x f32[2,3]");
  CHECK(refusal([&] { fx::transpose(x, {0, 0}); }) ==
        "error[axis]: transpose: 2 axes are named for an array of 2, each once\n  | x f32[2,3]");
  CHECK(refusal([&] { fx::concatenate({x, fx::ones({2, 2})}, 0); }) ==
        "error[concatenate]: concatenate: the shapes [2,3] and [2,2] differ in more than axis 0");
  CHECK(refusal([&] { fx::stack({x, fx::ones({2, 2})}); }) ==
        "error[stack]: stack: the shapes [2,3] and [2,2] differ\n  = hint: fx::concatenate joins "
        "along an axis that exists");
  CHECK(refusal([&] { fx::split(x, 2, 1); }) ==
        "error[split]: split: axis 1 of f32[2,3] has 3 elements, which do not make 2 equal parts\n "
        " = hint: name the positions instead: fx::split(x, {3, 5})");
  CHECK(refusal([&] { fx::max(fx::zeros({0, 2}), 0); }) ==
        "error[empty-reduction]: max: the largest of no elements\n  | x f32[0,2]\n  = hint: an "
        "empty maximum has no value: check the size first");
  CHECK(refusal([&] { fx::argmax(x, {0, 1}); }) ==
        "error[axis]: argmax: it works along one axis or over all elements, 2 axes were named");
  CHECK(refusal([&] {
          fx::broadcast_to(x, {3, 2});
        }).find("error[broadcast]: broadcast_to: the shape [2,3] does not broadcast to [3,2]") ==
        0);
  CHECK(refusal([&] {
          fx::pad(x, {{1, 1}, {1, 1}, {1, 1}});
        }).find("error[pad]: pad: 3 pairs of widths are given for 2 axes") == 0);
  CHECK(refusal([&] {
          fx::pad(x, {{-1, 0}});
        }).find("error[pad]: pad: the width (-1, 0) is negative") == 0);
  CHECK(line_of([&] { fx::sum(x, 5); }) == __LINE__);
  CHECK(line_of([&] { fx::softmax(x, 5); }) == __LINE__);
  CHECK(line_of([&] { fx::stack({x, fx::ones({1})}); }) == __LINE__);
}
