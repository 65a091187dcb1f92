// How a convolution or its derivative is brought into fast layouts and cut into slabs of images.
#include "runtime/leaves/leaves.hpp"
#include "runtime/leaves/onednn.hpp"
#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fmt/format.h>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

namespace fluxion::runtime {
namespace {

using onednn::Layout;
using onednn::Primitive;
using std::int64_t;
using Pass = ConvolutionSpec::Pass;
using Numbers = std::vector<int64_t>;

int64_t product(const Numbers& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), int64_t{1}, std::multiplies<>());
}
int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
std::size_t bytes_of(DType dtype) { return dtype == float32 ? 4 : 2; }

/// Strides of [batch, channel, space...] with the channels next to each other.
Numbers channels_last(const Numbers& dims) {
  Numbers strides(dims.size());
  int64_t stride = dims[1];
  strides[1] = 1;
  for (std::size_t axis = dims.size() - 1; axis > 1; --axis) {
    strides[axis] = stride;
    stride *= dims[axis];
  }
  strides[0] = stride;
  return strides;
}

/// The layout of images inside: channels last, left to the library, or as the program has them.
enum class Preference { fast, any, given };

/// Images or their cotangents, as the program has them.
struct Images {
  DType dtype;
  Numbers dims, strides;  // [batch, channel, space...]

  Images(DType type, int64_t batch, int64_t channels, const Numbers& space, const Numbers& given)
      : dtype(type), dims{batch, channels}, strides(given) {
    dims.insert(dims.end(), space.begin(), space.end());
    // Axes of one element may have any stride: those of the fast layout avoid a copy.
    const Numbers fast = channels_last(dims);
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      if (dims[axis] == 1) strides[axis] = fast[axis];
    }
  }
  Numbers dims_of(int64_t images) const {
    Numbers some = dims;
    some[0] = images;
    return some;
  }
  /// For a primitive on the program's own layout the strides of such axes are those of a dense
  /// channels-first one, which is what the library knows besides.
  Layout given(int64_t images, Preference preference) const {
    Numbers own = strides;
    if (preference == Preference::given) {
      int64_t dense = 1;
      for (std::size_t axis = dims.size(); axis-- > 0; dense *= dims[axis]) {
        if (dims[axis] == 1) own[axis] = dense;
      }
    }
    return {dtype, dims_of(images), own};
  }
  Layout fast(int64_t images) const { return {dtype, dims_of(images), channels_last(dims)}; }
  Layout any(int64_t images) const { return Layout::any(dtype, dims_of(images)); }
  std::size_t bytes_per_image() const {
    return static_cast<std::size_t>(product(dims) / dims[0]) * bytes_of(dtype);
  }
  std::byte* at(const void* data, int64_t image) const {
    return const_cast<std::byte*>(static_cast<const std::byte*>(data)) +
           image * strides[0] * static_cast<int64_t>(bytes_of(dtype));
  }
};

/// The primitives for one number of images: copies into the chosen layouts where they differ from
/// the program's, the convolution, a copy back.
struct Slab {
  Primitive convolution;
  std::array<Primitive, 3> copy;  // by argument; null where none is needed

  std::size_t buffer_bytes(std::size_t argument) const {
    return copy[argument] ? rounded_to_line(convolution.layouts()[argument].bytes()) : 0;
  }
};

class Convolution final : public codegen::PreparedLeaf {
 public:
  explicit Convolution(const ConvolutionSpec& spec)
      : spec_(spec),
        in_(spec.dtype, spec.batch, spec.in_channels, spec.in_size, spec.in_strides),
        out_(spec.dtype, spec.batch, spec.out_channels, spec.out_size, spec.out_strides),
        window_{spec.stride, spec.dilation, spec.pad_low, spec.pad_high} {
    const int64_t groups = spec.groups, outputs = spec.out_channels / groups;
    Numbers strides = spec.weight_strides;
    weight_dims_ = {outputs, spec.in_channels / groups};
    weight_dims_.insert(weight_dims_.end(), spec.window.begin(), spec.window.end());
    if (groups > 1) {
      weight_dims_.insert(weight_dims_.begin(), groups);
      strides.insert(strides.begin(), strides[0] * outputs);
    }
    given_weights_ = Layout(spec.dtype, weight_dims_, strides);
  }

  bool prepare() {
    if (!given_weights_) return false;
    threads_ = num_threads();
    flops_ = flops(spec_);
    if (!(flops_ > 0)) return false;
    choose_images();
    using enum Preference;
    // The library's data derivative in the channels-last layout collapses when there are few input
    // channels.
    const bool few = spec_.pass == Pass::backward_data && spec_.in_channels / spec_.groups <= 4;
    // Without wide vectors its own blocked layout is faster than channels last by more than the
    // copies cost, unless there are few channels: 64 to 64, 3x3: 73 against 48 Gflop/s, derivative
    // of the weights 59 against 25.
    const int64_t channels = std::min(spec_.in_channels, spec_.out_channels) / spec_.groups;
    const bool blocked = channels >= 32 && !onednn::has_wide_vectors();
    for (const Preference preference : few       ? std::array{given, any, fast}
                                       : blocked ? std::array{any, fast, given}
                                                 : std::array{fast, any, given}) {
      if (compile(preference)) return plan_scratch(), true;
    }
    return false;
  }

  void run(const void* const* in, void* const* out, void* scratch) const override {
    auto* const place = static_cast<std::byte*>(scratch);
    Call call{{in[0], in[1], out[0]}, place, place + shared_bytes_};
    if (spec_.pass != Pass::backward_weights) {
      if (weights_copy_) {
        run_copy(weights_copy_, call.data[1], call.shared, call.threads);
        call.data[1] = call.shared;
      }
      run_slabs(call);
      return;
    }
    run_slabs(call);
    if (slabs() > 1) add_partial_results(call.shared);
    if (weights_copy_) run_copy(weights_copy_, call.shared, out[0], call.threads);
  }

  std::string description() const override {
    static constexpr std::array passes = {"forward", "backward_data", "backward_weights"};
    return fmt::format("convolution {} {}x{}->{} {} oneDNN {} {}, {} slabs{}",
                       passes[static_cast<std::size_t>(spec_.pass)],
                       spec_.batch,
                       spec_.in_channels,
                       spec_.out_channels,
                       spec_.dtype == float32 ? "f32" : "bf16",
                       onednn::version(),
                       whole_.convolution.implementation(),
                       slabs(),
                       whole_.copy[0] || whole_.copy[2] ? ", copied" : "");
  }

 private:
  struct Call {
    std::array<const void*, 3> data;
    std::byte* shared;
    std::byte* threads;
  };

  int64_t slabs() const { return divide_up(spec_.batch, images_); }
  const Images& first() const { return spec_.pass == Pass::backward_data ? out_ : in_; }
  /// The argument of the convolution that has one part per image besides the first.
  const Images& second() const {
    return spec_.pass == Pass::forward ? out_ : spec_.pass == Pass::backward_data ? in_ : out_;
  }
  std::size_t second_argument() const { return spec_.pass == Pass::backward_weights ? 1 : 2; }
  std::size_t weights_argument() const { return spec_.pass == Pass::backward_weights ? 2 : 1; }

  /// How many images one slab has: few enough that its copies stay in the cache and that threads
  /// find work, enough that a slab is worth a call. The slabs do not depend on the number of
  /// threads: the partial results of the weights' derivative are summed in a fixed order, and the
  /// library may sum in an order that follows the number of images.
  void choose_images() {
    const auto batch = static_cast<double>(spec_.batch);
    if (spec_.pass == Pass::backward_weights) {
      const double weights = static_cast<double>(product(weight_dims_)) * 4;
      const double most = std::clamp(8e6 / weights, 2.0, 16.0);
      const double wanted = std::clamp(flops_ / (4 * serial_flops), 1.0, std::min(most, batch));
      images_ = divide_up(spec_.batch, static_cast<int64_t>(wanted));
      return;
    }
    const auto bytes = static_cast<double>(in_.bytes_per_image() + out_.bytes_per_image());
    double images = std::clamp(512e3 / bytes, 1.0, batch);
    if (flops_ >= 2 * serial_flops) images = std::min(images, std::ceil(batch / 16));
    images = std::clamp(images, std::min(batch, std::ceil(1e6 * batch / flops_)), batch);
    images_ = std::max<int64_t>(1, static_cast<int64_t>(images));
  }

  bool compile(Preference preference) {
    const bool derivative_of_weights = spec_.pass == Pass::backward_weights;
    const Layout weights = Layout::any(derivative_of_weights ? float32 : spec_.dtype, weight_dims_);
    whole_ = compile(preference, images_, weights);
    if (!whole_.convolution) return false;
    const Layout& chosen = whole_.convolution.layouts()[weights_argument()];
    rest_ = {};
    if (const int64_t rest = spec_.batch % images_; rest != 0) {
      rest_ = compile(preference, rest, chosen);
      if (!rest_.convolution) {
        images_ = 1;
        return compile(preference);
      }
    }
    weights_copy_ = {};
    if (chosen == given_weights_) return true;
    weights_copy_ = derivative_of_weights ? onednn::reorder(chosen, given_weights_)
                                          : onednn::reorder(given_weights_, chosen);
    return static_cast<bool>(weights_copy_);
  }

  Slab compile(Preference preference, int64_t images, const Layout& weights) const {
    const auto layout = [&](const Images& i) {
      return preference == Preference::fast  ? i.fast(images)
             : preference == Preference::any ? i.any(images)
                                             : i.given(images, preference);
    };
    constexpr std::array make = {&onednn::convolution,
                                 &onednn::convolution_backward_data,
                                 &onednn::convolution_backward_weights};
    Slab slab;
    slab.convolution =
        make[static_cast<std::size_t>(spec_.pass)](layout(in_), weights, layout(out_), window_);
    if (!slab.convolution) return slab;
    const std::size_t at = second_argument();
    const Layout a = first().given(images, preference), b = second().given(images, preference);
    const auto& chosen = slab.convolution.layouts();
    if (!(chosen[0] == a)) slab.copy[0] = onednn::reorder(a, chosen[0]);
    if (!(chosen[at] == b)) {
      slab.copy[at] = at == 1 ? onednn::reorder(b, chosen[at]) : onednn::reorder(chosen[at], b);
    }
    const bool failed =
        (!(chosen[0] == a) && !slab.copy[0]) || (!(chosen[at] == b) && !slab.copy[at]);
    return failed ? Slab() : slab;
  }

  void plan_scratch() {
    for (const Slab* slab : {&whole_, &rest_}) {
      if (!slab->convolution) continue;
      for (std::size_t i = 0; i < 3; ++i) {
        buffer_bytes_[i] = std::max(buffer_bytes_[i], slab->buffer_bytes(i));
        library_bytes_ = std::max(library_bytes_, slab->copy[i].scratch_bytes());
      }
      library_bytes_ = std::max(library_bytes_, slab->convolution.scratch_bytes());
    }
    library_bytes_ = rounded_to_line(std::max(library_bytes_, weights_copy_.scratch_bytes()));
    const std::size_t weights =
        rounded_to_line(whole_.convolution.layouts()[weights_argument()].bytes());
    if (spec_.pass == Pass::backward_weights) {
      partial_bytes_ = weights;
      if (slabs() > 1 || weights_copy_) shared_bytes_ = weights * static_cast<std::size_t>(slabs());
    } else if (weights_copy_) {
      shared_bytes_ = weights;
    }
    const auto threads = static_cast<std::size_t>(std::min<int64_t>(threads_, slabs()));
    scratch_bytes_ = shared_bytes_ + per_thread() * threads;
  }
  std::size_t per_thread() const {
    return library_bytes_ + buffer_bytes_[0] + buffer_bytes_[1] + buffer_bytes_[2];
  }

  static void run_copy(const Primitive& copy, const void* from, void* to, void* scratch) {
    copy.run(std::array{const_cast<void*>(from), to}, scratch);
  }

  void run_slabs(const Call& call) const {
    parallel_for(
        slabs(),
        1,
        [&](int64_t begin, int64_t end) {
          std::byte* const own =
              call.threads + static_cast<std::size_t>(participant()) * per_thread();
          for (int64_t slab = begin; slab < end; ++slab) run_slab(call, slab, own);
        },
        static_cast<int>(std::min<int64_t>(threads_, slabs())));
  }

  void run_slab(const Call& call, int64_t number, std::byte* own) const {
    const int64_t image = number * images_;
    const Slab& slab = image + images_ > spec_.batch ? rest_ : whole_;
    const std::size_t at = second_argument();
    std::array<void*, 3> arguments;
    arguments[weights_argument()] = weights_of(call, number);
    arguments[0] = first().at(call.data[0], image);
    arguments[at] = second().at(call.data[at], image);
    void* const given = arguments[at];
    std::byte* buffer = own + library_bytes_;
    for (std::size_t i = 0; i < 3; ++i) {
      if (!slab.copy[i]) continue;
      if (i < 2) run_copy(slab.copy[i], arguments[i], buffer, own);
      arguments[i] = buffer;
      buffer += buffer_bytes_[i];
    }
    slab.convolution.run(arguments, own);
    if (slab.copy[2]) run_copy(slab.copy[2], arguments[2], given, own);
  }
  void* weights_of(const Call& call, int64_t slab) const {
    if (spec_.pass == Pass::backward_weights && shared_bytes_ > 0) {
      return call.shared + static_cast<std::size_t>(slab) * partial_bytes_;
    }
    return const_cast<void*>(call.data[weights_argument()]);
  }

  /// Sums the slabs' derivatives into the first.
  void add_partial_results(std::byte* shared) const {
    auto* const sum = reinterpret_cast<float*>(shared);
    const auto count = static_cast<int64_t>(partial_bytes_ / sizeof(float));
    parallel_for(count, 16384, [&](int64_t begin, int64_t end) {
      for (int64_t slab = 1; slab < slabs(); ++slab) {
        const float* const part = sum + slab * count;
        for (int64_t i = begin; i < end; ++i) sum[i] += part[i];
      }
    });
  }

  ConvolutionSpec spec_;
  Images in_, out_;
  onednn::ConvolutionWindow window_;
  Numbers weight_dims_;
  Layout given_weights_;
  double flops_ = 0;
  int threads_ = 1;
  int64_t images_ = 1;  // of one slab
  Slab whole_, rest_;
  Primitive weights_copy_;  // between the program's layout and the library's
  std::size_t library_bytes_ = 0, shared_bytes_ = 0, partial_bytes_ = 0;
  std::array<std::size_t, 3> buffer_bytes_ = {};
};

bool is_sound(const ConvolutionSpec& s) {
  const std::size_t axes = s.in_size.size();
  for (const Numbers* n :
       {&s.window, &s.out_size, &s.stride, &s.pad_low, &s.pad_high, &s.dilation}) {
    if (n->size() != axes) return false;
  }
  for (const Numbers* n : {&s.in_strides, &s.weight_strides, &s.out_strides}) {
    if (n->size() != axes + 2) return false;
  }
  return axes >= 1 && axes <= 3 && s.groups >= 1 && s.in_channels % s.groups == 0 &&
         s.out_channels % s.groups == 0;
}

}  // namespace

detail::Ref<codegen::PreparedLeaf> prepare_convolution(const ConvolutionSpec& spec) {
  if (!is_sound(spec)) return {};
  detail::Ref<Convolution> leaf(new Convolution(spec));
  if (!leaf->prepare()) return {};
  return detail::Ref<codegen::PreparedLeaf>(leaf.raw());
}

}  // namespace fluxion::runtime
