// What tests of functions on arrays share: building, comparing, and the text of a refusal.
#pragma once
#include "fluxion/fluxion.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace fluxion::test {

/// The elements as float64, whatever the dtype.
inline std::vector<double> numbers(const Array& x) { return x.astype(float64).to_vector<double>(); }
using Numbers = std::vector<double>;

/// Shape and all elements, exactly; NaN equals NaN.
inline void check_array(const Array& x, const Shape& shape, const Numbers& expected) {
  CHECK(x.shape() == shape);
  const Numbers got = numbers(x);
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i);
    if (std::isnan(expected[i]))
      CHECK(std::isnan(got[i]));
    else
      CHECK(got[i] == expected[i]);
  }
}

/// The same within a tolerance relative to 1 and to the element.
inline void check_near(const Array& x,
                       const Shape& shape,
                       const Numbers& expected,
                       double tolerance = 1e-6) {
  CHECK(x.shape() == shape);
  const Numbers got = numbers(x);
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i << ": " << got[i] << ", expected " << expected[i]);
    CHECK(std::abs(got[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
  }
}

/// The text of the error that f throws, from "error[" on, without the line of the site.
inline std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    std::string text = e.what();
    const std::size_t at = text.find("\n  --> ");
    if (at != std::string::npos)
      text.erase(at,
                 text.find('\n', at + 1) == std::string::npos ? std::string::npos
                                                              : text.find('\n', at + 1) - at);
    return text;
  }
  return "no error";
}

/// The line that the error of f names; 0 without an error.
inline unsigned line_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.site().line();
  }
  return 0;
}

}  // namespace fluxion::test
