// What this machine could do at best: the roof over every kernel.
#pragma once

namespace fluxion::runtime {

/// Floating-point operations and bytes a second on all threads that computations use.
struct Peaks {
  double float32_flops = 0, float64_flops = 0, bytes = 0;
};
/// Measured at the first call, in about a tenth of a second: fused multiply-adds in registers of
/// one thread, the best of several rounds, times the threads; and a copy between two arrays that no
/// cache holds by all threads, its bytes counted twice (read and written).
Peaks machine_peaks();

}  // namespace fluxion::runtime
