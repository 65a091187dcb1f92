// One phase of a kernel as one CUDA function: what is printed so far, and what is known of it.
#pragma once
#include "codegen/cuda/mapping.hpp"
#include "codegen/cuda/verbs.hpp"

#include <fmt/format.h>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace fluxion::codegen {

/// Prints one function. In *group scope* all threads of a group run the same text on the same
/// values; a loop that they share puts each of them into its own scope, *thread scope*.
class CudaPrinter {
 public:
  CudaPrinter(const kernel::Kernel&, const CudaPhase&, std::string name);
  std::string function(const std::string& entry);
  bool barriers() const { return barriers_; }

 private:
  using Id = kernel::Id;
  using Names = std::vector<std::string>;

  template <class... Parts> void line(fmt::format_string<Parts...> format, Parts&&... parts) {
    text_.append(2 * static_cast<std::size_t>(depth_), ' ');
    fmt::format_to(std::back_inserter(text_), format, std::forward<Parts>(parts)...);
    text_ += '\n';
  }
  template <class... Parts> void open(fmt::format_string<Parts...> format, Parts&&... parts) {
    line(format, std::forward<Parts>(parts)...);
    ++depth_;
  }
  void close(const char* brace = "}") {
    --depth_;
    line("{}", brace);
  }

  const kernel::Instruction& at(Id id) const {
    return kernel_.instructions[static_cast<std::size_t>(id)];
  }
  const kernel::Loop& loop(std::int32_t number) const {
    return kernel_.loops[static_cast<std::size_t>(number)];
  }
  std::int64_t extent(std::int32_t variable) const {
    return kernel_.variables[static_cast<std::size_t>(variable)].extent;
  }
  std::string& variable(std::int32_t v) { return variables_[static_cast<std::size_t>(v)]; }

  // print.cpp: functions
  void signature(const std::string& entry);
  void needed_at_top(const kernel::Block&, std::vector<bool>& needed) const;
  void top_instructions();
  void rows(const std::string& owner);
  void local_rows();
  void over_units(const std::function<void()>& body);
  void split_units(const std::vector<std::int32_t>& variables, int elements);
  void elements();
  bool moves_whole(const kernel::Access&, std::int32_t variable) const;
  void neighbours(std::int32_t variable);

  // print_values.cpp: values and memory
  std::string value(Id) const;
  const char* type(Id id) const { return cuda_type(at(id).type); }
  const char* index_type(std::int32_t v) const;
  std::string offset(const kernel::Affine&) const;
  std::string element(const kernel::Access&) const;
  std::string loaded(const kernel::Instruction&) const;
  void store(const kernel::Instruction&);
  void update(const kernel::Instruction&);
  void instruction(Id);

  // print_loops.cpp: blocks and loops
  struct Effects {
    bool reads = false;    // any memory
    bool rereads = false;  // memory that the kernel writes
    bool writes = false;
    bool single = false;  // one thread alone writes
  };
  void add_effects(const kernel::Block&, Effects&) const;
  Effects effects_of(const kernel::Item&) const;
  void barrier();
  void block(const kernel::Block&);
  void print_item(const kernel::Item&);
  void print_loop(std::int32_t number);
  std::string bound(const kernel::Loop&, std::size_t level) const;
  void nest(const kernel::Loop&, std::size_t levels, const std::function<void()>& body);
  void parallel(const kernel::Loop&);
  void carried(std::int32_t number);
  void repeat_while(std::int32_t number);
  void settle(const kernel::Loop&);
  void together(const kernel::Loop&, const std::function<void()>& body);
  void next_carries(std::int32_t number);
  Names state(std::int32_t number, const std::string& suffix = "") const;
  void declare(const kernel::Loop&, const Names&, bool identities);
  void accumulate(const kernel::Loop&, const Names& into, const Names& elements, bool factors);
  Names elements_of(const kernel::Loop&) const;
  void with_initial(std::int32_t number, const Names& partial);
  void tree_in_thread(std::int32_t number);
  void tree_in_group(std::int32_t number);
  void fold_in_warp(std::int32_t number, std::int64_t live);
  void fold_in_block(std::int32_t number);

  const kernel::Kernel& kernel_;
  const CudaPhase& phase_;
  std::string name_;
  std::string text_;
  int depth_ = 0;
  Names variables_;                 // what a loop variable is called
  std::vector<std::string> packs_;  // what an access's neighbours are called
  bool group_scope_ = false;
  bool barriers_ = false;
  Effects pending_;  // since the last barrier
};

}  // namespace fluxion::codegen
