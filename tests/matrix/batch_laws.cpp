// The laws of batches: what a batched program gives, taken apart again, is what its examples give.
#include "tests/matrix/laws.hpp"

#include <fmt/format.h>

namespace fluxion::test {
namespace {

HostArray slice_of(const HostArray& x, int axis, std::int64_t n) {
  Shape shape;
  std::size_t inner = size_of(x.type.dtype), outer = 1;
  for (int k = 0; k < static_cast<int>(x.type.shape.size()); ++k) {
    const std::int64_t size = x.type.shape[static_cast<std::size_t>(k)];
    if (k != axis) {
      shape.push_back(size);
      (k < axis ? outer : inner) *= static_cast<std::size_t>(size);
    }
  }
  HostArray out(Type{shape, x.type.dtype});
  const std::size_t count = static_cast<std::size_t>(x.type.shape[static_cast<std::size_t>(axis)]);
  for (std::size_t o = 0; o < outer; ++o)
    std::copy_n(x.bytes.data() + (o * count + static_cast<std::size_t>(n)) * inner,
                inner,
                out.bytes.data() + o * inner);
  return out;
}

HostArray stacked(const HostArrays& parts, const Type& type, int axis) {
  Shape shape;
  std::size_t inner = size_of(type.dtype), outer = 1;
  for (int k = 0; k <= static_cast<int>(type.shape.size()); ++k) {
    if (k == axis) shape.push_back(static_cast<std::int64_t>(parts.size()));
    if (k == static_cast<int>(type.shape.size())) break;
    shape.push_back(type.shape[static_cast<std::size_t>(k)]);
    (k < axis ? outer : inner) *= static_cast<std::size_t>(type.shape[static_cast<std::size_t>(k)]);
  }
  HostArray out(Type{shape, type.dtype});
  for (std::size_t n = 0; n < parts.size(); ++n)
    for (std::size_t o = 0; o < outer; ++o)
      std::copy_n(parts[n].bytes.data() + o * inner,
                  inner,
                  out.bytes.data() + (o * parts.size() + n) * inner);
  return out;
}

std::string axes_text(const std::vector<int>& axes) {
  std::string text;
  for (int axis : axes) text += (text.empty() ? "" : ", ") + std::to_string(axis);
  return text;
}

std::string batch_difference(const GraphRef& graph,
                             const std::vector<HostArrays>& examples,
                             const std::vector<int>& axes) {
  const HostArrays& shared = examples.back();
  const auto size = static_cast<std::int64_t>(examples.size()) - 1;
  HostArrays inputs;
  for (std::size_t k = 0; k < shared.size(); ++k) {
    HostArrays parts;
    for (std::int64_t n = 0; n < size; ++n)
      parts.push_back(examples[static_cast<std::size_t>(n)][k]);
    inputs.push_back(axes[k] == unbatched ? shared[k] : stacked(parts, shared[k].type, axes[k]));
  }
  const BatchedGraph b = batch_graph(graph, axes, size);
  const HostArrays found = interpreted(*b.graph, inputs);
  const std::string where = fmt::format("batch of {} along [{}]: ", size, axes_text(axes));
  const Types types = graph->output_types();
  for (std::size_t k = 0; k < found.size(); ++k)
    if (b.axes[k] != unbatched &&
        found[k].type.shape !=
            stacked(HostArrays(static_cast<std::size_t>(size), HostArray(types[k])),
                    types[k],
                    b.axes[k])
                .type.shape)
      return where + "a result has another shape";
  for (std::int64_t n = 0; n < size; ++n) {
    HostArrays one;
    for (std::size_t k = 0; k < shared.size(); ++k)
      one.push_back(axes[k] == unbatched ? shared[k] : examples[static_cast<std::size_t>(n)][k]);
    const HostArrays wanted = interpreted(*graph, one);
    HostArrays got;
    for (std::size_t k = 0; k < found.size(); ++k)
      got.push_back(b.axes[k] == unbatched ? found[k] : slice_of(found[k], b.axes[k], n));
    if (std::string d = difference(got, wanted); !d.empty())
      return where + fmt::format("example {}, ", n) + d;
  }
  return "";
}

/// Every way to batch at least one input, numbered: each input is unbatched or has the axis at one
/// of its places.
class Choices {
 public:
  explicit Choices(const Graph& graph) {
    for (const Type& type : graph.input_types()) {
      ways_.push_back(type.shape.size() + 2);
      all_ *= ways_.back();
    }
  }
  std::uint64_t count() const { return all_ - 1; }
  std::vector<int> operator[](std::uint64_t number) const {
    std::vector<int> axes;
    ++number;
    for (std::uint64_t ways : ways_) {
      axes.push_back(unbatched + static_cast<int>(number % ways));
      number /= ways;
    }
    return axes;
  }

 private:
  std::vector<std::uint64_t> ways_;
  std::uint64_t all_ = 1;
};

}  // namespace

std::string law_of_batches(const GraphRef& graph, const OperandSampler& samples, int most) {
  const Choices choices(*graph);
  const auto spread = static_cast<std::uint64_t>(most);
  const std::uint64_t step = (choices.count() + spread - 1) / spread;
  for (std::size_t size : {3, 0}) {
    std::vector<HostArrays> examples;
    for (std::size_t n = 0; n <= size; ++n) examples.push_back(samples(static_cast<unsigned>(n)));
    for (std::uint64_t c = 0; c < choices.count(); c += step)
      if (std::string d = batch_difference(graph, examples, choices[c]); !d.empty()) return d;
  }
  return "";
}

std::string law_of_nested_batches(const GraphRef& graph, const OperandSampler& samples) {
  const auto inputs = static_cast<std::size_t>(graph->input_count());
  if (inputs == 0) return "";
  const std::vector<int> front(inputs, 0), second(inputs, 1);
  const BatchedGraph inner = batch_graph(graph, front, 3);
  const BatchedGraph outer = batch_graph(inner.graph, front, 2);
  const BatchedGraph other_inner = batch_graph(graph, front, 2);
  const BatchedGraph other = batch_graph(other_inner.graph, second, 3);
  HostArrays all;
  for (std::size_t k = 0; k < inputs; ++k) {
    HostArrays rows;
    for (unsigned i = 0; i < 2; ++i) {
      HostArrays row;
      for (unsigned j = 0; j < 3; ++j) row.push_back(samples(3 * i + j)[k]);
      rows.push_back(stacked(row, row[0].type, 0));
    }
    all.push_back(stacked(rows, rows[0].type, 0));
  }
  const HostArrays a = interpreted(*outer.graph, all), b = interpreted(*other.graph, all);
  const auto part = [](const HostArrays& found,
                       std::size_t k,
                       const BatchedGraph& outside,
                       std::int64_t n,
                       const BatchedGraph& inside,
                       std::int64_t m) {
    HostArray x = outside.axes[k] == unbatched ? found[k] : slice_of(found[k], outside.axes[k], n);
    return inside.axes[k] == unbatched ? x : slice_of(x, inside.axes[k], m);
  };
  for (unsigned i = 0; i < 2; ++i)
    for (unsigned j = 0; j < 3; ++j) {
      const HostArrays wanted = interpreted(*graph, samples(3 * i + j));
      HostArrays one, two;
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        one.push_back(part(a, k, outer, i, inner, j));
        two.push_back(part(b, k, other, j, other_inner, i));
      }
      if (std::string d = difference(one, wanted); !d.empty())
        return fmt::format("batched twice, example {}, {}: {}", i, j, d);
      if (std::string d = difference(two, wanted); !d.empty())
        return fmt::format("batched twice in the other order, example {}, {}: {}", i, j, d);
    }
  return "";
}

}  // namespace fluxion::test
