// Rows of loops: a million small steps, cells of a recurrent network, updates of a table.
#include "bench/peers/networks.hpp"
#include "bench/peers/rows.hpp"

#include <utility>

namespace fluxion::peers {
namespace {

/// Ten operations that each need the one before.
std::pair<Array, Array> ten_operations(Array c, Array x) {
  const Array a = c * 0.9f + x;
  const Array b = a * a - c;
  const Array d = b * 0.5f + a;
  const Array e = d * d * 0.1f + c * 0.3f;
  return {e * 0.5f, e};
}

}  // namespace

void add_loop_rows(Rows& rows) {
  rows["scan"] = [] {
    return work([](Array c, Array xs) { return scan(ten_operations, c, xs); },
                Array(0.1f),
                numbers(1, {1000000}, 0.1f));
  };
  rows["scan_grad"] = [] {
    return work(
        grad<0, 1>([](Array c, Array xs) { return sum(scan(ten_operations, c, xs).second); }),
        Array(0.1f),
        numbers(1, {1000000}, 0.1f));
  };
  const auto with_lstm = [](auto f) {
    return work(
        f,
        numbers(1, {100, 32, 128}),
        LstmCell{
            numbers(2, {128, 512}, 0.08f), numbers(3, {128, 512}, 0.08f), numbers(4, {512}, 0.1f)});
  };
  rows["lstm"] = [with_lstm] {
    return with_lstm([](Array xs, LstmCell cell) { return lstm_states(xs, cell); });
  };
  rows["lstm_grad"] = [with_lstm] {
    return with_lstm(
        grad<1>([](Array xs, LstmCell cell) { return mean(square(lstm_states(xs, cell))); }));
  };
  rows["update_in_loop"] = [] {
    return work(
        [](Array table) {
          return fori_loop(
              0,
              100000,
              [](Array i, Array t) {
                const Array j = i * 7919 % 100000;
                return t.at(j).set(t[j] * 0.5f + sin(i.astype(float32)));
              },
              table);
        },
        numbers(1, {100000}));
  };
}

}  // namespace fluxion::peers
