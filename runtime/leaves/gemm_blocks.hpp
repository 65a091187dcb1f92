// The blocks of a matrix product, for the vectors of one instruction set: included by one source
// file for each, compiled for it. Nothing here may be a function that other files share, for the
// linker would keep one of them for all processors.
//
// The scheme is that of K. Goto and R. van de Geijn, Anatomy of high-performance matrix
// multiplication (2008): a tile of c stays in registers while a run of k is summed; what many tiles
// read is packed so that they read it in order.
#include "runtime/leaves/gemm_kernels.hpp"

#include <immintrin.h>
#include <utility>

namespace fluxion::runtime::gemm {
namespace {

using std::int64_t;

constexpr int64_t run = 256;  // of k that is summed in registers

template <class A> constexpr A least(A a, A b) { return a < b ? a : b; }

template <class F, int... numbers>
inline __attribute__((always_inline)) void each_of(std::integer_sequence<int, numbers...>, F& f) {
  (f(std::integral_constant<int, numbers>()), ...);
}
/// f(0), ..., f(count - 1), written out: arrays that only such numbers index are registers.
template <int count, class F> inline __attribute__((always_inline)) void repeat(F f) {
  each_of(std::make_integer_sequence<int, count>(), f);
}

/// to[j, r] = from[r, j] of 4 x 4 elements.
inline __attribute__((always_inline)) void transpose_four(const float* from,
                                                          int64_t row,
                                                          float* to,
                                                          int64_t to_row) {
  __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + row), c = _mm_loadu_ps(from + 2 * row),
         d = _mm_loadu_ps(from + 3 * row);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(to, a);
  _mm_storeu_ps(to + to_row, b);
  _mm_storeu_ps(to + 2 * to_row, c);
  _mm_storeu_ps(to + 3 * to_row, d);
}
inline __attribute__((always_inline)) void transpose_four(const double* from,
                                                          int64_t row,
                                                          double* to,
                                                          int64_t to_row) {
  for (int64_t r = 0; r < 4; r += 2)
    for (int64_t j = 0; j < 4; j += 2) {
      const __m128d a = _mm_loadu_pd(from + r * row + j),
                    b = _mm_loadu_pd(from + (r + 1) * row + j);
      _mm_storeu_pd(to + j * to_row + r, _mm_unpacklo_pd(a, b));
      _mm_storeu_pd(to + (j + 1) * to_row + r, _mm_unpackhi_pd(a, b));
    }
}

/// `count` columns of b, at most a tile's, into rows of a tile's width: to[l, j] = from[l, j], and
/// zeros beside them.
template <class V>
void pack_columns(int64_t k,
                  int64_t count,
                  const typename V::T* from,
                  int64_t row,
                  int64_t column,
                  typename V::T* to) {
  constexpr int64_t width = V::across * V::lanes;
  if (column == 1) {
    for (int64_t l = 0; l < k; ++l)
      for (int64_t j = 0; j < V::across; ++j) {
        const typename V::T* const place = from + l * row + j * V::lanes;
        V::store(to + l * width + j * V::lanes,
                 count == width ? V::load(place) : V::load_some(place, count - j * V::lanes));
      }
    return;
  }
  int64_t j = 0;
  for (; row == 1 && j + 4 <= count; j += 4) {
    const typename V::T* const four = from + j * column;
    int64_t l = 0;
    for (; l + 4 <= k; l += 4) transpose_four(four + l, column, to + l * width + j, width);
    for (; l < k; ++l)
      for (int64_t r = 0; r < 4; ++r) to[l * width + j + r] = four[r * column + l];
  }
  for (; j < width; ++j)
    for (int64_t l = 0; l < k; ++l) to[l * width + j] = j < count ? from[l * row + j * column] : 0;
}

/// A few rows of a and a vector or more of b's columns, both at their first element of a run.
template <class T> struct Tile {
  int64_t k = 0, columns = 0;
  const T* a = nullptr;
  int64_t a_row = 0, a_column = 0;
  const T* b = nullptr;
  int64_t b_row = 0;
  T* c = nullptr;
  int64_t c_row = 0;
  bool add = false;  // to what c has
};

/// R rows and C vectors, the last of which may reach over the end. Where a is packed, the strides
/// are known.
template <class V, int R, int C, bool packed> void sum(const Tile<typename V::T>& t) {
  using T = typename V::T;
  using Register = typename V::Register;
  const int64_t a_row = packed ? 1 : t.a_row, a_column = packed ? V::rows : t.a_column;
  const T *a = t.a, *b = t.b;
  Register sums[R][C];
  repeat<R>([&](auto r) { __builtin_prefetch(t.c + r * t.c_row, 1); });
  repeat<R>([&](auto r) { repeat<C>([&](auto j) { sums[r][j] = V::zero(); }); });
  for (int64_t l = 0; l < t.k; ++l) {
    Register x[C];
    repeat<C>([&](auto j) { x[j] = V::load(b + j * V::lanes); });
    repeat<R>([&](auto r) {
      const Register s = V::spread(a + r * a_row);
      repeat<C>([&](auto j) { sums[r][j] = V::multiply_add(s, x[j], sums[r][j]); });
    });
    a += a_column;
    b += t.b_row;
  }
  repeat<R>([&](auto r) {
    repeat<C>([&](auto j) {
      T* const c = t.c + r * t.c_row + j * V::lanes;
      const int64_t columns = t.columns - j * V::lanes;
      if (columns >= V::lanes) {
        V::store(c, t.add ? V::add(V::load(c), sums[r][j]) : sums[r][j]);
      } else {
        V::store_some(
            c, columns, t.add ? V::add(V::load_some(c, columns), sums[r][j]) : sums[r][j]);
      }
    });
  });
}
template <class V, int C, bool packed, int R = V::rows>
void sum_rows(int64_t rows, const Tile<typename V::T>& t) {
  if constexpr (R > 1) {
    if (rows < R) return sum_rows<V, C, packed, R - 1>(rows, t);
  }
  sum<V, R, C, packed>(t);
}
template <class V, bool packed, int C = V::across>
void sum_tile(int64_t rows, const Tile<typename V::T>& t) {
  if constexpr (C > 1) {
    if (t.columns <= (C - 1) * V::lanes) return sum_tile<V, packed, C - 1>(rows, t);
  }
  sum_rows<V, C, packed>(rows, t);
}

/// Products of A rows by columns of b that are dense along k: `count` of those, `apart` from each
/// other. Two vectors of sums for each, then their lanes.
template <class V, int A>
void dots(int64_t k,
          int64_t count,
          const typename V::T* a,
          int64_t a_row,
          const typename V::T* b,
          int64_t apart,
          typename V::T* c,
          int64_t c_row,
          bool add) {
  using Register = typename V::Register;
  constexpr int most = A == 1 ? 4 : 2;  // columns at a time
  const auto some = [&]<int B>(int64_t first) {
    const typename V::T* const columns = b + first * apart;
    Register sums[B][A][2];
    repeat<B>(
        [&](auto j) { repeat<A>([&](auto i) { sums[j][i][0] = sums[j][i][1] = V::zero(); }); });
    const auto step = [&](auto half, const auto& load) __attribute__((always_inline)) {
      Register x[A];
      repeat<A>([&](auto i) { x[i] = load(a + i * a_row); });
      repeat<B>([&](auto j) {
        const Register y = load(columns + j * apart);
        repeat<A>([&](auto i) { sums[j][i][half] = V::multiply_add(x[i], y, sums[j][i][half]); });
      });
    };
    constexpr std::integral_constant<int, 0> first_half;
    constexpr std::integral_constant<int, 1> second_half;
    int64_t l = 0;
    for (; l + 2 * V::lanes <= k; l += 2 * V::lanes) {
      step(first_half, [&](const auto* from) { return V::load(from + l); });
      step(second_half, [&](const auto* from) { return V::load(from + l + V::lanes); });
    }
    if (l < k) step(first_half, [&](const auto* from) { return V::load_some(from + l, k - l); });
    l += V::lanes;
    if (l < k) step(second_half, [&](const auto* from) { return V::load_some(from + l, k - l); });
    repeat<B>([&](auto j) {
      repeat<A>([&](auto i) {
        typename V::T lanes[V::lanes];
        V::store(lanes, V::add(sums[j][i][0], sums[j][i][1]));
        for (int64_t half = V::lanes / 2; half > 0; half /= 2)
          for (int64_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
        typename V::T& place = c[i * c_row + first + j];
        place = add ? place + lanes[0] : lanes[0];
      });
    });
  };
  int64_t j = 0;
  for (; j + most <= count; j += most) some.template operator()<most>(j);
  for (; j < count; ++j) some.template operator()<1>(j);
}

/// Products of A rows by a matrix that is dense along its rows, which is read once, in order: a few
/// of its rows are added to c at a time.
template <class V, int A>
void add_rows(const Product& p, const typename V::T* a, const typename V::T* b, typename V::T* c) {
  using Register = typename V::Register;
  constexpr int at_once = 4;
  constexpr int64_t columns = 4096 / A / V::lanes * V::lanes;
  for (int64_t j0 = 0; j0 < p.n; j0 += columns)
    for (int64_t l = 0; l < p.k; l += at_once) {
      const int64_t rows = least<int64_t>(at_once, p.k - l), end = least(p.n, j0 + columns);
      Register x[at_once][A];
      repeat<at_once>([&](auto r) {
        repeat<A>([&](auto i) {
          x[r][i] = r < rows ? V::spread(a + i * p.a_row + (l + r) * p.a_column) : V::zero();
        });
      });
      const auto step =
          [&](int64_t j, const auto& load, const auto& store) __attribute__((always_inline)) {
            Register sums[A];
            repeat<A>([&](auto i) { sums[i] = l > 0 ? load(c + i * p.c_row + j) : V::zero(); });
            repeat<at_once>([&](auto r) {
              if (r >= rows) return;
              const Register y = load(b + (l + r) * p.b_row + j);
              repeat<A>([&](auto i) { sums[i] = V::multiply_add(x[r][i], y, sums[i]); });
            });
            repeat<A>([&](auto i) { store(c + i * p.c_row + j, sums[i]); });
          };
      int64_t j = j0;
      for (; j + V::lanes <= end; j += V::lanes) step(j, V::load, V::store);
      if (j == end) continue;
      step(
          j,
          [&](const auto* from) { return V::load_some(from, end - j); },
          [&](auto* to, Register v) { V::store_some(to, end - j, v); });
    }
}

template <class V> class Blocks {
  using T = typename V::T;
  static constexpr int64_t lanes = V::lanes, width = V::across * lanes;
  static constexpr int64_t bytes = sizeof(T);
  // What is packed of a stays in the second cache beside a panel of b; that of b in the third.
  static constexpr int64_t most_columns = (int64_t{1} << 20) / (run * width * bytes) * width;
  static constexpr int64_t most_rows = (int64_t{192} << 10) / (run * V::rows * bytes) * V::rows;
  static constexpr int64_t a_elements = (most_rows + V::rows) * run;
  static_assert((most_columns * run + a_elements) * bytes <= int64_t{workspace_bytes});

  /// Of so many rows, those of the next tile: few rows alone would wait for their own sums.
  static int64_t next_rows(int64_t left) {
    if (left <= V::rows) return left;
    return left < V::rows + V::rows / 2 ? (left + 1) / 2 : V::rows;
  }

  /// A panel for each tile, so that a step of k reads one element after the other.
  static void pack_rows(int64_t m, int64_t k, const T* a, int64_t row, int64_t column, T* to) {
    for (int64_t i = 0, rows; i < m; i += rows, to += V::rows * k) {
      rows = next_rows(m - i);
      const T* const from = a + i * row;
      if (column == 1) {
        int64_t l = 0;
        for (; rows >= 4 && l + 4 <= k; l += 4) {
          // The last four may have been written by the first.
          for (int64_t r = 0; r + 4 <= rows; r += 4)
            transpose_four(from + r * row + l, row, to + l * V::rows + r, V::rows);
          if (const int64_t r = rows - 4; r % 4 != 0)
            transpose_four(from + r * row + l, row, to + l * V::rows + r, V::rows);
        }
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t e = l; e < k; ++e) to[e * V::rows + r] = from[r * row + e];
      } else {
        for (int64_t l = 0; l < k; ++l)
          for (int64_t r = 0; r < rows; ++r) to[l * V::rows + r] = from[r * row + l * column];
      }
    }
  }

  /// All tiles of m rows of a (packed or not) and one panel of b.
  static void sum_panel(int64_t m, bool packed, Tile<T> t) {
    for (int64_t i = 0, rows; i < m; i += rows) {
      rows = next_rows(m - i);
      packed ? sum_tile<V, true>(rows, t) : sum_tile<V, false>(rows, t);
      t.a += packed ? V::rows * t.k : rows * t.a_row;
      t.c += rows * t.c_row;
    }
  }

  /// Without copying b. False where neither its rows nor its columns are dense.
  template <int A> static bool multiply_rows(const Product& p, const T* a, const T* b, T* c) {
    if (p.m != A) {
      if constexpr (A > 1) return multiply_rows<A - 1>(p, a, b, c);
      return false;
    }
    if (p.b_column == 1) {
      add_rows<V, A>(p, a, b, c);
      return true;
    }
    if (p.b_row != 1) return false;
    constexpr int64_t most = int64_t{workspace_bytes} / bytes / A / 64 * 64;
    T* const dense = reinterpret_cast<T*>(workspace());
    for (int64_t l = 0; l < p.k; l += most) {
      const int64_t k = least(most, p.k - l);
      const T* rows = a + l * p.a_column;
      int64_t row = p.a_row;
      if (p.a_column != 1) {
        for (int64_t i = 0; i < A; ++i)
          for (int64_t e = 0; e < k; ++e) dense[i * k + e] = rows[i * row + e * p.a_column];
        rows = dense;
        row = k;
      }
      dots<V, A>(k, p.n, rows, row, b + l, p.b_column, c, p.c_row, l > 0);
    }
    return true;
  }

  static void multiply(
      const Product& p, const void* a_data, const void* b_data, bool packed, void* c_data) {
    const T* const a = static_cast<const T*>(a_data);
    const T* const b = static_cast<const T*>(b_data);
    T* const c = static_cast<T*>(c_data);

    T* const b_space = reinterpret_cast<T*>(workspace());
    T* const a_space = b_space + most_columns * run;
    const int64_t padded = (p.n + width - 1) / width * width;
    // Copies pay where enough tiles read them; rows of b that are far apart push each other out of
    // the first cache.
    const bool pack_b = p.b_column != 1 || (p.m >= 6 * V::rows && p.n >= 6 * width);
    const bool pack_a = p.m >= 2 * V::rows && p.n >= (p.a_column == 1 ? 16 : 6) * width;
    for (int64_t j0 = 0; j0 < p.n; j0 += most_columns) {
      const int64_t n = least(most_columns, p.n - j0);
      for (int64_t l0 = 0; l0 < p.k; l0 += run) {
        const int64_t k = least(run, p.k - l0);
        for (int64_t i0 = 0; i0 < p.m; i0 += most_rows) {
          const int64_t m = least(most_rows, p.m - i0);
          const T* const a_block = a + i0 * p.a_row + l0 * p.a_column;
          if (pack_a) pack_rows(m, k, a_block, p.a_row, p.a_column, a_space);
          for (int64_t j = 0; j < n; j += width) {
            Tile<T> t{k, least(width, n - j), pack_a ? a_space : a_block, p.a_row, p.a_column};
            t.b = b + l0 * p.b_row + (j0 + j) * p.b_column;
            t.b_row = p.b_row;
            if (packed) {
              t.b = b + l0 * padded + (j0 + j) * k;
              t.b_row = width;
            } else if (pack_b || t.columns < width) {
              T* const panel = b_space + j * run;
              if (i0 == 0) pack_columns<V>(k, t.columns, t.b, p.b_row, p.b_column, panel);
              t.b = panel;
              t.b_row = width;
            }
            t.c = c + i0 * p.c_row + j0 + j;
            t.c_row = p.c_row;
            t.add = l0 > 0;
            sum_panel(m, pack_a, t);
          }
        }
      }
    }
  }

  static void multiply_few(const Product& p, const void* a, const void* b, void* c) {
    const bool done = multiply_rows<most_few_rows>(
        p, static_cast<const T*>(a), static_cast<const T*>(b), static_cast<T*>(c));
    if (!done) multiply(p, a, b, false, c);
  }

  /// For each run of k, panels of `width` columns.
  static void pack(const Product& p,
                   const void* b_data,
                   void* to_data,
                   int64_t begin,
                   int64_t end,
                   int64_t parts) {
    const T* const b = static_cast<const T*>(b_data);
    T* const to = static_cast<T*>(to_data);
    const int64_t panels = (p.n + width - 1) / width, all = (p.k + run - 1) / run * panels;
    for (int64_t number = all * begin / parts; number < all * end / parts; ++number) {
      const int64_t l = number / panels * run, j = number % panels * width;
      const int64_t k = least(run, p.k - l);
      pack_columns<V>(k,
                      least(width, p.n - j),
                      b + l * p.b_row + j * p.b_column,
                      p.b_row,
                      p.b_column,
                      to + l * panels * width + j * k);
    }
  }
  static std::size_t packed_bytes(const Product& p) {
    return static_cast<std::size_t>((p.n + width - 1) / width * width * p.k * bytes);
  }

 public:
  static constexpr Kernel kernel(const char* name) {
    return {multiply, multiply_few, pack, packed_bytes, name};
  }
};

}  // namespace
}  // namespace fluxion::runtime::gemm
