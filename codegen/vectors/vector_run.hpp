// The state of a thread that interprets a kernel over lanes.
#pragma once
#include "codegen/vectors/vector_program.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace fluxion::codegen {

class VectorRun {
 public:
  VectorRun(const VectorProgram&, void* const* buffers);
  void phase(const PhaseMapping&, std::int64_t begin, std::int64_t end);

 private:
  using Access = kernel::Access;
  using Block = kernel::Block;
  using Id = kernel::Id;
  using Instruction = kernel::Instruction;
  using LaneLoop = VectorProgram::LaneLoop;
  using Loop = kernel::Loop;

  /// Neighbouring lanes whose elements follow each other in steps.
  struct Neighbours {
    std::int64_t first, count;
  };

  static std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
  std::byte* place(std::size_t offset) const { return memory_.get() + offset; }
  std::int64_t* numbers(std::size_t offset) const {
    return reinterpret_cast<std::int64_t*>(place(offset));
  }
  std::byte* lanes_of(Id id) const { return place(p_.code_[at(id)].place); }
  std::int64_t first_number(Id id) const { return *numbers(p_.code_[at(id)].place); }
  std::int64_t extent(std::int32_t variable) const { return k_.variables[at(variable)].extent; }
  std::int32_t bytes_of(Id id) const { return p_.code_[at(id)].bytes; }

  // lanes
  static void fill_lanes(std::byte* to, std::int32_t bytes, std::uint64_t bits, std::int64_t count);
  /// The first lane's value in all others.
  void spread(Id);
  /// `own_rows`: every lane has its own row of the scratch buffers.
  void begin_lanes(const LaneLoop&, bool own_rows);
  void end_lanes();
  /// Lanes for `count` values of the lanes' variable from what it is now.
  void add_lanes(const LaneLoop&, std::int64_t count);
  void add_unit(const PhaseMapping&, const LaneLoop&, std::int64_t chunk);
  void run_lanes(const Block& body);

  // instructions
  void block(const Block&);
  void instruction(Id);
  void index(std::int32_t variable, std::int64_t* to);

  // memory; accesses by their numbers
  /// What all lanes share of an access's offset; the rest is in `bases_`.
  std::int64_t shared_offset(const Access&) const;
  /// Whether lanes go their own ways.
  bool scattered(const Access&) const;
  /// Calls f(first lane, count, offset, step) for neighbours.
  template <class F> void each_run(std::size_t access, const F& f) const;
  /// The element of each lane.
  const std::int64_t* all_offsets(std::size_t access) const;
  /// Null: all lanes.
  const bool* predicate(const Access&) const;
  void load(const VectorProgram::Code&, std::size_t access);
  void store(Id value, std::size_t access);
  void update(Id);
  void table(const VectorProgram::Code&, const kernel::Table&);

  // loops
  void loop(std::int32_t number);
  template <class F>
  void each_point(const std::vector<std::int32_t>& variables, std::size_t level, const F& f);
  /// Runs the body with lanes for the values of one variable of a loop, a part of them at a time,
  /// for every point of the others; calls f() after each.
  template <class F> void each_part(const Loop&, const LaneLoop&, const F& f);
  void reduce(std::int32_t number);
  void reduce_lanes(std::int32_t number, const LaneLoop&);
  void serial(std::int32_t number);

  // carries: the states of one begin at state(loop, carry), each as many words apart as there are
  // lanes at most
  std::byte* state(std::int32_t number, std::size_t carry, std::int64_t which = 0) const;
  void copy_lanes(std::byte* to, const std::byte* from, std::int32_t bytes) const;
  void set_initial(std::int32_t number);
  void set_identities(std::int32_t number, std::int64_t lanes);
  void set_results(std::int32_t number);
  /// Combines elements of the loop's body, from lane `from` on, with the first lanes of the state
  /// `which` of every carry.
  void combine_elements(std::int32_t number,
                        std::int64_t which,
                        std::int64_t from,
                        std::int64_t count);
  /// Combines partial results; both functions give the place of a carry's.
  template <class Into, class From>
  void combine_partial(std::int32_t number, const Into& into, const From& from, std::int64_t count);
  /// The results are the initial values combined with the first states.
  void finish_tree(std::int32_t number);

  const VectorProgram& p_;
  const kernel::Kernel& k_;
  std::unique_ptr<std::byte, decltype(&std::free)> memory_;
  std::vector<std::byte*> buffers_;
  std::int64_t *bases_, *offsets_;       // of accesses for each of `runs_`; of each lane
  std::int64_t *values_, *lane_values_;  // of variables: now; for each of `runs_`
  std::vector<char> own_;                // of each variable: lanes have values of their own
  std::vector<std::int64_t> strides_;    // of accesses, along the lanes
  const LaneLoop* active_ = nullptr;     // null: one lane
  bool own_rows_ = false;
  std::vector<Neighbours> runs_;
  std::int64_t count_ = 1;  // of lanes
};

}  // namespace fluxion::codegen
