// What a compiled kernel is without its compiler: form, image, loading, running.
#include "codegen/host.hpp"
#include "codegen/llvm/backend.hpp"
#include "trace/error.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <new>
#include <utility>

namespace fluxion::codegen {
namespace {

/// The cheapest tier for huge kernels, because instruction selection is superlinear in the size of
/// a block, and for tiny ones: it compiles in a quarter of the time, and their runs take 3 to 50 ns
/// more or less.
int level_for(const kernel::Kernel& kernel, const Mapping& mapping, int wanted) {
  if (wanted >= 0) return wanted;
  bool huge = kernel.instructions.size() > 20000, tiny = estimated_nanoseconds(mapping) < 100;
  return huge || tiny ? 0 : 1;
}

/// Level 0 takes time for each instruction and gains little from vectors in flight.
void set_level(KernelForm& form, int level) {
  form.level = level;
  if (level > 0) return;
  for (LoopMapping& loop : form.mapping.loops) loop.width /= std::exchange(loop.in_flight, 1);
}

/// Passes that make code run faster take one to three milliseconds for most kernels, ten to a
/// hundred microseconds an instruction for large ones; code without them takes up to three times as
/// long.
bool worth_quick_code(const kernel::Kernel& kernel, const KernelForm& form) {
  const double passes = std::max(1e6, 1e4 * static_cast<double>(kernel.instructions.size()));
  if (form.level == 0 || estimated_nanoseconds(form.mapping) > passes) return false;
  for (const kernel::Loop& loop : kernel.loops)  // nobody knows how often
    if (loop.kind == kernel::LoopKind::repeat_while) return false;
  return true;
}

/// After a third of a millisecond or so, but the first call of a program should end before.
std::uint64_t runs_before_better(double nanoseconds, double least) {
  return static_cast<std::uint64_t>(std::clamp(3e5 / (1 + nanoseconds), least, 20.0));
}

/// What quick code takes.
double compiling_nanoseconds(const kernel::Kernel& kernel) {
  return 1e6 + 1e4 * static_cast<double>(kernel.instructions.size());
}

/// Of the names of a kernel's functions, each time another one.
std::string prefix_of(const kernel::Kernel& kernel) {
  static std::atomic<std::uint64_t> count{0};
  std::string name = "fluxion_" + std::to_string(++count) + "_";
  for (char c : kernel.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name + "_phase";
}

}  // namespace

KernelForm form_of(const kernel::Kernel& kernel,
                   const CompileOptions& options,
                   const VectorTarget& vector) {
  KernelForm form;
  MappedKernel mapped = options.mapping ? MappedKernel{collapse(kernel), *options.mapping}
                                        : map_kernel(kernel, vector);
  form.kernel = std::move(mapped.kernel);
  form.mapping = std::move(mapped.mapping);
  set_level(form, level_for(form.kernel, form.mapping, options.level));
  return form;
}

const KernelForm& CompiledKernel::form() const {
  std::call_once(form_made_, [&] { form_ = form_of(source_, {}, host_vector()); });
  return form_;
}

const Target& host_target() { return backend().host_target(); }
Target target_of(const std::string& cpu) { return backend().target_of(cpu); }

detail::Ref<CompiledKernel> compile(const kernel::Kernel& kernel, const CompileOptions& options) {
  const bool supported = options.target ? options.target->supported : host_supported();
  if (!supported) throw InternalError("this processor lacks instructions that kernels rely on");
  detail::Ref<CompiledKernel> result(new CompiledKernel);
  std::call_once(result->form_made_, [&] {
    result->form_ =
        form_of(kernel, options, options.target ? options.target->vector : host_vector());
  });
  const ScratchRows rows = scratch_rows(result->form_.kernel, result->form_.mapping);
  result->scratch_bytes_ = rows.lent ? rows.bytes : 0;
  result->prefix_ = prefix_of(kernel);
  if (options.vector_runs > 0 && result->take_vectors(kernel, options)) return result;
  if (options.target) result->target_ = *options.target;
  if (options.quick != 0 && worth_quick_code(kernel, result->form_)) {
    result->source_ = kernel;
    result->quick_runs_ = options.quick > 0
                              ? static_cast<std::uint64_t>(options.quick)
                              : runs_before_better(estimated_nanoseconds(result->form_.mapping), 3);
    result->wanting_ = static_cast<std::int64_t>(result->quick_runs_);
  }
  const std::vector<PhaseMapping>& phases = result->form_.mapping.phases;
  LinkedPhases linked = backend().link(result->object(), result->prefix_, phases.size());
  for (std::size_t k = 0; k < phases.size(); ++k)
    result->phases_.emplace_back(linked.entries[k], phases[k].units, phases[k].grain);
  result->code_ = std::move(linked.code);
  std::vector<NamedCode> names;
  for (std::size_t k = 0; k < phases.size(); ++k) {
    std::string name = result->prefix_ + std::to_string(k);
    const std::uint64_t size = size_in(result->object(), name);
    names.push_back({std::move(name), linked.entries[k], size});
  }
  result->names_ = std::make_unique<CodeNames>(names);
  return result;
}

bool CompiledKernel::take_vectors(const kernel::Kernel& kernel, const CompileOptions& options) {
  vectors_ = VectorProgram::make(
      form_.kernel, form_.mapping, compiling_nanoseconds(kernel) / options.vector_runs);
  if (!vectors_) return false;
  source_ = kernel;
  const int quick = quick_wanted_ = options.quick;
  const std::uint64_t runs = quick > 0 ? static_cast<std::uint64_t>(quick)
                                       : runs_before_better(vectors_->nanoseconds(), 2);
  wanting_ = static_cast<std::int64_t>(runs);
  const std::vector<PhaseMapping>& phases = form_.mapping.phases;
  for (std::size_t k = 0; k < phases.size(); ++k) phases_.emplace_back(*vectors_, k, phases[k]);
  return true;
}

detail::Ref<CompiledKernel> CompiledKernel::compiled_again() const {
  return compile(source_, {.quick = better_.empty() ? quick_wanted_ : 0});
}

void CompiledKernel::replace_code(detail::Ref<CompiledKernel> better) const {
  const CompiledKernel& code = *better_.emplace_back(std::move(better));
  wanting_ = static_cast<std::int64_t>(code.quick_runs_);
  for (std::size_t k = 0; k < phases_.size(); ++k)
    phases_[k].entry_.store(code.phases_[k].entry(), std::memory_order_release);
}

const Target& CompiledKernel::target() const { return target_ ? *target_ : host_target(); }

std::string CompiledKernel::emitted(Output output, const std::string& prefix) const {
  return backend().emit(form(), target(), prefix, output);
}
const std::string& CompiledKernel::object() const {
  std::call_once(object_made_, [&] {
    if (quick_runs_ == 0 || vectors_) {
      object_ = emitted(Output::object, prefix_);
      return;
    }
    KernelForm quick = form();
    set_level(quick, 0);
    object_ = backend().emit(quick, target(), prefix_, Output::object);
  });
  return object_;
}
std::string CompiledKernel::llvm_ir() const { return emitted(Output::ir, "phase"); }
std::string CompiledKernel::assembly() const { return emitted(Output::assembly, "phase"); }

std::optional<CodeImage> CompiledKernel::image() const {
  if (vectors_) return {};
  std::vector<std::string> names;
  for (std::size_t k = 0; k < phases_.size(); ++k) names.push_back(prefix_ + std::to_string(k));
  auto linked = link_object(object(), names);
  if (!linked) return {};
  CodeImage image;
  image.scratch_bytes = scratch_bytes_;
  image.quick = quick_runs_;
  image.code = std::move(linked->code);
  for (std::size_t k = 0; k < phases_.size(); ++k)
    image.phases.push_back({linked->offsets[k], phases_[k].units, phases_[k].grain});
  return image;
}

std::vector<detail::Ref<CompiledKernel>> load(std::span<const KeptCode> kept) {
  std::string code;
  std::vector<std::size_t> begins;
  for (const KeptCode& one : kept) {
    code.resize((code.size() + code_alignment - 1) / code_alignment * code_alignment);
    begins.push_back(code.size());
    code += one.image.code;
  }
  const std::shared_ptr<const void> memory = executable_copy(code);
  std::vector<detail::Ref<CompiledKernel>> results(kept.size());
  for (std::size_t k = 0; k < kept.size(); ++k) {
    const CodeImage& image = kept[k].image;
    // A kernel of no elements has no phases and no code.
    if (!memory && !image.phases.empty()) continue;
    detail::Ref<CompiledKernel> result(new CompiledKernel);
    result->source_ = kept[k].kernel;
    result->prefix_ = prefix_of(kept[k].kernel);
    result->scratch_bytes_ = image.scratch_bytes;
    result->quick_runs_ = image.quick;
    result->wanting_ = static_cast<std::int64_t>(image.quick);
    std::vector<NamedCode> names;
    for (const CodeImage::Phase& phase : image.phases) {
      std::uint64_t end = image.code.size();
      for (const CodeImage::Phase& other : image.phases)
        if (other.offset > phase.offset) end = std::min<std::uint64_t>(end, other.offset);
      const char* entry = static_cast<const char*>(memory.get()) + begins[k] + phase.offset;
      result->phases_.emplace_back(
          reinterpret_cast<PhaseEntry>(const_cast<char*>(entry)), phase.units, phase.grain);
      names.push_back({result->prefix_ + std::to_string(names.size()),
                       result->phases_.back().entry(),
                       end - phase.offset});
    }
    result->code_ = memory;
    result->names_ = std::make_unique<CodeNames>(names);
    results[k] = std::move(result);
  }
  return results;
}

detail::Ref<CompiledKernel> load(const kernel::Kernel& kernel, const CodeImage& image) {
  const KeptCode one{kernel, image};
  return load({&one, 1})[0];
}

void run(const CompiledKernel& kernel, void* const* buffers) {
  Context context;
  std::unique_ptr<void, decltype(&std::free)> rows(nullptr, &std::free);
  if (kernel.scratch_bytes() > 0) {
    rows.reset(std::aligned_alloc(64, (kernel.scratch_bytes() + 63) / 64 * 64));
    if (!rows) throw std::bad_alloc();
    context.scratch = rows.get();
  }
  for (const CompiledKernel::Phase& phase : kernel.phases()) {
    phase.run(&context, buffers, 0, phase.units);
  }
}

}  // namespace fluxion::codegen
