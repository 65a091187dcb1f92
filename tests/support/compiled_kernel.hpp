// A kernel run twice, by its definition and as machine code, on guarded memory; the results must be
// the same bits.
#pragma once
#include "codegen/llvm/compile.hpp"
#include "runtime/allocator.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/kernel_interpreter.hpp"
#include "trace/kernel/fold.hpp"

#include <array>
#include <elf.h>
#include <random>
#include <string>
#include <vector>

namespace fluxion::test {

/// Names that an ELF object expects others to define.
inline std::vector<std::string> undefined_symbols(const std::string& object) {
  auto at = [&](std::size_t offset) { return object.data() + offset; };
  Elf64_Ehdr header;
  std::memcpy(&header, at(0), sizeof header);
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  std::memcpy(sections.data(), at(header.e_shoff), sections.size() * sizeof(Elf64_Shdr));
  std::vector<std::string> names;
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_SYMTAB) continue;
    for (std::size_t k = 1; k < section.sh_size / sizeof(Elf64_Sym); ++k) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, at(section.sh_offset + k * sizeof symbol), sizeof symbol);
      if (symbol.st_shndx == SHN_UNDEF) {
        names.emplace_back(at(sections[section.sh_link].sh_offset + symbol.st_name));
      }
    }
  }
  return names;
}

/// This machine, or where it has masked vectors, one without.
inline codegen::Target lesser_target() {
  return codegen::host_target().vector.vector_bytes == 64 ? codegen::target_of("x86-64-v3")
                                                          : codegen::host_target();
}

/// Bit patterns of a type that are worth a test: small, large, special, any.
class RandomBits {
 public:
  explicit RandomBits(std::uint64_t seed) : random_(seed) {}
  std::uint64_t operator()(DType type) {
    const std::size_t width = 8 * KernelArithmetic::bytes(type);
    const std::uint64_t all = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
    if (type == bool_) return random_() & 1;
    switch (random_() % 8) {
      case 0:
        return random_() % 70 & all;
      case 1:
        return -(random_() % 70) & all;
      case 2:
        return 0;
      case 3:
        return std::uint64_t{1} << (width - 1);
      case 4:
        return all >> (random_() % width);
      default:
        break;
    }
    const bool floating = type == float16 || type == bfloat16 || type == float32 || type == float64;
    if (floating && random_() % 4 != 0) {
      std::uniform_real_distribution<double> mantissa(-2, 2);
      const int range = type == float16 ? 15 : 100;
      const int exponent = random_() % 3 ? static_cast<int>(random_() % 12) - 4
                                         : static_cast<int>(random_() % (2 * range)) - range;
      const double value = std::ldexp(mantissa(random_), exponent);
      return KernelArithmetic::convert(float64, type, KernelArithmetic::put(value));
    }
    return random_() & all;
  }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

 private:
  std::mt19937_64 random_;
};

inline bool is_nan(DType type, std::uint64_t bits) {
  if (type == float32) return std::isnan(KernelArithmetic::get<float>(bits));
  if (type == float64) return std::isnan(KernelArithmetic::get<double>(bits));
  if (type == float16) return (bits & 0x7fff) > 0x7c00;
  if (type == bfloat16) return (bits & 0x7fff) > 0x7f80;
  return false;
}

/// Elements on memory that ends at a page nobody may touch.
struct GuardedArray {
  DType type;
  std::size_t count;
  detail::Ref<Buffer> memory;

  GuardedArray(DType t, std::size_t n)
      : type(t),
        count(n),
        memory(runtime::allocate_guarded(n * KernelArithmetic::bytes(t),
                                         KernelArithmetic::bytes(t))) {}
  unsigned char* at(std::size_t k) const {
    return static_cast<unsigned char*>(memory->data()) + k * KernelArithmetic::bytes(type);
  }
  std::uint64_t get(std::size_t k) const {
    std::uint64_t bits = 0;
    std::memcpy(&bits, at(k), KernelArithmetic::bytes(type));
    return bits;
  }
  void set(std::size_t k, std::uint64_t bits) {
    std::memcpy(at(k), &bits, KernelArithmetic::bytes(type));
  }
};

inline const std::vector<DType> number_types{
    int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64};

/// Numbers whose sums and products stay finite, so that the order shows in the bits.
inline std::uint64_t moderate(RandomBits& samples, DType type) {
  const double value = (static_cast<double>(samples.below(2000)) - 1000) / 977;
  if (!kernel::is_float(type)) return samples(type);
  return KernelArithmetic::convert(float64, type, KernelArithmetic::put(value));
}

/// Runs every phase in several pieces, in an order that is not that of the units.
inline void run_in_pieces(const codegen::CompiledKernel& compiled, void* const* buffers) {
  std::vector<unsigned char> rows(compiled.scratch_bytes() + 64);
  codegen::Context context;
  context.scratch = rows.data() + (64 - reinterpret_cast<std::uintptr_t>(rows.data()) % 64) % 64;
  for (const auto& phase : compiled.phases()) {
    const std::int64_t cut = phase.units / 3;
    phase.run(&context, buffers, phase.units - cut, phase.units);
    phase.run(&context, buffers, 0, cut);
    phase.run(&context, buffers, cut, phase.units - cut);
  }
}

/// What the buffers begin with; by default samples of their type.
using Fill = std::function<std::uint64_t(std::size_t buffer, std::size_t element)>;
/// Moderate ones in every buffer.
inline Fill moderate_numbers(const kernel::Kernel& kernel) {
  auto samples = std::make_shared<RandomBits>(kernel.hash());
  return [samples, buffers = kernel.buffers](std::size_t buffer, std::size_t) {
    return moderate(*samples, buffers[buffer].dtype);
  };
}

/// Whether a kernel may run over vectors: none of its loops ends by a condition or a bound that is
/// computed, and no two updates may meet.
inline bool has_vectors(const kernel::Kernel& kernel) {
#ifdef __x86_64__
  if (!__builtin_cpu_supports("avx2")) return false;
  for (const kernel::Loop& loop : kernel.loops)
    if (loop.kind == kernel::LoopKind::repeat_while || loop.trip_count >= 0) return false;
  std::vector<int> updates(kernel.buffers.size());
  for (const kernel::Instruction& i : kernel.instructions)
    if (i.verb == kernel::Verb::update &&
        static_cast<kernel::Promise>(i.c) != kernel::Promise::unique &&
        ++updates[static_cast<std::size_t>(kernel.accesses[i.bits].buffer)] > 1)
      return false;
  return true;
#else
  (void)kernel;
  return false;
#endif
}

/// Interprets a kernel by the definition, runs its code, as it was linked and as a cache would load
/// it, and the instructions over lanes that it runs on before it has code; compares all outputs bit
/// for bit (any NaN equals any NaN).
inline void check_code(const kernel::Kernel& kernel,
                       const codegen::CompiledKernel& compiled,
                       const Fill& fill = {},
                       const codegen::Mapping* mapping = nullptr) {
  RandomBits samples(kernel.hash());
  enum { expected, actual, loaded, lanes, ways };
  const char* const names[] = {"the definition", "machine code", "loaded code", "lanes"};
  std::array<std::vector<GuardedArray>, ways> arrays;
  for (const kernel::BufferDecl& buffer : kernel.buffers) {
    if (buffer.role == kernel::Role::scratch) break;
    const auto count = static_cast<std::size_t>(buffer.count);
    for (auto& own : arrays) own.emplace_back(buffer.dtype, count);
    for (std::size_t k = 0; k < count; ++k) {
      const std::uint64_t bits =
          fill ? fill(arrays[expected].size() - 1, k) : samples(buffer.dtype);
      for (auto& own : arrays) own.back().set(k, bits);
    }
  }
  const auto memory_of = [&](int way) {
    std::vector<void*> memory;
    for (const GuardedArray& array : arrays[static_cast<std::size_t>(way)])
      memory.push_back(array.memory->data());
    return memory;
  };
  interpret(kernel, memory_of(expected));
  REQUIRE(undefined_symbols(compiled.object()) == std::vector<std::string>{});
  run_in_pieces(compiled, memory_of(actual).data());
  std::vector<int> run{actual};
#ifdef __x86_64__
  const auto image = compiled.image();
  REQUIRE(image);
  run_in_pieces(*codegen::load(kernel, *image), memory_of(loaded).data());
  run.push_back(loaded);
#endif
  const auto over_lanes = codegen::compile(kernel, {.vector_runs = 1e-9, .mapping = mapping});
  REQUIRE(over_lanes->over_vectors() == has_vectors(kernel));
  if (over_lanes->over_vectors()) {
    run_in_pieces(*over_lanes, memory_of(lanes).data());
    run.push_back(lanes);
  }
  for (std::size_t b = 0; b < arrays[expected].size(); ++b) {
    for (std::size_t k = 0; k < arrays[expected][b].count; ++k) {
      const DType type = arrays[expected][b].type;
      const std::uint64_t want = arrays[expected][b].get(k);
      for (int way : run) {
        const std::uint64_t have = arrays[static_cast<std::size_t>(way)][b].get(k);
        if (want == have || (is_nan(type, want) && is_nan(type, have))) continue;
        INFO(kernel::to_string(kernel)
             << codegen::to_string(compiled.mapping(), compiled.kernel()));
        INFO("buffer " << b << ", element " << k << " of " << names[way]);
        CAPTURE(want, have);
        FAIL("the kernel's results and its definition differ");
      }
    }
  }
  SUCCEED();
}

/// With the level of optimisation left open: with the two that there are to choose from.
inline void check_compiled(const kernel::Kernel& kernel,
                           const Fill& fill = {},
                           codegen::CompileOptions options = {}) {
  if (options.level >= 0)
    return check_code(kernel, *codegen::compile(kernel, options), fill, options.mapping);
  for (int level : {0, 1}) {
    options.level = level;
    check_code(kernel, *codegen::compile(kernel, options), fill, options.mapping);
  }
}

}  // namespace fluxion::test
