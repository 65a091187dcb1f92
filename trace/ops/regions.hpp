// What operations that hold programs share: masks, lists with holes, results of a run copied out.
#pragma once
#include "trace/graph.hpp"

#include <cstring>

namespace fluxion::ops {

/// Which of the arrays are there.
inline std::vector<bool> given_of(Arrays arrays) {
  std::vector<bool> given;
  for (const Array& a : arrays) given.push_back(defined(a));
  return given;
}

/// The arrays of `some` at the places marked in `mask`, empty ones elsewhere.
inline ArrayList spread(Arrays some, const std::vector<bool>& mask) {
  ArrayList all(mask.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i]) all[i] = some[next++];
  return all;
}

inline void append_defined(ArrayList& to, Arrays from) {
  for (const Array& a : from)
    if (defined(a)) to.push_back(a);
}

/// What a program gave, as the results of the operation that holds it.
inline void copy_results(const std::vector<detail::Ref<Buffer>>& from, Tensors to) {
  for (std::size_t k = 0; k < to.size(); ++k) {
    if (const std::size_t bytes = bytes_of(to[k].type))
      std::memcpy(to[k].data, from[k]->data(), bytes);
  }
}

/// Whether an operation of the program can be seen from outside.
inline bool has_effects(const Graph& graph) {
  for (const Operation& o : graph.operations())
    if (o.op.effects()) return true;
  return false;
}

/// A closed program of inputs of these types: what `body` records for them.
GraphRef record_graph(TypeList inputs, const std::function<ArrayList(Arrays)>& body);
/// The program with its inputs in another order, some dropped: new input k is old input `order[k]`,
/// of which those missing are not read.
GraphRef reordered(const GraphRef&, const std::vector<std::size_t>& order);
/// Which inputs the marked outputs (and effects) depend on.
std::vector<bool> needed_inputs(const Graph&, const std::vector<bool>& outputs);
/// Which outputs depend on one of the marked inputs.
std::vector<bool> reached_outputs(const Graph&, const std::vector<bool>& inputs);
/// The outputs marked, with nothing computed for the others.
GraphRef with_marked_outputs(const GraphRef&, const std::vector<bool>& keep);
/// One row of an array, and as many rows.
Type row_type(const Type&);
Type rows_type(const Type&, std::int64_t length);
/// The array, or zeros.
Array or_zeros_of(const Array&, const Type&);
/// The entries of a list that are marked.
template <class List> auto marked(const List& list, const std::vector<bool>& mask) {
  std::vector<std::remove_cvref_t<decltype(list[0])>> out;
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i]) out.push_back(list[i]);
  return out;
}
/// The lists, one after the other.
inline ArrayList list(std::initializer_list<Arrays> parts) {
  ArrayList all;
  for (Arrays part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace fluxion::ops
