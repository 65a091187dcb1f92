// From a kernel to callable code: emission, instruction selection, linking into this process.
#include "codegen/llvm/backend.hpp"
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
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/Triple.h>

#include <memory>

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

std::unique_ptr<llvm::TargetMachine> make_machine(const Target& target,
                                                  llvm::CodeGenOptLevel level) {
  std::string problem;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(target.triple, problem);
  if (!found) throw InternalError("LLVM: " + problem);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(found->createTargetMachine(target.triple,
                                                                         target.cpu,
                                                                         target.features,
                                                                         options,
                                                                         llvm::Reloc::PIC_,
                                                                         llvm::CodeModel::Small,
                                                                         level,
                                                                         true));
}

/// What generates code, on one thread. Making it takes as long as compiling a small kernel, so it
/// runs for one module after the other, as llc's -compile-twice does.
class Generator {
 public:
  Generator(const Target& target, int level, llvm::CodeGenFileType type)
      : cpu_(target.cpu),
        features_(target.features),
        level_(level),
        type_(type),
        machine_(make_machine(target,
                              level == 0   ? llvm::CodeGenOptLevel::None
                              : level == 1 ? llvm::CodeGenOptLevel::Less
                                           : llvm::CodeGenOptLevel::Default)) {
    if (machine_->addPassesToEmitFile(passes_, stream_, nullptr, type))
      throw InternalError("LLVM: no code generator");
  }
  bool is_for(const Target& target, int level, llvm::CodeGenFileType type) const {
    // The context keeps the constants of all its modules.
    return runs_ < most_runs && level_ == level && type_ == type && cpu_ == target.cpu &&
           features_ == target.features;
  }
  llvm::LLVMContext& context() { return context_; }
  llvm::DataLayout layout() const { return machine_->createDataLayout(); }
  std::string run(llvm::Module& module) {
    ++runs_;
    bytes_.clear();
    passes_.run(module);
    return {bytes_.begin(), bytes_.end()};
  }

 private:
  static constexpr int most_runs = 200;
  std::string cpu_, features_;
  int level_, runs_ = 0;
  llvm::CodeGenFileType type_;
  llvm::LLVMContext context_;
  std::unique_ptr<llvm::TargetMachine> machine_;
  llvm::SmallVector<char, 0> bytes_;
  llvm::raw_svector_ostream stream_{bytes_};
  llvm::legacy::PassManager passes_;
};

/// This thread's, of the last two kinds.
Generator& generator(const Target& target, int level, llvm::CodeGenFileType type) {
  thread_local std::unique_ptr<Generator> last, before;
  if (!last || !last->is_for(target, level, type)) {
    std::swap(last, before);
    if (!last || !last->is_for(target, level, type)) {
      last.reset();
      last = std::make_unique<Generator>(target, level, type);
    }
  }
  return *last;
}

/// The linker: one for the process, without the process's own symbols, so that no code can come to
/// depend on them.
class Linker {
 public:
  static Linker& instance() {
    // Never destroyed: kernels may outlive every static object.
    static Linker* linker = new Linker;
    static End end;
    return *linker;
  }

  LinkedPhases add(const std::string& object, const std::string& prefix, std::size_t phases) {
    LinkedPhases linked;
    orc::ResourceTrackerSP tracker = library_->createResourceTracker();
    checked(objects_.add(tracker, llvm::MemoryBuffer::getMemBufferCopy(object, prefix)));
    for (std::size_t k = 0; k < phases; ++k) {
      auto symbol =
          checked(session_.lookup({library_}, session_.intern(prefix + std::to_string(k))));
      linked.entries.push_back(symbol.getAddress().toPtr<PhaseEntry>());
    }
    linked.code = {tracker.get(), [tracker](const void*) {
                     // LLVM's own objects may be gone when a program ends.
                     if (!ending) llvm::consumeError(tracker->remove());
                   }};
    return linked;
  }

 private:
  struct End {
    ~End() { ending = true; }
  };
  static inline bool ending = false;

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

std::unique_ptr<llvm::Module> emit_module(Generator& generator,
                                          const kernel::Kernel& kernel,
                                          const Mapping& mapping,
                                          const Target& target,
                                          const std::string& prefix) {
  auto module = std::make_unique<llvm::Module>(kernel.name, generator.context());
  module->setTargetTriple(target.triple);
  module->setDataLayout(generator.layout());
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

const Target& host() {
  static const Target target = find_host();
  return target;
}

Target lesser(const std::string& cpu) {
  Target target = host();
  target.cpu = cpu;
  target.features.clear();
  std::unique_ptr<llvm::TargetMachine> machine = make_machine(target, llvm::CodeGenOptLevel::None);
  const llvm::MCSubtargetInfo& features = *machine->getMCSubtargetInfo();
  set_width(target,
            llvm::Triple(target.triple).isX86() &&
                features.checkFeatures("+avx512bw,+avx512dq,+avx512vl"));
  return target;
}

std::string emit(const KernelForm& form,
                 const Target& target,
                 const std::string& prefix,
                 Output output) {
  Generator& code = generator(target,
                              form.level,
                              output == Output::assembly ? llvm::CodeGenFileType::AssemblyFile
                                                         : llvm::CodeGenFileType::ObjectFile);
  auto module = emit_module(code, form.kernel, form.mapping, target, prefix);
  if (output == Output::ir) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module->print(stream, nullptr);
    return text;
  }
  if (form.level == 0) keep_float_loads_apart(*module);
  return code.run(*module);
}

LinkedPhases link(const std::string& object, const std::string& prefix, std::size_t phases) {
  return Linker::instance().add(object, prefix, phases);
}

const Backend table{FLUXION_VERSION, &host, &lesser, &emit, &link};

}  // namespace

extern "C" const Backend* fluxion_llvm_backend() { return &table; }

}  // namespace fluxion::codegen
