// Talking along a mapped axis: what vmap's axis_name names, seen from inside one example.
#pragma once
#include "tree.hpp"

namespace fluxion {
namespace detail {
Array psum(const Array&, std::string_view axis, const Site&);
Array pmean(const Array&, std::string_view axis, const Site&);
Array pmax(const Array&, std::string_view axis, const Site&);
Array pmin(const Array&, std::string_view axis, const Site&);
Array all_gather(const Array&, std::string_view axis, int at, bool tiled, const Site&);
Array psum_scatter(const Array&, std::string_view axis, int dimension, bool tiled, const Site&);
Array all_to_all(
    const Array&, std::string_view axis, int split, int concat, bool tiled, const Site&);
Array ppermute(const Array&,
               std::string_view axis,
               const std::vector<std::pair<int, int>>&,
               const Site&);

template <class T, class F> T on_leaves(const T& tree, const F& f) {
  Flat arrays = detail::leaves(tree);
  for (Array& a : arrays) a = f(a);
  return detail::rebuild(tree, std::move(arrays));
}
}  // namespace detail

/// The sum over all examples along a named axis, of every array of a tree; the same for all of
/// them. Error axis-name where no vmap around the call has that axis_name (as for all functions
/// here).
template <class T> T psum(const T& x, std::string_view axis, Site site = Site::current()) {
  return detail::on_leaves(x, [&](const Array& a) { return detail::psum(a, axis, site); });
}
/// The mean over all examples; integers become float32.
template <class T> T pmean(const T& x, std::string_view axis, Site site = Site::current()) {
  return detail::on_leaves(x, [&](const Array& a) { return detail::pmean(a, axis, site); });
}
/// The largest over all examples, element by element. Its derivative is shared by those that have
/// it.
template <class T> T pmax(const T& x, std::string_view axis, Site site = Site::current()) {
  return detail::on_leaves(x, [&](const Array& a) { return detail::pmax(a, axis, site); });
}
/// The smallest.
template <class T> T pmin(const T& x, std::string_view axis, Site site = Site::current()) {
  return detail::on_leaves(x, [&](const Array& a) { return detail::pmin(a, axis, site); });
}

struct GatherOptions {
  int axis = 0;  // of the result: where the examples stand
  bool tiled =
      false;  // one after the other along an axis that is there, instead of along a new one
};
/// The arrays of all examples, stacked along a new axis (or joined along an axis, if tiled).
template <class T>
T all_gather(const T& x,
             std::string_view axis,
             GatherOptions options = {},
             Site site = Site::current()) {
  return detail::on_leaves(x, [&](const Array& a) {
    return detail::all_gather(a, axis, options.axis, options.tiled, site);
  });
}
struct ScatterOptions {
  int scatter_dimension = 0;
  bool tiled = false;
};
/// The sum over all examples, of which each gets its own part along scatter_dimension: of size 1,
/// which vanishes, or (tiled) of several.
template <class T>
T psum_scatter(const T& x,
               std::string_view axis,
               ScatterOptions options = {},
               Site site = Site::current()) {
  return detail::on_leaves(x, [&](const Array& a) {
    return detail::psum_scatter(a, axis, options.scatter_dimension, options.tiled, site);
  });
}
/// Example i gets part i along split_axis from each of the others, joined along concat_axis. Not
/// tiled: split_axis has one element for each example and vanishes, and concat_axis is a new axis
/// of the result.
template <class T>
T all_to_all(const T& x,
             std::string_view axis,
             int split_axis,
             int concat_axis,
             bool tiled = false,
             Site site = Site::current()) {
  return detail::on_leaves(x, [&](const Array& a) {
    return detail::all_to_all(a, axis, split_axis, concat_axis, tiled, site);
  });
}
/// Example `to` gets what example `from` has, for each pair {from, to}; examples that get nothing
/// have zeros.
template <class T>
T ppermute(const T& x,
           std::string_view axis,
           const std::vector<std::pair<int, int>>& pairs,
           Site site = Site::current()) {
  return detail::on_leaves(x,
                           [&](const Array& a) { return detail::ppermute(a, axis, pairs, site); });
}
/// The number of this example, int32 of shape ().
Array axis_index(std::string_view axis, Site site = Site::current());
/// How many there are: known when the program is recorded.
std::int64_t axis_size(std::string_view axis, Site site = Site::current());

}  // namespace fluxion
