// How scalars become instructions: placed in the outermost block that knows their operands, made
// once, folded where constant.
#include "trace/kernel/builder.hpp"

#include "trace/error.hpp"
#include "trace/kernel/builder_state.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <bit>

namespace fluxion::kernel {

namespace {

void mix(std::uint64_t& hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  hash ^= hash >> 32;
}

std::size_t hash_of(const Access& access) {
  auto hash = static_cast<std::uint64_t>(access.buffer);
  for (const std::int64_t word :
       {std::int64_t{access.predicate}, std::int64_t{access.otherwise}, access.offset.constant})
    mix(hash, static_cast<std::uint64_t>(word));
  for (const Affine::Terms* terms : {&access.offset.variables, &access.offset.opaque})
    for (const Affine::Term& term : *terms) {
      mix(hash, static_cast<std::uint64_t>(term.of));
      mix(hash, static_cast<std::uint64_t>(term.scale));
    }
  return hash;
}

}  // namespace

std::size_t InstructionHash::operator()(const Instruction& i) const noexcept {
  std::uint64_t hash = static_cast<std::uint64_t>(i.verb) << 8 | static_cast<std::uint64_t>(i.type);
  for (const Id operand : {i.a, i.b, i.c}) mix(hash, static_cast<std::uint32_t>(operand));
  mix(hash, i.bits);
  return hash;
}

void Builder::State::must(bool condition, const char* what) const {
  if (!condition) throw InternalError("kernel " + kernel.name + ": " + what);
}

void Builder::State::open(bool conditional, double iterations) {
  double weight = stack.size() < 2 ? 1 : stack.back().weight * iterations;
  stack.push_back({{}, next_serial++, conditional, false, weight});
}

Block Builder::State::close() {
  Block items = std::move(stack.back().items);
  stack.pop_back();
  return items;
}

std::int32_t Builder::State::depth_of(Id id) const {
  if (id < 0) return 0;
  must(static_cast<std::size_t>(id) < known.size(), "a value of another kernel");
  const Known& k = known[static_cast<std::size_t>(id)];
  must(static_cast<std::size_t>(k.depth) < stack.size() &&
           stack[static_cast<std::size_t>(k.depth)].serial == k.serial,
       "a value is used outside the loop that computes it");
  return k.depth;
}

std::int32_t Builder::State::depth_of(const Affine& affine) const {
  std::int32_t depth = 0;
  for (const Affine::Term& term : affine.opaque) depth = std::max(depth, depth_of(term.of));
  for (const Affine::Term& term : affine.variables) {
    const Known& k = variable_known[static_cast<std::size_t>(term.of)];
    must(static_cast<std::size_t>(k.depth) < stack.size() &&
             stack[static_cast<std::size_t>(k.depth)].serial == k.serial,
         "a loop variable is used outside its loop");
    depth = std::max(depth, k.depth);
  }
  return depth;
}

std::int32_t Builder::State::depth_of(const Access& access) const {
  return std::max(
      {depth_of(access.offset), depth_of(access.predicate), depth_of(access.otherwise)});
}

Id Builder::State::append(const Instruction& instruction, std::int32_t depth) {
  Id id = static_cast<Id>(kernel.instructions.size());
  Range range = range_of_instruction(instruction);
  OpenBlock& block = stack[static_cast<std::size_t>(depth)];
  kernel.instructions.push_back(instruction);
  known.push_back({depth, block.serial, range});
  block.items.push_back({false, id});
  return id;
}

Id Builder::State::make(const Instruction& instruction, std::int32_t depth, bool shared) {
  if (!shared) return append(instruction, depth);
  auto [entry, fresh] = made.try_emplace(instruction, -1);
  if (!fresh) {
    const Known& k = known[static_cast<std::size_t>(entry->second)];
    if (static_cast<std::size_t>(k.depth) < stack.size() &&
        stack[static_cast<std::size_t>(k.depth)].serial == k.serial) {
      return entry->second;
    }
  }
  // A finished condition still holds what it computed, but takes nothing new.
  while (depth < this->depth() && stack[static_cast<std::size_t>(depth)].sealed) ++depth;
  Id id = append(instruction, depth);
  entry->second = id;
  return id;
}

std::int32_t Builder::State::access(Access access) {
  const std::size_t hash = hash_of(access);
  const auto [begin, end] = made_accesses.equal_range(hash);
  for (auto entry = begin; entry != end; ++entry)
    if (kernel.accesses[static_cast<std::size_t>(entry->second)] == access) return entry->second;
  const auto number = static_cast<std::int32_t>(kernel.accesses.size());
  made_accesses.emplace(hash, number);
  kernel.accesses.push_back(std::move(access));
  return number;
}

std::optional<std::uint64_t> Builder::State::constant_bits(Id id) const {
  if (id < 0 || at(id).verb != Verb::constant) return std::nullopt;
  return at(id).bits;
}

Id Builder::State::constant(DType type, std::uint64_t bits) {
  return make({Verb::constant, type, -1, -1, -1, bits}, 0, true);
}

Id Builder::State::emit(Instruction instruction) {
  int operands = operand_count(instruction.verb);
  Id* ids[] = {&instruction.a, &instruction.b, &instruction.c};
  std::uint64_t bits[3] = {0, 0, 0};
  bool all_constant = instruction.verb != Verb::table;
  std::int32_t depth = 0;
  for (int k = 0; k < operands; ++k) {
    must(*ids[k] >= 0, "an operand is missing");
    depth = std::max(depth, depth_of(*ids[k]));
    if (auto constant = constant_bits(*ids[k]))
      bits[k] = *constant;
    else
      all_constant = false;
  }
  verify_types(kernel, instruction);
  if (all_constant) {
    DType operand = at(instruction.verb == Verb::select ? instruction.b : instruction.a).type;
    return constant(instruction.type,
                    fold(instruction.verb, instruction.type, operand, bits[0], bits[1], bits[2]));
  }
  if (auto simpler = simplify(instruction)) return *simpler;
  Id id = make(instruction, depth, true);
  if (instruction.type == int64) remember_sum(id);
  return id;
}

Builder::Builder(std::string name) : state_(new State) { state_->kernel.name = std::move(name); }
Builder::~Builder() { delete state_; }

DType Builder::type_of(Id id) const { return state_->at(id).type; }
std::optional<std::uint64_t> Builder::constant_of(Scalar value) const {
  return state_->constant_bits(value.id());
}
bool Builder::in_scope(Scalar value) const {
  const State::Known& k = state_->known[static_cast<std::size_t>(value.id())];
  return static_cast<std::size_t>(k.depth) < state_->stack.size() &&
         state_->stack[static_cast<std::size_t>(k.depth)].serial == k.serial;
}
void Builder::count_transcendental() { state_->transcendentals += state_->top().weight; }

std::int32_t Builder::buffer(DType type, Role role, std::int64_t count) {
  state_->must(type != complex64 && type != complex128,
               "complex numbers are pairs of buffers' floats");
  state_->must(count >= 0, "a buffer has a negative count");
  state_->kernel.buffers.push_back({type, role, count});
  return static_cast<std::int32_t>(state_->kernel.buffers.size()) - 1;
}

std::int32_t Builder::table(DType type, std::vector<std::uint64_t> bits) {
  auto& tables = state_->kernel.tables;
  for (std::size_t k = 0; k < tables.size(); ++k) {
    if (tables[k].dtype == type && tables[k].bits == bits) return static_cast<std::int32_t>(k);
  }
  tables.push_back({type, std::move(bits)});
  return static_cast<std::int32_t>(tables.size()) - 1;
}

Scalar Builder::constant(DType type, double value) {
  // Operations that move complex elements write them part by part.
  if (type == complex64) type = float32;
  if (type == complex128) type = float64;
  return {this, state_->constant(type, bits_of(type, value))};
}
Scalar Builder::constant_bits(DType type, std::uint64_t bits) {
  return {this, state_->constant(type, bits)};
}

Scalar Builder::emit(Verb verb, DType type, Scalar a, Scalar b, Scalar c) {
  return {this, state_->emit({verb, type, a.id(), b.id(), c.id(), 0})};
}

Scalar Builder::lookup(std::int32_t table, Scalar index) {
  const Table& t = state_->kernel.tables.at(static_cast<std::size_t>(table));
  if (auto known = state_->constant_bits(index.id())) {
    state_->must(*known < t.bits.size(), "a table is read beyond its end");
    return constant_bits(t.dtype, t.bits[*known]);
  }
  return {
      this,
      state_->emit({Verb::table, t.dtype, index.id(), -1, -1, static_cast<std::uint64_t>(table)})};
}

Scalar Builder::load(std::int32_t buffer, const Affine& offset) {
  return load(buffer, offset, {}, {});
}

Scalar Builder::load(std::int32_t buffer,
                     const Affine& offset,
                     Scalar predicate,
                     Scalar otherwise) {
  State& s = *state_;
  Id when = predicate.id();
  if (auto known = s.constant_bits(when)) {
    if (!*known) return otherwise;
    when = -1;
  }
  const BufferDecl& decl = s.kernel.buffers.at(static_cast<std::size_t>(buffer));
  Access access{buffer, offset, when, when < 0 ? -1 : otherwise.id()};
  std::int32_t depth = s.depth_of(access);
  bool pure = decl.role == Role::input;
  if (!pure) {
    depth = s.depth();
  } else if (when < 0 && !s.range(offset).within(0, decl.count - 1)) {
    // Nothing shows that it is in bounds where its block does not run.
    for (std::int32_t d = s.depth(); d > depth; --d) {
      if (s.stack[static_cast<std::size_t>(d)].conditional) depth = d;
    }
  }
  std::uint64_t number = static_cast<std::uint64_t>(s.access(std::move(access)));
  return {this, s.make({Verb::load, decl.dtype, -1, -1, -1, number}, depth, pure)};
}

void Builder::store(std::int32_t buffer, const Affine& offset, Scalar value) {
  store(buffer, offset, value, {});
}

void Builder::store(std::int32_t buffer, const Affine& offset, Scalar value, Scalar predicate) {
  State& s = *state_;
  Id when = predicate.id();
  if (auto known = s.constant_bits(when)) {
    if (!*known) return;
    when = -1;
  }
  Access access{buffer, offset, when, -1};
  s.depth_of(access);
  s.depth_of(value.id());
  std::uint64_t number = static_cast<std::uint64_t>(s.access(std::move(access)));
  s.append({Verb::store, value.type(), value.id(), -1, -1, number}, s.depth());
}

void Builder::update(std::int32_t buffer,
                     const Affine& offset,
                     Combiner combiner,
                     Scalar value,
                     Promise promise,
                     Scalar predicate) {
  State& s = *state_;
  Id when = predicate.id();
  if (auto known = s.constant_bits(when)) {
    if (!*known) return;
    when = -1;
  }
  Access access{buffer, offset, when, -1};
  s.depth_of(access);
  s.depth_of(value.id());
  std::uint64_t number = static_cast<std::uint64_t>(s.access(std::move(access)));
  s.append({Verb::update,
            value.type(),
            value.id(),
            static_cast<Id>(combiner),
            static_cast<Id>(promise),
            number},
           s.depth());
}

Kernel Builder::finish() {
  State& s = *state_;
  s.must(s.stack.size() == 1, "finished inside a loop");
  s.kernel.top = s.close();
  Kernel kernel = compact(std::move(s.kernel));
  kernel.facts = count_facts(kernel);
  kernel.facts.transcendentals = s.transcendentals;
  verify(kernel);
  return kernel;
}

std::uint64_t identity_bits(Combiner combiner, DType type) {
  bool floating = is_float(type);
  auto all_ones = [&] { return fold(Verb::bit_not, type, type, 0, 0, 0); };
  // The least and the greatest value of an integer type, from its all-ones pattern.
  auto greatest = [&] {
    return is_signed(type) ? fold(Verb::shift_right_logical, type, type, all_ones(), 1, 0)
                           : all_ones();
  };
  auto least = [&] {
    return is_signed(type) ? fold(Verb::bit_not, type, type, greatest(), 0, 0) : std::uint64_t{0};
  };
  constexpr double infinity = __builtin_inf();
  switch (combiner) {
    case Combiner::add:
      return floating ? bits_of(type, -0.0) : 0;
    case Combiner::mul:
      return bits_of(type, 1);
    case Combiner::min:
    case Combiner::arg_min:
      return type == bool_ ? 1 : floating ? bits_of(type, infinity) : greatest();
    case Combiner::max:
    case Combiner::arg_max:
      return type == bool_ ? 0 : floating ? bits_of(type, -infinity) : least();
    case Combiner::bit_and:
      return all_ones();
    case Combiner::bit_or:
    case Combiner::bit_xor:
    case Combiner::set:
      return 0;
  }
  return 0;
}

}  // namespace fluxion::kernel
