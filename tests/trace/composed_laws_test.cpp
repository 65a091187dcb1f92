// The laws of composed functions: kernels as references, derivatives as differences, cotangents as
// tangents, batches as examples.
#include "fluxion/fluxion.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/operation_laws.hpp"

namespace fx = fluxion;
using namespace fluxion::test;
using fx::Array;
using fx::ArrayList;

namespace {

struct Row {
  const char* name;
  std::function<Array(const ArrayList&)> f;
  fx::Types types;
  int order = 2;
};

const fx::Type matrix{{3, 4}, fx::float64}, square_matrix{{3, 3}, fx::float64},
    vector{{5}, fx::float64};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.name);
    check_laws(program(row.types, row.f), random_sampler(row.types), row.order);
  }
}

/// Numbers in (0, inf), in (-1, 1), above 1.
Array positive(const Array& x) { return fx::exp(x); }
Array inside(const Array& x) { return 0.95 * fx::tanh(x); }

}  // namespace

TEST_CASE("laws of functions of one number") {
  check({
      {"exp2", [](auto& a) { return fx::exp2(a[0]); }, {vector}},
      {"log2", [](auto& a) { return fx::log2(positive(a[0])); }, {vector}},
      {"log10", [](auto& a) { return fx::log10(positive(a[0])); }, {vector}},
      {"cbrt", [](auto& a) { return fx::cbrt(a[0] + 3); }, {vector}},
      {"asin", [](auto& a) { return fx::asin(inside(a[0])); }, {vector}},
      {"acos", [](auto& a) { return fx::acos(inside(a[0])); }, {vector}},
      {"atan", [](auto& a) { return fx::atan(a[0]); }, {vector}},
      {"sinh", [](auto& a) { return fx::sinh(a[0]); }, {vector}},
      {"cosh", [](auto& a) { return fx::cosh(a[0]); }, {vector}},
      {"asinh", [](auto& a) { return fx::asinh(a[0]); }, {vector}},
      {"acosh", [](auto& a) { return fx::acosh(1.5 + positive(a[0])); }, {vector}},
      {"atanh", [](auto& a) { return fx::atanh(inside(a[0])); }, {vector}},
      {"sinc", [](auto& a) { return fx::sinc(a[0]); }, {vector}},
      {"erf_inv", [](auto& a) { return fx::erf_inv(inside(a[0])); }, {vector}},
      {"logit", [](auto& a) { return fx::logit(fx::sigmoid(a[0])); }, {vector}},
      {"square", [](auto& a) { return fx::square(a[0]); }, {vector}},
      {"reciprocal", [](auto& a) { return fx::reciprocal(positive(a[0])); }, {vector}},
      {"power 5", [](auto& a) { return fx::power(a[0], 5); }, {vector}},
      {"power -2", [](auto& a) { return fx::power(positive(a[0]), -2); }, {vector}},
      {"nan_to_num", [](auto& a) { return fx::nan_to_num(a[0]); }, {vector}},
      {"trunc", [](auto& a) { return fx::trunc(a[0]) * a[0]; }, {vector}},
  });
}

TEST_CASE("laws of activations") {
  check({
      {"relu", [](auto& a) { return fx::relu(a[0]); }, {vector}},
      {"relu6", [](auto& a) { return fx::relu6(4 * a[0]); }, {vector}},
      {"softplus", [](auto& a) { return fx::softplus(a[0]); }, {vector}},
      {"log_sigmoid", [](auto& a) { return fx::log_sigmoid(a[0]); }, {vector}},
      {"silu", [](auto& a) { return fx::silu(a[0]); }, {vector}},
      {"soft_sign", [](auto& a) { return fx::soft_sign(a[0]); }, {vector}},
      {"mish", [](auto& a) { return fx::mish(a[0]); }, {vector}},
      {"gelu", [](auto& a) { return fx::gelu(a[0]); }, {vector}},
      {"gelu_exact", [](auto& a) { return fx::gelu_exact(a[0]); }, {vector}},
      {"elu", [](auto& a) { return fx::elu(a[0], 0.7); }, {vector}},
      {"selu", [](auto& a) { return fx::selu(a[0]); }, {vector}},
      {"leaky_relu", [](auto& a) { return fx::leaky_relu(a[0]); }, {vector}},
      {"hard_silu", [](auto& a) { return fx::hard_silu(a[0]); }, {vector}},
      {"glu", [](auto& a) { return fx::glu(a[0]); }, {matrix}},
      {"softmax", [](auto& a) { return fx::softmax(a[0]); }, {matrix}},
      {"softmax of a column", [](auto& a) { return fx::softmax(a[0], 0); }, {matrix}},
      {"log_softmax", [](auto& a) { return fx::log_softmax(a[0], {0, 1}); }, {matrix}},
      {"standardize", [](auto& a) { return fx::standardize(a[0]); }, {matrix}},
  });
}

TEST_CASE("laws of functions of two numbers") {
  const fx::Type row{{4}, fx::float64};
  check({
      {"hypot", [](auto& a) { return fx::hypot(a[0], a[1]); }, {vector, vector}},
      {"logaddexp", [](auto& a) { return fx::logaddexp(a[0], a[1]); }, {matrix, row}},
      {"logaddexp2", [](auto& a) { return fx::logaddexp2(a[0], a[1]); }, {vector, vector}},
      {"power", [](auto& a) { return fx::power(positive(a[0]), a[1]); }, {matrix, row}},
      {"copysign", [](auto& a) { return fx::copysign(a[0], a[1]); }, {vector, vector}},
      {"remainder",
       [](auto& a) { return fx::remainder(a[0], 3 + positive(a[1])); },
       {vector, vector}},
      {"xlogy", [](auto& a) { return fx::xlogy(a[0], positive(a[1])); }, {vector, vector}},
      {"xlog1py", [](auto& a) { return fx::xlog1py(a[0], positive(a[1])); }, {vector, vector}},
      {"fmax", [](auto& a) { return fx::fmax(a[0], a[1]); }, {vector, vector}},
      {"where",
       [](auto& a) { return fx::where(a[0] > a[1], fx::sin(a[0]), a[1] * a[1]); },
       {matrix, row}},
      {"clip", [](auto& a) { return fx::clip(a[0], -1, a[1] + 3); }, {matrix, row}},
  });
}

TEST_CASE("laws of reductions and running reductions") {
  check({
      {"mean", [](auto& a) { return fx::mean(a[0], 0); }, {matrix}},
      {"var", [](auto& a) { return fx::var(a[0], 1, true, 1); }, {matrix}},
      {"std", [](auto& a) { return fx::std(a[0]); }, {matrix}},
      {"logsumexp", [](auto& a) { return fx::logsumexp(a[0], -1); }, {matrix}},
      {"ptp", [](auto& a) { return fx::ptp(a[0], 0); }, {matrix}},
      {"average", [](auto& a) { return fx::average(a[0], positive(a[1]), 1); }, {matrix, matrix}},
      {"nanmean", [](auto& a) { return fx::nanmean(a[0], 1); }, {matrix}},
      {"norm", [](auto& a) { return fx::linalg::norm(a[0], 1); }, {matrix}},
      {"cumsum", [](auto& a) { return fx::cumsum(a[0], 1); }, {matrix}},
      {"cumsum in reverse", [](auto& a) { return fx::cumsum(a[0], 0, true); }, {matrix}},
      {"cumprod", [](auto& a) { return fx::cumprod(a[0], 1); }, {matrix}},
      {"cummax", [](auto& a) { return fx::cummax(a[0], -1); }, {matrix}},
      {"cumlogsumexp", [](auto& a) { return fx::cumlogsumexp(a[0]); }, {vector}},
      {"diff", [](auto& a) { return fx::diff(a[0], 2); }, {matrix}},
  });
}

TEST_CASE("laws of other shapes") {
  check({
      {"reshape", [](auto& a) { return a[0].reshape({2, -1}); }, {matrix}, 1},
      {"transpose", [](auto& a) { return a[0].T(); }, {matrix}, 1},
      {"tile", [](auto& a) { return fx::tile(a[0], {2, 2}); }, {matrix}, 1},
      {"repeat", [](auto& a) { return fx::repeat(a[0], 2, 1); }, {matrix}, 1},
      {"flip", [](auto& a) { return fx::flip(a[0], 1); }, {matrix}, 1},
      {"roll", [](auto& a) { return fx::roll(a[0], 2, 1); }, {matrix}, 1},
      {"rot90", [](auto& a) { return fx::rot90(a[0], 3); }, {matrix}, 1},
      {"stack", [](auto& a) { return fx::stack({a[0], a[1] * 2}, 1); }, {matrix, matrix}, 1},
      {"concatenate",
       [](auto& a) { return fx::concatenate({a[0], a[1]}, 0); },
       {matrix, matrix},
       1},
      {"split", [](auto& a) { return fx::split(a[0], 2, 1)[1]; }, {matrix}, 1},
      {"pad", [](auto& a) { return fx::pad(a[0], {{1, 0}, {0, 2}}, 3); }, {matrix}, 1},
      {"pad edge", [](auto& a) { return fx::pad(a[0], {{1, 2}}, fx::PadMode::edge); }, {matrix}, 1},
      {"pad reflect",
       [](auto& a) { return fx::pad(a[0], {{3, 2}}, fx::PadMode::reflect); },
       {matrix},
       1},
      {"pad wrap", [](auto& a) { return fx::pad(a[0], {{3, 2}}, fx::PadMode::wrap); }, {matrix}, 1},
      {"tril", [](auto& a) { return fx::tril(a[0], -1); }, {square_matrix}, 1},
      {"diagonal", [](auto& a) { return fx::diagonal(a[0], 1); }, {matrix}, 1},
      {"diag", [](auto& a) { return fx::diag(a[0], 1); }, {vector}, 1},
  });
}

TEST_CASE("laws of reading and updating parts") {
  const fx::Type row{{4}, fx::float64}, three{{3}, fx::float64};
  // of literals: an array would be one more input of the program
  const auto positions = [](std::initializer_list<int> list) {
    return fx::stack({list.begin(), list.end()});
  };
  const auto at = [&] { return positions({2, 0, 2}); };
  check({
      {"slices",
       [](auto& a) { return a[0][{fx::slice({}, {}, -2), fx::newaxis, fx::slice(1, {})}]; },
       {matrix},
       1},
      {"positions", [&](auto& a) { return a[0][{fx::all, at()}]; }, {matrix}, 1},
      {"pairs of positions",
       [&](auto& a) { return a[0][{at(), positions({3, 1, 1})}]; },
       {matrix},
       1},
      {"take_along_axis",
       [&](auto& a) { return fx::take_along_axis(a[0], positions({1, 3, 0}).reshape({3, 1}), 1); },
       {matrix},
       1},
      {"set", [](auto& a) { return a[0].at(1).set(a[1]); }, {matrix, row}, 1},
      {"add to a strided slice",
       [](auto& a) { return a[0].at({fx::all, fx::slice(0, {}, 2)}).add(a[1][fx::slice(0, 2)]); },
       {matrix, row},
       1},
      {"multiply", [](auto& a) { return a[0].at({0}).multiply(a[1]); }, {matrix, row}},
      {"set at positions",
       [&](auto& a) { return a[0].at({at(), 1}).set(a[1]); },
       {matrix, three},
       1},
      {"add at positions",
       [&](auto& a) { return a[0].at({at(), 1}).add(a[1]); },
       {matrix, three},
       1},
      {"max at positions",
       [&](auto& a) { return a[0].at({at(), 1}).max(a[1]); },
       {matrix, three},
       1},
      {"dynamic_slice",
       [](auto& a) { return fx::lax::dynamic_slice(a[0], {1, 2}, {2, 2}); },
       {matrix},
       1},
      {"dynamic_update_slice",
       [](auto& a) { return fx::lax::dynamic_update_slice(a[0], a[1].reshape({1, 4}), {2, 0}); },
       {matrix, row},
       1},
  });
}

TEST_CASE("laws of products and windows") {
  const fx::Type batch{{2, 3, 4}, fx::float64}, image{{1, 2, 5, 5}, fx::float64},
      kernel{{3, 2, 2, 2}, fx::float64};
  check({
      {"matmul", [](auto& a) { return fx::matmul(a[0], fx::sin(a[1]).T()); }, {matrix, matrix}},
      {"batched matmul", [](auto& a) { return fx::matmul(a[0], a[1].T()); }, {batch, matrix}},
      {"vector matmul",
       [](auto& a) { return fx::matmul(a[1], a[0]); },
       {batch, {{3}, fx::float64}}},
      {"outer", [](auto& a) { return fx::outer(a[0], a[1]); }, {vector, vector}},
      {"kron",
       [](auto& a) { return fx::kron(a[0], a[1]); },
       {{{2, 2}, fx::float64}, {{2}, fx::float64}}},
      {"tensordot",
       [](auto& a) { return fx::tensordot(a[0], a[1], {2, 1}, {1, 0}); },
       {batch, matrix}},
      {"einsum",
       [](auto& a) { return fx::einsum("bij,kj,bim->bkm", a[0], a[1], a[0]); },
       {batch, {{3, 4}, fx::float64}}},
      {"cross",
       [](auto& a) { return fx::cross(a[0], a[1]); },
       {{{2, 3}, fx::float64}, {{3}, fx::float64}}},
      {"max_pool",
       [](auto& a) { return fx::max_pool(a[0], {3, 3}, {2, 2}, {{1, 1}, {1, 1}}); },
       {image},
       1},
      {"avg_pool",
       [](auto& a) { return fx::avg_pool(a[0], {2, 2}, {1, 2}, {{1, 0}, {0, 0}}); },
       {image},
       1},
      {"convolution",
       [](auto& a) {
         return fx::lax::conv_general_dilated(
             a[0], a[1], {.strides = {1, 2}, .padding = fx::lax::same});
       },
       {image, kernel},
       1},
  });
}
