// The consumer's own check: says which line is not as expected, and counts.
#pragma once
#include <cmath>
#include <cstdio>

inline int failures = 0;
inline void expect(bool fact, const char* text, int line) {
  if (fact) return;
  std::fprintf(stderr, "line %d: not so: %s\n", line, text);
  ++failures;
}
inline bool near(double a, double b, double tolerance = 1e-5) {
  return std::fabs(a - b) <= tolerance * (1 + std::fabs(b));
}
#define EXPECT(fact) expect((fact), #fact, __LINE__)
