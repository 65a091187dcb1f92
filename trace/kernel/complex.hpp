// A complex number as the two real numbers that kernels compute with.
#pragma once

namespace fluxion::kernel {

template <class F> struct Complex {
  F re, im;
};

}  // namespace fluxion::kernel
