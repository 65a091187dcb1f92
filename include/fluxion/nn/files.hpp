// Checkpoints by member names, and data sets in files.
#pragma once
#include "../fluxion.hpp"

namespace fluxion::nn {

namespace detail {
void save_arrays(const std::string& path,
                 const std::vector<std::string>& names,
                 const std::vector<Array>&,
                 Site);
std::vector<Array> load_arrays(const std::string& path,
                               const std::vector<std::string>& names,
                               const std::vector<Array>& like,
                               Site);
}  // namespace detail

/// Writes the arrays of a tree as a safetensors file, named by the struct's members ("in.weight").
/// Atomic: the file is there whole, or as it was. Error "file" where it cannot be written.
template <class Tree>
void save(const std::string& path, const Tree& tree, Site site = Site::current()) {
  detail::save_arrays(path, tree_paths(tree), tree_leaves(tree), site);
}
/// Fills the arrays of `tree` from a safetensors file by name; arrays in the file that the tree
/// does not name are ignored. Nothing changes where the file does not fit: Error "file" (cannot be
/// read), "safetensors" (is not well-formed), "checkpoint" (a name is missing, a shape or dtype
/// differs).
template <class Tree> void load(const std::string& path, Tree& tree, Site site = Site::current()) {
  tree = fluxion::detail::rebuild(
      tree, detail::load_arrays(path, tree_paths(tree), tree_leaves(tree), site));
}
/// All arrays of a safetensors file with their names, in the file's order. Errors "file",
/// "safetensors".
std::vector<std::pair<std::string, Array>> load_safetensors(const std::string& path,
                                                            Site = Site::current());

/// The array of an idx file, gzipped or not (the format of MNIST). Errors "file", "idx".
Array load_idx(const std::string& path, Site = Site::current());

}  // namespace fluxion::nn
