// Looking at programs: trace, lower, compile and eval_shape, with what a compiled program costs.
#pragma once
#include "calling.hpp"

namespace fluxion {

/// A typed, printable program: what fx::trace gives. Printed with the user's line beside every
/// operation.
class Function {
 public:
  explicit Function(detail::Ref<const detail::Shared> graph) : graph_(std::move(graph)) {}
  std::string text() const;
  friend std::ostream& operator<<(std::ostream&, const Function&);

 private:
  detail::Ref<const detail::Shared> graph_;
};
/// What one run of a compiled program does, from its shapes: floating-point operations, bytes read
/// and written by its kernels and library calls.
struct Cost {
  double flops = 0, bytes = 0;
};
/// An operation of a program, with the bytes of its value or of its scratch memory.
struct MemoryOwner {
  std::size_t bytes = 0;
  std::string operation;
  Site site;  // the user's line
};
/// Bytes that one run of a compiled program needs: its arguments, its results, what it allocates
/// meanwhile, and the most that is alive at once.
struct Memory {
  std::size_t arguments = 0, results = 0, temporaries = 0, peak = 0;
  /// The most bytes of temporaries that live at the same time: no places for them take less.
  std::size_t alive = 0;
  /// What the temporaries hold when most of them are in use, the largest first. Inside a fused
  /// kernel nothing is held: only values that lie in memory have a place here.
  std::vector<MemoryOwner> owners = {};
  /// The sizes in one line, then a line for each owner.
  std::string text() const;
  friend std::ostream& operator<<(std::ostream&, const Memory&);
};

namespace detail {
Function run_trace(FlatFunction, Flat arguments);
Flat run_abstract(FlatFunction, Flat arguments);
/// Whether a call gives the arrays of an argument away: those of the flat list up to `end` that no
/// earlier argument has.
struct Given {
  std::size_t end = 0;
  bool away = false;
};
/// A compiled function on flat lists.
struct Program : Shared {
  virtual Flat run(Flat arguments, std::span<const Given> given, Site) = 0;
  virtual bool accepts(const Flat& arguments) const = 0;  // same shapes and dtypes as at the trace
  virtual void check(
      FlatFunction) const = 0;  // traces again and throws "stale-capture" if the program changed
  virtual Cost cost() const = 0;
  virtual Memory memory() const = 0;
  virtual std::string explain() const = 0;
  virtual std::string kernels() const = 0;
  virtual std::string llvm_ir() const = 0;
  virtual std::string assembly() const = 0;
};
Ref<Program> compile(FlatFunction,
                     const Flat& arguments);  // runs the function once, on the arguments' types
/// Inside a live frame a jitted function is traced anew, into a call.
bool inside_frame();
Flat run_inside_frame(FlatFunction, Flat arguments);
bool checking_jit();
[[noreturn]] void fail_signature(Site);

template <class Out, class... A>
class TypedExecutable : public Callable<TypedExecutable<Out, A...>> {
 public:
  TypedExecutable(Ref<Program> p, Out like) : program_(std::move(p)), like_(std::move(like)) {}
  Site site() const { return Site::current(); }
  Out call(Site site, const A&... a) const {
    Flat in;
    (detail::collect(a, in), ...);
    program_->accepts(in) ? void() : detail::fail_signature(site);
    return detail::rebuild(like_, program_->run(std::move(in), {}, site));
  }
  /// Floating-point operations and bytes of one run.
  Cost cost() const { return program_->cost(); }
  /// Bytes of arguments, results and temporaries, their peak, and the operations that own it.
  Memory memory() const { return program_->memory(); }
  /// The program's kernels in the kernel language, as LLVM's intermediate representation, as
  /// machine code.
  std::string kernels() const { return program_->kernels(); }
  std::string llvm_ir() const { return program_->llvm_ir(); }
  std::string assembly() const { return program_->assembly(); }
  /// What fx::explain gives.
  std::string explain() const { return program_->explain(); }

 private:
  Ref<Program> program_;
  Out like_;
};
template <class F, class Args> struct executable_of;
template <class F, class... T> struct executable_of<F, std::tuple<T...>> {
  using type = TypedExecutable<result<F, T...>, T...>;
};
template <class F, class Args> class Lowered {
 public:
  Lowered(F f, Args args, Site site) : f_(std::move(f)), args_(std::move(args)), site_(site) {}
  typename executable_of<F, Args>::type compile() const {
    auto tracer = detail::make_tracer(f_, args_, site_);
    Ref<Program> program = detail::compile(tracer.flat(), detail::leaves(args_));
    return {std::move(program), *tracer.out};
  }

 private:
  F f_;
  Args args_;
  Site site_;
};
struct Lower : Callable<Lower> {
  Site site() const { return Site::current(); }
  template <class F, class... A> auto call(Site site, F&& f, A&&... a) const {
    using Args = arguments<std::decay_t<F>, A...>;
    return Lowered<std::decay_t<F>, Args>(
        static_cast<F&&>(f), detail::pack<Args>(site, static_cast<A&&>(a)...), site);
  }
};
struct EvalShape : Callable<EvalShape> {
  Site site() const { return Site::current(); }
  template <class F, class... A>
  auto call(Site site, F&& f, A&&... a)
      const {  // what f returns; its arrays know shape and dtype, and have no values
    const std::decay_t<F> g(static_cast<F&&>(f));
    using Args = arguments<std::decay_t<F>, A...>;
    const Args args = detail::pack<Args>(site, static_cast<A&&>(a)...);
    auto tracer = detail::make_tracer(g, args, site);
    Flat out = detail::run_abstract(tracer.flat(), detail::leaves(args));
    return tracer.finish(std::move(out));
  }
};
Array matrix_trace(const Array&, Site);
struct Trace : Callable<Trace> {
  Site site() const { return Site::current(); }
  template <class F, class... A> auto call(Site site, F&& f, A&&... a) const {
    if constexpr (std::is_same_v<std::decay_t<F>, Array>)
      return detail::matrix_trace(f, site);  // jax.numpy.trace has the same name
    else {
      const std::decay_t<F> g(static_cast<F&&>(f));
      using Args = arguments<std::decay_t<F>, A...>;
      const Args args = detail::pack<Args>(site, static_cast<A&&>(a)...);
      auto tracer = detail::make_tracer(g, args, site);
      return detail::run_trace(tracer.flat(), detail::leaves(args));
    }
  }
};
}  // namespace detail
inline constexpr detail::Lower lower{};
inline constexpr detail::EvalShape eval_shape{};
inline constexpr detail::Trace trace{};

/// The steps of a compiled program as a table: kernels, library calls, copies, loops with what they
/// repeat; for each the operations in it, your line, what it writes, floating-point operations,
/// bytes read and written, calls of transcendental functions (k = 1000). `exe`: what
/// fx::lower(f, x...).compile() gives.
template <class Out, class... A>
std::string explain(const detail::TypedExecutable<Out, A...>& exe) {
  return exe.explain();
}
}  // namespace fluxion
