// Random kernels as machine code against their definition: loops in loops, mixed types, every kind
// of address.
#include "codegen/llvm/backend.hpp"
#include "tests/support/compiled_kernel.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

#include <cstdlib>
#include <random>
#include <thread>

namespace fluxion::test {
namespace {

using kernel::Affine;
using kernel::Builder;
using kernel::Combiner;
using kernel::Index;
using kernel::Kernel;
using kernel::Role;
using kernel::Tree;
using kernel::Verb;
using KernelScalar = kernel::Scalar;

constexpr std::int64_t input_count = 2048;
const DType memory_types[] = {
    bool_, int8, int32, int64, uint8, uint32, float16, bfloat16, float32, float64};
const DType compute_types[] = {int32, int64, uint32, int8, float32, float32, float32, float64};

/// Writes one random kernel; the same for the same seed.
class RandomKernel {
 public:
  explicit RandomKernel(std::uint64_t seed) : random_(seed), b_("random_" + std::to_string(seed)) {}

  Kernel make() {
    for (DType type : memory_types) inputs_.push_back(b_.buffer(type, Role::input, input_count));
    const std::size_t phases = 1 + below(2);
    std::vector<Shape> shapes;
    for (std::size_t k = 0; k < phases; ++k) shapes.push_back(shape(1 + below(3), 150));
    for (const Shape& s : shapes) {
      for (int k = 0; k < 2; ++k) {
        const DType type = pick(compute_types);
        outputs_.push_back(b_.buffer(type, Role::output, elements(s)));
        output_types_.push_back(type);
      }
    }
    if (below(2)) {
      row_count_ = static_cast<std::int64_t>(3 + below(40));
      row_ = b_.buffer(float32, Role::scratch, row_count_);
    }
    for (std::size_t k = 0; k < phases; ++k) phase(shapes[k], 2 * k);
    return b_.finish();
  }

 private:
  using Pool = std::vector<KernelScalar>;

  std::size_t below(std::size_t n) { return random_() % n; }
  template <class T, std::size_t n> T pick(const T (&list)[n]) { return list[below(n)]; }
  static std::int64_t elements(const Shape& s) {
    std::int64_t product = 1;
    for (std::int64_t extent : s) product *= extent;
    return product;
  }
  Shape shape(std::size_t rank, std::int64_t limit) {
    const std::int64_t sizes[] = {1, 2, 3, 5, 8, 16, 17, 33, 64, 70};
    Shape result;
    for (std::size_t k = 0; k < rank; ++k) {
      std::int64_t extent = pick(sizes);
      if (elements(result) * extent > limit) extent = 2;
      result.push_back(extent);
    }
    return result;
  }

  void phase(const Shape& s, std::size_t out) {
    b_.parallel(s, [&](const Index& i) {
      indices_.assign(1, i);
      Pool pool;
      if (row_ >= 0) fill_row(pool);
      statements(pool, 4 + below(8), 2);
      const Affine at = dot(i, kernel::row_major(s));
      for (std::size_t k = out; k < out + 2; ++k) {
        KernelScalar value = of_type(pool, output_types_[k]);
        if (below(4))
          b_.store(outputs_[k], at, value);
        else
          b_.store(outputs_[k], at, value, condition(pool));
      }
    });
  }

  void fill_row(Pool& pool) {
    b_.parallel({row_count_}, [&](const Index& i) {
      indices_.push_back(i);
      Pool inner = pool;
      statements(inner, 2, 0);
      b_.store(row_, i[0], of_type(inner, float32));
      indices_.pop_back();
    });
    auto result = b_.reduce(
        {row_count_},
        below(2) ? Tree::lanes : Tree::sequential,
        {Combiner::max},
        {b_.constant(float32, -3)},
        [&](const Index& i) { return std::vector<Builder::Element>{{b_.load(row_, i[0])}}; });
    pool.push_back(result[0]);
  }

  KernelScalar of_type(Pool& pool, DType type) {
    for (std::size_t k = 0; k < pool.size() && !pool.empty(); ++k) {
      KernelScalar v = pool[pool.size() - 1 - below(pool.size())];
      if (v.type() == type) return v;
    }
    if (!pool.empty() && below(3)) return convert(pool[below(pool.size())], type);
    if (below(3)) return convert(load(pool, type == float64 ? float32 : type), type);
    return b_.constant(type, static_cast<double>(below(200)) / 8 - 5);
  }

  KernelScalar condition(Pool& pool) {
    const DType type = pick(compute_types);
    KernelScalar x = of_type(pool, type), y = of_type(pool, type);
    switch (below(4)) {
      case 0:
        return x < y;
      case 1:
        return x <= y;
      case 2:
        return x == y;
      default:
        return b_.in_range(some_index(), 1, 9);
    }
  }

  /// A sum of the loop variables in scope.
  Affine some_index() {
    Affine sum{static_cast<std::int64_t>(below(7)) - 2, {}, {}};
    for (const Index& index : indices_) {
      for (const Affine& variable : index) {
        const std::int64_t scales[] = {0, 0, 1, 1, 1, -1, 2, 3, 17};
        sum += variable * pick(scales);
      }
    }
    return sum;
  }

  KernelScalar load(Pool& pool, DType type) {
    std::size_t which = 0;
    while (memory_types[which] != type) ++which;
    Affine at = some_index();
    if (below(5) == 0) {
      KernelScalar opaque = of_type(pool, int64);
      at = at * 3 + b_.affine(opaque & opaque.like(255));
    }
    auto [low, high] = b_.range(at);
    if (low >= 0 && high < input_count && below(3)) return b_.load(inputs_[which], at);
    return b_.load(inputs_[which],
                   at,
                   b_.in_range(at, 0, input_count - static_cast<std::int64_t>(below(900))),
                   b_.constant(type, 1));
  }

  void statements(Pool& pool, std::size_t count, int depth) {
    for (std::size_t k = 0; k < count; ++k) statement(pool, depth);
  }

  void statement(Pool& pool, int depth) {
    switch (below(depth > 0 ? 14 : 10)) {
      case 0:
      case 1: {
        const DType type = pick(memory_types);
        KernelScalar x = load(pool, type);
        const bool narrow = type == float16 || type == bfloat16 || type == bool_;
        pool.push_back(narrow ? convert(x, below(2) ? float32 : int32) : x);
        return;
      }
      case 2:
        pool.push_back(convert(of_type(pool, pick(compute_types)), pick(compute_types)));
        return;
      case 3: {
        const DType type = pick(compute_types);
        pool.push_back(select(condition(pool), of_type(pool, type), of_type(pool, type)));
        return;
      }
      case 4:
        pool.push_back(convert(b_.value(some_index()), pick(compute_types)));
        return;
      case 5: {
        const DType narrow = below(2) ? float16 : bfloat16;
        pool.push_back(convert(convert(of_type(pool, pick(compute_types)), narrow), float32));
        return;
      }
      case 10:
      case 11:
        return reduction(pool, depth);
      case 12:
        return serial(pool, depth);
      case 13:
        return repeat(pool, depth);
      default:
        return arithmetic(pool);
    }
  }

  void arithmetic(Pool& pool) {
    const DType type = pick(compute_types);
    KernelScalar x = of_type(pool, type), y = of_type(pool, type);
    if (kernel::is_float(type)) {
      const Verb verbs[] = {Verb::add, Verb::sub, Verb::mul, Verb::div, Verb::min, Verb::max};
      if (below(4) == 0)
        pool.push_back(fma(x, y, of_type(pool, type)));
      else if (below(4) == 0)
        pool.push_back(sqrt(abs(floor(x))));
      else
        pool.push_back(b_.emit(pick(verbs), type, x, y));
      return;
    }
    const Verb verbs[] = {Verb::add,
                          Verb::sub,
                          Verb::mul,
                          Verb::div,
                          Verb::rem,
                          Verb::min,
                          Verb::max,
                          Verb::bit_and,
                          Verb::bit_xor,
                          Verb::shift_left,
                          Verb::shift_right_logical};
    pool.push_back(b_.emit(pick(verbs), type, x, y));
  }

  void reduction(Pool& pool, int depth) {
    const DType type = pick(compute_types);
    const Combiner combiners[] = {Combiner::add, Combiner::mul, Combiner::min, Combiner::max};
    const Combiner combiner = pick(combiners);
    const Shape s = shape(1 + below(2), 90);
    KernelScalar trips;
    if (below(4) == 0) trips = convert(convert(of_type(pool, pick(compute_types)), uint8), int64);
    KernelScalar initial = of_type(pool, type);
    auto result = b_.reduce(
        s,
        below(2) ? Tree::lanes : Tree::sequential,
        {combiner},
        {initial},
        [&](const Index& i) {
          indices_.push_back(i);
          Pool inner = pool;
          statements(inner, 1 + below(4), depth - 1);
          Builder::Element element{of_type(inner, type)};
          if (combiner == Combiner::add && kernel::is_float(type) && below(2)) {
            element.factor = of_type(inner, type);
          }
          indices_.pop_back();
          return std::vector<Builder::Element>{element};
        },
        trips);
    pool.push_back(result[0]);
  }

  void serial(Pool& pool, int depth) {
    const DType types[] = {pick(compute_types), pick(compute_types)};
    KernelScalar trips;
    if (below(3) == 0) trips = convert(convert(of_type(pool, pick(compute_types)), uint8), int64);
    std::vector<KernelScalar> initial{of_type(pool, types[0]), of_type(pool, types[1])};
    auto result = b_.serial(
        shape(1 + below(2), 12),
        initial,
        [&](const Index& i, std::vector<KernelScalar> carries) {
          indices_.push_back(i);
          Pool inner = pool;
          inner.insert(inner.end(), carries.begin(), carries.end());
          statements(inner, 1 + below(4), depth - 1);
          std::vector<KernelScalar> next{of_type(inner, types[0]), of_type(inner, types[1])};
          indices_.pop_back();
          return next;
        },
        trips);
    pool.insert(pool.end(), result.begin(), result.end());
  }

  void repeat(Pool& pool, int depth) {
    const DType type = pick(compute_types);
    KernelScalar limit = convert(of_type(pool, pick(compute_types)), int32) & b_.constant(int32, 7);
    auto result = b_.repeat_while(
        {of_type(pool, type), b_.constant(int32, 0)},
        [&](std::vector<KernelScalar> c) { return c[1] < limit; },
        [&](std::vector<KernelScalar> c) {
          Pool inner = pool;
          inner.push_back(c[0]);
          statements(inner, 1 + below(3), depth - 1);
          return std::vector<KernelScalar>{of_type(inner, type), c[1] + 1};
        });
    pool.push_back(result[0]);
  }

  std::mt19937_64 random_;
  Builder b_;
  std::vector<std::int32_t> inputs_, outputs_;
  std::vector<DType> output_types_;
  std::vector<Index> indices_;
  std::int32_t row_ = -1;
  std::int64_t row_count_ = 0;
};

/// The first seed and how many: one alone if FLUXION_SEED says so.
std::pair<std::uint64_t, std::uint64_t> seeds(std::uint64_t count, std::uint64_t nightly) {
  const char* wanted = std::getenv("FLUXION_SEED");
  if (wanted) return {std::strtoull(wanted, nullptr, 10), 1};
  return {1, std::getenv("FLUXION_NIGHTLY") ? nightly : count};
}

TEST_CASE("random kernels compute what they mean") {
  const auto [first, count] = seeds(250, 5000);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    INFO("FLUXION_SEED=" << seed);
    codegen::CompileOptions options;
    options.level = static_cast<int>(seed % 3 % 2);
    check_compiled(RandomKernel(seed).make(), {}, options);
  }
}

TEST_CASE("random kernels compute the same on a processor without masks") {
  const codegen::Target target = lesser_target();
  const auto [first, count] = seeds(100, 2000);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    INFO("FLUXION_SEED=" << seed);
    codegen::CompileOptions options;
    options.target = &target;
    check_compiled(RandomKernel(seed).make(), {}, options);
  }
}

TEST_CASE("code does not depend on what its thread has compiled before") {
  const auto [first, count] = seeds(400, 4000);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    INFO("FLUXION_SEED=" << seed);
    codegen::KernelForm form =
        codegen::form_of(RandomKernel(seed).make(), {}, codegen::host_target().vector);
    form.level = static_cast<int>(seed % 7 % 2);
    const auto object = [&] {
      return codegen::backend().emit(
          form, codegen::host_target(), "phase", codegen::Output::object);
    };
    const std::string here = object();
    std::string alone;
    std::thread([&] { alone = object(); }).join();
    CHECK(here == alone);
  }
}

TEST_CASE("threads compile at the same time") {
  std::vector<Kernel> kernels;
  for (std::uint64_t seed = 1; seed <= 24; ++seed) kernels.push_back(RandomKernel(seed).make());
  std::vector<detail::Ref<codegen::CompiledKernel>> compiled(kernels.size());
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t k = t; k < kernels.size(); k += 4)
        compiled[k] = codegen::compile(kernels[k]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    check_code(kernels[k], *compiled[k]);
  }
}

}  // namespace
}  // namespace fluxion::test
