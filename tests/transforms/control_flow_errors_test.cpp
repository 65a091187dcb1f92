// What loops and branches refuse, word for word.
#include "tests/support/catch.hpp"

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;
using fx::Array;

namespace {
std::string refusal(auto f) {
  try {
    f();
  } catch (const fx::Error& e) {
    std::string text = e.what();
    // The place is checked apart: it moves with this file.
    const std::size_t from = text.find("  --> "), to = text.find('\n', from);
    CHECK(text.substr(from, to - from).find("control_flow_errors_test.cpp:") != std::string::npos);
    return text.erase(from, to - from + 1);
  }
  return "nothing was refused";
}
}  // namespace

TEST_CASE("a state that changes its type") {
  CHECK(refusal([] {
          fx::scan([](Array c, Array x) { return std::pair{c + x, x}; },
                   Array(1.f),
                   fx::array({1.0, 2.0}));
        }) ==
        "error[loop-carry]: scan: the body changes the type of its state, f32[] to f64[]\n"
        "  | array 0 of the state goes in as f32[]\n"
        "  | the body returns it as f64[]\n"
        "  = hint: a state keeps its shapes and dtypes from step to step: convert what the body "
        "returns, or begin with an array of that type");
}

TEST_CASE("lengths that differ, and none") {
  CHECK(refusal([] {
          fx::scan([](Array c, Array x) { return std::pair{c, x}; },
                   Array(1.f),
                   fx::array({1.f, 2.f}),
                   {.length = 3});
        }) ==
        "error[scan-length]: scan: the lengths differ, 3 and 2\n"
        "  | options.length is 3\n"
        "  | array 0 of xs is f32[2]");
  CHECK(refusal([] {
          fx::scan([](Array c) { return std::pair{c, c}; }, Array(1.f), fx::ScanOptions{});
        }) ==
        "error[scan-length]: scan: there are no rows, so the number of steps is not known\n"
        "  = hint: give {.length = n}");
}

TEST_CASE("a condition that is no bool") {
  CHECK(refusal([] {
          fx::while_loop(
              [](Array c) { return c < 3.f; }, [](Array c) { return c + 1.f; }, fx::zeros({2}));
        }) ==
        "error[loop-condition]: while_loop: the condition gives bool[2], not one bool\n"
        "  = hint: compare, and reduce with fx::all or fx::any");
}

TEST_CASE("the gradient of a loop of unknown length") {
  CHECK(refusal([] {
          fx::grad([](Array x) {
            return fx::while_loop(
                [](Array c) { return c < 9.f; }, [](Array c) { return c * 2.f; }, x);
          })(Array(1.f))
              .item<float>();
        }) ==
        "error[while-reverse]: while_loop: a loop of unknown length has no reverse mode: what its "
        "steps computed is not kept\n"
        "  | the gradient of its result was asked for\n"
        "  = hint: use fx::bounded_while_loop with a largest number of steps, fx::scan or "
        "fx::fori_loop with known bounds, or forward mode (fx::jvp, fx::jacfwd)");
}

TEST_CASE("branches that disagree, and a predicate that is an array") {
  CHECK(refusal([] {
          fx::cond(
              Array(true),
              [](Array x) { return x; },
              [](Array x) { return fx::sum(x); },
              fx::zeros({3}));
        }) ==
        "error[cond-branches]: cond: the branches give different types, f32[3] and f32[]\n"
        "  | branch 0 gives f32[3] as array 0 of its result\n"
        "  | branch 1 gives f32[]\n"
        "  = hint: branches give the same shapes and dtypes: convert or broadcast one of them");
  CHECK(refusal([] {
          fx::cond(
              fx::zeros({3}) > 1.f,
              [](Array x) { return x; },
              [](Array x) { return -x; },
              fx::zeros({3}));
        }) ==
        "error[cond-index]: cond: the predicate is bool[3], not one bool\n"
        "  = hint: reduce it with fx::all or fx::any, or choose element by element with fx::where");
}
