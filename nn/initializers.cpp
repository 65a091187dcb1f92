// Where weights begin: distributions scaled by how many numbers meet in a unit.
#include "fluxion/nn/initializers.hpp"

#include <cmath>
#include <sstream>

namespace fluxion::nn {
namespace {

struct Fans {
  double in, out;
};

Fans fans_of(const Shape& shape, const Site& site) {
  if (shape.size() < 2) {
    std::ostringstream text;
    text << "initializer: a weight of shape " << shape
         << " has no fans\n  = hint: shapes are [..., in, out]; for biases use fx::zeros";
    throw Error("initializer", site, text.str());
  }
  double window = 1;
  for (std::size_t i = 0; i + 2 < shape.size(); ++i) window *= static_cast<double>(shape[i]);
  return {window * static_cast<double>(shape[shape.size() - 2]),
          window * static_cast<double>(shape[shape.size() - 1])};
}

Array scaled_normal(const Operand& key, const Shape& shape, double variance, DType dtype) {
  return random::normal(Operand(key.array(), key.site()), shape, dtype) * std::sqrt(variance);
}
Array scaled_uniform(const Operand& key, const Shape& shape, double limit, DType dtype) {
  return random::uniform(Operand(key.array(), key.site()), shape, dtype) * (2 * limit) - limit;
}

}  // namespace

Array glorot_uniform(const Operand& key, const Shape& shape, DType dtype) {
  const SiteScope here(key.site());
  const Fans f = fans_of(shape, key.site());
  return scaled_uniform(key, shape, std::sqrt(6 / (f.in + f.out)), dtype);
}
Array glorot_normal(const Operand& key, const Shape& shape, DType dtype) {
  const SiteScope here(key.site());
  const Fans f = fans_of(shape, key.site());
  return scaled_normal(key, shape, 2 / (f.in + f.out), dtype);
}
Array he_uniform(const Operand& key, const Shape& shape, DType dtype) {
  const SiteScope here(key.site());
  return scaled_uniform(key, shape, std::sqrt(6 / fans_of(shape, key.site()).in), dtype);
}
Array he_normal(const Operand& key, const Shape& shape, DType dtype) {
  const SiteScope here(key.site());
  return scaled_normal(key, shape, 2 / fans_of(shape, key.site()).in, dtype);
}
Array lecun_normal(const Operand& key, const Shape& shape, DType dtype) {
  const SiteScope here(key.site());
  return scaled_normal(key, shape, 1 / fans_of(shape, key.site()).in, dtype);
}

Array orthogonal(const Operand& key, const Shape& shape, double scale, DType dtype) {
  const SiteScope here(key.site());
  if (shape.size() != 2) {
    std::ostringstream text;
    text << "initializer: orthogonal makes matrices, the shape is " << shape;
    throw Error("initializer", key.site(), text.str());
  }
  const bool wide = shape[0] < shape[1];
  const std::int64_t rows = wide ? shape[1] : shape[0], columns = wide ? shape[0] : shape[1];
  const Array a = random::normal(Operand(key.array(), key.site()), {columns, rows}, dtype);
  // Row by row against the rows before, twice ("twice is enough", Giraud et al. 2005).
  Array basis = zeros({columns, rows}, dtype);
  for (std::int64_t i = 0; i < columns; ++i) {
    Array v = a[i];
    for (int pass = 0; pass < 2; ++pass) v = v - matmul(matmul(basis, v), basis);
    basis = basis.at(i).set(v / sqrt(sum(square(v))));
  }
  return (wide ? basis : transpose(basis)) * scale;
}

}  // namespace fluxion::nn
