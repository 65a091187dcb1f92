// Loops and branches that are recorded once, compiled as loops, and differentiated as such.
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

int main() {
  // scan carries a state over the rows of an array and stacks what each step gives: an exponential
  // moving average.
  const Array noise = fx::random::normal(fx::random::key(1), {200});
  const Array signal = fx::sin(fx::arange(200, fx::float32) * 0.05f) + noise * 0.3f;
  auto average = [&](Array weight) {
    return fx::scan(
               [&](Array mean, Array x) {
                 Array next = mean + weight * (x - mean);
                 return std::pair{next, next};
               },
               signal[0],
               signal)
        .second;
  };
  // How well does each prefix predict the next value? The gradient runs the loop backwards.
  auto error = [&](Array weight) {
    return fx::mean(fx::square(average(weight)[{fx::slice(0, 199)}] - signal[{fx::slice(1, 200)}]));
  };
  auto step = fx::jit([&](Array w) { return w - 0.05f * fx::grad(error)(w); });
  Array weight(0.9f);
  for (int i = 0; i < 200; ++i) weight = step(weight);
  std::cout << "best weight " << weight << ", error " << error(weight) << " instead of "
            << error(Array(0.9f)) << '\n';

  // while_loop stops by itself; under vmap every lane stops by itself: steps of the Collatz
  // sequence.
  auto collatz = [](Array n) {
    struct State {
      Array n, steps;
    };
    return fx::while_loop([](State s) { return s.n != 1; },
                          [](State s) {
                            return State{fx::where(s.n % 2 == 0, s.n / 2, 3 * s.n + 1),
                                         s.steps + 1};
                          },
                          State{n, Array(0)})
        .steps;
  };
  std::cout << "steps to one from 1 to 12: "
            << fx::jit(fx::vmap(collatz))(fx::arange(1, 13, fx::int32)) << '\n';

  // cond runs one of two functions; bounded_while_loop has gradients, as it knows how long it can
  // be.
  auto root = [](Array a) {
    auto newton = [a](Array x) { return (x + a / x) * 0.5f; };
    return fx::bounded_while_loop(
        [a](Array x) { return fx::abs(x * x - a) > 1e-5f * a; }, newton, a, 50);
  };
  auto safe_root = [&](Array a) { return fx::cond(a > 0.f, root, [](Array) { return 0.f; }, a); };
  std::cout << "roots " << fx::vmap(safe_root)(fx::array({4.f, -1.f, 9.f})) << " and their slopes "
            << fx::vmap(fx::grad(safe_root))(fx::array({4.f, -1.f, 9.f})) << '\n';

  // A table that a loop fills element by element is changed where it lies: the cost of a step does
  // not depend on its size.
  auto primes = fx::jit([] {
    auto sieve = [](Array i, Array is_prime) {
      return fx::cond(
          is_prime[i],
          [&](Array p) {
            return fx::fori_loop(
                i, (99 / i) + 1, [&](Array k, Array p) { return p.at({k * i}).set(false); }, p);
          },
          [](Array p) { return p; },
          is_prime);
    };
    return fx::fori_loop(2, 10, sieve, fx::ones({100}, fx::bool_).at({fx::slice(0, 2)}).set(false));
  });
  std::cout << "primes below 100: " << fx::sum(primes()) << '\n';
}
