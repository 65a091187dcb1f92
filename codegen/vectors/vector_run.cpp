// Units of phases as lanes, instructions over lanes, and memory.
#include "codegen/vectors/vector_run.hpp"

#include <new>

namespace fluxion::codegen {

using kernel::Affine;
using kernel::Item;
using kernel::Role;
using kernel::Verb;

namespace {

/// Calls f with a word of so many bytes.
template <class F> void with_word(std::int32_t bytes, const F& f) {
  switch (bytes) {
    case 1:
      return f(std::uint8_t{});
    case 2:
      return f(std::uint16_t{});
    case 4:
      return f(std::uint32_t{});
    default:
      return f(std::uint64_t{});
  }
}

/// A few elements; many copies are of 16 or so, for which a call of memcpy is long.
template <class Word> void copy_words(const Word* from, std::int64_t count, Word* to) {
  constexpr std::int64_t block = 32 / sizeof(Word);
  for (; count >= block; count -= block, from += block, to += block) std::memcpy(to, from, 32);
  for (; count > 0; --count) *to++ = *from++;
}

}  // namespace

VectorRun::VectorRun(const VectorProgram& program, void* const* buffers)
    : p_(program),
      k_(program.kernel_),
      memory_(static_cast<std::byte*>(std::aligned_alloc(64, program.bytes_)), &std::free),
      own_(k_.variables.size()),
      strides_(k_.accesses.size()) {
  if (!memory_) throw std::bad_alloc();
  for (std::size_t b = 0; b < k_.buffers.size(); ++b)
    buffers_.push_back(k_.buffers[b].role == Role::scratch ? place(p_.scratch_places_[b])
                                                           : static_cast<std::byte*>(buffers[b]));
  bases_ = numbers(p_.bases_place_);
  offsets_ = numbers(p_.offsets_place_);
  values_ = numbers(p_.values_place_);
  std::fill_n(values_, k_.variables.size(), 0);
  lane_values_ = values_ + k_.variables.size();
  runs_.push_back({0, 1});
  for (std::size_t id = 0; id < k_.instructions.size(); ++id)
    if (const Instruction& i = k_.instructions[id]; i.verb == Verb::constant)
      fill_lanes(place(p_.code_[id].place), p_.code_[id].bytes, i.bits, p_.lanes_);
  for (const Item& item : k_.top) {
    if (item.is_loop || k_.instructions[at(item.index)].verb == Verb::constant) continue;
    instruction(item.index);
    spread(item.index);
  }
}

void VectorRun::phase(const PhaseMapping& p, std::int64_t begin, std::int64_t end) {
  if (p.units != p.iterations) {
    begin *= p.iterations;
    end *= p.iterations;
  }
  const std::int32_t opened = p_.lane_loop_[at(p.loop)];
  const LaneLoop* const lanes = opened < 0 ? nullptr : &p_.lane_loops_[at(opened)];
  if (lanes) begin_lanes(*lanes, true);
  const Block& body = k_.loops[at(p.loop)].body;
  // A unit's number has a digit for every outer variable and one for the chunk, fastest first.
  std::vector<std::int32_t> variables(p.order.rbegin(), p.order.rend());
  if (p.chunks > 1) variables.insert(p.chunks_first ? variables.end() : variables.begin(), -1);
  std::vector<std::int64_t> digits, extents;
  std::int64_t rest = begin;
  for (std::int32_t v : variables) {
    const std::int64_t tile = v >= 0 && v == p.tiled ? p.tile : 1;
    extents.push_back(v < 0 ? p.chunks : (extent(v) + tile - 1) / tile);
    digits.push_back(rest % extents.back());
    rest /= extents.back();
  }
  for (std::int64_t unit = begin; unit < end; ++unit) {
    std::int64_t chunk = 0, rows = 1;
    for (std::size_t k = 0; k < variables.size(); ++k) {
      const std::int32_t v = variables[k];
      if (v < 0) {
        chunk = digits[k];
      } else if (v == p.tiled) {
        values_[at(v)] = digits[k] * p.tile;
        rows = std::min(p.tile, extent(v) - values_[at(v)]);
      } else {
        values_[at(v)] = digits[k];
      }
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      if (row > 0) ++values_[at(p.tiled)];
      if (lanes)
        add_unit(p, *lanes, chunk);
      else
        block(body);
    }
    for (std::size_t k = 0; k < digits.size() && ++digits[k] == extents[k]; ++k) digits[k] = 0;
  }
  if (!lanes) return;
  run_lanes(body);
  end_lanes();
}

// Lanes.

void VectorRun::fill_lanes(std::byte* to,
                           std::int32_t bytes,
                           std::uint64_t bits,
                           std::int64_t count) {
  with_word(bytes, [&](auto word) {
    using Word = decltype(word);
    std::fill_n(reinterpret_cast<Word*>(to), count, static_cast<Word>(bits));
  });
}

void VectorRun::spread(Id id) {
  with_word(bytes_of(id), [&](auto word) {
    auto* const lanes = reinterpret_cast<decltype(word)*>(lanes_of(id));
    std::fill_n(lanes + 1, p_.lanes_ - 1, lanes[0]);
  });
}

void VectorRun::begin_lanes(const LaneLoop& lanes, bool own_rows) {
  for (std::int32_t v : lanes.variables) own_[at(v)] = true;
  for (Id id : lanes.from_outside) spread(id);
  for (std::int32_t a : lanes.accesses)
    strides_[at(a)] = lanes.variable < 0 ? 0 : stride(k_.accesses[at(a)].offset, lanes.variable);
  own_rows_ = own_rows;
  active_ = &lanes;
  runs_.clear();
  count_ = 0;
}

void VectorRun::end_lanes() {
  for (std::int32_t v : active_->variables) own_[at(v)] = false;
  active_ = nullptr;
  own_rows_ = false;
  runs_.assign(1, {0, 1});
  count_ = 1;
}

void VectorRun::add_lanes(const LaneLoop& lanes, std::int64_t count) {
  const std::size_t number = runs_.size(), variables = k_.variables.size();
  for (std::int32_t a : lanes.accesses) {
    std::int64_t base = 0;
    for (const Affine::Term& term : k_.accesses[at(a)].offset.variables)
      if (own_[at(term.of)]) base += term.scale * values_[at(term.of)];
    bases_[at(a) * static_cast<std::size_t>(p_.lanes_) + number] = base;
  }
  std::copy_n(values_, variables, lane_values_ + number * variables);
  runs_.push_back({count_, count});
  count_ += count;
}

void VectorRun::add_unit(const PhaseMapping& p, const LaneLoop& lanes, std::int64_t chunk) {
  const Block& body = k_.loops[at(p.loop)].body;
  std::int64_t low = 0, high = 1;
  if (lanes.variable >= 0) {
    low = chunk * p.chunk;
    high = std::min(low + p.chunk, extent(lanes.variable));
  }
  while (low < high) {
    if (count_ == p_.lanes_) run_lanes(body);
    const std::int64_t count = std::min(high - low, p_.lanes_ - count_);
    if (lanes.variable >= 0) values_[at(lanes.variable)] = low;
    add_lanes(lanes, count);
    low += count;
  }
  if (lanes.one_unit) run_lanes(body);
}

void VectorRun::run_lanes(const Block& body) {
  if (count_ > 0) block(body);
  runs_.clear();
  count_ = 0;
}

// Instructions.

void VectorRun::block(const Block& items) {
  for (const Item& item : items) {
    if (item.is_loop)
      loop(item.index);
    else
      instruction(item.index);
  }
}

void VectorRun::instruction(Id id) {
  const VectorProgram::Code& code = p_.code_[at(id)];
  if (code.function)
    return code.function(place(code.place), place(code.a), place(code.b), place(code.c), count_);
  const Instruction& i = k_.instructions[at(id)];
  switch (i.verb) {
    case Verb::loop_index:
      return index(static_cast<std::int32_t>(i.bits), numbers(code.place));
    case Verb::load:
      return load(code, i.bits);
    case Verb::store:
      return store(i.a, i.bits);
    case Verb::update:
      return update(id);
    case Verb::table:
      return table(code, k_.tables[i.bits]);
    default:
      return;  // constants are there, carries and results are set by their loops
  }
}

void VectorRun::index(std::int32_t variable, std::int64_t* to) {
  if (!own_[at(variable)]) {
    std::fill_n(to, count_, values_[at(variable)]);
    return;
  }
  const std::int64_t step = active_->variable == variable ? 1 : 0;
  for (std::size_t r = 0; r < runs_.size(); ++r) {
    const std::int64_t from = lane_values_[r * k_.variables.size() + at(variable)];
    for (std::int64_t n = 0; n < runs_[r].count; ++n) to[runs_[r].first + n] = from + n * step;
  }
}

// Memory.

std::int64_t VectorRun::shared_offset(const Access& access) const {
  std::int64_t offset = access.offset.constant;
  for (const Affine::Term& term : access.offset.variables)
    if (!own_[at(term.of)]) offset += term.scale * values_[at(term.of)];
  for (const Affine::Term& term : access.offset.opaque)
    if (!p_.code_[at(term.of)].in_lanes) offset += term.scale * first_number(term.of);
  return offset;
}

bool VectorRun::scattered(const Access& access) const {
  return access.predicate >= 0 ||
         std::any_of(access.offset.opaque.begin(),
                     access.offset.opaque.end(),
                     [&](const Affine::Term& term) { return p_.code_[at(term.of)].in_lanes; });
}

template <class F> void VectorRun::each_run(std::size_t number, const F& f) const {
  const Access& access = k_.accesses[number];
  const std::int64_t shared = shared_offset(access);
  if (!active_) return f(0, 1, shared, 0);
  // In rows of lanes element e of lane l lies at e * lanes + l.
  const bool rows = own_rows_ && k_.buffers[at(access.buffer)].role == Role::scratch;
  const std::int64_t* const bases = bases_ + number * static_cast<std::size_t>(p_.lanes_);
  for (std::size_t r = 0; r < runs_.size(); ++r) {
    const auto [first, count] = runs_[r];
    const std::int64_t offset = shared + bases[r], step = strides_[number];
    if (rows)
      f(first, count, offset * p_.lanes_ + first, step * p_.lanes_ + 1);
    else
      f(first, count, offset, step);
  }
}

const std::int64_t* VectorRun::all_offsets(std::size_t number) const {
  const Access& access = k_.accesses[number];
  each_run(number,
           [&](std::int64_t first, std::int64_t count, std::int64_t offset, std::int64_t step) {
             for (std::int64_t n = 0; n < count; ++n) offsets_[first + n] = offset + n * step;
           });
  const bool rows = own_rows_ && k_.buffers[at(access.buffer)].role == Role::scratch;
  const std::int64_t factor = rows ? p_.lanes_ : 1;
  for (const Affine::Term& term : access.offset.opaque) {
    if (!p_.code_[at(term.of)].in_lanes) continue;
    const std::int64_t* const indices = numbers(p_.code_[at(term.of)].place);
    for (std::int64_t n = 0; n < count_; ++n) offsets_[n] += term.scale * factor * indices[n];
  }
  return offsets_;
}

const bool* VectorRun::predicate(const Access& access) const {
  return access.predicate < 0 ? nullptr : reinterpret_cast<const bool*>(lanes_of(access.predicate));
}

void VectorRun::load(const VectorProgram::Code& code, std::size_t number) {
  const Access& access = k_.accesses[number];
  std::byte* const to = place(code.place);
  with_word(code.bytes, [&](auto word) {
    using Word = decltype(word);
    const Word* const elements = reinterpret_cast<const Word*>(buffers_[at(access.buffer)]);
    Word* const lanes = reinterpret_cast<Word*>(to);
    if (scattered(access)) {
      const std::int64_t* const offsets = all_offsets(number);
      const bool* const inside = predicate(access);
      const Word* const otherwise =
          inside ? reinterpret_cast<const Word*>(lanes_of(access.otherwise)) : nullptr;
      for (std::int64_t n = 0; n < count_; ++n)
        lanes[n] = !inside || inside[n] ? elements[offsets[n]] : otherwise[n];
      return;
    }
    each_run(number,
             [&](std::int64_t first, std::int64_t count, std::int64_t offset, std::int64_t step) {
               const Word* const begin = elements + offset;
               if (step == 1)
                 copy_words(begin, count, lanes + first);
               else if (step == 0)
                 std::fill_n(lanes + first, count, *begin);
               else
                 for (std::int64_t n = 0; n < count; ++n) lanes[first + n] = begin[n * step];
             });
  });
  if (k_.buffers[at(access.buffer)].dtype == bool_)
    for (std::int64_t n = 0; n < count_; ++n) to[n] = static_cast<std::byte>(to[n] != std::byte{0});
}

void VectorRun::store(Id value, std::size_t number) {
  const Access& access = k_.accesses[number];
  with_word(bytes_of(value), [&](auto word) {
    using Word = decltype(word);
    Word* const elements = reinterpret_cast<Word*>(buffers_[at(access.buffer)]);
    const Word* const lanes = reinterpret_cast<const Word*>(lanes_of(value));
    if (scattered(access)) {
      const std::int64_t* const offsets = all_offsets(number);
      const bool* const inside = predicate(access);
      for (std::int64_t n = 0; n < count_; ++n)
        if (!inside || inside[n]) elements[offsets[n]] = lanes[n];
      return;
    }
    each_run(number,
             [&](std::int64_t first, std::int64_t count, std::int64_t offset, std::int64_t step) {
               Word* const begin = elements + offset;
               if (step == 1)
                 copy_words(lanes + first, count, begin);
               else
                 for (std::int64_t n = 0; n < count; ++n) begin[n * step] = lanes[first + n];
             });
  });
}

/// One lane after the other: their elements may be the same.
void VectorRun::update(Id id) {
  const Instruction& i = k_.instructions[at(id)];
  const Access& access = k_.accesses[i.bits];
  const LaneFunction combine = p_.updates_[at(id)];
  const auto bytes = static_cast<std::size_t>(bytes_of(i.a));
  const std::int64_t* const offsets = all_offsets(i.bits);
  const bool* const inside = predicate(access);
  const std::byte* value = lanes_of(i.a);
  for (std::int64_t n = 0; n < count_; ++n, value += bytes) {
    if (inside && !inside[n]) continue;
    std::byte* const element =
        buffers_[at(access.buffer)] + static_cast<std::size_t>(offsets[n]) * bytes;
    if (combine)
      combine(element, element, value, nullptr, 1);
    else
      std::memcpy(element, value, bytes);
  }
}

void VectorRun::table(const VectorProgram::Code& code, const kernel::Table& table) {
  const std::int64_t* const indices = numbers(code.a);
  with_word(code.bytes, [&](auto word) {
    using Word = decltype(word);
    Word* const lanes = reinterpret_cast<Word*>(place(code.place));
    for (std::int64_t n = 0; n < count_; ++n)
      lanes[n] = static_cast<Word>(table.bits[static_cast<std::size_t>(indices[n])]);
  });
}

void VectorProgram::run(std::size_t phase,
                        void* const* buffers,
                        std::int64_t begin,
                        std::int64_t end) const {
  if (begin < end) VectorRun(*this, buffers).phase(mapping_.phases[phase], begin, end);
}

}  // namespace fluxion::codegen
