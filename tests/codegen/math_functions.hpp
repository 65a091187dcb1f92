// The functions of math.hpp under test: their formula on plain numbers, their true values, and
// where to look.
#pragma once
#include "trace/kernel/math.hpp"

#include <mpfr.h>
#include <span>
#include <string>
#include <vector>

/// A function of one or two arguments; those of one ignore the second.
struct MathFunction {
  std::string name;
  int arguments;
  fluxion::kernel::Scalar (*kernel)(fluxion::kernel::Scalar, fluxion::kernel::Scalar);
  float (*single)(float, float);        // the formula, computed by the host
  double (*real)(double, double);       // the same in float64
  double (*reference)(double, double);  // the C library's: good to far less than a unit of float32
  void (*exact)(mpfr_t,
                mpfr_srcptr,
                mpfr_srcptr);     // the true value, rounded to the result's precision
  double single_bar, double_bar;  // in units in the last place
  double low, high;               // where most arguments are taken from
  std::vector<double> landmarks;  // and whose neighbours are tried
  // Where the truth is smaller than this (of the first argument), a float64 unit is one of this.
  double (*least)(double) = nullptr;
  bool costly_reference = false;
};
std::span<const MathFunction> math_functions();
const MathFunction& math_function(const std::string& name);

/// Pairs of arguments: strata of all bit patterns, [low, high], neighbours of landmarks, special
/// values.
template <class T> struct RandomBits {
  std::vector<T> first, second;
};
template <class T> RandomBits<T> samples(const MathFunction&, std::size_t count);

/// The distance of a result from the truth in units of the truth's last place (of the smallest
/// subnormal below the normal range); infinite where NaN, infinity, or the sign of zero differ.
double units_off(float got, double truth);
double units_off(double got, mpfr_srcptr truth, double least = 0);

/// The error of a float64 result.
double units_off(const MathFunction&, double got, double first, mpfr_srcptr truth);

/// The truth in 160 bits.
class Truth {
 public:
  Truth();
  ~Truth();
  Truth(const Truth&) = delete;
  mpfr_srcptr operator()(const MathFunction&, double first, double second);

 private:
  mpfr_t first_, second_, value_;
};

/// The largest error over samples, and where.
struct Worst {
  double units = 0, first = 0, second = 0;
  void look(double u, double a, double b) {
    if (u > units) *this = {u, a, b};
  }
};
