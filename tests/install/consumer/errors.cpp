// Section 9 of the tour: an error names the user's line, the values that differ, and the remedy.
#include "expect.hpp"

#include <fluxion/fluxion.hpp>
#include <iostream>
#include <string>

namespace fx = fluxion;
using fx::Array;

template <class F> static void expect_error(const char* code, int line, F program) {
  try {
    program();
  } catch (const fx::Error& error) {
    const std::string text = error.what();
    const std::string place = "errors.cpp:" + std::to_string(line);
    const bool good = (!*code || error.code() == code) &&
                      error.site().line() == std::uint_least32_t(line) &&
                      text.find(place) != std::string::npos && text.starts_with("error[");
    if (!good) std::cerr << text << '\n';
    expect(good, code, line);
    return;
  }
  expect(false, "nothing was thrown", line);
}

int main() {
  Array a = fx::ones({3, 4}), empty;
  expect_error("dot-sizes", __LINE__ + 1, [&] {
    (void)fx::dot(fx::zeros({32, 784}), fx::zeros({785, 128}));
  });
  try {
    (void)fx::dot(fx::zeros({32, 784}), fx::zeros({785, 128}));
  } catch (const fx::Error& error) {
    const std::string text = error.what();
    EXPECT(text.find("784 and 785") != std::string::npos);
    EXPECT(text.find("f32[32,784]") != std::string::npos);
    EXPECT(text.find("f32[785,128]") != std::string::npos);
  }
  expect_error("", __LINE__, [&] { (void)a[9]; });
  expect_error("", __LINE__, [&] { (void)a[{0, 0, 0}]; });
  expect_error("", __LINE__, [&] { (void)fx::sum(a, 5); });
  expect_error("", __LINE__, [&] { (void)(empty + 1); });
  expect_error("", __LINE__, [&] { (void)empty.item<float>(); });
  expect_error("", __LINE__, [&] { (void)fx::sin(empty); });
  expect_error("", __LINE__, [&] { empty += 1; });
  expect_error("", __LINE__, [&] { (void)a.item<float>(); });
  expect_error("", __LINE__, [&] { (void)fx::grad([](Array x) { return x; })(a); });
  auto f = [](Array x) { return fx::sum(x + fx::ones({5})); };
  const int line = __LINE__ - 1;
  expect_error("", line, [&] { (void)f(a); });
  expect_error("", line, [&] { (void)fx::grad(f)(a); });
  expect_error("", line, [&] { (void)fx::jit(fx::vmap(f))(fx::ones({2, 3, 4})); });
  return failures;
}
