// CUDA C++ as the host's compiler reads it: every name that printed kernels use. A program that is
// compiled with it runs on the machine of machine.hpp, which it is given after it is loaded.
#pragma once

#define __global__
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __shared__
#define __align__(n) __attribute__((aligned(n)))

namespace fx_emulation {
struct Index {
  unsigned x;
};
/// What a thread asks the machine for.
struct Device {
  Index thread, block, grid;
  void (*wait)(const void* site);    // for the block
  void (*wait_warp)(unsigned mask);  // for lanes of the warp
  unsigned long long (*exchange)(unsigned mask, unsigned long long bits, unsigned lane);
  unsigned lane;  // within the warp
};
}  // namespace fx_emulation

extern "C" {
fx_emulation::Device* fx_device;
/// As much as a block of compute capability 9.0 may have.
__align__(16) unsigned char fx_shared[232448];
}

#define threadIdx (fx_device->thread)
#define blockIdx (fx_device->block)
#define gridDim (fx_device->grid)

// Which barrier it is: its line, since compilers copy calls.
#define __syncthreads() (fx_device->wait((const void*)(long)__LINE__))
inline void __syncwarp(unsigned mask = ~0u) { fx_device->wait_warp(mask); }
template <class T> T fx_exchange(unsigned mask, T value, unsigned lane) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "no such shuffle");
  unsigned long long bits = 0;
  __builtin_memcpy(&bits, &value, sizeof value);
  bits = fx_device->exchange(mask, bits, lane);
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
// The overloads that CUDA has; narrower integers become int.
#define FX_SHUFFLES(T)                                                  \
  inline T __shfl_down_sync(unsigned mask, T value, unsigned by) {      \
    const unsigned lane = fx_device->lane;                              \
    return fx_exchange(mask, value, lane + by < 32 ? lane + by : lane); \
  }                                                                     \
  inline T __shfl_sync(unsigned mask, T value, int lane) {              \
    return fx_exchange(mask, value, (unsigned)lane & 31);               \
  }
FX_SHUFFLES(int)
FX_SHUFFLES(unsigned)
FX_SHUFFLES(long long)
FX_SHUFFLES(unsigned long long)
FX_SHUFFLES(float)
FX_SHUFFLES(double)
#undef FX_SHUFFLES

template <class To, class From> To fx_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "");
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}
inline float __uint_as_float(unsigned x) { return fx_bits<float>(x); }
inline unsigned __float_as_uint(float x) { return fx_bits<unsigned>(x); }
inline double __longlong_as_double(long long x) { return fx_bits<double>(x); }
inline long long __double_as_longlong(double x) { return fx_bits<long long>(x); }

inline int __mulhi(int a, int b) { return (int)((long long)a * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return (unsigned)((unsigned long long)a * b >> 32);
}
inline long long __mul64hi(long long a, long long b) { return (long long)((__int128)a * b >> 64); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }

extern "C" {
float fmaf(float, float, float);
double fma(double, double, double);
float floorf(float);
double floor(double);
float ceilf(float);
double ceil(double);
float rintf(float);
double rint(double);
float truncf(float);
double trunc(double);
float sqrtf(float);
double sqrt(double);
float fabsf(float);
double fabs(double);
}

// Threads of the emulation never run at the same time.
template <class T> T atomicAdd(T* at, T x) {
  const T before = *at;
  *at = before + x;
  return before;
}
template <class T> T atomicCAS(T* at, T expected, T next) {
  const T before = *at;
  if (before == expected) *at = next;
  return before;
}
