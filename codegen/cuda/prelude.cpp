// The functions that printed kernels call: what CUDA C++ without headers does not define as the
// kernel language does.
#include "codegen/cuda/verbs.hpp"

#include <iterator>

namespace fluxion::codegen {

namespace {

struct Function {
  const char* name;
  const char* text;
};

/// A function stands after those that it calls.
constexpr Function functions[] = {
    {"fx_pack", R"(// Neighbours that move in one or a few words of 16 bytes.
template <class T, int count>
struct alignas(sizeof(T) * count < 16 ? sizeof(T) * count : 16) fx_pack { T e[count]; };
)"},
    {"fx_unsigned", R"(template <int bytes> struct fx_unsigned_of { typedef unsigned type; };
template <> struct fx_unsigned_of<1> { typedef unsigned char type; };
template <> struct fx_unsigned_of<2> { typedef unsigned short type; };
template <> struct fx_unsigned_of<8> { typedef unsigned long long type; };
template <class T> using fx_unsigned = typename fx_unsigned_of<sizeof(T)>::type;
)"},
    {"fx_divide", R"(template <class T> __device__ __forceinline__ T fx_divide(T a, T b) {
  if (b == 0) return (T)-1;
  if ((T)-1 < 0 && b == (T)-1) return (T)(0 - (fx_unsigned<T>)a);
  return (T)(a / b);
}
)"},
    {"fx_remainder", R"(template <class T> __device__ __forceinline__ T fx_remainder(T a, T b) {
  if (b == 0) return a;
  if ((T)-1 < 0 && b == (T)-1) return 0;
  return (T)(a % b);
}
)"},
    {"fx_shift_left", R"(template <class T> __device__ __forceinline__ T fx_shift_left(T a, T by) {
  const bool beyond = (fx_unsigned<T>)by >= 8 * sizeof(T);
  return beyond ? (T)0 : (T)((unsigned long long)a << (int)by);
}
)"},
    {"fx_shift_right_logical",
     R"(template <class T> __device__ __forceinline__ T fx_shift_right_logical(T a, T by) {
  const bool beyond = (fx_unsigned<T>)by >= 8 * sizeof(T);
  return beyond ? (T)0 : (T)((fx_unsigned<T>)a >> (int)by);
}
)"},
    {"fx_shift_right_arithmetic",
     R"(template <class T> __device__ __forceinline__ T fx_shift_right_arithmetic(T a, T by) {
  const int width = 8 * sizeof(T);
  const bool beyond = (fx_unsigned<T>)by >= width;
  const long long wide = (long long)((unsigned long long)a << (64 - width)) >> (64 - width);
  return (T)(wide >> (beyond ? width - 1 : (int)by));
}
)"},
    {"fx_leading_zeros",
     R"(template <class T> __device__ __forceinline__ T fx_leading_zeros(T a) {
  return (T)(__clzll((long long)(fx_unsigned<T>)a) - (64 - 8 * (int)sizeof(T)));
}
)"},
    {"fx_least", R"(// NaN wins, and -0 comes before +0.
__device__ __forceinline__ float fx_least(float a, float b) {
  if (a == b) return __uint_as_float(__float_as_uint(a) | __float_as_uint(b));
  return a < b || a != a ? a : b;
}
__device__ __forceinline__ double fx_least(double a, double b) {
  if (a == b) return __longlong_as_double(__double_as_longlong(a) | __double_as_longlong(b));
  return a < b || a != a ? a : b;
}
)"},
    {"fx_greatest", R"(__device__ __forceinline__ float fx_greatest(float a, float b) {
  if (a == b) return __uint_as_float(__float_as_uint(a) & __float_as_uint(b));
  return a > b || a != a ? a : b;
}
__device__ __forceinline__ double fx_greatest(double a, double b) {
  if (a == b) return __longlong_as_double(__double_as_longlong(a) & __double_as_longlong(b));
  return a > b || a != a ? a : b;
}
)"},
    {"fx_replaces", R"(// Whether (b, k) is better than (a, i).
template <bool least, class T>
__device__ __forceinline__ bool fx_replaces(T a, long long i, T b, long long k) {
  const bool nan_a = a != a, nan_b = b != b;
  if (nan_a != nan_b) return nan_b;
  if (nan_a || a == b) return k < i;
  return least ? b < a : a < b;
}
)"},
    {"fx_saturate", R"(template <class T, class F>
__device__ __forceinline__ T fx_saturate(F x, T least, T greatest) {
  if (x != x) return 0;
  return x <= (F)least ? least : x >= (F)greatest ? greatest : (T)x;
}
)"},
    {"fx_odd_double", R"(// 64 bits as a double whose last bit says that bits were lost: rounding it
// once more rounds once.
__device__ __forceinline__ double fx_odd_double(unsigned long long x) {
  if (x >> 53) x = (x >> 11 | ((x & 2047) != 0)) << 11;
  return (double)x;
}
__device__ __forceinline__ double fx_odd_double(long long x) {
  const double magnitude = fx_odd_double(x < 0 ? 0 - (unsigned long long)x : (unsigned long long)x);
  return x < 0 ? -magnitude : magnitude;
}
)"},
    {"fx_odd_float", R"(// The float next to x towards zero; odd if it is not x.
__device__ __forceinline__ float fx_odd_float(double x) {
  const float near = (float)x;
  if ((double)near == x || x != x) return near;
  const unsigned bits = __float_as_uint(near);
  return __uint_as_float((fabs((double)near) > fabs(x) ? bits - 1 : bits) | 1);
}
)"},
    {"fx_to_half", R"(__device__ __forceinline__ unsigned short fx_to_half(float x) {
  const unsigned bits = __float_as_uint(x), sign = bits >> 16 & 0x8000u;
  unsigned a = bits & 0x7fffffffu;
  if (a > 0x7f800000u) return (unsigned short)(sign | 0x7e00u);
  if (a >= 0x477ff000u) return (unsigned short)(sign | 0x7c00u);
  if (a < 0x38800000u)  // a sum with 0.5 rounds to multiples of the least half
    return (unsigned short)(sign | (__float_as_uint(__uint_as_float(a) + 0.5f) - 0x3f000000u));
  a += 0xfffu + (a >> 13 & 1u);
  return (unsigned short)(sign | (a - 0x38000000u) >> 13);
}
)"},
    {"fx_to_bfloat", R"(__device__ __forceinline__ unsigned short fx_to_bfloat(float x) {
  const unsigned bits = __float_as_uint(x);
  if (x != x) return (unsigned short)((bits >> 16 & 0x8000u) | 0x7fc0u);
  return (unsigned short)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}
)"},
    {"fx_from_half", R"(__device__ __forceinline__ float fx_from_half(unsigned short h) {
  const unsigned sign = (h & 0x8000u) << 16, a = h & 0x7fffu;
  if (a >= 0x7c00u) return __uint_as_float(sign | 0x7f800000u | (a & 0x3ffu) << 13);
  if (a < 0x400u) return __uint_as_float(sign | __float_as_uint((float)a * 0x1p-24f));
  return __uint_as_float(sign | ((a << 13) + 0x38000000u));
}
)"},
    {"fx_from_bfloat", R"(__device__ __forceinline__ float fx_from_bfloat(unsigned short h) {
  return __uint_as_float((unsigned)h << 16);
}
)"},
    {"fx_atomic_add", R"(__device__ __forceinline__ void fx_atomic_add(unsigned* at, unsigned x) {
  atomicAdd(at, x);
}
__device__ __forceinline__ void fx_atomic_add(int* at, int x) {
  atomicAdd((unsigned*)at, (unsigned)x);
}
__device__ __forceinline__ void fx_atomic_add(unsigned long long* at, unsigned long long x) {
  atomicAdd(at, x);
}
__device__ __forceinline__ void fx_atomic_add(long long* at, long long x) {
  atomicAdd((unsigned long long*)at, (unsigned long long)x);
}
)"},
    {"fx_atomic", R"(// *at = combine(*at) for any combination of four or eight bytes.
template <class T, class F> __device__ __forceinline__ void fx_atomic(T* at, F combine) {
  typedef fx_unsigned<T> bits_type;
  union word { bits_type bits; T value; __device__ word() {} };
  volatile bits_type* memory = (volatile bits_type*)at;
  word seen, next;
  bits_type found = *memory;
  do {
    seen.bits = found;
    next.value = combine(seen.value);
    found = atomicCAS((bits_type*)at, seen.bits, next.bits);
  } while (found != seen.bits);
}
)"},
};

bool mentions(const std::string& text, const char* name) {
  const std::string word = name;
  for (std::size_t k = text.find(word); k != std::string::npos; k = text.find(word, k + 1)) {
    const char next = k + word.size() < text.size() ? text[k + word.size()] : ' ';
    if (next == '(' || next == '<') return true;
  }
  return false;
}

}  // namespace

std::string cuda_prelude(const std::string& text) {
  std::string prelude, all = text;
  for (std::size_t k = std::size(functions); k-- > 0;) {
    if (!mentions(all, functions[k].name)) continue;
    prelude = functions[k].text + prelude;
    all += functions[k].text;
  }
  return prelude;
}

}  // namespace fluxion::codegen
