// Whole programs in tests: recorded from a function of arrays, run by the interpreter and compiled,
// on memory that ends at guard pages.
#pragma once
#include "codegen/interpret.hpp"
#include "fluxion/fluxion.hpp"
#include "runtime/allocator.hpp"
#include "runtime/executable.hpp"
#include "runtime/recompile.hpp"
#include "tests/support/run_operation.hpp"
#include "trace/frame.hpp"
#include "trace/ops.hpp"
#include "trace/passes.hpp"

#include <functional>
#include <random>

namespace fluxion::test {

using ProgramFunction = std::function<ArrayList(const ArrayList&)>;

inline GraphRef program(const Types& inputs, const ProgramFunction& function) {
  const Site site = Site::current();
  FrameScope scope(Frame::Kind::unbound, "program", site);
  ArrayList arrays;
  for (const Type& type : inputs) arrays.push_back(scope.input(type, site));
  const ArrayList outputs = function(arrays);
  return scope.close(outputs).graph;
}

/// Elements in [-1, 1); integers from 0 to 7; the same for the same seed.
inline HostArrays random_arrays(TypeList types, std::uint32_t seed) {
  std::mt19937 random(seed);
  HostArrays arrays;
  for (const Type& type : types) {
    HostArray array(type);
    by_dtype(type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (std::size_t i = 0; i < array.count(); ++i) {
        const double u = static_cast<double>(random()) / 2147483648.0 - 1;
        if constexpr (std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>) {
          array.element<T>(i).real = static_cast<float>(u);
          array.element<T>(i).imag = static_cast<float>(random()) / 4294967296.0f;
        } else if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
          array.element<T>(i) = T(static_cast<float>(u));
        } else if constexpr (std::is_same_v<T, bool>) {
          array.element<T>(i) = u > 0;
        } else if constexpr (std::is_integral_v<T>) {
          array.element<T>(i) = static_cast<T>(4 * (u + 1));
        } else {
          array.element<T>(i) = static_cast<T>(u);
        }
      }
    });
    arrays.push_back(std::move(array));
  }
  return arrays;
}

inline HostArrays copied(const Graph& graph, std::span<const detail::Ref<Buffer>> buffers) {
  HostArrays arrays;
  for (std::size_t k = 0; k < buffers.size(); ++k) {
    arrays.emplace_back(graph.type(graph.outputs()[k]));
    if (const std::size_t bytes = bytes_of(arrays.back().type))
      std::memcpy(arrays.back().bytes.data(), buffers[k]->data(), bytes);
  }
  return arrays;
}

inline HostArrays interpreted(const Graph& graph, const HostArrays& inputs) {
  std::vector<ConstTensor> tensors;
  for (const HostArray& a : inputs) tensors.push_back({a.type, a.bytes.data()});
  return copied(graph, codegen::interpret(graph, tensors));
}

/// While one lives, every buffer ends at an inaccessible page.
class GuardedMemory {
 public:
  GuardedMemory() { runtime::set_guarded_allocation(1); }
  ~GuardedMemory() { runtime::set_guarded_allocation(0); }
};

/// Results of one run. Donated arguments may be written over, others may not.
inline HostArrays run(const Executable& executable,
                      const Graph& graph,
                      const HostArrays& inputs,
                      bool donated = false) {
  const GuardedMemory guard;
  std::vector<detail::Ref<Buffer>> buffers;
  std::vector<Argument> arguments;
  for (const HostArray& a : inputs) {
    const std::size_t bytes = bytes_of(a.type);
    Buffer* const buffer = buffers.emplace_back(allocate(bytes)).raw();
    if (bytes) std::memcpy(buffer->data(), a.bytes.data(), bytes);
    arguments.push_back({buffer->data(), buffer, donated});
  }
  std::vector<detail::Ref<Buffer>> results(graph.outputs().size());
  executable.run(arguments, results);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (const std::size_t bytes = donated ? 0 : bytes_of(inputs[i].type);
        bytes && std::memcmp(arguments[i].data, inputs[i].bytes.data(), bytes) != 0)
      throw std::logic_error("a program wrote into an argument");
  return copied(graph, results);
}

/// Whether all bits are the same, but those of NaN, which no compiler promises.
inline bool same_bits(const HostArray& a, const HostArray& b) {
  if (a.bytes == b.bytes) return true;
  if (a.bytes.size() != b.bytes.size() || !is_differentiable(a.type.dtype)) return false;
  const std::vector<double> x = a.numbers(), y = b.numbers();  // parts of complex ones apart
  const std::size_t size = a.bytes.size() / x.size();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!(std::isnan(x[i]) && std::isnan(y[i])) &&
        !std::equal(a.bytes.begin() + static_cast<std::ptrdiff_t>(i * size),
                    a.bytes.begin() + static_cast<std::ptrdiff_t>((i + 1) * size),
                    b.bytes.begin() + static_cast<std::ptrdiff_t>(i * size)))
      return false;
  return true;
}

/// Results of the compiled program, which are the same bits when all arguments are donated, and
/// when the kernels have been compiled again.
inline HostArrays compiled(const GraphRef& graph, const HostArrays& inputs) {
  const auto executable = compile(graph);
  HostArrays results = run(*executable, *graph, inputs);
  const auto check = [&](const HostArrays& again, const char* when) {
    for (std::size_t k = 0; k < results.size(); ++k)
      if (!same_bits(results[k], again[k]))
        throw std::logic_error("result " + std::to_string(k) + " has other bits when " + when);
  };
  check(run(*executable, *graph, inputs, true), "the arguments are donated");
#ifdef FLUXION_LLVM
  for (const char* when : {"the kernels have code", "the kernels have been compiled again"}) {
    runtime::finish_recompiling();
    check(run(*executable, *graph, inputs), when);
    check(run(*executable, *graph, inputs), when);
  }
#endif
  return results;
}

/// By how much elements may differ, relative to 1 + |expected|: results of a few operations that
/// round differently (transcendental functions, orders of sums). Integers and bools: not at all.
inline double tolerance(DType dtype) {
  switch (dtype) {
    case float16:
      return 4e-3;
    case bfloat16:
      return 3e-2;
    case float32:
    case complex64:
      return 2e-5;
    case float64:
    case complex128:
      return 1e-12;
    default:
      return 0;
  }
}

/// The first difference as text, or nothing.
inline std::string difference(const HostArray& got, const HostArray& expected) {
  if (!(got.type == expected.type)) return "types differ";
  const DType dtype = got.type.dtype;
  const auto differs = [&](double a, double b, double size) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) != std::isnan(b);
    if (a == b) return false;
    return !(std::abs(a - b) <= tolerance(dtype) * (1 + size));
  };
  if (!is_differentiable(dtype)) return got.bytes == expected.bytes ? "" : "bits differ";
  const std::vector<double> a = got.numbers(), b = expected.numbers();
  for (std::size_t i = 0; i < a.size(); ++i) {
    // of a complex number the larger part counts
    const double other = is_complex(dtype) ? std::abs(b[i ^ 1]) : 0;
    if (differs(
            a[i], b[i], std::isfinite(other) ? std::max(std::abs(b[i]), other) : std::abs(b[i])))
      return "element " + std::to_string(i) + " is " + std::to_string(a[i]) + ", not " +
             std::to_string(b[i]);
  }
  return "";
}

inline std::string difference(const HostArrays& got, const HostArrays& expected) {
  for (std::size_t k = 0; k < got.size(); ++k)
    if (std::string d = difference(got[k], expected[k]); !d.empty())
      return "result " + std::to_string(k) + ": " + d;
  return "";
}

}  // namespace fluxion::test
