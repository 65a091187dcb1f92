// Products and windows, against loops written out here.
#include "tests/support/values.hpp"

#include <map>

namespace fx = fluxion;
using namespace fluxion::test;
using fx::Array;

namespace {

/// Small whole numbers that differ from place to place.
Array sample(const fx::Shape& shape, int seed = 0) {
  std::int64_t n = 1;
  for (auto s : shape) n *= s;
  std::vector<double> v;
  for (std::int64_t i = 0; i < n; ++i)
    v.push_back(static_cast<double>((i * 7 + seed * 5 + 3) % 11 - 5));
  return fx::array(v).reshape(shape);
}

/// Einstein's sum, one label after the other.
Numbers einstein(const std::vector<std::string>& labels,
                 const std::string& out,
                 const std::vector<Array>& operands) {
  std::map<char, std::int64_t> size, at;
  std::vector<Numbers> values;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    values.push_back(numbers(operands[k]));
    for (std::size_t a = 0; a < labels[k].size(); ++a) size[labels[k][a]] = operands[k].shape()[a];
  }
  const auto offset = [&](const std::string& letters) {
    std::int64_t i = 0;
    for (char c : letters) i = i * size[c] + at[c];
    return static_cast<std::size_t>(i);
  };
  std::size_t total = 1;
  for (char c : out) total *= static_cast<std::size_t>(size[c]);
  Numbers result(total, 0.0);
  const std::function<void(std::map<char, std::int64_t>::iterator)> loop = [&](auto label) {
    if (label == size.end()) {
      double product = 1;
      for (std::size_t k = 0; k < values.size(); ++k) product *= values[k][offset(labels[k])];
      result[offset(out)] += product;
      return;
    }
    for (std::int64_t i = 0; i < label->second; ++i) {
      at[label->first] = i;
      loop(std::next(label));
    }
  };
  loop(size.begin());
  return result;
}

struct Convolution {
  int stride = 1, low = 0, high = 0, image_dilation = 1, kernel_dilation = 1, groups = 1;
};
/// One spatial axis: image [N, C, W], kernel [O, C / groups, K].
Numbers convolved(const Array& image,
                  const Array& kernel,
                  const Convolution& c,
                  std::int64_t out_width) {
  const Numbers x = numbers(image), k = numbers(kernel);
  const auto n = image.shape()[0], channels = image.shape()[1], width = image.shape()[2],
             outs = kernel.shape()[0], ins = kernel.shape()[1], taps = kernel.shape()[2];
  Numbers result;
  for (std::int64_t b = 0; b < n; ++b)
    for (std::int64_t o = 0; o < outs; ++o)
      for (std::int64_t w = 0; w < out_width; ++w) {
        double sum = 0;
        for (std::int64_t i = 0; i < ins; ++i)
          for (std::int64_t t = 0; t < taps; ++t) {
            const std::int64_t place = w * c.stride + t * c.kernel_dilation - c.low;
            if (place < 0 || place % c.image_dilation || place / c.image_dilation >= width)
              continue;
            const std::int64_t channel = o / (outs / c.groups) * ins + i;
            sum += x[static_cast<std::size_t>((b * channels + channel) * width +
                                              place / c.image_dilation)] *
                   k[static_cast<std::size_t>((o * ins + i) * taps + t)];
          }
        result.push_back(sum);
      }
  return result;
}

}  // namespace

TEST_CASE("matmul multiplies matrices, vectors, and batches of them") {
  const Array a = sample({2, 3}), b = sample({3, 4}, 1), v = sample({3}, 2);
  check_array(fx::matmul(a, b), {2, 4}, einstein({"ij", "jk"}, "ik", {a, b}));
  check_array(fx::matmul(a, v), {2}, einstein({"ij", "j"}, "i", {a, v}));
  check_array(fx::matmul(v, b), {4}, einstein({"j", "jk"}, "k", {v, b}));
  check_array(fx::matmul(v, v), {}, einstein({"j", "j"}, "", {v, v}));
  const Array x = sample({5, 2, 3}), y = sample({5, 3, 4}, 3);
  check_array(fx::matmul(x, y), {5, 2, 4}, einstein({"bij", "bjk"}, "bik", {x, y}));
  check_array(fx::matmul(x, b), {5, 2, 4}, einstein({"bij", "jk"}, "bik", {x, b}));
  check_array(fx::matmul(a, y), {5, 2, 4}, einstein({"ij", "bjk"}, "bik", {a, y}));
  check_array(fx::matmul(v, y), {5, 4}, einstein({"j", "bjk"}, "bk", {v, y}));
  check_array(fx::matmul(x, v), {5, 2}, einstein({"bij", "j"}, "bi", {x, v}));
  CHECK(fx::matmul(sample({4, 1, 2, 3}), sample({5, 3, 2})).shape() == fx::Shape({4, 5, 2, 2}));
  CHECK(fx::matmul(fx::ones({2, 0}), fx::ones({0, 3})).shape() == fx::Shape({2, 3}));
  check_array(
      fx::matmul(fx::ones({2, 2}, fx::int32), fx::ones({2, 2}, fx::int32)), {2, 2}, {2, 2, 2, 2});
}

TEST_CASE("dot, inner, outer, vdot, kron, cross and tensordot") {
  const Array a = sample({2, 3}), b = sample({4, 3}, 1), v = sample({3}, 2), w = sample({3}, 4);
  check_array(fx::dot(v, w), {}, einstein({"i", "i"}, "", {v, w}));
  check_array(fx::dot(a, sample({5, 3, 2})),
              {2, 5, 2},
              einstein({"ij", "kjl"}, "ikl", {a, sample({5, 3, 2})}));
  check_array(fx::dot(a, 2), {2, 3}, numbers(a * 2));
  check_array(fx::inner(a, b), {2, 4}, einstein({"ij", "kj"}, "ik", {a, b}));
  check_array(fx::outer(v, w), {3, 3}, einstein({"i", "j"}, "ij", {v, w}));
  check_array(fx::vdot(a, a), {}, einstein({"ij", "ij"}, "", {a, a}));
  check_array(fx::kron(fx::array({{1., 2.}}), fx::array({{1.}, {10.}})), {2, 2}, {1, 2, 10, 20});
  check_array(fx::cross(fx::array({1., 2., 3.}), fx::array({4., 5., 6.})), {3}, {-3, 6, -3});
  const Array x = sample({2, 3, 4}), y = sample({3, 4, 5}, 1);
  check_array(fx::tensordot(x, y), {2, 5}, einstein({"ijk", "jkl"}, "il", {x, y}));
  check_array(fx::tensordot(v, w, 0), {3, 3}, einstein({"i", "j"}, "ij", {v, w}));
  check_array(
      fx::tensordot(x, y, {1}, {0}), {2, 4, 4, 5}, einstein({"ijk", "jml"}, "ikml", {x, y}));
  check_array(fx::tensordot(x, y, {-1, 1}, {1, 0}), {2, 5}, einstein({"ijk", "jkl"}, "il", {x, y}));
}

TEST_CASE("einsum reads Einstein's notation") {
  const Array a = sample({2, 3}), b = sample({3, 4}, 1), c = sample({4, 2}, 2),
              s = sample({3, 3}, 3);
  check_array(fx::einsum("ij,jk->ik", a, b), {2, 4}, einstein({"ij", "jk"}, "ik", {a, b}));
  check_array(fx::einsum("ij,jk", a, b), {2, 4}, einstein({"ij", "jk"}, "ik", {a, b}));
  check_array(fx::einsum("ba", a), {3, 2}, einstein({"ba"}, "ab", {a}));
  check_array(fx::einsum("ij->", a), {}, einstein({"ij"}, "", {a}));
  check_array(fx::einsum("ij->j", a), {3}, einstein({"ij"}, "j", {a}));
  check_array(fx::einsum("ii->i", s), {3}, einstein({"ii"}, "i", {s}));
  check_array(fx::einsum("ii", s), {}, einstein({"ii"}, "", {s}));
  check_array(fx::einsum("ij,jk,ki->", a, b, c), {}, einstein({"ij", "jk", "ki"}, "", {a, b, c}));
  check_array(
      fx::einsum("ij,jk,kl->li", a, b, c), {2, 2}, einstein({"ij", "jk", "kl"}, "li", {a, b, c}));
  check_array(fx::einsum("ij,ij->ij", a, a), {2, 3}, einstein({"ij", "ij"}, "ij", {a, a}));
  check_array(fx::einsum("i,j->ji", sample({2}), sample({3}, 1)),
              {3, 2},
              einstein({"i", "j"}, "ji", {sample({2}), sample({3}, 1)}));
  check_array(fx::einsum(" b i j , b j k -> b i k ", sample({5, 2, 3}), sample({5, 3, 2}, 1)),
              {5, 2, 2},
              einstein({"bij", "bjk"}, "bik", {sample({5, 2, 3}), sample({5, 3, 2}, 1)}));
  check_array(fx::einsum("iij,jk->ik", sample({3, 3, 2}), sample({2, 3}, 1)),
              {3, 3},
              einstein({"iij", "jk"}, "ik", {sample({3, 3, 2}), sample({2, 3}, 1)}));
  check_array(fx::einsum("ab,ac,ad->abcd", a, a, a),
              {2, 3, 3, 3},
              einstein({"ab", "ac", "ad"}, "abcd", {a, a, a}));
}

TEST_CASE("einsum multiplies many operands in the order that costs least") {
  const Array a = sample({2, 3}), b = sample({3, 4}, 1), c = sample({4, 2}, 2),
              d = sample({2, 3}, 3);
  check_array(fx::einsum("ab,bc,cd,de,ae->eb", a, b, c, d, d),
              {3, 3},
              einstein({"ab", "bc", "cd", "de", "ae"}, "eb", {a, b, c, d, d}));
  check_near(fx::einsum("ab,bc,cd,de,ae,ab,bc,cd,de->e", a, b, c, d, d, a, b, c, d),
             {3},
             einstein({"ab", "bc", "cd", "de", "ae", "ab", "bc", "cd", "de"},
                      "e",
                      {a, b, c, d, d, a, b, c, d}));
  // A chain whose ends are thin: from the left 2 (n n + n n) multiplications, from the right n^3 +
  // ...
  constexpr std::int64_t n = 64;
  const auto chain = [](Array x, Array y, Array z) { return fx::einsum("ab,bc,cd->ad", x, y, z); };
  const auto cost = fx::lower(chain,
                              fx::Spec{{2, n}, fx::float32},
                              fx::Spec{{n, n}, fx::float32},
                              fx::Spec{{n, n}, fx::float32})
                        .compile()
                        .cost();
  CHECK(cost.flops <= 2.1 * 2 * (n * n + n * n));
}

TEST_CASE("einsum's dots stand for the axes not named, and broadcast") {
  const Array x = sample({5, 2, 3}), y = sample({3, 4}, 1), z = sample({1, 3, 4}, 2);
  check_array(
      fx::einsum("...ij,jk->...ik", x, y), {5, 2, 4}, einstein({"bij", "jk"}, "bik", {x, y}));
  check_array(fx::einsum("...ij,...jk", x, z),
              {5, 2, 4},
              einstein({"bij", "jk"}, "bik", {x, z.reshape({3, 4})}));
  check_array(fx::einsum("...->...", x), {5, 2, 3}, numbers(x));
  check_array(fx::einsum("i...->...", x), {2, 3}, einstein({"bij"}, "ij", {x}));
  check_array(fx::einsum("...i,...i->...", x, sample({3})),
              {5, 2},
              einstein({"bij", "j"}, "bi", {x, sample({3})}));
}

TEST_CASE("einsum differentiates") {
  const Array a = sample({2, 3}), b = sample({3, 2}, 1);
  check_array(
      fx::grad([&](Array v) { return fx::einsum("ij,ji->", v, b); })(a), {2, 3}, numbers(b.T()));
}

TEST_CASE("one-dimensional convolutions agree with loops") {
  const Array image = sample({2, 4, 9}), kernel = sample({6, 4, 3}, 1),
              grouped = sample({6, 2, 3}, 2);
  using fx::lax::conv_general_dilated;
  check_array(conv_general_dilated(image, kernel), {2, 6, 7}, convolved(image, kernel, {}, 7));
  check_array(conv_general_dilated(image, kernel, {.strides = {2}, .padding = {{1, 2}}}),
              {2, 6, 5},
              convolved(image, kernel, {.stride = 2, .low = 1, .high = 2}, 5));
  check_array(conv_general_dilated(image, kernel, {.padding = {{2, 2}}, .rhs_dilation = {2}}),
              {2, 6, 9},
              convolved(image, kernel, {.low = 2, .high = 2, .kernel_dilation = 2}, 9));
  check_array(conv_general_dilated(image, kernel, {.padding = {{1, 1}}, .lhs_dilation = {2}}),
              {2, 6, 17},
              convolved(image, kernel, {.low = 1, .high = 1, .image_dilation = 2}, 17));
  check_array(conv_general_dilated(image, grouped, {.feature_groups = 2}),
              {2, 6, 7},
              convolved(image, grouped, {.groups = 2}, 7));
  // "same" with an even total puts the odd element behind; same_lower before
  check_array(conv_general_dilated(image, kernel, {.strides = {2}, .padding = fx::lax::same}),
              {2, 6, 5},
              convolved(image, kernel, {.stride = 2, .low = 1, .high = 1}, 5));
  const Array even = sample({6, 4, 2}, 1);
  check_array(conv_general_dilated(image, even, {.padding = fx::lax::same}),
              {2, 6, 9},
              convolved(image, even, {.low = 0, .high = 1}, 9));
  check_array(conv_general_dilated(image, even, {.padding = fx::lax::same_lower}),
              {2, 6, 9},
              convolved(image, even, {.low = 1, .high = 0}, 9));
}

TEST_CASE("layouts of convolutions are only other orders of axes") {
  const Array image = sample({2, 3, 5, 6}), kernel = sample({4, 3, 2, 3}, 1);
  const Array plain = fx::lax::conv_general_dilated(image, kernel, {.strides = {1, 2}});
  const Array other =
      fx::lax::conv_general_dilated(fx::transpose(image, {0, 2, 3, 1}),
                                    fx::transpose(kernel, {2, 3, 1, 0}),
                                    {.strides = {1, 2}, .layout = {"NHWC", "HWIO", "NHWC"}});
  CHECK(plain.shape() == fx::Shape({2, 4, 4, 2}));
  check_array(fx::transpose(other, {0, 3, 1, 2}), {2, 4, 4, 2}, numbers(plain));
}

TEST_CASE("pooling takes the largest or the mean of each window") {
  const Array x = fx::arange(16, fx::float32).reshape({1, 1, 4, 4});
  check_array(fx::max_pool(x, {2, 2}), {1, 1, 2, 2}, {5, 7, 13, 15});
  check_array(fx::avg_pool(x, {2, 2}), {1, 1, 2, 2}, {2.5, 4.5, 10.5, 12.5});
  check_array(fx::max_pool(-x, {3, 3}, {2, 2}, {{1, 1}, {1, 1}}), {1, 1, 2, 2}, {0, -1, -4, -5});
  check_array(fx::avg_pool(x, {3, 3}, {2, 2}, {{1, 1}, {1, 1}}), {1, 1, 2, 2}, {2.5, 4, 8.5, 10});
  check_array(
      fx::max_pool(fx::transpose(x, {0, 2, 3, 1}), {2, 2, 1}), {1, 2, 2, 1}, {5, 7, 13, 15});
  check_array(fx::max_pool(fx::array({3, 1, 2, 5}), {2}, {1}), {3}, {3, 2, 5});
  check_array(fx::grad([](Array v) { return fx::sum(fx::max_pool(v, {2}, {1})); })(
                  fx::array({3., 1., 2., 5.})),
              {4},
              {1, 0, 1, 1});
  check_array(fx::lax::reduce_window(fx::array({1., 2., 3.}),
                                     fx::lax::Reduction::sum,
                                     {.size = {3}, .padding = fx::lax::same}),
              {3},
              {3, 6, 5});
  check_array(
      fx::lax::reduce_window(
          fx::array({1., 2., 3.}), fx::lax::Reduction::prod, {.size = {2}, .window_dilation = {2}}),
      {1},
      {3});
}

TEST_CASE("sizes that cannot be multiplied are refused with both operands") {
  const Array a = fx::ones({32, 784}), b = fx::ones({785, 128});
  CHECK(refusal([&] { fx::dot(a, b); }) ==
        "error[dot-sizes]: dot: the contracted sizes differ, 784 and 785\n  | lhs f32[32,784]   "
        "contracts axis 1 (784)\n  | rhs f32[785,128]  contracts axis 0 (785)\n"
        "  = hint: did the input layer forget its bias column?");
  CHECK(refusal([&] { fx::matmul(fx::ones({2, 3}), fx::ones({2, 3})); }) ==
        "error[dot-sizes]: matmul: the contracted sizes differ, 3 and 2\n  | lhs f32[2,3]  "
        "contracts axis 1 (3)\n  | rhs f32[2,3]  contracts axis 0 (2)\n"
        "  = hint: is the right operand transposed? y.T() would fit");
  CHECK(refusal([&] {
          fx::matmul(2, a);
        }).find("error[dot-sizes]: matmul: a scalar is no matrix") == 0);
  CHECK(refusal([&] { fx::matmul(fx::ones({2, 3, 4}), fx::ones({5, 4, 6})); })
            .find("error[broadcast]: matmul: the shapes [2] and [5] do not broadcast: axis -1 has "
                  "2 and 5") == 0);
  CHECK(refusal([&] { fx::einsum("ij,jk->ik", a, b); }) ==
        "error[einsum]: einsum: \"ij,jk->ik\": the axis 'j' has the sizes 784 and 785");
  CHECK(refusal([&] { fx::einsum("ij->ik", a); }) ==
        "error[einsum]: einsum: \"ij->ik\": the result's axis 'k' is in no operand");
  CHECK(refusal([&] { fx::einsum("ij,jk", a); }) ==
        "error[einsum]: einsum: \"ij,jk\": it names 2 operands, 1 are given");
  CHECK(refusal([&] { fx::einsum("ijk->i", a); }) ==
        "error[einsum]: einsum: \"ijk->i\": \"ijk\" names 3 axes of an operand that has 2: "
        "f32[32,784]");
  CHECK(refusal([&] { fx::einsum("i1->i", a); }) ==
        "error[einsum]: einsum: \"i1->i\": '1' is no letter, comma or \"...\"");
  CHECK(refusal([&] { fx::einsum("ij->ii", a); }) ==
        "error[einsum]: einsum: \"ij->ii\": the result has the axis 'i' twice");
  CHECK(refusal([&] { fx::max_pool(fx::ones({3}), {4}); }) ==
        "error[window]: max_pool: a window of 4 does not fit into axis 0 of f32[3]");
  CHECK(refusal([&] {
          fx::max_pool(fx::ones({3}), {2, 2});
        }).find("error[window]: max_pool: a window over 2 axes of f32[3]") == 0);
  CHECK(refusal([&] {
          fx::lax::conv_general_dilated(fx::ones({1, 2, 3}), fx::ones({1, 2}));
        }).find("error[convolution]: conv_general_dilated: an image of 3 axes and a kernel of 2") ==
        0);
  CHECK(line_of([&] { fx::matmul(a, b); }) == __LINE__);
  CHECK(line_of([&] { fx::einsum("ij,jk->ik", a, b); }) == __LINE__);
}
