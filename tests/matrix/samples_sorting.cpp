// Rows of the functions of fluxion/sorting.hpp.
#include "fluxion/sorting.hpp"
#include "tests/matrix/samples.hpp"

namespace fluxion::test {
namespace {

namespace fx = fluxion;
namespace lax = fluxion::lax;

Sample row(std::string name,
           ProgramFunction f,
           std::vector<SampleCase> cases,
           const std::vector<DType>& dtypes = every_dtype()) {
  return {std::move(name), std::move(f), std::move(cases), dtypes};
}

const std::vector<SampleCase>& arrays() {
  static const std::vector<SampleCase> cases = {
      {{{1}}}, {{{5}}}, {{{2, 3}}}, {{{67}}}, {{{5, 33}}}, {{{3, 40, 2}}}, {{{0}}}, {{{2, 0}}}};
  return cases;
}

}  // namespace

Samples sorting_samples() {
  Samples rows = {
      row(
          "sort",
          [](const ArrayList& x) {
            return ArrayList{fx::sort(x[0]), fx::sort(x[0], 0, true), fx::sort(x[0], std::nullopt)};
          },
          arrays()),
      row(
          "argsort",
          [](const ArrayList& x) {
            return ArrayList{fx::argsort(x[0]), fx::argsort(x[0], 0, true)};
          },
          arrays()),
      row("lexsort",
          one([](const ArrayList& x) { return fx::lexsort({x[0], x[1]}); }),
          {{{{5}}, {{5}, 0, 2, int32}},
           {{{2, 3}}, {{2, 3}, 0, 2, int32}},
           {{{5, 67}}, {{5, 67}, 0, 2, int32}}}),
      row("lax sort",
          [](const ArrayList& x) { return lax::sort({x[0], x[1], x[2]}, 0, 2); },
          {{{{5}, 0, 1, int32}, {{5}}, {{5}}},
           {{{20, 3}, 0, 1, int32}, {{20, 3}}, {{20, 3}}},
           {{{67}, 0, 3, int32}, {{67}}, {{67}}}}),
      row("top_k",
          [](const ArrayList& x) {
            const auto top = lax::top_k(x[0], 2);
            return ArrayList{top.values, top.indices};
          },
          {{{{2}}}, {{{5}}}, {{{2, 3}}}, {{{5, 67}}}, {{{0, 4}}}}),
      row(
          "searchsorted",
          [](const ArrayList& x) {
            const Array sorted = fx::sort(x[0]);
            return ArrayList{fx::searchsorted(sorted, x[1]),
                             fx::searchsorted(sorted, x[1], fx::Side::right)};
          },
          {{{{5}}, {{}}}, {{{5}}, {{2, 3}}}, {{{67}}, {{33}}}, {{{1}}, {{4}}}},
          every_dtype()),
      row(
          "quantile",
          [](const ArrayList& x) {
            return ArrayList{fx::quantile(x[0], 0.3),
                             fx::quantile(x[0], fx::linspace(0.0f, 1.0f, 3), -1),
                             fx::quantile(x[0], 0.7, -1, fx::Interpolation::lower, true),
                             fx::quantile(x[0], 0.7, 0, fx::Interpolation::higher),
                             fx::quantile(x[0], 0.6, -1, fx::Interpolation::nearest)};
          },
          {{{{1}}}, {{{5}}}, {{{2, 3}}}, {{{4, 33}}}},
          float_dtypes()),
      row("percentile",
          one([](const ArrayList& x) { return fx::percentile(x[0], 35, -1); }),
          {{{{5}}}, {{{2, 3}}}},
          float_dtypes()),
      row(
          "median",
          [](const ArrayList& x) { return ArrayList{fx::median(x[0]), fx::median(x[0], 0, true)}; },
          {{{{1}}}, {{{5}}}, {{{2, 3}}}, {{{4, 33}}}},
          float_dtypes()),
      row(
          "reduce_precision",
          [](const ArrayList& x) {
            return ArrayList{lax::reduce_precision(x[0], 5, 10),
                             lax::reduce_precision(x[0], 8, 3),
                             lax::reduce_precision(x[0], 3, 0)};
          },
          {{{{}}}, {{{5}}}, {{{67}, -300, 300}}, {{{37}, -0.01, 0.01}}, {{{0}}}},
          float_dtypes()),
  };
  for (Sample& sample : rows) {
    sample.special = sample.name == "sort" || sample.name == "reduce_precision" ||
                     sample.name == "searchsorted" || sample.name == "argsort";
    if (sample.name == "reduce_precision")
      sample.exceptions = {{SampleLaw::differences, "rounds: differences count the steps"},
                           {SampleLaw::adjoints, "tangents are rounded too"},
                           {SampleLaw::orders, "as above"}};
  }
  return rows;
}

}  // namespace fluxion::test
