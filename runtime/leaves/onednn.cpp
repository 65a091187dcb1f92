// Everything that differs between oneDNN 2.x and 3.x, and how its primitives are kept on one
// thread.
#include "runtime/leaves/onednn.hpp"

#include "trace/error.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <dlfcn.h>
#include <dnnl.hpp>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <utility>

namespace fluxion::runtime::onednn {

using Desc = dnnl::memory::desc;

class Layout::Description : public detail::Shared {
 public:
  explicit Description(Desc d) : desc(std::move(d)) {}
  Desc desc;
};

class Access {
 public:
  static const Desc& desc(const Layout& layout) {
    return static_cast<const Layout::Description&>(*layout.description_).desc;
  }
  static Layout layout(const Desc& desc) {
    Layout result;
    result.description_ = detail::Ref<detail::Shared>(new Layout::Description(desc));
    return result;
  }
  static Primitive primitive(dnnl::primitive made,
                             std::vector<int> names,
                             std::vector<Desc> descs,
                             const Desc& scratch,
                             std::string implementation);
};

namespace {

/// The OpenMP runtime that the library itself uses, if it uses one.
struct OpenMP {
  int (*threads)() = nullptr;
  void (*set_threads)(int) = nullptr;
  OpenMP() {
    void* const gomp = dlopen("libgomp.so.1", RTLD_LAZY | RTLD_NOLOAD);
    for (void* library : {RTLD_DEFAULT, gomp}) {
      if (set_threads != nullptr || (library != RTLD_DEFAULT && library == nullptr)) continue;
      threads = reinterpret_cast<int (*)()>(dlsym(library, "omp_get_max_threads"));
      set_threads = reinterpret_cast<void (*)(int)>(dlsym(library, "omp_set_num_threads"));
    }
    if (threads == nullptr) set_threads = nullptr;
  }
};

/// While one lives, OpenMP regions that this thread opens have one thread; the user's setting comes
/// back afterwards.
class OneThread {
 public:
  OneThread() : before_(1) {
    if (openmp().set_threads == nullptr) return;
    before_ = openmp().threads();
    if (before_ != 1) openmp().set_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) openmp().set_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  static const OpenMP& openmp() {
    static const OpenMP one;
    return one;
  }
  int before_;
};

const dnnl::engine& engine() {
  static const dnnl::engine* const one = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *one;
}

dnnl::memory::data_type type_of(DType dtype) {
  using Type = dnnl::memory::data_type;
  switch (dtype) {
    case float32:
      return Type::f32;
    case bfloat16:
      return Type::bf16;
    default:
      return Type::undef;
  }
}

dnnl::memory::dims dims_of(std::span<const std::int64_t> values) {
  return {values.begin(), values.end()};
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// What one run needs for itself: memory objects hold pointers.
struct Call {
  dnnl::stream stream{engine()};
  std::vector<dnnl::memory> memories;
  std::vector<dnnl_exec_arg_t> arguments;
};

}  // namespace

class Primitive::Compiled : public detail::Shared {
 public:
  Compiled(dnnl::primitive made, std::vector<int> names, std::vector<Desc> descs)
      : primitive_(std::move(made)), names_(std::move(names)), descs_(std::move(descs)) {}
  ~Compiled() override {
    for (auto& idle : idle_) delete idle.load();
  }

  void run(std::span<void* const> arguments, void* scratch) {
    std::unique_ptr<Call> call = take();
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      call->memories[i].set_data_handle(arguments[i]);
    }
    if (arguments.size() < descs_.size()) call->memories.back().set_data_handle(scratch);
    dnnl_status_t status = dnnl_success;
    {
      const OneThread scope;
      status = dnnl_primitive_execute(primitive_.get(),
                                      call->stream.get(),
                                      static_cast<int>(call->arguments.size()),
                                      call->arguments.data());
    }
    if (status != dnnl_success) {
      throw InternalError(fmt::format("oneDNN primitive ended with status {}", int{status}));
    }
    keep(std::move(call));
  }

 private:
  std::unique_ptr<Call> take() {
    for (auto& idle : idle_) {
      if (idle.load(std::memory_order_relaxed) == nullptr) continue;
      if (Call* call = idle.exchange(nullptr, std::memory_order_acquire)) {
        return std::unique_ptr<Call>(call);
      }
    }
    auto call = std::make_unique<Call>();
    for (std::size_t i = 0; i < descs_.size(); ++i) {
      call->memories.emplace_back(descs_[i], engine(), static_cast<void*>(nullptr));
      call->arguments.push_back({names_[i], call->memories.back().get()});
    }
    return call;
  }
  void keep(std::unique_ptr<Call> call) noexcept {
    for (auto& idle : idle_) {
      Call* expected = nullptr;
      if (idle.load(std::memory_order_relaxed) == nullptr &&
          idle.compare_exchange_strong(expected, call.get(), std::memory_order_release)) {
        call.release();
        return;
      }
    }
  }

  dnnl::primitive primitive_;
  std::vector<int> names_;
  std::vector<Desc> descs_;  // of the arguments, then of the scratchpad if there is one
  std::array<std::atomic<Call*>, 16> idle_ = {};
};

Primitive Access::primitive(dnnl::primitive made,
                            std::vector<int> names,
                            std::vector<Desc> descs,
                            const Desc& scratch,
                            std::string implementation) {
  Primitive result;
  for (const Desc& desc : descs) result.layouts_.push_back(layout(desc));
  result.scratch_bytes_ = scratch.get_size();
  result.implementation_ = std::move(implementation);
  if (result.scratch_bytes_ > 0) {
    names.push_back(DNNL_ARG_SCRATCHPAD);
    descs.push_back(scratch);
  }
  result.compiled_ = detail::Ref<detail::Shared>(
      new Primitive::Compiled(std::move(made), std::move(names), std::move(descs)));
  return result;
}

void Primitive::run(std::span<void* const> arguments, void* scratch) const {
  static_cast<Compiled&>(*compiled_).run(arguments, scratch);
}

Layout::Layout(DType dtype,
               std::span<const std::int64_t> dims,
               std::span<const std::int64_t> strides_in_elements) {
  if (type_of(dtype) == dnnl::memory::data_type::undef) return;
  try {
    *this = Access::layout(Desc(dims_of(dims), type_of(dtype), dims_of(strides_in_elements)));
  } catch (const dnnl::error&) {
    // Strides that the library refuses: no layout.
  }
}

Layout Layout::any(DType dtype, std::span<const std::int64_t> dims) {
  if (type_of(dtype) == dnnl::memory::data_type::undef) return {};
  return Access::layout(Desc(dims_of(dims), type_of(dtype), dnnl::memory::format_tag::any));
}

std::size_t Layout::bytes() const { return Access::desc(*this).get_size(); }

bool operator==(const Layout& a, const Layout& b) {
  if (!a || !b) return !a == !b;
  return Access::desc(a) == Access::desc(b);
}

namespace {

/// Calls `make` single-threaded, because the library plans for the threads that it sees; a refusal
/// is a null primitive.
template <class Make> Primitive attempt(std::initializer_list<Layout> layouts, Make make) {
  if (std::any_of(layouts.begin(), layouts.end(), [](const Layout& l) { return !l; })) return {};
  const OneThread scope;
  try {
    return make();
  } catch (const dnnl::error&) {
    return {};
  }
}

bool is_reference(const std::string& implementation) {
  return implementation.find("ref") != std::string::npos;
}

template <class Kind, class PrimitiveDesc>
Primitive compile(const PrimitiveDesc& pd, std::vector<int> names, std::vector<Desc> descs) {
  std::string implementation = pd.impl_info_str();
  if (is_reference(implementation)) return {};
  return Access::primitive(
      Kind(pd), std::move(names), std::move(descs), pd.scratchpad_desc(), implementation);
}

/// Window parameters as the library wants them: its dilation counts the holes.
struct Window {
  explicit Window(const ConvolutionWindow& w)
      : stride(dims_of(w.stride)),
        holes(dims_of(w.dilation)),
        low(dims_of(w.pad_low)),
        high(dims_of(w.pad_high)) {
    for (auto& hole : holes) --hole;
  }
  dnnl::memory::dims stride, holes, low, high;
};

constexpr auto direct = dnnl::algorithm::convolution_direct;

dnnl::convolution_forward::primitive_desc forward_desc(
    dnnl::prop_kind kind, const Desc& in, const Desc& weights, const Desc& out, const Window& w) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(),
          kind,
          direct,
          in,
          weights,
          out,
          w.stride,
          w.holes,
          w.low,
          w.high,
          user_scratchpad()};
#else
  return {dnnl::convolution_forward::desc(
              kind, direct, in, weights, out, w.stride, w.holes, w.low, w.high),
          user_scratchpad(),
          engine()};
#endif
}

Desc left_free(const Desc& like, const Desc& type) {
  constexpr auto any = dnnl::memory::format_tag::any;
#if DNNL_VERSION_MAJOR >= 3
  return {like.get_dims(), type.get_data_type(), any};
#else
  return {like.dims(), type.data_type(), any};
#endif
}

/// The forward primitive that a backward one is asked to fit. Its layouts are left free, and its
/// types are all those of the images: derivatives of weights may be wider.
dnnl::convolution_forward::primitive_desc hint_for(const Desc& in,
                                                   const Desc& weights,
                                                   const Desc& out,
                                                   const Window& w) {
  return forward_desc(dnnl::prop_kind::forward_training,
                      left_free(in, in),
                      left_free(weights, in),
                      left_free(out, in),
                      w);
}

}  // namespace

Primitive matmul(const Layout& a, const Layout& b, const Layout& c) {
  return attempt({a, b, c}, [&] {
    using Matmul = dnnl::matmul;
#if DNNL_VERSION_MAJOR >= 3
    const Matmul::primitive_desc pd(
        engine(), Access::desc(a), Access::desc(b), Access::desc(c), user_scratchpad());
#else
    const Matmul::primitive_desc pd(
        Matmul::desc(Access::desc(a), Access::desc(b), Access::desc(c)),
        user_scratchpad(),
        engine());
#endif
    return compile<Matmul>(pd,
                           {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                           {pd.src_desc(), pd.weights_desc(), pd.dst_desc()});
  });
}

Primitive convolution(const Layout& in,
                      const Layout& weights,
                      const Layout& out,
                      const ConvolutionWindow& window) {
  return attempt({in, weights, out}, [&] {
    const auto pd = forward_desc(dnnl::prop_kind::forward_inference,
                                 Access::desc(in),
                                 Access::desc(weights),
                                 Access::desc(out),
                                 Window(window));
    return compile<dnnl::convolution_forward>(pd,
                                              {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                              {pd.src_desc(), pd.weights_desc(), pd.dst_desc()});
  });
}

Primitive convolution_backward_data(const Layout& in,
                                    const Layout& weights,
                                    const Layout& out,
                                    const ConvolutionWindow& window) {
  return attempt({in, weights, out}, [&] {
    using Backward = dnnl::convolution_backward_data;
    const Window w(window);
    const Desc &x = Access::desc(in), &k = Access::desc(weights), &y = Access::desc(out);
    const auto hint = hint_for(x, k, y, w);
#if DNNL_VERSION_MAJOR >= 3
    const Backward::primitive_desc pd(
        engine(), direct, x, k, y, w.stride, w.holes, w.low, w.high, hint, user_scratchpad());
#else
    const Backward::primitive_desc pd(
        Backward::desc(direct, x, k, y, w.stride, w.holes, w.low, w.high),
        user_scratchpad(),
        engine(),
        hint);
#endif
    return compile<Backward>(pd,
                             {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC},
                             {pd.diff_dst_desc(), pd.weights_desc(), pd.diff_src_desc()});
  });
}

Primitive convolution_backward_weights(const Layout& in,
                                       const Layout& weights,
                                       const Layout& out,
                                       const ConvolutionWindow& window) {
  return attempt({in, weights, out}, [&] {
    using Backward = dnnl::convolution_backward_weights;
    const Window w(window);
    const Desc &x = Access::desc(in), &k = Access::desc(weights), &y = Access::desc(out);
    const auto hint = hint_for(x, k, y, w);
#if DNNL_VERSION_MAJOR >= 3
    const Backward::primitive_desc pd(
        engine(), direct, x, k, y, w.stride, w.holes, w.low, w.high, hint, user_scratchpad());
#else
    const Backward::primitive_desc pd(
        Backward::desc(direct, x, k, y, w.stride, w.holes, w.low, w.high),
        user_scratchpad(),
        engine(),
        hint);
#endif
    return compile<Backward>(pd,
                             {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS},
                             {pd.src_desc(), pd.diff_dst_desc(), pd.diff_weights_desc()});
  });
}

Primitive reorder(const Layout& from, const Layout& to) {
  return attempt({from, to}, [&] {
    const dnnl::reorder::primitive_desc pd(
        engine(), Access::desc(from), engine(), Access::desc(to), user_scratchpad());
    return Access::primitive(dnnl::reorder(pd),
                             {DNNL_ARG_FROM, DNNL_ARG_TO},
                             {Access::desc(from), Access::desc(to)},
                             pd.scratchpad_desc(),
                             pd.impl_info_str());
  });
}

std::string version() {
  const dnnl_version_t* const v = dnnl_version();
  return fmt::format("{}.{}.{}", v->major, v->minor, v->patch);
}

bool has_wide_vectors() {
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
}

}  // namespace fluxion::runtime::onednn
