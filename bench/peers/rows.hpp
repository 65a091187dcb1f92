// What a row of the comparison with other frameworks is, and the data that all sides make alike.
#pragma once
#include "fluxion/fluxion.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace fluxion::peers {

/// The results of one call, all computed; `calls` calls of the function to be measured.
struct Work {
  std::function<std::vector<Array>()> call;
  int calls = 1;
  std::function<Memory()> memory = {};  // of one call; of steps of training
};
/// Prepares the data of a row; made where the row is asked for, dropped before the next.
using Rows = std::map<std::string, std::function<Work()>>;

void add_elementwise_rows(Rows&);
void add_product_rows(Rows&);
void add_loop_rows(Rows&);
void add_order_rows(Rows&);
void add_network_rows(Rows&);
/// The same work as plain C++, where that is the measure.
void add_rows_by_hand(Rows&);

/// float32 in [shift - scale, shift + scale): side.py has the same formulas.
std::vector<float> host_numbers(std::uint32_t seed, std::int64_t count, float scale, float shift);
std::vector<std::int32_t> host_integers(std::uint32_t seed,
                                        std::int64_t count,
                                        std::uint32_t below);
Array numbers(std::uint32_t seed, const Shape&, float scale = 1, float shift = 0);
/// int32 in [0, below).
Array integers(std::uint32_t seed, const Shape&, std::uint32_t below);

/// A jitted function of arguments that stay alive.
template <class F, class... A> Work work(F f, A... args) {
  return {[f = jit(std::move(f)), args = std::tuple<A...>(std::move(args)...)] {
    auto out = std::apply(f, args);
    std::vector<Array> arrays = tree_leaves(out);
    eval(arrays);
    return arrays;
  }};
}

}  // namespace fluxion::peers
