// Rows of functions that make arrays, give them other shapes, or read and write parts of them.
#include "tests/matrix/samples.hpp"

namespace fluxion::test {
namespace {

namespace fx = fluxion;

const SampleCase matrix = {{{2, 3}}}, square = {{{3, 3}}}, vector = {{{5}}}, empty = {{{0, 3}}},
                 scalar = {{{}}}, long_vector = {{{37}}}, wide = {{{5, 67}}}, cube = {{{2, 3, 4}}};
const std::vector<SampleCase> of_any = {scalar, {{{1}}}, vector, matrix, empty, long_vector, wide};
const std::vector<SampleCase> of_axes = {{{{1}}}, vector, matrix, empty, long_vector, wide};
const std::vector<SampleCase> of_matrices = {square, matrix, empty, wide, {{{1, 1}}}};

Sample row(std::string name,
           std::function<Array(const Array&)> f,
           std::vector<SampleCase> cases,
           const std::vector<DType>& dtypes = every_dtype()) {
  return {std::move(name),
          one([f = std::move(f)](const ArrayList& x) { return f(x[0]); }),
          std::move(cases),
          dtypes};
}

Sample rows(std::string name,
            ProgramFunction f,
            std::vector<SampleCase> cases,
            const std::vector<DType>& dtypes = every_dtype()) {
  return {std::move(name), std::move(f), std::move(cases), dtypes};
}

/// A function of no operand, called where a program is recorded.
Sample made(std::string name, std::function<ArrayList(DType)> f) {
  return {std::move(name),
          [f = std::move(f)](const ArrayList& x) {
            ArrayList out = f(x[0].dtype());
            for (Array& a : out) a = fx::concatenate({a.flatten(), x[0]});
            return out;
          },
          {vector},
          number_dtypes()};
}

}  // namespace

Samples creation_samples() {
  return {
      made("zeros",
           [](DType t) {
             return ArrayList{fx::zeros({2, 3}, t), fx::zeros({}, t), fx::zeros({0}, t)};
           }),
      made("ones", [](DType t) { return ArrayList{fx::ones({37}, t), fx::ones({2, 0}, t)}; }),
      made("full", [](DType t) { return ArrayList{fx::full({2, 3}, 7, t), fx::full({}, 1, t)}; }),
      row(
          "zeros_like", [](const Array& x) { return x + fx::zeros_like(x); }, of_any),
      row(
          "ones_like", [](const Array& x) { return x * fx::ones_like(x); }, of_any),
      row(
          "full_like", [](const Array& x) { return x + fx::full_like(x, 3); }, of_any),
      made("arange", [](DType t) { return ArrayList{fx::arange(37, t), fx::arange(2, 9, 3, t)}; }),
      made("linspace",
           [](DType t) {
             return ArrayList{fx::linspace(0.0, 8.0, 5, t), fx::linspace(1, 2, 4, t, false)};
           }),
      made("logspace", [](DType t) { return ArrayList{fx::logspace(0.0, 3.0, 4, 2, t)}; }),
      made("eye", [](DType t) { return ArrayList{fx::eye(4, t), fx::eye(2, 5, 1, t)}; }),
      made("tri", [](DType t) { return ArrayList{fx::tri(3, 4, -1, t), fx::tri(2, 37, 5, t)}; }),
      rows("meshgrid",
           [](const ArrayList& x) { return fx::meshgrid({x[0], x[1]}); },
           {{{{3}}, {{5}}}, {{{1}}, {{37}}}, {{{0}}, {{2}}}}),
      rows("broadcast_arrays",
           [](const ArrayList& x) { return fx::broadcast_arrays({x[0], x[1]}); },
           {{{{3}}, {{5, 1}}}, {{{}}, {{37}}}, {{{0}}, {{1}}}}),
  };
}

Samples shape_samples() {
  const std::vector<SampleCase> two = {
      {{{2, 3}}, {{2, 3}}}, {{{1, 1}}, {{1, 1}}}, {{{5, 67}}, {{5, 67}}}, {{{0, 3}}, {{0, 3}}}};
  return {
      row(
          "reshape", [](const Array& x) { return fx::reshape(x, {1, x.size()}); }, of_any),
      row(
          "flatten", [](const Array& x) { return fx::flatten(x); }, of_any),
      rows("transpose",
           [](const ArrayList& x) {
             ArrayList out = {fx::transpose(x[0])};
             if (x[0].ndim() == 3) out.push_back(fx::transpose(x[0], {1, 2, 0}));
             return out;
           },
           {scalar, vector, matrix, empty, wide, cube}),
      row("swapaxes",
          [](const Array& x) { return fx::swapaxes(x, 0, -1); },
          {vector, matrix, wide, cube}),
      row("moveaxis",
          [](const Array& x) { return fx::moveaxis(x, 0, -1); },
          {vector, matrix, wide, cube}),
      row("squeeze",
          [](const Array& x) { return fx::squeeze(x); },
          {{{{1}}}, {{{1, 5, 1}}}, {{{2, 1, 37}}}, {{{0, 1}}}}),
      row(
          "expand_dims", [](const Array& x) { return fx::expand_dims(x, {0, -1}); }, of_any),
      row(
          "broadcast_to",
          [](const Array& x) {
            Shape shape{3};
            for (std::int64_t n : x.shape()) shape.push_back(n);
            return fx::broadcast_to(x, shape);
          },
          of_any),
      rows(
          "concatenate",
          [](const ArrayList& x) {
            return ArrayList{fx::concatenate({x[0], x[1], x[0]}, 0),
                             fx::concatenate({x[0], x[1]}, -1)};
          },
          two),
      rows(
          "stack",
          [](const ArrayList& x) {
            return ArrayList{fx::stack({x[0], x[1]}, 0), fx::stack({x[0], x[1]}, -1)};
          },
          two),
      rows("vstack", one([](const ArrayList& x) { return fx::vstack({x[0], x[1]}); }), two),
      rows("hstack", one([](const ArrayList& x) { return fx::hstack({x[0], x[1]}); }), two),
      rows("split",
           [](const ArrayList& x) {
             ArrayList out = fx::split(x[0], 2, 0);
             for (const Array& part : fx::split(x[0], std::vector<std::int64_t>{1, 3}, -1))
               out.push_back(part);
             return out;
           },
           {{{{4}}}, {{{2, 5}}}, {{{6, 67}}}, {{{0, 4}}}}),
      row(
          "tile", [](const Array& x) { return fx::tile(x, {2, 3}); }, of_any),
      rows(
          "repeat",
          [](const ArrayList& x) { return ArrayList{fx::repeat(x[0], 3), fx::repeat(x[0], 2, 0)}; },
          of_axes),
      rows(
          "flip",
          [](const ArrayList& x) { return ArrayList{fx::flip(x[0]), fx::flip(x[0], 0)}; },
          of_axes),
      rows(
          "roll",
          [](const ArrayList& x) { return ArrayList{fx::roll(x[0], 2), fx::roll(x[0], -1, 0)}; },
          of_axes),
      rows(
          "rot90",
          [](const ArrayList& x) { return ArrayList{fx::rot90(x[0]), fx::rot90(x[0], 2)}; },
          of_matrices),
      rows("pad",
           [](const ArrayList& x) {
             ArrayList out = {fx::pad(x[0], {{1, 2}}), fx::pad(x[0], {{0, 3}}, 1)};
             if (x[0].size() == 0) return out;
             out.push_back(fx::pad(x[0], {{2, 1}}, fx::PadMode::edge));
             out.push_back(fx::pad(x[0], {{2, 1}}, fx::PadMode::symmetric));
             out.push_back(fx::pad(x[0], {{1, 2}}, fx::PadMode::wrap));
             if (x[0].shape()[0] > 1) out.push_back(fx::pad(x[0], {{1, 1}}, fx::PadMode::reflect));
             return out;
           },
           {{{{1}}}, vector, matrix, empty, long_vector, wide}),
      rows(
          "tril",
          [](const ArrayList& x) { return ArrayList{fx::tril(x[0]), fx::tril(x[0], -1)}; },
          of_matrices),
      rows(
          "triu",
          [](const ArrayList& x) { return ArrayList{fx::triu(x[0]), fx::triu(x[0], 1)}; },
          of_matrices),
      row("diag",
          [](const Array& x) { return fx::diag(x); },
          {{{{1}}}, vector, matrix, square, long_vector, wide}),
      rows("diagonal",
           [](const ArrayList& x) { return ArrayList{fx::diagonal(x[0]), fx::diagonal(x[0], 1)}; },
           {square, matrix, wide, cube}),
      row(
          "trace",
          [](const Array& x) { return fx::trace(x); },
          {square, matrix, wide},
          number_dtypes()),
  };
}

Samples index_samples() {
  const SampleOperand places{{4}, -7, 7, int32}, table{{2, 2}, -3, 3, int64};
  const std::vector<SampleCase> taken = {
      {{{5}}, places},
      {{{3, 4}}, places},
      {{{3, 4}}, table},
      {{{37}}, places},
      {{{5, 67}}, places},
      {{{1}}, places},
  };
  Samples all = {
      rows(
          "take",
          [](const ArrayList& x) {
            return ArrayList{fx::take(x[0], x[1], 0), fx::take(x[0], x[1])};
          },
          taken),
      rows("take_along_axis",
           one([](const ArrayList& x) { return fx::take_along_axis(x[0], x[1], -1); }),
           {{{{5}}, {{3}, 0, 4, int32}},
            {{{3, 4}}, {{3, 2}, 0, 3, int32}},
            {{{5, 67}}, {{5, 1}, 0, 66, int64}}}),
      rows("one_hot",
           [](const ArrayList& x) {
             return ArrayList{fx::one_hot(x[0], 5), fx::one_hot(x[0], 37, float64)};
           },
           {{{{}, 0, 4, int32}},
            {{{3}, -1, 6, int32}},
            {{{2, 3}, 0, 40, int64}},
            {{{0}, 0, 1, int32}}},
           {float32}),
      rows("index",
           [](const ArrayList& x) {
             const Array& a = x[0];
             return ArrayList{
                 a[0], a[{fx::slice({}, {}, -2)}], a[{fx::ellipsis, fx::newaxis, -1}], a[x[1]]};
           },
           {{{{5}}, places}, {{{3, 4}}, places}, {{{37}}, places}, {{{5, 67}}, table}}),
      rows("at",
           [](const ArrayList& x) {
             const Array& a = x[0];
             const Array updates = fx::take(a, x[1] & 0, 0);
             return ArrayList{a.at(0).set(a[-1]), a.at(x[1]).set(updates)};
           },
           {{{{5}}, places}, {{{3, 4}}, places}, {{{37}}, places}, {{{5, 67}}, places}}),
      rows(
          "at add",
          [](const ArrayList& x) {
            const Array& a = x[0];
            const Array updates = fx::take(a, fx::flip(x[1]), 0);
            return ArrayList{a.at(x[1]).add(updates),
                             a.at(x[1]).min(updates),
                             a.at(x[1]).max(updates),
                             a.at({fx::slice(0, {}, 2)}).multiply(a[{fx::slice(0, {}, 2)}])};
          },
          {{{{5}}, places}, {{{3, 4}}, places}, {{{37}}, places}, {{{5, 67}}, places}},
          number_dtypes()),
  };
  return all;
}

}  // namespace fluxion::test
