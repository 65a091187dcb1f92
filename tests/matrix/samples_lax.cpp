// Rows of contractions, windows and the functions of fluxion::lax and fluxion::random.
#include "tests/matrix/samples.hpp"

namespace fluxion::test {
namespace {

namespace fx = fluxion;
namespace lax = fluxion::lax;

Sample row(std::string name,
           ProgramFunction f,
           std::vector<SampleCase> cases,
           const std::vector<DType>& dtypes = every_dtype()) {
  return {std::move(name), std::move(f), std::move(cases), dtypes};
}

Sample product(std::string name, TwoOperands f, std::vector<SampleCase> cases) {
  return row(std::move(name),
             one([f](const ArrayList& x) { return f(x[0], x[1]); }),
             std::move(cases),
             number_dtypes());
}

}  // namespace

Samples contraction_samples() {
  const std::vector<SampleCase> vectors = {
      {{{1}}, {{1}}}, {{{5}}, {{5}}}, {{{37}}, {{37}}}, {{{0}}, {{0}}}};
  const std::vector<SampleCase> matrices = {{{{1, 1}}, {{1, 1}}},
                                            {{{2, 3}}, {{3, 4}}},
                                            {{{5, 67}}, {{67, 3}}},
                                            {{{2, 0}}, {{0, 3}}},
                                            {{{0, 2}}, {{2, 3}}}};
  std::vector<SampleCase> mixed = vectors;
  mixed.insert(mixed.end(), matrices.begin(), matrices.end());
  mixed.push_back({{{2, 3}}, {{3}}});
  mixed.push_back({{{3}}, {{3, 2}}});
  std::vector<SampleCase> batched = mixed;
  batched.push_back({{{2, 2, 3}}, {{3, 2}}});
  batched.push_back({{{2, 1, 2, 3}}, {{3, 3, 2}}});
  return {
      product("dot", fx::dot, mixed),
      product("matmul", fx::matmul, batched),
      product("inner", fx::inner, vectors),
      product(
          "outer", fx::outer, {{{{}}, {{3}}}, {{{2, 3}}, {{2}}}, {{{37}}, {{5}}}, {{{0}}, {{2}}}}),
      product("vdot", fx::vdot, vectors),
      product("kron", fx::kron, {{{{2}}, {{3}}}, {{{2, 2}}, {{1, 3}}}, {{{5, 3}}, {{7, 2}}}}),
      product("cross", fx::cross, {{{{3}}, {{3}}}, {{{2, 3}}, {{3}}}, {{{37, 3}}, {{37, 3}}}}),
      row(
          "tensordot",
          [](const ArrayList& x) {
            return ArrayList{fx::tensordot(x[0], fx::transpose(x[1])),
                             fx::tensordot(x[0], x[1], {1}, {0})};
          },
          {{{{2, 3}}, {{3, 2}}}, {{{5, 7}}, {{7, 5}}}},
          number_dtypes()),
      row(
          "einsum",
          [](const ArrayList& x) {
            return ArrayList{fx::einsum("ij,jk->ik", x[0], x[1]),
                             fx::einsum("ij,jk->ki", x[0], x[1]),
                             fx::einsum("ij,jk", x[0], x[1]),
                             fx::einsum("ij->j", x[0])};
          },
          {{{{2, 3}}, {{3, 4}}}, {{{5, 37}}, {{37, 2}}}, {{{1, 1}}, {{1, 1}}}},
          number_dtypes()),
      row("einsum_of",
          one([](const ArrayList& x) { return fx::einsum_of("bij,bjk->bik", {x[0], x[1]}); }),
          {{{{2, 2, 3}}, {{2, 3, 2}}}},
          number_dtypes()),
      row(
          "max_pool",
          [](const ArrayList& x) {
            return ArrayList{fx::max_pool(x[0], {2, 2}),
                             fx::max_pool(x[0], {3, 3}, {2, 1}, {{1, 1}, {0, 1}})};
          },
          {{{{3, 4}}}, {{{1, 2, 5, 7}}}, {{{2, 9, 67}}}},
          number_dtypes()),
      row(
          "avg_pool",
          [](const ArrayList& x) {
            return ArrayList{fx::avg_pool(x[0], {2, 2}),
                             fx::avg_pool(x[0], {3, 3}, {2, 1}, {{1, 1}, {0, 1}})};
          },
          {{{{3, 4}}}, {{{1, 2, 5, 7}}}, {{{2, 9, 67}}}},
          float_dtypes()),
  };
}

namespace {

Samples window_samples() {
  const std::vector<SampleCase> images = {{{{1, 1, 5}}, {{1, 1, 3}}},
                                          {{{2, 2, 6}}, {{3, 2, 2}}},
                                          {{{1, 2, 4, 5}}, {{2, 2, 3, 2}}},
                                          {{{1, 3, 9, 37}}, {{4, 3, 3, 3}}}};
  Samples rows = {
      row(
          "conv_general_dilated",
          [](const ArrayList& x) {
            return ArrayList{lax::conv_general_dilated(x[0], x[1]),
                             lax::conv_general_dilated(x[0], x[1], {.padding = lax::same})};
          },
          images,
          number_dtypes()),
      row(
          "conv_general_dilated strided, dilated, in groups",
          [](const ArrayList& x) {
            return ArrayList{
                lax::conv_general_dilated(x[0],
                                          x[1],
                                          {.strides = {2},
                                           .padding = {{1, 2}},
                                           .lhs_dilation = {2},
                                           .feature_groups = 2}),
                lax::conv_general_dilated(
                    x[0], x[1], {.padding = {{-1, 2}}, .rhs_dilation = {2}, .feature_groups = 2})};
          },
          {{{{1, 2, 6}}, {{2, 1, 3}}}, {{{2, 4, 7}}, {{4, 2, 2}}}},
          number_dtypes()),
      row("conv_general_dilated in groups of the batch, other layout",
          one([](const ArrayList& x) {
            return lax::conv_general_dilated(
                x[0], x[1], {.layout = {"NWC", "WIO", "NWC"}, .batch_groups = 2});
          }),
          {{{{2, 5, 3}}, {{2, 3, 4}}}},
          number_dtypes()),
  };
  for (const auto& [name, which] : {std::pair{"reduce_window sum", lax::Reduction::sum},
                                    {"reduce_window prod", lax::Reduction::prod},
                                    {"reduce_window max", lax::Reduction::max},
                                    {"reduce_window min", lax::Reduction::min}})
    rows.push_back(row(
        name,
        [which = which](const ArrayList& x) {
          return ArrayList{lax::reduce_window(x[0], which, {.size = {3, 2}, .padding = lax::same}),
                           lax::reduce_window(x[0],
                                              which,
                                              {.size = {2, 2},
                                               .strides = {1, 2},
                                               .base_dilation = {2, 1},
                                               .window_dilation = {1, 2},
                                               .padding = {{1, 1}, {1, 2}}})};
        },
        {{{{3, 4}, 0.6, 1.4}}, {{{5, 67}, 0.6, 1.4}}},
        number_dtypes()));
  return rows;
}

Samples gather_samples() {
  Samples rows;
  const std::vector<SampleCase> cases = {{{{5}}, {{3, 1}, -2, 6, int32}},
                                         {{{4, 3}}, {{3, 1}, -2, 6, int32}},
                                         {{{5, 67}}, {{4, 1}, 0, 4, int64}},
                                         {{{5}}, {{0, 1}, 0, 1, int32}}};
  for (const auto& [name, mode] :
       {std::pair{"gather clip", lax::OutOfBounds::clip}, {"gather fill", lax::OutOfBounds::fill}})
    rows.push_back(
        row(name,
            one([mode = mode](const ArrayList& x) {
              Shape sizes{2};
              std::vector<int> offsets{1};
              if (x[0].ndim() > 1) {
                sizes.push_back(x[0].shape()[1]);
                offsets.push_back(2);
              }
              return lax::gather(
                  x[0], x[1], {.offset_dims = offsets, .start_index_map = {0}}, sizes, mode);
            }),
            cases));
  const std::vector<SampleCase> batched = {{{{2, 5, 3}}, {{2, 4, 1}, -2, 6, int32}},
                                           {{{3, 9, 1}}, {{3, 2, 1}, -2, 12, int64}}};
  for (const auto& [name, mode] : {std::pair{"gather clip in batches", lax::OutOfBounds::clip},
                                   {"gather fill in batches", lax::OutOfBounds::fill}})
    rows.push_back(row(name,
                       one([mode = mode](const ArrayList& x) {
                         return lax::gather(x[0],
                                            x[1],
                                            {.offset_dims = {2, 3},
                                             .start_index_map = {1},
                                             .operand_batching_dims = {0},
                                             .start_indices_batching_dims = {0}},
                                            {1, 2, x[0].shape()[2]},
                                            mode);
                       }),
                       batched));
  using Scatter = Array (*)(const Operand&,
                            const Operand&,
                            const Operand&,
                            const lax::ScatterDimensions&,
                            const lax::ScatterOptions&);
  const std::pair<const char*, Scatter> scatters[] = {{"scatter", lax::scatter},
                                                      {"scatter_add", lax::scatter_add},
                                                      {"scatter_mul", lax::scatter_mul},
                                                      {"scatter_min", lax::scatter_min},
                                                      {"scatter_max", lax::scatter_max}};
  for (const auto& [name, f] : scatters) {
    const bool arithmetic =
        std::string(name) == "scatter_add" || std::string(name) == "scatter_mul";
    rows.push_back(row(
        name,
        [f = f](const ArrayList& x) {
          const lax::ScatterDimensions at{.update_window_dims = {1},
                                          .scatter_dims_to_operand_dims = {0}};
          return ArrayList{f(x[0], x[1], x[2], at, {}),
                           f(x[0], x[1], x[2], at, {.mode = lax::OutOfBounds::clip})};
        },
        {{{{5}}, {{3, 1}, -2, 6, int32}, {{3, 2}}},
         {{{37}}, {{9, 1}, 0, 36, int64}, {{9, 3}}},
         {{{5}}, {{0, 1}, 0, 1, int32}, {{0, 2}}}},
        arithmetic ? number_dtypes() : every_dtype()));
  }
  for (const auto& [name, f] : scatters) {
    const bool arithmetic =
        std::string(name) == "scatter_add" || std::string(name) == "scatter_mul";
    rows.push_back(row(std::string(name) + " in batches",
                       one([f = f](const ArrayList& x) {
                         return f(x[0],
                                  x[1],
                                  x[2],
                                  {.update_window_dims = {2},
                                   .scatter_dims_to_operand_dims = {1},
                                   .operand_batching_dims = {0},
                                   .scatter_indices_batching_dims = {0}},
                                  {});
                       }),
                       {{{{2, 5}}, {{2, 3, 1}, -2, 6, int32}, {{2, 3, 2}}}},
                       arithmetic ? number_dtypes() : every_dtype()));
  }
  return rows;
}

Samples random_samples() {
  const SampleCase keys = {{{2}, 0, 100, uint32}};
  return {
      row("random",
          [](const ArrayList& x) {
            return ArrayList{fx::random::bits(x[0], {5}),
                             fx::random::bits(x[0], {3}, uint8),
                             fx::random::uniform(x[0], {2, 3}),
                             fx::random::split(x[0], 3),
                             fx::random::fold_in(x[0], 7),
                             fx::random::randint(x[0], {37}, 0, 10),
                             fx::random::normal(x[0], {37}),
                             fx::random::bernoulli(x[0], 0.3f, {5})};
          },
          {keys},
          {float32}),
  };
}

}  // namespace

Samples lax_samples() {
  Samples rows = {
      row(
          "dot_general",
          [](const ArrayList& x) {
            return ArrayList{
                lax::dot_general(
                    x[0],
                    x[1],
                    {.lhs_contract = {2}, .rhs_contract = {1}, .lhs_batch = {0}, .rhs_batch = {0}}),
                lax::dot_general(x[0], x[1], {.lhs_contract = {0, 2}, .rhs_contract = {0, 1}})};
          },
          {{{{2, 2, 3}}, {{2, 3, 2}}}, {{{1, 5, 37}}, {{1, 37, 3}}}, {{{2, 0, 3}}, {{2, 3, 2}}}},
          number_dtypes()),
      row("dynamic_slice",
          one([](const ArrayList& x) {
            const Array start = x[1][0];
            return x[0].ndim() == 1 ? lax::dynamic_slice(x[0], {start}, {2})
                                    : lax::dynamic_slice(x[0], {start, x[1][1]}, {2, 3});
          }),
          {{{{5}}, {{2}, -3, 8, int32}},
           {{{3, 4}}, {{2}, -3, 8, int32}},
           {{{5, 67}}, {{2}, 0, 60, int64}}}),
      row("dynamic_update_slice",
          one([](const ArrayList& x) {
            return lax::dynamic_update_slice(x[0], x[1], {x[2][0], x[2][1]});
          }),
          {{{{3, 4}}, {{2, 2}}, {{2}, -3, 8, int32}}, {{{5, 67}}, {{1, 9}}, {{2}, 0, 60, int32}}}),
      row("slice",
          one([](const ArrayList& x) {
            return lax::slice(x[0], {1, 0}, {3, x[0].shape()[1]}, {1, 2});
          }),
          {{{{3, 4}}}, {{{5, 67}}}, {{{4, 0}}}}),
      row("lax pad",
          [](const ArrayList& x) {
            return ArrayList{lax::pad(x[0], x[1], {{1, 2, 1}, {-1, 0, 2}}),
                             lax::pad(x[0], x[1], {{-1, -1, 0}, {0, 3, 0}})};
          },
          {{{{3, 4}}, {{}}}, {{{5, 67}}, {{}}}, {{{2, 1}}, {{}}}}),
      row("broadcast_in_dim",
          one([](const ArrayList& x) {
            return lax::broadcast_in_dim(x[0], {2, 3, x[0].shape()[0]}, {2});
          }),
          {{{{1}}}, {{{5}}}, {{{37}}}, {{{0}}}}),
      row("iota",
          one([](const ArrayList& x) {
            return x[0] + lax::iota(x[0].dtype(), x[0].shape(), x[0].ndim() - 1);
          }),
          {{{{5}}}, {{{2, 3}}}, {{{5, 67}}}, {{{0}}}},
          number_dtypes()),
      unary("population_count", lax::population_count),
      unary("clz", lax::clz),
      row("bitcast_convert_type",
          one([](const ArrayList& x) {
            return lax::bitcast_convert_type(x[0], x[0].dtype() == float64 ? int64 : uint32);
          }),
          {{{{}}}, {{{5}}}, {{{37}}}, {{{0}}}},
          {float32, float64, int32}),
      row("astype",
          [](const ArrayList& x) {
            ArrayList out;
            for (DType to : every_dtype()) out.push_back(x[0].astype(to));
            return out;
          },
          {{{{}, 0, 2}}, {{{5}, 0, 2}}, {{{37}, 0, 2}}, {{{0}}}}),
      row("jit",
          one([](const ArrayList& x) {
            return fx::jit([](const Array& a) { return fx::where(a == a, a, a); })(x[0]);
          }),
          {{{{}}}, {{{5}}}, {{{5, 67}}}}),
  };
  // Rounding half away from zero, which only programs written elsewhere ask for.
  rows.push_back(
      row("primitive round",
          one([](const ArrayList& x) { return ops::unary("round", x[0], Site::current()); }),
          {{{{}}}, {{{5}}}, {{{37}}}, {{{0}}}},
          float_dtypes()));
  for (Sample& sample : rows) {
    if (sample.name == "population_count" || sample.name == "clz") sample.dtypes = integer_dtypes();
    if (sample.name == "astype")
      sample.exceptions = {
          {SampleLaw::differences,
           "a conversion to 16 or 32 bits rounds: differences count the steps"},
          {SampleLaw::adjoints, "tangents pass through 16 bits, which round each to 1e-3"},
          {SampleLaw::orders, "as above"}};
  }
  for (const Samples& more : {window_samples(), gather_samples(), random_samples()})
    rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

}  // namespace fluxion::test
