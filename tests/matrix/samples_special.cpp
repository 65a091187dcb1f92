// Rows of the functions of fluxion/special.hpp.
#include "fluxion/special.hpp"
#include "tests/matrix/samples.hpp"

namespace fluxion::test {
namespace {

namespace fx = fluxion;
namespace special = fluxion::special;

Sample row(std::string name, ProgramFunction f, std::vector<SampleCase> cases) {
  return {std::move(name), std::move(f), std::move(cases), float_dtypes()};
}

}  // namespace

Samples special_samples() {
  Samples rows = {
      unary("lgamma lax", fx::lax::lgamma, 0.3, 6),
      unary("digamma lax", fx::lax::digamma, 0.3, 6),
      row("polygamma",
          [](const ArrayList& x) {
            return ArrayList{special::polygamma(0, x[0]),
                             special::polygamma(1, x[0]),
                             special::polygamma(4, x[0])};
          },
          {{{{}, 0.5, 6}}, {{{5}, 0.5, 6}}, {{{5, 17}, 0.5, 6}}, {{{3}, -0.9, -0.2}}, {{{0}}}}),
      row("zeta",
          [](const ArrayList& x) {
            return ArrayList{special::zeta(3, x[0]), special::zeta(1.5, x[0])};
          },
          {{{{}, 0.5, 6}}, {{{5}, 0.5, 12}}, {{{5, 17}, 0.5, 6}}, {{{0}}}}),
      row("zeta of the exponent",
          one([](const ArrayList& x) { return special::zeta(fx::stop_gradient(x[0])); }),
          {{{{5}, 1.2, 20}}, {{{37}, 1.2, 20}}}),
  };
  return rows;
}

}  // namespace fluxion::test
