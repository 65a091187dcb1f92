// Convolutions of 16-bit floats where no library has them: in float32, between conversions.
#include "codegen/vectors/lane_functions.hpp"
#include "runtime/leaves/leaves.hpp"
#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace fluxion::runtime {
namespace {

using codegen::LaneFunction;
using std::int64_t;
using Numbers = std::vector<int64_t>;

// Smaller ones convert where they compute.
constexpr double least_flops = 1 << 20;

/// The elements of an array whose axes fill one piece of memory, in whatever order; 0 for others.
int64_t dense_count(const Numbers& dims, const Numbers& strides) {
  std::vector<std::pair<int64_t, int64_t>> axes;  // stride, size
  for (std::size_t k = 0; k < dims.size(); ++k)
    if (dims[k] > 1) axes.emplace_back(strides[k], dims[k]);
  std::sort(axes.begin(), axes.end());
  int64_t count = 1;
  for (const auto& [stride, size] : axes) {
    if (stride != count) return 0;
    count *= size;
  }
  return count;
}

class ConvertedConvolution final : public codegen::PreparedLeaf {
 public:
  explicit ConvertedConvolution(const ConvolutionSpec& s)
      : widen_(codegen::lane_function(kernel::Verb::convert, float32, s.dtype)),
        narrow_(codegen::lane_function(kernel::Verb::convert, s.dtype, float32)),
        dtype_(s.dtype) {
    const auto with = [](std::initializer_list<int64_t> first, const Numbers& rest) {
      Numbers all = first;
      all.insert(all.end(), rest.begin(), rest.end());
      return all;
    };
    const int64_t in = dense_count(with({s.batch, s.in_channels}, s.in_size), s.in_strides),
                  weights = dense_count(with({s.out_channels, s.in_channels / s.groups}, s.window),
                                        s.weight_strides),
                  out = dense_count(with({s.batch, s.out_channels}, s.out_size), s.out_strides);
    using enum ConvolutionSpec::Pass;
    first_ = s.pass == backward_data ? out : in;
    second_ = s.pass == backward_weights ? out : weights;
    result_ = s.pass == forward ? out : s.pass == backward_data ? in : weights;
  }

  bool prepare(ConvolutionSpec s) {
    if (!widen_ || !narrow_ || first_ == 0 || second_ == 0 || result_ == 0) return false;
    s.dtype = float32;
    convolution_ = prepare_convolution(s);
    if (!convolution_) return false;
    scratch_bytes_ =
        bytes(first_) + bytes(second_) + bytes(result_) + convolution_->scratch_bytes();
    return true;
  }

  void run(const void* const* in, void* const* out, void* scratch) const override {
    std::byte* place = static_cast<std::byte*>(scratch);
    const auto next = [&](int64_t count) {
      return reinterpret_cast<float*>(std::exchange(place, place + bytes(count)));
    };
    float* const operands[] = {next(first_), next(second_)};
    float* const result = next(result_);
    convert(widen_, in[0], operands[0], first_);
    convert(widen_, in[1], operands[1], second_);
    const void* const from[] = {operands[0], operands[1]};
    void* const to[] = {result};
    convolution_->run(from, to, place);
    convert(narrow_, result, out[0], result_);
  }

  std::string description() const override {
    return fmt::format(
        "{} as {}", dtype_ == float16 ? "float16" : "bfloat16", convolution_->description());
  }

 private:
  static std::size_t bytes(int64_t count) {
    return rounded_to_line(static_cast<std::size_t>(count) * sizeof(float));
  }
  /// Between 16 bits and float32, either way.
  void convert(LaneFunction function, const void* from, void* to, int64_t count) const {
    const int64_t wide = function == widen_ ? 4 : 2, narrow = 6 - wide;
    parallel_for(count, 16384, [&](int64_t begin, int64_t end) {
      function(static_cast<std::byte*>(to) + begin * wide,
               static_cast<const std::byte*>(from) + begin * narrow,
               nullptr,
               nullptr,
               end - begin);
    });
  }

  LaneFunction widen_, narrow_;
  DType dtype_;
  int64_t first_ = 0, second_ = 0, result_ = 0;  // elements
  detail::Ref<codegen::PreparedLeaf> convolution_;
};

}  // namespace

detail::Ref<codegen::PreparedLeaf> prepare_converted_convolution(const ConvolutionSpec& s) {
  if ((s.dtype != float16 && s.dtype != bfloat16) || flops(s) < least_flops) return {};
  detail::Ref<ConvertedConvolution> leaf(new ConvertedConvolution(s));
  if (!leaf->prepare(s)) return {};
  return detail::Ref<codegen::PreparedLeaf>(leaf.raw());
}

}  // namespace fluxion::runtime
