// Closed graphs transformed to closed graphs, each (program with its lines, transformation, mask)
// once.
#include "trace/graph_transforms.hpp"

#include "trace/ops/collectives.hpp"
#include "transforms/walk.hpp"

#include <mutex>
#include <unordered_map>

namespace fluxion {
namespace {

bool same_lines(const Graph& a, const Graph& b) {
  for (std::size_t i = 0; i < a.operations().size(); ++i) {
    const Site &x = a.operations()[i].site, &y = b.operations()[i].site;
    if (x.line() != y.line() || x.column() != y.column() || x.file_name() != y.file_name())
      return false;
  }
  return true;
}

std::uint64_t hash_mask(const std::vector<bool>& m) {
  std::uint64_t h = m.size();
  for (bool b : m) h = mix(h, b);
  return h;
}
std::uint64_t hash_mask(const std::vector<int>& m) {
  std::uint64_t h = m.size();
  for (int v : m) h = mix(h, static_cast<std::uint64_t>(v));
  return h;
}

/// Results by (graph, key). Bounded: begins again when full.
template <class Key, class Result> class Memo {
 public:
  template <class Make>
  Result find(const GraphRef& g, const Key& key, std::uint64_t key_hash, Make make) {
    const std::uint64_t hash = mix(g->hash(), key_hash);
    {
      std::lock_guard guard(lock_);
      auto [from, to] = entries_.equal_range(hash);
      for (auto e = from; e != to; ++e)
        if (e->second.key == key && same_program(*e->second.graph, *g) &&
            same_lines(*e->second.graph, *g))
          return e->second.result;
    }
    Result result = make();  // outside the lock: it records, and may ask for other transformations
    std::lock_guard guard(lock_);
    if (entries_.size() >= 4096) entries_.clear();
    entries_.emplace(hash, Entry{g, key, result});
    return result;
  }

 private:
  struct Entry {
    GraphRef graph;
    Key key;
    Result result;
  };
  std::mutex lock_;
  std::unordered_multimap<std::uint64_t, Entry> entries_;
};

/// A number for a name: the same for the same name.
int number_of(std::string_view name) {
  static std::mutex lock;
  static auto* const numbers = new std::unordered_map<std::string, int>;
  const std::lock_guard guard(lock);
  return numbers->emplace(std::string(name), static_cast<int>(numbers->size())).first->second;
}

ArrayList fresh_inputs(FrameScope& scope, TypeList types) {
  ArrayList out;
  for (const Type& t : types) out.push_back(scope.input(t, scope.frame().site));
  return out;
}

/// The graph of what was recorded; a transformation of a closed graph captures nothing.
GraphRef close(FrameScope& scope, Arrays outputs) {
  Traced t = scope.close(outputs);
  if (!t.captures.empty())  // only the rule of a custom_vmap function runs user's code here
    fail("rule-capture",
         scope.frame().site,
         "custom_vmap: the rule captured an array, and is asked for inside a program that is "
         "closed (jit, a loop, another rule)",
         {"the array is " + to_string(type_of(t.captures[0]))},
         "pass it as an argument");
  return t.graph;
}

ArrayList append(ArrayList a, Arrays b) {
  for (const Array& x : b)
    if (defined(x)) a.push_back(x);
  return a;
}

std::vector<bool> which(Arrays a) {
  std::vector<bool> out;
  for (const Array& x : a) out.push_back(defined(x));
  return out;
}

}  // namespace

JvpGraph jvp_graph(const GraphRef& g, const std::vector<bool>& active) {
  static Memo<std::vector<bool>, JvpGraph> memo;
  return memo.find(g, active, hash_mask(active), [&] {
    FrameScope scope(Frame::Kind::unbound, "jvp", Site::current());
    const ArrayList x = fresh_inputs(scope, g->input_types());
    ArrayList dx(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      if (active[i]) dx[i] = scope.input(type_of(x[i]), scope.frame().site);
    Both both = differentiate(*g, Derivative::jvp, x, dx);
    const std::vector<bool> nonzero = which(both.tangents);
    return JvpGraph{close(scope, append(std::move(both.values), both.tangents)), nonzero};
  });
}

LinearizedGraph linearize_graph(const GraphRef& g, const std::vector<bool>& active) {
  static Memo<std::vector<bool>, LinearizedGraph> memo;
  return memo.find(g, active, hash_mask(active), [&] {
    FrameScope forward(Frame::Kind::unbound, "linearize", Site::current());
    const ArrayList x = fresh_inputs(forward, g->input_types());
    FrameScope linear(Frame::Kind::bound, "a derivative", Site::current());
    ArrayList dx(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      if (active[i]) dx[i] = linear.input(type_of(x[i]), linear.frame().site);
    Both both = differentiate(*g, Derivative::linearize, x, dx);
    const std::vector<bool> nonzero = which(both.tangents);
    const Traced tangent = linear.close(append({}, both.tangents));
    const std::size_t residuals = tangent.captures.size();
    const GraphRef program = close(forward, append(std::move(both.values), tangent.captures));
    // The linear program's inputs are tangents, then residuals; the contract wants residuals first.
    FrameScope order(Frame::Kind::unbound, "linearize", Site::current());
    const auto n_tangents = static_cast<std::size_t>(tangent.graph->input_count()) - residuals;
    const TypeList types = tangent.graph->input_types();
    const ArrayList r = fresh_inputs(order, types.subspan(n_tangents)),
                    t = fresh_inputs(order, types.first(n_tangents));
    const GraphRef reordered = close(order, inline_graph(*tangent.graph, append(t, r)));
    return LinearizedGraph{program, reordered, residuals, nonzero};
  });
}

TransposedGraph transpose_graph(const GraphRef& g,
                                const std::vector<bool>& linear,
                                const std::vector<bool>& given,
                                const std::vector<bool>& seeded) {
  static Memo<std::vector<bool>, TransposedGraph> memo;
  std::vector<bool> key = linear;
  key.insert(key.end(), given.begin(), given.end());
  key.insert(key.end(), seeded.begin(), seeded.end());
  return memo.find(g, key, hash_mask(key), [&] {
    FrameScope scope(Frame::Kind::unbound, "transpose", Site::current());
    ArrayList inputs, cotangents;
    for (std::size_t i = 0; i < linear.size(); ++i)
      inputs.push_back(
          linear[i] ? Array() : scope.input(g->type(static_cast<ValueId>(i)), scope.frame().site));
    for (std::size_t i = 0; i < given.size(); ++i)
      cotangents.push_back(given[i] ? scope.input(g->type(g->outputs()[i]), scope.frame().site)
                                    : Array());
    ArrayList seeds;  // by input
    for (std::size_t i = 0, k = 0; i < linear.size() && !seeded.empty(); ++i)
      seeds.push_back(linear[i] && seeded[k++]
                          ? scope.input(g->type(static_cast<ValueId>(i)), scope.frame().site)
                          : Array());
    const ArrayList out = transpose(*g, inputs, cotangents, seeds);
    return TransposedGraph{close(scope, append({}, out)), which(out)};
  });
}

BatchedGraph batch_graph(const GraphRef& g, const std::vector<int>& at, std::int64_t size) {
  static Memo<std::vector<int>, BatchedGraph> memo;
  std::vector<int> key = at;
  key.push_back(static_cast<int>(size));
  key.push_back(static_cast<int>(size >> 32));
  if (const std::string_view axis = ops::batched_axis(); ops::speaks_along(*g, axis))
    key.push_back(number_of(axis));
  return memo.find(g, key, hash_mask(key), [&] {
    FrameScope scope(Frame::Kind::unbound, "vmap", Site::current());
    ArrayList inputs;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const Type& one = g->type(static_cast<ValueId>(i));
      Type many{{}, one.dtype};
      const int rank = static_cast<int>(one.shape.size());
      for (int k = 0; k <= rank; ++k) {
        if (k == at[i]) many.shape.push_back(size);
        if (k < rank) many.shape.push_back(one.shape[static_cast<std::size_t>(k)]);
      }
      inputs.push_back(scope.input(many, scope.frame().site));
    }
    Batched out = batch(*g, inputs, at, size);
    return BatchedGraph{close(scope, out.results), out.axes};
  });
}

}  // namespace fluxion
