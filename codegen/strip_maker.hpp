// How strips are formed: which steps go through the same rows (strips.cpp), how many rows are a
// block and where a block's values lie (strip_blocks.cpp).
#pragma once
#include "codegen/host.hpp"
#include "codegen/kernel_mapping.hpp"
#include "codegen/row_units.hpp"
#include "codegen/strips.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace fluxion::codegen {

class StripMaker {
 public:
  StripMaker(Schedule& schedule, std::vector<StepFacts>& facts, Constants constants)
      : schedule_(schedule), facts_(facts), constants_(constants) {}

  void run();

 private:
  struct Member {
    std::size_t step;
    std::optional<RowUnits> units;  // of a kernel
  };
  static std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
  std::vector<Step>& steps() { return schedule_.steps; }
  const Slot& slot(std::int32_t number) const { return schedule_.slots[at(number)]; }

  const MappedKernel& mapped(std::int32_t number) {
    std::unique_ptr<MappedKernel>& known = mapped_[number];
    if (!known)
      known =
          std::make_unique<MappedKernel>(map_kernel(schedule_.kernels[at(number)], host_vector()));
    return *known;
  }

  static bool contains(const std::vector<std::int32_t>& slots, std::int32_t slot) {
    return std::find(slots.begin(), slots.end(), slot) != slots.end();
  }
  bool conflict(std::size_t a, std::size_t b) { return codegen::conflict(steps()[a], steps()[b]); }
  /// A step's k-th buffer: inputs, then outputs.
  static std::int32_t buffer(const Step& step, std::size_t k) {
    const std::size_t inputs = step.inputs.size();
    return k < inputs ? step.inputs[k] : step.outputs[k - inputs];
  }

  bool is_laid_out(std::size_t step) const;
  std::int64_t least_rows(std::size_t step) const;
  std::set<std::size_t> kernels_before(std::size_t product);
  bool from(std::size_t first, std::size_t product);
  bool grow(std::size_t first, std::size_t product);
  void put_last_step_in_place(std::size_t first);
  bool join(std::size_t t);
  bool join_product(std::size_t t);
  bool join_kernel(std::size_t t);
  std::optional<std::size_t> product_before(std::int32_t slot);
  bool writes_own_rows(std::int32_t slot);
  bool worth_it() const;
  bool all_laid_out() const;
  bool choose_block(const std::set<std::int32_t>& own);
  bool divides(const Member&) const;
  std::set<std::int32_t> private_slots();
  bool build(const std::set<std::int32_t>& own);
  void add_product(const Member&, Strip&);
  void add_kernel(const Member&, Strip&);
  detail::Ref<PreparedLeaf> prepare_block(const Member&, std::int64_t rows) const;
  void lay_out_operands();
  struct LocalPlan {
    std::map<std::int32_t, std::size_t> value;  // of a slot: its offset
    std::vector<std::size_t> scratch;           // of a part: its offset
    std::size_t bytes = 0;
  };
  LocalPlan plan_values(const std::set<std::int32_t>& own,
                        std::int64_t rows,
                        std::span<const Strip::Part> parts = {});

  std::int64_t rows_in_all() const { return matrices_ * rows_; }
  void set_rows(std::int64_t rows) {
    matrices_ = rows_in_all() / rows;
    rows_ = rows;
  }
  /// Bytes of one row of a slot.
  std::int64_t row_bytes(std::int32_t number) const {
    return static_cast<std::int64_t>(slot(number).bytes) / rows_in_all();
  }

  Schedule& schedule_;
  std::vector<StepFacts>& facts_;
  Constants constants_;
  std::map<std::int32_t, std::unique_ptr<MappedKernel>> mapped_;
  // Of the strip in the making:
  std::vector<Member> members_;
  std::map<std::int32_t, std::size_t> maker_;  // of a slot: which member
  std::set<std::int32_t> shared_;              // slots that one member makes and another reads
  std::vector<std::size_t> before_, after_;    // steps that were passed over
  std::size_t end_ = 0;                        // behind the last member
  std::set<std::size_t> refused_;              // steps that no block divides
  std::size_t product_ = 0;                    // the one it is made of first
  std::set<std::size_t> leading_;              // kernels that may come before the first product
  std::int64_t matrices_ = 1, rows_ = 0, block_ = 0;
};

}  // namespace fluxion::codegen
