// Rows divided by a number of their own: as many multiplications, but the quotient that a division
// rounds to.
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

#include <bit>

using namespace fluxion;
using namespace fluxion::test;

namespace {

constexpr std::int64_t rows = 400, columns = 2083;

template <class T> using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T> T any_bits(std::mt19937_64& random) {
  return std::bit_cast<T>(static_cast<Bits<T>>(random()));
}

/// Of either sign, between 2^-exponents and 2^exponents; one in eight has nothing but ones, or
/// nothing, behind its point.
template <class T> T moderate(std::mt19937_64& random, int exponents) {
  constexpr int digits = std::numeric_limits<T>::digits;
  const Bits<T> whole = Bits<T>{1} << (digits - 1);
  Bits<T> mantissa = whole | (static_cast<Bits<T>>(random()) & (whole - 1));
  if (random() % 16 == 0) mantissa = whole;
  if (random() % 16 == 0) mantissa = 2 * whole - 1;
  const int exponent = static_cast<int>(random() % (2 * static_cast<unsigned>(exponents) + 1));
  const T size = std::ldexp(static_cast<T>(mantissa), exponent - exponents - digits + 1);
  return random() % 2 ? size : -size;
}

template <class T> T divisor(std::mt19937_64& random, std::int64_t row) {
  constexpr T least = std::numeric_limits<T>::min(), infinity = std::numeric_limits<T>::infinity();
  const T special[] = {
      0, -T(0), 1, -1, 3, least, least / 8, infinity, -infinity, infinity - infinity};
  if (row < std::ssize(special)) return special[row];
  if (row % 8 == 0) return any_bits<T>(random);
  return moderate<T>(random, row % 2 ? 3 : 30);
}

template <class T> T dividend(std::mt19937_64& random, T by, std::int64_t column) {
  const T special[] = {0,
                       -T(0),
                       std::numeric_limits<T>::infinity(),
                       std::numeric_limits<T>::max(),
                       std::numeric_limits<T>::denorm_min()};
  // Sixty-four at a time, so that vectors without any special number are there.
  switch (column / 64 % 8) {
    case 0:
      return any_bits<T>(random);
    case 1:
      return random() % 4 ? moderate<T>(random, 130) : special[random() % std::size(special)];
    case 2:
    case 3:
      return random() % 4 ? moderate<T>(random, 40) : random() % 2 ? T(0) : -T(0);
    case 4:
      return moderate<T>(random, 90);
    default: {
      // The quotient lies as near as it can to the middle between two numbers.
      const T quotient = std::abs(moderate<T>(random, 20));
      const long double middle =
          (static_cast<long double>(quotient) +
           static_cast<long double>(std::nextafter(quotient, std::numeric_limits<T>::infinity()))) /
          2;
      return static_cast<T>(middle * static_cast<long double>(by));
    }
  }
}

template <class T> void check(DType dtype) {
  const Types inputs{{{rows, columns}, dtype}, {{rows, 1}, dtype}};
  const GraphRef graph = program(inputs, [](const ArrayList& x) { return ArrayList{x[0] / x[1]}; });
  // Else the numbers say nothing: they are a division's in any case.
  CHECK(compile(graph)->llvm_ir().find("llvm.fma.v") != std::string::npos);
  HostArrays arrays = random_arrays(inputs, 1);
  std::mt19937_64 random(7);
  for (std::int64_t r = 0; r < rows; ++r) {
    const T by = divisor<T>(random, r);
    arrays[1].element<T>(static_cast<std::size_t>(r)) = by;
    for (std::int64_t c = 0; c < columns; ++c)
      arrays[0].element<T>(static_cast<std::size_t>(r * columns + c)) = dividend(random, by, c);
  }
  const HostArrays quotients = compiled(graph, arrays);
  std::int64_t wrong = 0;
  for (std::size_t k = 0; k < arrays[0].count(); ++k) {
    const T x = arrays[0].element<T>(k), d = arrays[1].element<T>(k / columns);
    const T expected = x / d, found = quotients[0].element<T>(k);
    const bool same = std::isnan(expected)
                          ? std::isnan(found)
                          : std::bit_cast<Bits<T>>(expected) == std::bit_cast<Bits<T>>(found);
    if (!same && ++wrong < 5)
      UNSCOPED_INFO(x << " / " << d << " = " << expected << ", not " << found);
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("rows divided by one number each are rounded as divisions are") {
  check<float>(float32);
  check<double>(float64);
}

TEST_CASE("a division by a constant power of two is exact where its quotient is subnormal") {
  const Types inputs{{{3000}, float32}};
  const auto quotients = [&](float by) {
    return program(inputs, [by](const ArrayList& x) { return ArrayList{x[0] / by}; });
  };
  CHECK(compile(quotients(1024))->llvm_ir().find("fdiv") == std::string::npos);
  CHECK(compile(quotients(3))->llvm_ir().find("fdiv") != std::string::npos);
  const GraphRef graph =
      program(inputs, [](const ArrayList& x) { return ArrayList{x[0] / 1024.0f, x[0] / 3.0f}; });
  HostArrays arrays = random_arrays(inputs, 1);
  std::mt19937_64 random(3);
  for (std::size_t k = 0; k < 3000; ++k) arrays[0].element<float>(k) = any_bits<float>(random);
  CHECK(difference(compiled(graph, arrays), interpreted(*graph, arrays)) == "");
}
