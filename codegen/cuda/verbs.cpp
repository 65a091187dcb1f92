// Verbs as expressions: integers that wrap, conversions that saturate, min and max in which NaN
// wins.
#include "codegen/cuda/verbs.hpp"

#include "trace/error.hpp"
#include "trace/kernel/fold.hpp"

#include <bit>
#include <cmath>
#include <fmt/format.h>

namespace fluxion::codegen {

using kernel::Combiner;
using kernel::Verb;

const char* cuda_type(DType type) {
  switch (type) {
    case bool_:
      return "bool";
    case int8:
      return "signed char";
    case uint8:
      return "unsigned char";
    case int16:
      return "short";
    case uint16:
    case float16:
    case bfloat16:
      return "unsigned short";
    case int32:
      return "int";
    case uint32:
      return "unsigned";
    case int64:
      return "long long";
    case uint64:
      return "unsigned long long";
    case float32:
      return "float";
    case float64:
      return "double";
    default:
      throw InternalError("cuda: a type that kernels do not know");
  }
}

const char* cuda_memory_type(DType type) {
  return type == bool_ ? "unsigned char" : cuda_type(type);
}

namespace {

std::string signed_text(const std::string& number) {
  return number[0] == '-' ? "(" + number + ")" : number;
}

}  // namespace

std::string cuda_constant(DType type, std::uint64_t bits) {
  switch (type) {
    case bool_:
      return bits ? "true" : "false";
    case float32: {
      const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      if (!std::isfinite(value)) return fmt::format("__uint_as_float(0x{:x}u)", bits);
      return signed_text(fmt::format("{:a}f", value));
    }
    case float64: {
      const double value = std::bit_cast<double>(bits);
      if (!std::isfinite(value)) return fmt::format("__longlong_as_double(0x{:x}LL)", bits);
      return signed_text(fmt::format("{:a}", value));
    }
    case uint64:
      return fmt::format("{}ULL", bits);
    case uint32:
      return fmt::format("{}u", bits);
    case int64: {
      const auto value = static_cast<std::int64_t>(bits);
      if (value == INT64_MIN) return "(-9223372036854775807LL - 1)";
      return signed_text(fmt::format("{}LL", value));
    }
    case int32: {
      const auto value = static_cast<std::int32_t>(bits);
      if (value == INT32_MIN) return "(-2147483647 - 1)";
      return signed_text(std::to_string(value));
    }
    default: {
      const bool is_signed = kernel::is_signed(type);
      const auto value =
          static_cast<std::int64_t>(is_signed ? kernel::convert_bits(type, int64, bits) : bits);
      return fmt::format("({}){}", cuda_type(type), signed_text(std::to_string(value)));
    }
  }
}

namespace {

std::string call(const char* function, const std::string& a) {
  return fmt::format("{}({})", function, a);
}
std::string call(const char* function, const std::string& a, const std::string& b) {
  return fmt::format("{}({}, {})", function, a, b);
}

/// Arithmetic on unsigned numbers of at least 32 bits, which wraps.
std::string wrapped(DType type, const std::string& a, const char* sign, const std::string& b) {
  const char* wide = kernel::bytes_of(type) == 8 ? "unsigned long long" : "unsigned";
  return fmt::format("({0})(({1}){2} {3} ({1}){4})", cuda_type(type), wide, a, sign, b);
}

std::string integer_verb(Verb verb, DType type, const std::string& a, const std::string& b) {
  const char* name = cuda_type(type);
  const bool wide = kernel::bytes_of(type) == 8, is_signed = kernel::is_signed(type);
  switch (verb) {
    case Verb::add:
      return wrapped(type, a, "+", b);
    case Verb::sub:
      return wrapped(type, a, "-", b);
    case Verb::mul:
      return wrapped(type, a, "*", b);
    case Verb::neg:
      return wrapped(type, "0", "-", a);
    case Verb::abs:
      return is_signed ? fmt::format("({} < 0 ? {} : {})", a, wrapped(type, "0", "-", a), a) : a;
    case Verb::div:
      return call("fx_divide", a, b);
    case Verb::rem:
      return call("fx_remainder", a, b);
    case Verb::mulhi:
      return call(wide        ? is_signed ? "__mul64hi" : "__umul64hi"
                  : is_signed ? "__mulhi"
                              : "__umulhi",
                  a,
                  b);
    case Verb::min:
      return fmt::format("({0} < {1} ? {0} : {1})", a, b);
    case Verb::max:
      return fmt::format("({0} < {1} ? {1} : {0})", a, b);
    case Verb::bit_and:
      return fmt::format("({})({} & {})", name, a, b);
    case Verb::bit_or:
      return fmt::format("({})({} | {})", name, a, b);
    case Verb::bit_xor:
      return fmt::format("({})({} ^ {})", name, a, b);
    case Verb::bit_not:
      return type == bool_ ? "!" + a : fmt::format("({})~{}", name, a);
    case Verb::shift_left:
      return call("fx_shift_left", a, b);
    case Verb::shift_right_logical:
      return call("fx_shift_right_logical", a, b);
    case Verb::shift_right_arithmetic:
      return call("fx_shift_right_arithmetic", a, b);
    case Verb::clz:
      return call("fx_leading_zeros", a);
    case Verb::popcount:
      if (wide) return fmt::format("({})__popcll((unsigned long long){})", name, a);
      return kernel::bytes_of(type) == 4 ? fmt::format("({})__popc((unsigned){})", name, a)
                                         : fmt::format("({})__popc((unsigned){} & {}u)",
                                                       name,
                                                       a,
                                                       (1 << 8 * kernel::bytes_of(type)) - 1);
    default:
      throw InternalError(std::string("cuda: no integer verb ") + kernel::name_of(verb));
  }
}

std::string float_verb(
    Verb verb, DType type, const std::string& a, const std::string& b, const std::string& c) {
  const bool f = type == float32;
  switch (verb) {
    case Verb::add:
      return fmt::format("({} + {})", a, b);
    case Verb::sub:
      return fmt::format("({} - {})", a, b);
    case Verb::mul:
      return fmt::format("({} * {})", a, b);
    case Verb::div:
      return fmt::format("({} / {})", a, b);
    case Verb::fma:
      return fmt::format("{}({}, {}, {})", f ? "fmaf" : "fma", a, b, c);
    case Verb::min:
      return call("fx_least", a, b);
    case Verb::max:
      return call("fx_greatest", a, b);
    case Verb::neg:
      return "(-" + a + ")";
    case Verb::abs:
      return call(f ? "fabsf" : "fabs", a);
    case Verb::floor:
      return call(f ? "floorf" : "floor", a);
    case Verb::ceil:
      return call(f ? "ceilf" : "ceil", a);
    case Verb::round_even:
      return call(f ? "rintf" : "rint", a);
    case Verb::truncate:
      return call(f ? "truncf" : "trunc", a);
    case Verb::sqrt:
      return call(f ? "sqrtf" : "sqrt", a);
    default:
      throw InternalError(std::string("cuda: no float verb ") + kernel::name_of(verb));
  }
}

/// `a` as a number that the conversions to 16-bit floats take: float, or double where float would
/// round.
std::string narrow(DType from, DType to, const std::string& a) {
  const char* function = to == float16 ? "fx_to_half" : "fx_to_bfloat";
  if (from == float32) return call(function, a);
  if (from == float64) return fmt::format("{}(fx_odd_float({}))", function, a);
  const int bytes = kernel::bytes_of(from);
  if (bytes <= 2) return fmt::format("{}((float){})", function, a);
  if (bytes == 4) return fmt::format("{}(fx_odd_float((double){}))", function, a);
  return fmt::format("{}(fx_odd_float(fx_odd_double({})))", function, a);
}

std::string convert(DType from, DType to, const std::string& a) {
  if (from == to) return a;
  if (kernel::is_narrow_float(from)) {
    const std::string wide = call(from == float16 ? "fx_from_half" : "fx_from_bfloat", a);
    return convert(float32, to, wide);
  }
  if (kernel::is_narrow_float(to)) return narrow(from, to, a);
  if (to == bool_) return fmt::format("({} != 0)", a);
  if (kernel::is_float(from) && kernel::is_integer(to)) {
    const int width = 8 * kernel::bytes_of(to);
    const bool is_signed = kernel::is_signed(to);
    const std::uint64_t all = ~std::uint64_t{0} >> (64 - width);
    const std::uint64_t least = is_signed ? std::uint64_t{1} << (width - 1) : 0;
    return fmt::format("fx_saturate<{}>({}, {}, {})",
                       cuda_type(to),
                       a,
                       cuda_constant(to, least),
                       cuda_constant(to, is_signed ? all >> 1 : all));
  }
  return fmt::format("({}){}", cuda_type(to), a);
}

std::string bitcast(DType from, DType to, const std::string& a) {
  if (from == to) return a;
  if (from == float32) return fmt::format("({})__float_as_uint({})", cuda_type(to), a);
  if (to == float32) return fmt::format("__uint_as_float((unsigned){})", a);
  if (from == float64) return fmt::format("({})__double_as_longlong({})", cuda_type(to), a);
  if (to == float64) return fmt::format("__longlong_as_double((long long){})", a);
  return fmt::format("({}){}", cuda_type(to), a);
}

}  // namespace

std::string cuda_verb(Verb verb,
                      DType result,
                      DType operand,
                      const std::string& a,
                      const std::string& b,
                      const std::string& c) {
  switch (verb) {
    case Verb::equal:
      return fmt::format("({} == {})", a, b);
    case Verb::not_equal:
      return fmt::format("({} != {})", a, b);
    case Verb::less:
      return fmt::format("({} < {})", a, b);
    case Verb::less_equal:
      return fmt::format("({} <= {})", a, b);
    case Verb::select:
      return fmt::format("({} ? {} : {})", a, b, c);
    case Verb::convert:
      return convert(operand, result, a);
    case Verb::bitcast:
      return bitcast(operand, result, a);
    default:
      return kernel::is_float(operand) ? float_verb(verb, operand, a, b, c)
                                       : integer_verb(verb, operand, a, b);
  }
}

std::string cuda_combine(Combiner combiner,
                         DType type,
                         const std::string& a,
                         const std::string& b) {
  static constexpr Verb verbs[] = {
      Verb::add, Verb::mul, Verb::min, Verb::max, Verb::bit_and, Verb::bit_or, Verb::bit_xor};
  if (combiner == Combiner::set) return b;
  return cuda_verb(verbs[static_cast<std::size_t>(combiner)], type, type, a, b, "");
}

}  // namespace fluxion::codegen
