// Rows of reductions, running reductions and normalizations.
#include "tests/matrix/samples.hpp"

namespace fluxion::test {
namespace {

namespace fx = fluxion;
using Reducing = Array (*)(const Operand&, const Axes&, bool);
using Running = Array (*)(const Operand&, fx::MaybeAxis, bool);

/// Over all, the first, the last, two axes, kept and not, in one program.
Sample reduction(std::string name, Reducing f, bool of_nothing = true) {
  Sample sample{std::move(name),
                [f](const ArrayList& x) {
                  const int last = x[0].ndim() - 1;
                  ArrayList out = {f(x[0], {}, false), f(x[0], 0, true)};
                  if (last > 0) out.push_back(f(x[0], last, false));
                  if (last > 1) out.push_back(f(x[0], Axes{0, 2}, true));
                  return out;
                },
                {{{{1}}}, {{{5}}}, {{{2, 3}}}, {{{37}}}, {{{5, 67}}}, {{{2, 3, 4}}}},
                every_dtype()};
  if (of_nothing) {
    sample.cases.push_back({{{0}}});
    sample.cases.push_back({{{0, 2}}});
  }
  return sample;
}

Sample running(std::string name, Running f) {
  return {std::move(name),
          [f](const ArrayList& x) {
            return ArrayList{f(x[0], 0, false), f(x[0], x[0].ndim() - 1, true), f(x[0], {}, false)};
          },
          {{{{1}}}, {{{5}}}, {{{2, 3}}}, {{{37}}}, {{{5, 67}}}, {{{0}}}},
          every_dtype()};
}

Sample along(std::string name,
             std::function<Array(const Array&, int)> f,
             std::vector<DType> dtypes) {
  return {std::move(name),
          [f](const ArrayList& x) { return ArrayList{f(x[0], 0), f(x[0], -1)}; },
          {{{{2}}}, {{{4}}}, {{{4, 6}}}, {{{38}}}, {{{6, 66}}}},
          std::move(dtypes)};
}

}  // namespace

Samples reduction_samples() {
  Samples rows = {
      reduction("sum", fx::sum),
      reduction("prod", fx::prod),
      reduction("mean", fx::mean, false),
      reduction("max", fx::max, false),
      reduction("min", fx::min, false),
      reduction("any", fx::any),
      reduction(
          "all",
          [](const Operand& x, const Axes& axes, bool keep) { return fx::all(x, axes, keep); }),
      reduction("logsumexp", fx::logsumexp),
      reduction("count_nonzero", fx::count_nonzero),
      reduction("ptp", fx::ptp, false),
      reduction("nansum", fx::nansum),
      reduction("nanmean", fx::nanmean, false),
      reduction("nanmax", fx::nanmax, false),
      reduction("nanmin", fx::nanmin, false),
      reduction("norm", fx::linalg::norm, false),
      reduction(
          "var",
          [](const Operand& x, const Axes& axes, bool keep) { return fx::var(x, axes, keep); },
          false),
      reduction(
          "std",
          [](const Operand& x, const Axes& axes, bool keep) { return fx::std(x, axes, keep); },
          false),
      running("cumsum", fx::cumsum),
      running("cumprod", fx::cumprod),
      running("cummax", fx::cummax),
      running("cummin", fx::cummin),
      running("cumlogsumexp", fx::cumlogsumexp),
      along(
          "argmax", [](const Array& x, int axis) { return fx::argmax(x, axis); }, every_dtype()),
      along(
          "argmin", [](const Array& x, int axis) { return fx::argmin(x, axis); }, every_dtype()),
      along(
          "diff", [](const Array& x, int axis) { return fx::diff(x, 1, axis); }, number_dtypes()),
      along(
          "softmax", [](const Array& x, int axis) { return fx::softmax(x, axis); }, every_dtype()),
      along(
          "log_softmax",
          [](const Array& x, int axis) { return fx::log_softmax(x, axis); },
          every_dtype()),
      along(
          "standardize",
          [](const Array& x, int axis) { return fx::standardize(x, axis); },
          every_dtype()),
      along(
          "glu", [](const Array& x, int axis) { return fx::glu(x, axis); }, float_dtypes()),
  };
  rows.push_back(
      {"average",
       one([](const ArrayList& x) { return fx::average(x[0], x[1], -1); }),
       {{{{5}}, {{5}, 0.5, 2}}, {{{2, 3}}, {{2, 3}, 0.5, 2}}, {{{5, 67}}, {{5, 67}, 0.5, 2}}},
       float_dtypes()});
  for (Sample& row : rows)
    for (SampleCase& operands : row.cases) {
      if (row.name == "std" || row.name == "norm")
        for (SampleOperand& o : operands) o.low = 0.5;
      if (row.name == "prod" || row.name == "cumprod")
        for (SampleOperand& o : operands) {
          o.low = 0.6;
          o.high = 1.4;
        }
    }
  for (Sample& row : rows)
    if (row.name == "std")
      std::erase_if(row.cases, [](const SampleCase& c) { return c[0].shape == Shape{1}; });
  return rows;
}

}  // namespace fluxion::test
