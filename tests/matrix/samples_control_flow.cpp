// Rows of loops, branches and collectives. Their bodies are chosen so that carries, captured
// arrays, rows read and rows written all occur.
#include "tests/matrix/samples.hpp"

namespace fluxion::test {
namespace {

const std::vector<DType>& wide_floats() {
  static const std::vector<DType> dtypes{float32, float64};
  return dtypes;
}

Sample row(std::string name,
           std::vector<SampleCase> cases,
           std::function<Array(const ArrayList&)> f) {
  return {std::move(name), one(std::move(f)), std::move(cases), wide_floats()};
}

Array half(const Array& x) { return x * 0.5; }

}  // namespace

Samples control_flow_samples() {
  const std::vector<SampleCase> vector_and_rows{
      {{{3}}, {{4, 3}}}, {{{1}}, {{1, 1}}}, {{{2}}, {{0, 2}}}, {{{}}, {{5}}}, {{{0}}, {{2, 0}}}};
  const std::vector<SampleCase> vectors{{{{3}}}, {{{}}}, {{{1}}}, {{{0}}}, {{{2, 3}}}, {{{37}}}};
  Samples rows;
  for (bool reverse : {false, true}) {
    rows.push_back(
        row(reverse ? "scan, reverse" : "scan", vector_and_rows, [reverse](const ArrayList& x) {
          const auto step = [&](Array c, Array r) {
            Array next = sin(c) * r + half(x[0]);
            return std::pair{next, next * c};
          };
          auto [last, written] = scan(step, x[0], x[1], {.reverse = reverse});
          return written + last;
        }));
  }
  rows.push_back(row("fori_loop", vectors, [](const ArrayList& x) {
    return fori_loop(
        1, 4, [&](Array i, Array c) { return tanh(c) * i.astype(c.dtype()) + half(x[0]); }, x[0]);
  }));
  rows.push_back(row("a table filled by a loop", {{{{24}}}, {{{3}}}}, [](const ArrayList& x) {
    const int n = static_cast<int>(x[0].size());
    return fori_loop(1, n, [&](Array i, Array t) { return t.at({i}).add(sin(t[i - 1])); }, x[0]);
  }));
  rows.push_back(
      row("cond",
          {{{{3}}, {{}, 0, 4, int32}}, {{{}}, {{}, 0, 4, int32}}, {{{0}}, {{}, 0, 4, int32}}},
          [](const ArrayList& x) {
            return cond(
                x[1] > 1,
                [](Array y) { return sin(y) * y; },
                [](Array y) { return exp(half(y)); },
                x[0]);
          }));
  rows.push_back(row("switch_case", {{{{3}}, {{}, -1, 4, int32}}}, [](const ArrayList& x) {
    return switch_case(x[1],
                       std::tuple{[](Array y) { return y * y; },
                                  [](Array y) { return -y; },
                                  [](Array y) { return cos(y); }},
                       x[0]);
  }));
  rows.push_back(
      row("bounded_while_loop",
          {{{{3}}, {{}, 0, 6, int32}}, {{{}}, {{}, 0, 6, int32}}},
          [](const ArrayList& x) {
            struct State {
              Array steps, value;
            };
            return bounded_while_loop(
                       [&](State s) { return s.steps < x[1]; },
                       [&](State s) { return State{s.steps + 1, sin(s.value) + half(x[0])}; },
                       State{Array(0), x[0]},
                       5)
                .value;
          }));
  rows.push_back(row("while_loop",
                     {{{{3}}, {{}, 0, 6, int32}}, {{{}}, {{}, 0, 6, int32}}},
                     [](const ArrayList& x) {
                       struct State {
                         Array steps, value;
                       };
                       return while_loop([&](State s) { return s.steps < x[1]; },
                                         [&](State s) {
                                           return State{s.steps + 1, sin(s.value) + half(x[0])};
                                         },
                                         State{Array(0), x[0]})
                           .value;
                     }));
  rows.back().dtypes = {float32};  // no reverse mode; tests/transforms/control_flow_test.cpp
                                   // compares its forward mode with loops written out
  rows.push_back(row("map", {{{{4, 3}}}, {{{1}}}, {{{0, 2}}}}, [](const ArrayList& x) {
    return map([](Array r) { return sum(sin(r)) * r; }, x[0]);
  }));
  rows.push_back(row("associative_scan", {{{{5}}}, {{{8, 2}}}, {{{1}}}}, [](const ArrayList& x) {
    return associative_scan([](Array a, Array b) { return a * half(b); }, x[0]);
  }));
  rows.push_back(row("psum, pmean, pmax", {{{{4, 3}}}, {{{1, 2}}}}, [](const ArrayList& x) {
    return vmap([](Array e) { return psum(e * e, "i") * e - pmean(sin(e), "i") + pmax(e, "i"); },
                {.axis_name = "i"})(x[0]);
  }));
  rows.push_back(row("all_gather, psum_scatter, all_to_all, ppermute, axis_index",
                     {{{{3, 3}}}},
                     [](const ArrayList& x) {
                       return vmap(
                           [](Array e) {
                             const Array all = all_gather(e, "i");
                             return psum_scatter(sin(e), "i") * all_to_all(e, "i", 0, 0) +
                                    ppermute(e, "i", {{0, 1}, {1, 2}}) *
                                        axis_index("i").astype(e.dtype()) +
                                    sum(all, 0);
                           },
                           {.axis_name = "i"})(x[0]);
                     }));
  return rows;
}

}  // namespace fluxion::test
