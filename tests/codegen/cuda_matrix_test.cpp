// Every row of the test matrix as CUDA C++: no operation needs a library or the host; every kernel
// is compiled for the GPU and run by the emulation, and the programs give what their references
// give.
#include "tests/matrix/random_loops.hpp"
#include "tests/matrix/samples.hpp"
#include "tests/support/cuda_walk.hpp"

#include <algorithm>
#include <deque>

using namespace fluxion;
using namespace fluxion::test;

namespace fx = fluxion;

namespace {

/// Programs that wait for the compilers together.
class Programs {
 public:
  void add(const std::string& name, const GraphRef& graph, const HostArrays& operands) {
    auto walk = std::make_unique<EmulatedWalk>(graph, *kernels_);
    INFO(name);
    CHECK(walk->references() == std::vector<std::string>());
    waiting_.push_back({name, graph, operands, std::move(walk)});
    if (kernels_->batch().size() >= most_kernels) check();
  }
  void check() {
    CudaBatch& batch = kernels_->batch();
    if (usable_ && batch.size() > 0) usable_ = batch.compile();
    for (Waiting& one : waiting_) {
      if (!usable_) break;
      const HostArrays expected = interpreted(*one.graph, one.operands);
      for (const ThreadOrder order : orders(true)) {
        std::string wrong;
        try {
          wrong = difference(one.walk->run(one.operands, order), expected);
        } catch (const std::exception& error) {
          wrong = error.what();
        }
        if (wrong.empty()) continue;
        INFO(one.name << ": " << wrong.substr(0, 6000));
        FAIL_CHECK();
        break;
      }
    }
    waiting_.clear();
    kernels_ = std::make_unique<EmulatedKernels>(small_target);
    SUCCEED();
  }

 private:
  static constexpr std::size_t most_kernels = 150;  // of one text
  struct Waiting {
    std::string name;
    GraphRef graph;
    HostArrays operands;
    std::unique_ptr<EmulatedWalk> walk;
  };
  std::unique_ptr<EmulatedKernels> kernels_ = std::make_unique<EmulatedKernels>(small_target);
  std::vector<Waiting> waiting_;
  bool usable_ = true;
};

std::int64_t elements_of(const SampleCase& operands) {
  std::int64_t count = 0;
  for (const SampleOperand& o : operands) count += element_count(o.shape);
  return count;
}

/// All cases in the row's widest dtypes; in the others the largest case, which has whole words,
/// their rest, and every operation of the row.
Sample cases_for(const Sample& row, DType dtype) {
  const bool all = dtype == float32 || dtype == complex64 || row.dtypes.size() == 1;
  if (all) return row;
  Sample one = row;
  one.cases = {
      *std::max_element(row.cases.begin(), row.cases.end(), [](const auto& a, const auto& b) {
        return elements_of(a) < elements_of(b);
      })};
  return one;
}

void check_rows(const Samples& rows) {
  Programs programs;
  for (const Sample& row : rows)
    for (const DType dtype : row.dtypes) {
      const Sample sample = cases_for(row, dtype);
      const HostArrays operands = operands_of_all_cases(sample, dtype, true);
      std::ostringstream name;
      name << row.name << ", " << dtype;
      programs.add(name.str(), program(types_of(operands), all_cases(sample)), operands);
    }
  programs.check();
}

Type f32(const Shape& shape) { return {shape, float32}; }

void add_program(Programs& programs,
                 const std::string& name,
                 const Types& inputs,
                 const ProgramFunction& f) {
  programs.add(name, program(inputs, f), random_arrays(inputs, 3));
}

}  // namespace

TEST_CASE("unary functions run as CUDA kernels") { check_rows(unary_samples()); }
TEST_CASE("activations run as CUDA kernels") { check_rows(activation_samples()); }
TEST_CASE("binary functions run as CUDA kernels") { check_rows(binary_samples()); }
TEST_CASE("reductions run as CUDA kernels") { check_rows(reduction_samples()); }
TEST_CASE("shapes and creation run as CUDA kernels") {
  check_rows(shape_samples());
  check_rows(creation_samples());
}
TEST_CASE("indexing runs as CUDA kernels") { check_rows(index_samples()); }
TEST_CASE("contractions run as CUDA kernels") { check_rows(contraction_samples()); }
TEST_CASE("lax functions run as CUDA kernels") { check_rows(lax_samples()); }
TEST_CASE("linear algebra runs as CUDA kernels") { check_rows(linalg_samples()); }
TEST_CASE("sorting runs as CUDA kernels") { check_rows(sorting_samples()); }
TEST_CASE("special functions run as CUDA kernels") { check_rows(special_samples()); }
TEST_CASE("distributions run as CUDA kernels") { check_rows(distribution_samples()); }
TEST_CASE("complex functions run as CUDA kernels") { check_rows(complex_samples()); }
TEST_CASE("Fourier transforms run as CUDA kernels") { check_rows(fft_samples()); }
TEST_CASE("loops and branches run as CUDA kernels") { check_rows(control_flow_samples()); }

TEST_CASE("loops of one kernel and loops of many run as CUDA kernels") {
  Programs programs;
  for (std::uint32_t choice = 0; choice < 12; ++choice)
    add_program(programs,
                "random loop " + std::to_string(choice),
                {f32({6}), f32({6}), {{}, int32}},
                [choice](const ArrayList& x) {
                  return ArrayList{random_loop(choice, 7 * choice + 3, x[0], x[1], x[2])};
                });
  // Lanes that stop at different steps: each thread runs its own loop.
  add_program(programs, "while loops of lanes", {{{70}, int32}}, [](const ArrayList& x) {
    return ArrayList{fx::vmap([](Array n) {
      struct State {
        Array left, sum;
      };
      return fx::while_loop([](State s) { return s.left > 0; },
                            [](State s) { return State{s.left - 1, fx::sin(s.sum) + 0.5f}; },
                            State{n, n.astype(float32)})
          .sum;
    })(x[0])};
  });
  add_program(programs,
              "a table changed where it lies",
              {f32({300}), {{40}, int32}},
              [](const ArrayList& x) {
                return ArrayList{fx::fori_loop(
                    0,
                    40,
                    [&](Array i, Array t) {
                      const Array at = x[1][i] + i;
                      return t.at({at}).add(fx::cos(t[at + 1])).at({at + 2}).set(t[i] * 0.5f);
                    },
                    x[0])};
              });
  add_program(
      programs, "a recurrence of matrices", {f32({9, 20, 20}), f32({20})}, [](const ArrayList& x) {
        auto [last, rows] = fx::scan(
            [](Array c, Array w) {
              const Array next = fx::tanh(fx::matmul(w, c));
              return std::pair{next, fx::sum(next)};
            },
            x[1],
            x[0]);
        return ArrayList{last, rows};
      });
  programs.check();
}

TEST_CASE("batches of gathers, scatters and updates run as CUDA kernels") {
  Programs programs;
  const Types types{f32({5, 12}), {{5, 30}, int32}, f32({5, 30})};
  add_program(programs, "batched indexing", types, [](const ArrayList& x) {
    const auto each = [](Array a, Array i, Array u) {
      return std::tuple{fx::take(a, i, 0), a.at({i}).add(u), a.at({i}).max(u), a.at({i}).set(u)};
    };
    const auto [taken, added, most, set] = fx::vmap(each)(x[0], x[1], x[2]);
    return ArrayList{taken, added, most, set};
  });
  programs.check();
}
