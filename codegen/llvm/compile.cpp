// From a kernel to callable code: emission, instruction selection, linking into this process.
#include "codegen/llvm/compile.hpp"

#include "codegen/llvm/emitter.hpp"
#include "trace/error.hpp"

#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/Triple.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>

namespace fluxion::codegen {

namespace {

namespace orc = llvm::orc;

template <class T> T checked(llvm::Expected<T> value) {
  if (!value) throw InternalError("LLVM: " + llvm::toString(value.takeError()));
  return std::move(*value);
}
void checked(llvm::Error error) {
  if (error) throw InternalError("LLVM: " + llvm::toString(std::move(error)));
}

void set_width(Target& target, bool wide) {
  bool x86 = llvm::Triple(target.triple).isX86();
  target.vector.vector_bytes = !x86 ? 16 : wide ? 64 : 32;
  target.vector.masks = x86 && wide;
}

Target find_host() {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  Target target;
  target.triple = llvm::sys::getProcessTriple();
  target.cpu = llvm::sys::getHostCPUName().str();
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  for (const auto& feature : features) {
    if (!target.features.empty()) target.features += ',';
    target.features += (feature.second ? '+' : '-') + feature.first().str();
  }
  if (llvm::Triple(target.triple).isX86()) {
    target.supported =
        features.lookup("sse4.1") && features.lookup("fma") && features.lookup("f16c");
  }
  set_width(target,
            features.lookup("avx512f") && features.lookup("avx512bw") &&
                features.lookup("avx512dq") && features.lookup("avx512vl"));
  return target;
}

std::unique_ptr<llvm::TargetMachine> make_machine(const Target& target) {
  std::string problem;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(target.triple, problem);
  if (!found) throw InternalError("LLVM: " + problem);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(
      found->createTargetMachine(target.triple,
                                 target.cpu,
                                 target.features,
                                 options,
                                 llvm::Reloc::PIC_,
                                 llvm::CodeModel::Small,
                                 llvm::CodeGenOptLevel::Less,
                                 true));
}

/// A target machine is not thread-safe, and takes a tenth of a millisecond to make: each thread
/// keeps its last.
llvm::TargetMachine& machine(const Target& target, int level) {
  thread_local std::unique_ptr<llvm::TargetMachine> made;
  if (!made || made->getTargetCPU() != target.cpu ||
      made->getTargetFeatureString() != target.features) {
    made = make_machine(target);
  }
  made->setOptLevel(level == 0   ? llvm::CodeGenOptLevel::None
                    : level == 1 ? llvm::CodeGenOptLevel::Less
                                 : llvm::CodeGenOptLevel::Default);
  return *made;
}

/// The linker: one for the process, without the process's own symbols, so that no code can come to
/// depend on them.
class Linker {
 public:
  static Linker& instance() {
    // Never destroyed: kernels may outlive every static object.
    static Linker* linker = new Linker;
    return *linker;
  }

  /// What is returned keeps the code in memory.
  std::shared_ptr<const void> add(llvm::SmallVector<char, 0> object,
                                  const std::string& prefix,
                                  std::size_t phases,
                                  std::vector<PhaseEntry>& entries) {
    orc::ResourceTrackerSP tracker = library_->createResourceTracker();
    auto buffer = std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(object), prefix, false);
    checked(objects_.add(tracker, std::move(buffer)));
    for (std::size_t k = 0; k < phases; ++k) {
      auto symbol =
          checked(session_.lookup({library_}, session_.intern(prefix + std::to_string(k))));
      entries.push_back(symbol.getAddress().toPtr<PhaseEntry>());
    }
    return {tracker.get(), [tracker](const void*) { llvm::consumeError(tracker->remove()); }};
  }

 private:
  Linker()
      : session_(checked(orc::SelfExecutorProcessControl::Create())),
        objects_(session_),
        library_(&session_.createBareJITDylib("kernels")) {
    session_.setErrorReporter([](llvm::Error error) { llvm::consumeError(std::move(error)); });
  }

  orc::ExecutionSession session_;
  orc::ObjectLinkingLayer objects_;
  orc::JITDylib* library_;
};

std::string prefix_of(const kernel::Kernel& kernel, std::uint64_t number) {
  std::string name = "fluxion_" + std::to_string(number) + "_";
  for (char c : kernel.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name + "_phase";
}

std::unique_ptr<llvm::Module> emit_module(llvm::LLVMContext& context,
                                          const kernel::Kernel& kernel,
                                          const Mapping& mapping,
                                          const Target& target,
                                          const std::string& prefix) {
  auto module = std::make_unique<llvm::Module>(kernel.name, context);
  module->setTargetTriple(target.triple);
  module->setDataLayout(machine(target, 1).createDataLayout());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  for (std::size_t k = 0; k < mapping.phases.size(); ++k) {
    PhaseEmitter(*module, kernel, mapping, target.vector).emit(k, prefix + std::to_string(k));
  }
#ifndef NDEBUG
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  if (llvm::verifyModule(*module, &stream)) throw InternalError("LLVM: " + problem);
#endif
  return module;
}

/// The quick instruction selector folds the load of one float into a blend of whole registers,
/// which reads past the float (LLVM 14 to 19, where there is AVX without AVX-512). It does not fold
/// volatile loads, and moves or removes no others either.
void keep_float_loads_apart(llvm::Module& module) {
  for (llvm::Function& function : module)
    for (llvm::BasicBlock& block : function)
      for (llvm::Instruction& instruction : block)
        if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction))
          if (load->getType()->isFloatTy() || load->getType()->isDoubleTy())
            load->setVolatile(true);
}

llvm::SmallVector<char, 0> generate(llvm::Module& module,
                                    const Target& target,
                                    int level,
                                    llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (level == 0) keep_float_loads_apart(module);
  if (machine(target, level).addPassesToEmitFile(passes, stream, nullptr, type)) {
    throw InternalError("LLVM: no code generator");
  }
  passes.run(module);
  return bytes;
}

}  // namespace

const Target& host_target() {
  static const Target target = find_host();
  return target;
}

Target target_of(const std::string& cpu) {
  Target target = host_target();
  target.cpu = cpu;
  target.features.clear();
  std::unique_ptr<llvm::TargetMachine> machine = make_machine(target);
  const llvm::MCSubtargetInfo& features = *machine->getMCSubtargetInfo();
  set_width(target,
            llvm::Triple(target.triple).isX86() &&
                features.checkFeatures("+avx512bw,+avx512dq,+avx512vl"));
  return target;
}

detail::Ref<CompiledKernel> compile(const kernel::Kernel& kernel, const CompileOptions& options) {
  const Target& target = options.target ? *options.target : host_target();
  if (!target.supported)
    throw InternalError("this processor lacks instructions that kernels rely on");
  static std::atomic<std::uint64_t> count{0};
  detail::Ref<CompiledKernel> result(new CompiledKernel);
  std::call_once(result->form_made_,
                 [&] { result->form_ = form_of(kernel, options, target.vector); });
  const KernelForm& form = result->form_;
  if (options.target) result->target_ = target;
  result->scratch_bytes_ = PhaseEmitter::scratch_bytes(form.kernel, form.mapping);
  result->prefix_ = prefix_of(kernel, ++count);
  llvm::LLVMContext context;
  auto module = emit_module(context, form.kernel, form.mapping, target, result->prefix_);
  auto object = generate(*module, target, form.level, llvm::CodeGenFileType::ObjectFile);
  std::call_once(result->object_made_,
                 [&] { result->object_.assign(object.begin(), object.end()); });
  std::vector<PhaseEntry> entries;
  result->code_ = Linker::instance().add(
      std::move(object), result->prefix_, form.mapping.phases.size(), entries);
  for (std::size_t k = 0; k < entries.size(); ++k) {
    const PhaseMapping& phase = form.mapping.phases[k];
    result->phases_.push_back({entries[k], phase.units, phase.grain});
  }
  return result;
}

const Target& CompiledKernel::target() const { return target_ ? *target_ : host_target(); }

const std::string& CompiledKernel::object() const {
  std::call_once(object_made_, [&] {
    llvm::LLVMContext context;
    auto module = emit_module(context, kernel(), mapping(), target(), prefix_);
    auto bytes = generate(*module, target(), form().level, llvm::CodeGenFileType::ObjectFile);
    object_.assign(bytes.begin(), bytes.end());
  });
  return object_;
}

std::string CompiledKernel::llvm_ir() const {
  llvm::LLVMContext context;
  auto module = emit_module(context, kernel(), mapping(), target(), "phase");
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, nullptr);
  return text;
}

std::string CompiledKernel::assembly() const {
  llvm::LLVMContext context;
  auto module = emit_module(context, kernel(), mapping(), target(), "phase");
  auto text = generate(*module, target(), form().level, llvm::CodeGenFileType::AssemblyFile);
  return {text.begin(), text.end()};
}

}  // namespace fluxion::codegen
