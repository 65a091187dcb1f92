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

/// Functions of two and three arguments, each from its own range; first derivatives only in those
/// that have no closed form beyond.
Sample two(std::string name, TwoOperands f, double low0, double high0, double low1, double high1) {
  return row(std::move(name),
             one([f](const ArrayList& x) { return f(x[0], x[1]); }),
             {{{{}, low0, high0}, {{}, low1, high1}},
              {{{3}, low0, high0}, {{3}, low1, high1}},
              {{{2, 1}, low0, high0}, {{3}, low1, high1}},
              {{{5, 1}, low0, high0}, {{5, 17}, low1, high1}},
              {{{0}, low0, high0}, {{0}, low1, high1}}});
}

Sample once(Sample sample) {
  sample.exceptions = {{SampleLaw::orders, "the second derivative in a has no closed form"}};
  return sample;
}

}  // namespace

Samples special_samples() {
  Samples rows = {
      unary("gammaln", special::gammaln, 0.3, 6),
      unary("gammaln of negative numbers", special::gammaln, -0.9, -0.1),
      unary("digamma", special::digamma, 0.3, 6),
      unary("gammasgn", special::gammasgn, -0.9, -0.1),
      unary("gamma", special::gamma, 0.3, 4),
      unary("factorial", special::factorial, 0.2, 3),
      unary("erf special", special::erf),
      unary("erfc special", special::erfc),
      unary("erfinv", special::erfinv, -0.8, 0.8),
      unary("ndtr", special::ndtr),
      unary("log_ndtr", special::log_ndtr, -8, 3),
      unary("ndtri", special::ndtri, 0.1, 0.9),
      unary("entr", special::entr, 0.2, 3),
      unary("logit special", special::logit, 0.2, 0.8),
      unary("expit", special::expit),
      unary("i0", special::i0, -4, 10),
      unary("i0e", special::i0e, 0.5, 12),
      unary("i1", special::i1, -4, 10),
      unary("i1e", special::i1e, 0.5, 12),
      unary("lgamma lax", fx::lax::lgamma, 0.3, 6),
      unary("digamma lax", fx::lax::digamma, 0.3, 6),
      row("polygamma",
          [](const ArrayList& x) {
            return ArrayList{special::polygamma(0, x[0]),
                             special::polygamma(1, x[0]),
                             special::polygamma(4, x[0])};
          },
          {{{{}, 0.5, 6}}, {{{5}, 0.5, 6}}, {{{5, 17}, 0.5, 6}}, {{{3}, -0.65, -0.35}}, {{{0}}}}),
      row("zeta",
          [](const ArrayList& x) {
            return ArrayList{special::zeta(3, x[0]), special::zeta(1.5, x[0])};
          },
          {{{{}, 0.5, 6}}, {{{5}, 0.5, 12}}, {{{5, 17}, 0.5, 6}}, {{{0}}}}),
      {"zeta of the exponent",
       one([](const ArrayList& x) { return special::zeta(x[0]); }),
       {{{{5}, 1.2, 20}}, {{{37}, 1.2, 20}}},
       {float16, float32},  // without a derivative
       false,
       {}},
      row("gammainc",
          [](const ArrayList& x) {
            return ArrayList{special::gammainc(0.5, x[0]), special::gammainc(3, x[0])};
          },
          {{{{3}, 0.2, 6}}, {{{37}, 0.2, 9}}}),
      row("gammaincc",
          [](const ArrayList& x) {
            return ArrayList{special::gammaincc(0.5, x[0]), special::gammaincc(3, x[0])};
          },
          {{{{3}, 0.2, 6}}, {{{37}, 0.2, 9}}}),
      once(two("gammainc of both", special::gammainc, 0.3, 4, 0.2, 6)),
      once(two("gammaincc of both", special::gammaincc, 0.3, 4, 0.2, 6)),
      row("betainc",
          one([](const ArrayList& x) { return special::betainc(0.5, 3, x[0]); }),
          {{{{3}, 0.1, 0.9}}, {{{37}, 0.1, 0.9}}}),
      once(row("betainc of all",
               one([](const ArrayList& x) { return special::betainc(x[0], x[1], x[2]); }),
               {{{{}, 0.3, 4}, {{}, 0.3, 4}, {{}, 0.1, 0.9}},
                {{{2, 1}, 0.3, 4}, {{3}, 0.3, 4}, {{}, 0.1, 0.9}},
                {{{37}, 0.3, 9}, {{37}, 0.3, 9}, {{37}, 0.1, 0.9}},
                {{{0}}, {{0}}, {{0}}}})),
      two("betaln", special::betaln, 0.3, 4, 0.3, 4),
      two("beta", special::beta, 0.3, 4, 0.3, 4),
      row("multigammaln",
          one([](const ArrayList& x) { return special::multigammaln(x[0], 3); }),
          {{{{}, 1.5, 6}}, {{{5}, 1.5, 6}}, {{{0}}}}),
      two("xlogy special", special::xlogy, 0.2, 3, 0.2, 3),
      two("xlog1py special", special::xlog1py, 0.2, 3, 0.2, 3),
      two("rel_entr", special::rel_entr, 0.2, 3, 0.2, 3),
      two("kl_div", special::kl_div, 0.2, 3, 0.2, 3),
  };
  return rows;
}

}  // namespace fluxion::test
