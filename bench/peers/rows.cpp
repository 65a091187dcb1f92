// Answers table.py: prepares a row, times its calls, tells its values. Each line of the input is a
// command ("setup NAME", "time SECONDS"), each line of the output a JSON object.
#include "bench/peers/rows.hpp"

#include "bench/timing.hpp"
#ifdef FLUXION_LLVM
#include "runtime/disk_cache.hpp"
#include "runtime/recompile.hpp"
#endif

#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace fx = fluxion;
namespace peers = fluxion::peers;
using fx::Array;
using nlohmann::json;

namespace {

std::uint32_t hash(std::uint32_t seed, std::int64_t i) {
  std::uint32_t h = static_cast<std::uint32_t>(i) * 0x9E3779B1u + seed * 0x85EBCA77u;
  h ^= h >> 15;
  h *= 0x2C1B3C6Du;
  h ^= h >> 12;
  h *= 0x297A2D39u;
  return h ^ (h >> 15);
}

std::int64_t count(const fx::Shape& shape) {
  std::int64_t n = 1;
  for (const std::int64_t size : shape) n *= size;
  return n;
}

/// Of each result its mean, the mean of its absolute values, and four elements.
json summary(const std::vector<Array>& outputs) {
  json all = json::array();
  for (const Array& output : outputs) {
    const std::vector<double> x = output.astype(fx::float64).to_vector<double>();
    double sum = 0, size = 0;
    for (const double v : x) {
      sum += v;
      size += std::abs(v);
    }
    const auto n = static_cast<double>(x.size());
    all.push_back({sum / n, size / n, x[0], x[x.size() / 3], x[x.size() / 2], x[x.size() - 1]});
  }
  return all;
}

Array something_small() {
  return fx::jit([](Array x) { return fx::sum(fx::exp(x) * 2); })(fx::arange(10, fx::float32));
}

/// Until what runs often has code, and has been compiled again.
void warm_up(const peers::Work& work) {
  double spent = 0;
  for (int k = 0; k < 50 && spent < 2; ++k) {
    spent += fx::bench::seconds([&] { work.call(); });
#ifdef FLUXION_LLVM
    if (k % 5 == 4) fx::runtime::finish_recompiling();
#endif
  }
}

/// Prints the first call's result; then runs on, so that all code comes to the disk, if any is kept
/// there.
void first_call(const peers::Rows& rows, const std::string& name) {
  const auto found = rows.find(name);
  if (found == rows.end()) {
    std::cout << json{{"skip", "no such row"}} << std::endl;
    return;
  }
  const peers::Work work = found->second();
  fx::eval(something_small());
  std::vector<Array> out;
  const double seconds = fx::bench::seconds([&] { out = work.call(); });
  std::cout << json{{"ms", {1e3 * seconds}}, {"values", summary(out)}} << std::endl;
#ifdef FLUXION_LLVM
  if (fx::runtime::process_disk_cache()) warm_up(work);
#endif
}

json measure(const peers::Work& work, double budget) {
  std::vector<double> samples;
  double spent = 0;
  while ((spent < budget && samples.size() < 500) || (samples.size() < 3 && spent < 0.5)) {
    const double seconds = fx::bench::seconds([&] { work.call(); });
    spent += seconds;
    samples.push_back(1e3 * seconds / work.calls);
  }
  return {{"ms", samples}};
}

void serve(const peers::Rows& rows) {
  peers::Work work;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, word;
    words >> command >> word;
    json answer = json::object();
    try {
      if (command == "setup") {
        work = {};
        const auto found = rows.find(word);
        if (found == rows.end()) {
          answer["skip"] = "no such row";
        } else {
          work = found->second();
          std::vector<Array> out;
          // Of training the third step is compared.
          for (int i = word.starts_with("train") ? 3 : 1; i > 0; --i) out = work.call();
          answer["values"] = summary(out);
          warm_up(work);
        }
      } else if (command == "time") {
        answer = measure(work, std::stod(word));
      } else if (command == "memory" && work.memory) {
        const fx::Memory memory = work.memory();
        answer = {
            {"peak", memory.peak}, {"temporaries", memory.temporaries}, {"alive", memory.alive}};
      }
    } catch (const std::exception& error) {
      answer["skip"] = error.what();
    }
    std::cout << answer << std::endl;
  }
}

}  // namespace

namespace fluxion::peers {

std::vector<float> host_numbers(std::uint32_t seed, std::int64_t count, float scale, float shift) {
  std::vector<float> x(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const float unit = static_cast<float>(hash(seed, i) >> 8) * 0x1p-23f - 1;
    x[static_cast<std::size_t>(i)] = unit * scale + shift;
  }
  return x;
}

std::vector<std::int32_t> host_integers(std::uint32_t seed,
                                        std::int64_t count,
                                        std::uint32_t below) {
  std::vector<std::int32_t> x(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    x[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(hash(seed, i) % below);
  return x;
}

Array numbers(std::uint32_t seed, const Shape& shape, float scale, float shift) {
  const std::vector<float> x = host_numbers(seed, count(shape), scale, shift);
  return from_span(std::span(x), shape);
}

Array integers(std::uint32_t seed, const Shape& shape, std::uint32_t below) {
  const std::vector<std::int32_t> x = host_integers(seed, count(shape), below);
  return from_span(std::span(x), shape);
}

}  // namespace fluxion::peers

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words == std::vector<std::string>{"--cold"}) {
    fx::eval(something_small());
    return 0;
  }
  peers::Rows rows;
  if (words == std::vector<std::string>{"--by-hand"}) {
    peers::add_rows_by_hand(rows);
  } else {
    peers::add_elementwise_rows(rows);
    peers::add_product_rows(rows);
    peers::add_loop_rows(rows);
    peers::add_order_rows(rows);
    peers::add_network_rows(rows);
  }
  if (words.size() == 2 && words[0] == "--first") {
    first_call(rows, words[1]);
    return 0;
  }
  serve(rows);
}
