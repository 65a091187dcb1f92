// Random numbers: those of JAX, bit for bit where that is promised.
#include "fluxion/random.hpp"

#include "fluxion/fluxion.hpp"
#include "tests/data/random_vectors.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <functional>

namespace fx = fluxion;
namespace jax = fluxion::test::jax_numbers;
using fx::Array;

namespace {

/// Each seed's row against what we draw, exactly.
template <class Row, std::size_t seeds, std::size_t count>
void check_equal(const Row (&expected)[seeds][count],
                 const std::function<Array(const Array&)>& draw) {
  for (std::size_t s = 0; s < seeds; ++s) {
    const Array drawn = draw(fx::random::key(jax::seeds[s])).flatten();
    std::vector<Row> got;
    if constexpr (std::is_same_v<Row, double>)
      got = drawn.astype(fx::float64).to_vector<double>();
    else if constexpr (std::is_same_v<Row, std::uint64_t>)
      got = drawn.astype(fx::uint64).to_vector<std::uint64_t>();
    else
      got = drawn.astype(fx::int64).to_vector<std::int64_t>();
    CHECK(got == std::vector<Row>(expected[s], expected[s] + count));
  }
}

/// The same up to rounding of the functions behind it.
template <std::size_t seeds, std::size_t count>
void check_close(const double (&expected)[seeds][count],
                 double tolerance,
                 const std::function<Array(const Array&)>& draw) {
  for (std::size_t s = 0; s < seeds; ++s) {
    const std::vector<double> got =
        draw(fx::random::key(jax::seeds[s])).astype(fx::float64).to_vector<double>();
    REQUIRE(got.size() == count);
    for (std::size_t i = 0; i < count; ++i)
      CHECK(std::abs(got[i] - expected[s][i]) <= tolerance * (1 + std::abs(expected[s][i])));
  }
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const fx::Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("keys, splits and folds are those of JAX") {
  check_equal(jax::keys, [](const Array& k) { return k; });
  check_equal(jax::split3, [](const Array& k) { return fx::random::split(k, 3); });
  check_equal(jax::folded7, [](const Array& k) { return fx::random::fold_in(k, 7); });
  check_equal(jax::folded_large,
              [](const Array& k) { return fx::random::fold_in(k, 0xFFFFFFF0u); });
  check_equal(jax::split3, [](const Array& k) {
    auto [a, b, c] = fx::random::split<3>(k);
    return fx::stack({a, b, c});
  });
}

TEST_CASE("bits of every width are those of JAX") {
  check_equal(jax::bits8, [](const Array& k) { return fx::random::bits(k, {2, 3}, fx::uint8); });
  check_equal(jax::bits16, [](const Array& k) { return fx::random::bits(k, {2, 3}, fx::uint16); });
  check_equal(jax::bits32, [](const Array& k) { return fx::random::bits(k, {2, 3}); });
  check_equal(jax::bits64, [](const Array& k) { return fx::random::bits(k, {2, 3}, fx::uint64); });
  check_equal(jax::bits_scalar, [](const Array& k) { return fx::random::bits(k); });
  check_equal(jax::bits_1000_last,
              [](const Array& k) { return fx::random::bits(k, {1000})[fx::slice(-4, {})]; });
}

TEST_CASE("uniform numbers are those of JAX, bit for bit") {
  check_equal(jax::uniform32, [](const Array& k) { return fx::random::uniform(k, {5}); });
  check_equal(jax::uniform64,
              [](const Array& k) { return fx::random::uniform(k, {5}, fx::float64); });
  check_equal(jax::uniform16,
              [](const Array& k) { return fx::random::uniform(k, {5}, fx::float16); });
  check_equal(jax::uniformb16,
              [](const Array& k) { return fx::random::uniform(k, {5}, fx::bfloat16); });
  check_equal(jax::uniform_symmetric,
              [](const Array& k) { return fx::random::uniform(k, {2, 3}, -1.f, 1.f); });
  check_equal(jax::uniform_odd_range,
              [](const Array& k) { return fx::random::uniform(k, {8}, -3.7f, 2.2f); });
  check_equal(jax::uniform64_odd_range,
              [](const Array& k) { return fx::random::uniform(k, {8}, -3.7, 2.2, fx::float64); });
}

TEST_CASE("random integers are those of JAX, also where the range is the whole dtype") {
  using fx::random::randint;
  check_equal(jax::randint0, [](const Array& k) { return randint(k, {6}, 0, 10); });
  check_equal(jax::randint1, [](const Array& k) { return randint(k, {6}, -100, 1000003); });
  check_equal(jax::randint2, [](const Array& k) { return randint(k, {6}, 5, 5); });
  check_equal(jax::randint3,
              [](const Array& k) { return randint(k, {6}, -2147483647 - 1, 2147483647); });
  check_equal(jax::randint4,
              [](const Array& k) { return randint(k, {6}, -7, std::int64_t{1} << 40, fx::int64); });
  check_equal(jax::randint5, [](const Array& k) { return randint(k, {6}, 0, 256, fx::uint8); });
  check_equal(jax::randint6, [](const Array& k) { return randint(k, {6}, 3, 200, fx::uint8); });
  check_equal(jax::randint7, [](const Array& k) { return randint(k, {6}, -128, 127, fx::int8); });
  check_equal(jax::randint8, [](const Array& k) { return randint(k, {6}, 0, 60000, fx::uint16); });
  check_equal(jax::randint9,
              [](const Array& k) { return randint(k, {6}, 0, std::int64_t{1} << 32, fx::uint32); });
  check_equal(jax::randint10,
              [](const Array& k) { return randint(k, {6}, 0, std::int64_t{1} << 50, fx::uint64); });
}

TEST_CASE("normal numbers agree with JAX up to rounding") {
  check_close(jax::normal32, 2e-6, [](const Array& k) { return fx::random::normal(k, {12}); });
  check_close(jax::normal64, 1e-14, [](const Array& k) {
    return fx::random::normal(k, {12}, fx::float64);
  });
  check_close(jax::truncated32, 2e-6, [](const Array& k) {
    return fx::random::truncated_normal(k, -0.5f, 2.f, {8});
  });
}

TEST_CASE("the other distributions agree with JAX up to rounding") {
  using namespace fx::random;
  check_close(jax::exponential, 1e-6, [](const Array& k) { return exponential(k, {8}); });
  check_close(jax::laplace, 1e-6, [](const Array& k) { return laplace(k, {8}); });
  check_close(jax::gumbel, 1e-6, [](const Array& k) { return gumbel(k, {8}); });
  check_close(jax::logistic, 1e-6, [](const Array& k) { return fx::random::logistic(k, {8}); });
  check_close(jax::cauchy, 2e-5, [](const Array& k) { return cauchy(k, {8}); });
  check_equal(jax::bernoulli, [](const Array& k) { return bernoulli(k, 0.3f, {16}); });
  check_equal(jax::rademacher, [](const Array& k) { return rademacher(k, {8}); });
}

TEST_CASE("categories are drawn as JAX draws them, along any axis and in any number") {
  const Array logits = fx::log(fx::array({{0.1f, 0.2f, 0.3f, 0.4f}, {0.7f, 0.1f, 0.1f, 0.1f}}));
  check_equal(jax::categorical, [&](const Array& k) { return fx::random::categorical(k, logits); });
  check_equal(jax::categorical_many,
              [&](const Array& k) { return fx::random::categorical(k, logits, -1, {5, 2}); });
  check_equal(jax::categorical_first,
              [&](const Array& k) { return fx::random::categorical(k, logits, 0); });
}

TEST_CASE("a large sample has the moments of its distribution") {
  const Array k = fx::random::key(7);
  const Array z = fx::random::normal(k, {20000}, fx::float64);
  CHECK(std::abs(fx::mean(z).item<double>()) < 0.03);
  CHECK(std::abs(fx::std(z).item<double>() - 1) < 0.03);
  CHECK(std::abs(fx::mean(fx::random::bernoulli(k, 0.3f, {20000})).item<float>() - 0.3f) < 0.02f);
  const Array t = fx::random::truncated_normal(k, -1.f, 0.5f, {20000});
  CHECK(fx::min(t).item<float>() > -1.f);
  CHECK(fx::max(t).item<float>() < 0.5f);
}

TEST_CASE("a key that is none is refused at the line of the call") {
  const std::string message = message_of([] { fx::random::bits(fx::ones({3})); });
  CHECK(message.find("error[key]: bits: a key is u32[2], this is f32[3]\n  --> ") == 0);
  CHECK(message.find("random_test.cpp:" + std::to_string(__LINE__ - 2)) != std::string::npos);
  CHECK(message_of([] {
          fx::random::uniform(fx::random::key(0), {2}, fx::int32);
        }).find("error[dtype]: uniform: i32 is no floating type") == 0);
  CHECK(message_of([] {
          fx::random::bits(fx::random::key(0), {-1});
        }).find("error[shape]: random: the shape [-1] has a negative size") == 0);
}
