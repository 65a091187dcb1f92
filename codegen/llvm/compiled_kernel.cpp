// What a compiled kernel is without its compiler: form, image, loading, running.
#include "codegen/host.hpp"
#include "codegen/llvm/compile.hpp"

#include <cstdlib>
#include <new>

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

}  // namespace

KernelForm form_of(const kernel::Kernel& kernel,
                   const CompileOptions& options,
                   const VectorTarget& vector) {
  KernelForm form;
  form.kernel = collapse(kernel);
  if (!options.mapping) form.kernel = interchange(std::move(form.kernel));
  form.mapping = options.mapping ? *options.mapping : choose_mapping(form.kernel, vector);
  form.level = level_for(form.kernel, form.mapping, options.level);
  return form;
}

const KernelForm& CompiledKernel::form() const {
  std::call_once(form_made_, [&] { form_ = form_of(source_, {}, host_vector()); });
  return form_;
}

std::optional<CodeImage> CompiledKernel::image() const {
  std::vector<std::string> names;
  for (std::size_t k = 0; k < phases_.size(); ++k) names.push_back(prefix_ + std::to_string(k));
  auto linked = link_object(object(), names);
  if (!linked) return {};
  CodeImage image;
  image.scratch_bytes = scratch_bytes_;
  image.code = std::move(linked->code);
  for (std::size_t k = 0; k < phases_.size(); ++k)
    image.phases.push_back({linked->offsets[k], phases_[k].units, phases_[k].grain});
  return image;
}

detail::Ref<CompiledKernel> load(const kernel::Kernel& kernel, const CodeImage& image) {
  std::shared_ptr<const void> code = executable_copy(image.code);
  // A kernel of no elements has no phases and no code.
  if (!code && !image.phases.empty()) return {};
  detail::Ref<CompiledKernel> result(new CompiledKernel);
  result->source_ = kernel;
  result->prefix_ = "phase";
  result->scratch_bytes_ = image.scratch_bytes;
  for (const CodeImage::Phase& phase : image.phases) {
    const char* entry = static_cast<const char*>(code.get()) + phase.offset;
    result->phases_.push_back(
        {reinterpret_cast<PhaseEntry>(const_cast<char*>(entry)), phase.units, phase.grain});
  }
  result->code_ = std::move(code);
  return result;
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
    phase.entry(&context, buffers, 0, phase.units);
  }
}

}  // namespace fluxion::codegen
