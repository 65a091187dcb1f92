// Reductions down the columns: the loop over rows goes outside, so that memory is walked in its own
// order, and the columns' accumulators wait in a row of scratch memory. The order in which a column
// combines its elements stays.
#include "codegen/kernel_mapping.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>

namespace fluxion::codegen {

namespace {

using kernel::Access;
using kernel::Affine;
using kernel::Builder;
using kernel::Combiner;
using kernel::Id;
using kernel::Index;
using kernel::Instruction;
using kernel::Item;
using kernel::Kernel;
using kernel::Loop;
using kernel::LoopKind;
using kernel::Role;
using kernel::Scalar;
using kernel::Tree;
using kernel::Verb;

constexpr std::int64_t least_columns = 128, block_of_columns = 512;
constexpr std::int64_t least_rows = 16;
constexpr std::int64_t far_bytes = 1024;  // from row to row
constexpr std::size_t most_accumulators = 8;

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

class Interchange {
 public:
  explicit Interchange(const Kernel& from) : from_(from), to_(from.name) {}

  /// Whether the kernel is one band of columns that are reduced from far-apart rows.
  bool applies() {
    std::int32_t bands = 0;
    for (const Item& item : from_.top)
      if (item.is_loop) band_ = item.index, ++bands;
    if (bands != 1) return false;
    const Loop& band = from_.loops[at(band_)];
    if (band.kind != LoopKind::parallel || band.variables.empty()) return false;
    column_ = band.variables.back();
    columns_ = extent(column_);
    if (columns_ < least_columns) return false;
    std::size_t accumulators = 0;
    for (const Item& item : band.body) {
      if (!item.is_loop) continue;
      const Loop& loop = from_.loops[at(item.index)];
      if (!is_column_reduction(loop)) return false;
      reductions_.push_back(item.index);
      accumulators += loop.carries.size();
    }
    if (reductions_.empty() || accumulators > most_accumulators) return false;
    return std::none_of(from_.instructions.begin(), from_.instructions.end(), [&](const auto& i) {
      return i.verb == Verb::update || i.verb == Verb::carry ||
             (i.verb == Verb::load && buffer_of(i).role != Role::input);
    });
  }

  Kernel run() {
    for (const kernel::BufferDecl& b : from_.buffers) to_.buffer(b.dtype, b.role, b.count);
    for (const kernel::Table& table : from_.tables) to_.table(table.dtype, table.bits);
    const std::int64_t blocks = (columns_ + block_of_columns - 1) / block_of_columns;
    if (columns_ % blocks == 0) {
      columns(0, blocks, columns_ / blocks);
    } else {
      columns(0, columns_ / block_of_columns, block_of_columns);
      columns(columns_ - columns_ % block_of_columns, 1, columns_ % block_of_columns);
    }
    return to_.finish();
  }

 private:
  std::int64_t extent(std::int32_t variable) const { return from_.variables[at(variable)].extent; }
  const Access& access_of(const Instruction& i) const { return from_.accesses[i.bits]; }
  const kernel::BufferDecl& buffer_of(const Instruction& i) const {
    return from_.buffers[at(access_of(i).buffer)];
  }
  Shape extents(const Loop& loop) const {
    Shape shape;
    for (std::int32_t v : loop.variables) shape.push_back(extent(v));
    return shape;
  }

  bool is_column_reduction(const Loop& loop) const {
    if (loop.kind != LoopKind::reduce || loop.tree != Tree::sequential || loop.trip_count >= 0)
      return false;
    for (const kernel::Carry& carry : loop.carries)
      if (carry.combiner == Combiner::arg_min || carry.combiner == Combiner::arg_max) return false;
    std::int64_t rows = 1;
    for (std::int32_t v : loop.variables) rows *= extent(v);
    if (rows < least_rows) return false;
    bool far = false;
    for (const Item& item : loop.body) {
      if (item.is_loop) return false;
      const Instruction& i = from_.instructions[at(item.index)];
      if (i.verb != Verb::load) continue;
      const std::int64_t row = stride(access_of(i).offset, loop.variables.back());
      const std::int64_t across = stride(access_of(i).offset, column_);
      if (row == 1 && across > 1) return false;  // a transpose besides
      far = far || (across == 1 && row * kernel::bytes_of(i.type) >= far_bytes);
    }
    return far;
  }

  /// `blocks` blocks of `width` columns each, from column `begin`.
  void columns(std::int64_t begin, std::int64_t blocks, std::int64_t width) {
    const Loop& band = from_.loops[at(band_)];
    Shape domain;
    for (std::int32_t v : band.variables) domain.push_back(v == column_ ? blocks : extent(v));
    accumulators_.clear();
    for (std::int32_t number : reductions_)
      for (const kernel::Carry& carry : from_.loops[at(number)].carries)
        accumulators_[carry.result] =
            to_.buffer(from_.instructions[at(carry.result)].type, Role::scratch, width);
    known_.clear();
    to_.parallel(domain, [&](const Index& index) {
      for (std::size_t k = 0; k + 1 < index.size(); ++k) variables_[band.variables[k]] = index[k];
      first_ = index.back() * width + begin;
      for (std::size_t done = 0; done < reductions_.size();) {
        const std::size_t together = independent(done);
        reduce(done, together, width);
        done += together;
      }
      each_column(width, [&] {
        // All is read before anything is stored: a result may lie where an operand of another does.
        std::vector<Stored> all;
        for (const Item& item : band.body)
          if (!item.is_loop && from_.instructions[at(item.index)].verb == Verb::store)
            all.push_back(stored(from_.instructions[at(item.index)]));
        for (const Stored& one : all) put(one);
      });
    });
  }

  void each_column(std::int64_t width, const std::function<void()>& body) {
    to_.parallel({width}, [&](const Index& j) {
      lane_ = j[0];
      variables_[column_] = first_ + lane_;
      body();
    });
  }

  /// How many reductions from this one on run over the same rows and need nothing of each other.
  std::size_t independent(std::size_t begin) const {
    std::set<Id> made;
    std::size_t count = 0;
    for (std::size_t k = begin; k < reductions_.size(); ++k, ++count) {
      const Loop& loop = from_.loops[at(reductions_[k])];
      if (!(extents(loop) == extents(from_.loops[at(reductions_[begin])]))) break;
      const bool free = std::none_of(loop.carries.begin(), loop.carries.end(), [&](const auto& c) {
        return reads(c.initial, made) || reads(c.element, made) || reads(c.factor, made);
      });
      if (!free) break;
      for (const kernel::Carry& carry : loop.carries) made.insert(carry.result);
    }
    return count;
  }
  /// Whether a value is computed from one of `made`.
  bool reads(Id id, const std::set<Id>& made) const {
    std::set<Id> seen;
    const auto walk = [&](const auto& self, Id value) -> bool {
      if (value < 0 || !seen.insert(value).second) return false;
      if (made.contains(value)) return true;
      const Instruction& i = from_.instructions[at(value)];
      if (i.verb == Verb::result) return false;
      const Id operands[] = {i.a, i.b, i.c};
      for (int k = 0; k < kernel::operand_count(i.verb); ++k)
        if (self(self, operands[k])) return true;
      if (i.verb != Verb::load) return false;
      const Access& access = access_of(i);
      return self(self, access.predicate) || self(self, access.otherwise) ||
             std::any_of(access.offset.opaque.begin(),
                         access.offset.opaque.end(),
                         [&](const Affine::Term& term) { return self(self, term.of); });
    };
    return !made.empty() && walk(walk, id);
  }

  void reduce(std::size_t begin, std::size_t count, std::int64_t width) {
    const auto each_carry = [&](const std::function<void(const kernel::Carry&)>& visit) {
      for (std::size_t k = begin; k < begin + count; ++k)
        for (const kernel::Carry& carry : from_.loops[at(reductions_[k])].carries) visit(carry);
    };
    each_column(width, [&] {
      each_carry([&](const kernel::Carry& carry) {
        to_.store(accumulators_[carry.result], lane_, value(carry.initial));
      });
    });
    to_.serial(extents(from_.loops[at(reductions_[begin])]),
               {},
               [&](const Index& row, const std::vector<Scalar>&) {
                 for (std::size_t k = begin; k < begin + count; ++k) {
                   const Loop& loop = from_.loops[at(reductions_[k])];
                   for (std::size_t v = 0; v < row.size(); ++v)
                     variables_[loop.variables[v]] = row[v];
                 }
                 each_column(width,
                             [&] { each_carry([&](const auto& carry) { combine(carry); }); });
                 return std::vector<Scalar>();
               });
  }

  void combine(const kernel::Carry& carry) {
    const std::int32_t buffer = accumulators_[carry.result];
    const Scalar sum = to_.load(buffer, lane_), element = value(carry.element);
    to_.store(buffer,
              lane_,
              carry.factor >= 0 ? kernel::fma(element, value(carry.factor), sum)
                                : kernel::combined(carry.combiner, sum, element));
  }

  struct Stored {
    std::int32_t buffer;
    Affine offset;
    Scalar element;
    std::optional<Scalar> predicate;
  };
  Stored stored(const Instruction& i) {
    const Access& access = access_of(i);
    Stored one{access.buffer, moved(access.offset), value(i.a), {}};
    if (access.predicate >= 0) one.predicate = value(access.predicate);
    return one;
  }
  void put(const Stored& one) {
    if (one.predicate)
      to_.store(one.buffer, one.offset, one.element, *one.predicate);
    else
      to_.store(one.buffer, one.offset, one.element);
  }

  /// An instruction of the given kernel, at the present place.
  Scalar value(Id id) {
    const auto accumulator = accumulators_.find(id);
    if (accumulator != accumulators_.end()) return to_.load(accumulator->second, lane_);
    const auto found = known_.find(id);
    if (found != known_.end() && to_.in_scope(found->second)) return found->second;
    return known_[id] = made(from_.instructions[at(id)]);
  }
  Scalar made(const Instruction& i) {
    switch (i.verb) {
      case Verb::constant:
        return to_.constant_bits(i.type, i.bits);
      case Verb::loop_index:
        return to_.value(variables_.at(static_cast<std::int32_t>(i.bits)));
      case Verb::table:
        return to_.lookup(static_cast<std::int32_t>(i.bits), value(i.a));
      case Verb::load: {
        const Access& access = access_of(i);
        const Affine offset = moved(access.offset);
        if (access.predicate < 0) return to_.load(access.buffer, offset);
        return to_.load(access.buffer, offset, value(access.predicate), value(access.otherwise));
      }
      default:
        break;
    }
    const Id operands[] = {i.a, i.b, i.c};
    Scalar values[3];
    for (int k = 0; k < kernel::operand_count(i.verb); ++k) values[k] = value(operands[k]);
    return to_.emit(i.verb, i.type, values[0], values[1], values[2]);
  }
  Affine moved(const Affine& affine) {
    Affine result = Affine() + affine.constant;
    for (const Affine::Term& term : affine.variables) result += variables_.at(term.of) * term.scale;
    for (const Affine::Term& term : affine.opaque)
      result += to_.affine(value(term.of)) * term.scale;
    return result;
  }

  const Kernel& from_;
  Builder to_;
  std::int32_t band_ = -1, column_ = -1;
  std::int64_t columns_ = 0;
  std::vector<std::int32_t> reductions_;
  std::unordered_map<Id, std::int32_t> accumulators_;  // results of reductions: their rows
  std::unordered_map<std::int32_t, Affine> variables_;
  std::unordered_map<Id, Scalar> known_;
  Affine first_, lane_;  // of the block; the column in the block
};

}  // namespace

std::optional<Kernel> interchange(const Kernel& kernel) {
  Interchange rewrite(kernel);
  if (!rewrite.applies()) return std::nullopt;
  return rewrite.run();
}

}  // namespace fluxion::codegen
