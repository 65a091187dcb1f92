// Which steps go through the same rows, how many rows are a block, and where a block's values lie.
#include "codegen/strips.hpp"

#include "codegen/host.hpp"
#include "codegen/plan.hpp"
#include "codegen/row_units.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <set>

namespace fluxion::codegen {
namespace {

using std::int64_t;

constexpr std::size_t farthest = 24;            // steps after the first
constexpr std::size_t least_saved = 512 << 10;  // bytes that need not go through memory
// Products of few rows are slow, and large blocks leave the cache (attention over 2,048 keys, 64
// wide, on a core with 512 KB beside 32 MB: 32 rows 170 ms, 64 155, 128 135, 256 125).
constexpr int64_t least_block = 64, most_block = 256;  // rows
constexpr int64_t most_block_bytes = 2 << 20;

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

/// With fewer rows the library's copy of the other operand, made for each block, weighs.
int64_t least_rows(const MatmulSpec& product) {
  const int64_t other = product.k * product.n * static_cast<int64_t>(size_of(product.dtype));
  return other <= (1 << 20) ? least_block : other <= (2 << 20) ? 128 : INT64_MAX;
}

class StripMaker {
 public:
  StripMaker(Schedule& schedule, std::vector<StepFacts>& facts)
      : schedule_(schedule), facts_(facts) {}

  void run() {
    for (std::size_t s = 0; s < steps().size();)
      if (!facts_[s].product || !from(s)) ++s;
  }

 private:
  struct Member {
    std::size_t step;
    std::optional<RowUnits> units;  // of a kernel
  };
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

  bool from(std::size_t first);
  void grow(std::size_t first);
  void put_last_step_in_place(std::size_t first);
  bool join(std::size_t t);
  bool join_product(std::size_t t);
  bool join_kernel(std::size_t t);
  std::optional<std::size_t> product_before(std::int32_t slot);
  bool writes_own_rows(std::int32_t slot);
  bool worth_it();
  bool choose_block(const std::set<std::int32_t>& own);
  bool divides(const Member&) const;
  std::set<std::int32_t> private_slots();
  bool build(const std::set<std::int32_t>& own);
  void add_product(const Member&, Strip&);
  void add_kernel(const Member&, Strip&);
  detail::Ref<PreparedLeaf> prepare_block(const MatmulSpec&, int64_t rows);
  struct LocalPlan {
    std::map<std::int32_t, std::size_t> value;  // of a slot: its offset
    std::vector<std::size_t> scratch;           // of a part: its offset
    std::size_t bytes = 0;
  };
  LocalPlan plan_values(const std::set<std::int32_t>& own,
                        int64_t rows,
                        std::span<const Strip::Part> parts = {});

  int64_t rows_in_all() const { return matrices_ * rows_; }
  void set_rows(int64_t rows) {
    matrices_ = rows_in_all() / rows;
    rows_ = rows;
  }
  /// Bytes of one row of a slot.
  int64_t row_bytes(std::int32_t number) const {
    return static_cast<int64_t>(slot(number).bytes) / rows_in_all();
  }

  Schedule& schedule_;
  std::vector<StepFacts>& facts_;
  std::map<std::int32_t, std::unique_ptr<MappedKernel>> mapped_;
  // Of the strip in the making:
  std::vector<Member> members_;
  std::map<std::int32_t, std::size_t> maker_;  // of a slot: which member
  std::set<std::int32_t> shared_;              // slots that one member makes and another reads
  std::vector<std::size_t> before_, after_;    // steps that were passed over
  std::size_t end_ = 0;                        // behind the last member
  std::set<std::size_t> refused_;              // steps that no block divides
  int64_t matrices_ = 1, rows_ = 0, block_ = 0;
};

/// Makes a strip that begins with a product, without the kernels that its blocks do not divide.
/// False if there is none.
bool StripMaker::from(std::size_t first) {
  if (facts_[first].product->m < least_block) return false;
  refused_.clear();
  std::set<std::int32_t> own;
  for (bool whole = false; !whole;) {
    grow(first);
    if (!worth_it()) return false;
    own = private_slots();
    if (!choose_block(own)) return false;
    whole = true;
    for (const Member& member : members_) {
      if (divides(member)) continue;
      refused_.insert(member.step);
      whole = false;
    }
  }
  if (!build(own)) return false;
  put_last_step_in_place(first);
  return true;
}

/// Takes in what follows a product. Steps in between come before the strip, or, where they need
/// what it makes, after it.
void StripMaker::grow(std::size_t first) {
  const MatmulSpec& product = *facts_[first].product;
  members_.clear();
  maker_.clear();
  shared_.clear();
  before_.clear();
  after_.clear();
  matrices_ = product.batch;
  rows_ = product.m;
  members_.push_back({first, {}});
  for (std::int32_t out : steps()[first].outputs) maker_[out] = 0;
  end_ = first + 1;
  for (std::size_t t = end_; t < steps().size() && t <= first + farthest; ++t) {
    const Cut::Kind kind = steps()[t].kind;
    if (kind != Cut::Kind::kernel && kind != Cut::Kind::leaf && kind != Cut::Kind::copy) break;
    const auto waits_for = [&](std::size_t other) { return conflict(other, t); };
    const bool blocked = std::any_of(after_.begin(), after_.end(), waits_for);
    if (!blocked && !refused_.contains(t) && join(t)) {
      end_ = t + 1;
      continue;
    }
    const bool needs = std::any_of(members_.begin(), members_.end(), [&](const Member& member) {
      return conflict(member.step, t);
    });
    (blocked || needs ? after_ : before_).push_back(t);
  }
}

/// The strip, which is the last step, goes to where its members were; the steps before and after it
/// keep their order.
void StripMaker::put_last_step_in_place(std::size_t first) {
  const std::size_t strip = steps().size() - 1;
  std::vector<std::size_t> order(first);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto add = [&](const std::vector<std::size_t>& list) {
    for (std::size_t t : list)
      if (t < end_) order.push_back(t);
  };
  add(before_);
  order.push_back(strip);
  add(after_);
  for (std::size_t t = end_; t < strip; ++t) order.push_back(t);
  std::vector<Step> moved;
  std::vector<StepFacts> facts;
  for (std::size_t t : order) {
    moved.push_back(std::move(steps()[t]));
    facts.push_back(facts_[t]);
  }
  steps() = std::move(moved);
  facts_ = std::move(facts);
}

bool StripMaker::join(std::size_t t) {
  const Step& step = steps()[t];
  const bool fits =
      facts_[t].product ? join_product(t) : step.kind == Cut::Kind::kernel && join_kernel(t);
  if (!fits) return false;
  for (std::int32_t in : step.inputs)
    if (maker_.contains(in)) shared_.insert(in);
  for (std::int32_t out : step.outputs) maker_[out] = members_.size() - 1;
  return true;
}

/// A member writes of the slot only the rows that it is at.
bool StripMaker::writes_own_rows(std::int32_t number) {
  const Member& member = members_[maker_.at(number)];
  const Step& step = steps()[member.step];
  if (slot(number).bytes % static_cast<std::size_t>(rows_in_all()) != 0) return false;
  if (const MatmulSpec* product = facts_[member.step].product) {
    const int64_t length = row_bytes(number) / static_cast<int64_t>(size_of(product->result));
    return has_dense_rows(product->c_strides, *product, product->n, length);
  }
  const auto k = static_cast<std::size_t>(
      std::find(step.outputs.begin(), step.outputs.end(), number) - step.outputs.begin());
  const auto buffer = static_cast<std::int32_t>(step.inputs.size() + k);
  const kernel::BufferDecl& declared =
      schedule_.kernels[at(step.kernel)].buffers[static_cast<std::size_t>(buffer)];
  return member.units->stays_in_row(buffer, declared.count / rows_in_all());
}

bool StripMaker::join_product(std::size_t t) {
  const Step& step = steps()[t];
  const MatmulSpec& product = *facts_[t].product;
  const std::int32_t a = step.inputs[0];
  if (product.batch * product.m != rows_in_all() || !maker_.contains(a)) return false;
  if (maker_.contains(step.inputs[1]) || maker_.contains(step.outputs[0])) return false;
  const int64_t rows = std::gcd(rows_, product.m);
  if (rows < least_block || !writes_own_rows(a)) return false;
  const int64_t length = row_bytes(a) / static_cast<int64_t>(size_of(product.dtype));
  if (!has_dense_rows(product.a_strides, product, product.k, length)) return false;
  set_rows(rows);
  members_.push_back({t, {}});
  return true;
}

/// The step that makes the slot, if it is a product over as many rows that may wait for the strip.
std::optional<std::size_t> StripMaker::product_before(std::int32_t number) {
  for (std::size_t k = before_.size(); k-- > 0;) {
    const std::size_t t = before_[k];
    if (!contains(steps()[t].outputs, number)) continue;
    const MatmulSpec* product = facts_[t].product;
    if (!product || product->batch * product->m != rows_in_all() ||
        std::gcd(rows_, product->m) < least_block)
      return std::nullopt;
    const bool waited_for = std::any_of(before_.begin() + static_cast<std::ptrdiff_t>(k) + 1,
                                        before_.end(),
                                        [&](std::size_t later) { return conflict(t, later); });
    return waited_for ? std::nullopt : std::optional(t);
  }
  return std::nullopt;
}

bool StripMaker::join_kernel(std::size_t t) {
  const Step& step = steps()[t];
  if (!facts_[t].cut->group.in_place.empty()) return false;
  const auto made = [&](std::int32_t s) { return maker_.contains(s); };
  if (std::none_of(step.inputs.begin(), step.inputs.end(), made)) return false;
  if (std::any_of(step.outputs.begin(), step.outputs.end(), made)) return false;
  // Products beside the first that the kernel reads too.
  std::vector<std::size_t> beside;
  for (std::int32_t in : step.inputs)
    if (!made(in))
      if (const auto product = product_before(in)) beside.push_back(*product);
  const MappedKernel& code = mapped(step.kernel);
  std::optional<RowUnits> units = RowUnits::find(code.kernel, code.mapping, rows_in_all());
  if (!units) return false;
  const auto stays = [&](std::size_t k) {
    const int64_t count = code.kernel.buffers[k].count;
    return count % rows_in_all() == 0 &&
           units->stays_in_row(static_cast<std::int32_t>(k), count / rows_in_all());
  };
  for (std::size_t k = 0; k < step.inputs.size(); ++k)
    if (made(step.inputs[k]) && !(writes_own_rows(step.inputs[k]) && stays(k))) return false;
  for (std::size_t product : beside) {
    const std::int32_t out = steps()[product].outputs[0];
    maker_[out] = members_.size();
    members_.push_back({product, {}});
    bool fits = writes_own_rows(out);
    for (std::size_t k = 0; k < step.inputs.size(); ++k)
      fits = fits && (step.inputs[k] != out || stays(k));
    if (fits) {
      std::erase(before_, product);
      set_rows(std::gcd(rows_, facts_[product].product->m));
    } else {
      maker_.erase(out);
      members_.pop_back();
    }
  }
  members_.push_back({t, std::move(units)});
  return true;
}

bool StripMaker::worth_it() {
  std::size_t saved = 0;
  for (std::int32_t number : shared_) saved += slot(number).bytes;
  return members_.size() > 1 && saved >= least_saved;
}

/// The rows of a block follow from shapes alone, and with them the order of the library's sums.
bool StripMaker::choose_block(const std::set<std::int32_t>& own) {
  int64_t bytes = static_cast<int64_t>(plan_values(own, 1).bytes), least = least_block;
  for (std::int32_t number : shared_)
    if (!own.contains(number)) bytes += row_bytes(number);
  for (const Member& member : members_)
    if (const MatmulSpec* product = facts_[member.step].product)
      least = std::max(least, least_rows(*product));
  const int64_t most = std::min(most_block_bytes / bytes, most_block);
  if (least > most || least > rows_) return false;
  const int64_t blocks = (rows_ + most - 1) / most;
  block_ = std::min(((rows_ + blocks - 1) / blocks + 15) / 16 * 16, rows_);
  return true;
}

/// Each block of the member is whole units.
bool StripMaker::divides(const Member& member) const {
  if (!member.units) return true;
  for (int64_t rows : {rows_, block_, rows_ % block_})  // 0 rows are 0 units
    if (!member.units->units(rows)) return false;
  return true;
}

/// Slots that nothing outside the strip reads.
std::set<std::int32_t> StripMaker::private_slots() {
  std::set<std::int32_t> own;
  for (std::int32_t number : shared_)
    if (slot(number).where == Slot::Where::arena) own.insert(number);
  std::set<std::size_t> inside;
  for (const Member& member : members_) inside.insert(member.step);
  for (std::size_t t = 0; t < steps().size(); ++t)
    if (!inside.contains(t))
      for (const auto* slots : {&steps()[t].inputs, &steps()[t].outputs})
        for (std::int32_t number : *slots) own.erase(number);
  return own;
}

detail::Ref<PreparedLeaf> StripMaker::prepare_block(const MatmulSpec& product, int64_t rows) {
  MatmulSpec block = product;
  block.batch = 1;
  block.m = rows;
  return prepare(block, Share::none);
}

void StripMaker::add_product(const Member& member, Strip& strip) {
  const MatmulSpec& product = *facts_[member.step].product;
  Strip::Part part;
  part.matrix_rows = product.m;
  part.leaf = prepare_block(product, block_);
  if (const int64_t last = rows_ % block_; last > 0)
    part.last = prepare_block(product, last);
  else
    part.last = part.leaf;
  const auto place = [&](const int64_t(&strides)[3], DType dtype, bool rows) {
    const auto size = static_cast<int64_t>(size_of(dtype));
    part.places.push_back({false, 0, strides[0] * size, rows ? strides[1] * size : 0});
  };
  place(product.a_strides, product.dtype, true);
  place(product.b_strides, product.dtype, false);
  place(product.c_strides, product.result, true);
  strip.parts.push_back(std::move(part));
}

void StripMaker::add_kernel(const Member& member, Strip& strip) {
  const Step& step = steps()[member.step];
  Strip::Part part;
  part.kernel = step.kernel;
  part.matrix_rows = rows_in_all();
  part.matrix_units = *member.units->units(rows_);
  part.units = *member.units->units(block_);
  const int64_t last = rows_ % block_;
  part.last_units = last > 0 ? *member.units->units(last) : part.units;
  part.places.resize(step.inputs.size() + step.outputs.size());
  strip.parts.push_back(std::move(part));
}

/// Places for the values of `rows` rows, and for the scratch of the parts that are made already.
StripMaker::LocalPlan StripMaker::plan_values(const std::set<std::int32_t>& own,
                                              int64_t rows,
                                              std::span<const Strip::Part> parts) {
  std::map<std::int32_t, std::size_t> life_of;  // of a slot: whose memory it lies in
  std::vector<Lifetime> lives;
  for (std::int32_t m = 0; m < static_cast<std::int32_t>(members_.size()); ++m) {
    const Member& member = members_[at(m)];
    const Step& step = steps()[member.step];
    for (std::int32_t in : step.inputs)
      if (own.contains(in)) lives[life_of.at(in)].last = m;
    for (std::int32_t out : step.outputs) {
      if (!own.contains(out)) continue;
      life_of[out] = lives.size();
      lives.push_back({static_cast<std::size_t>(row_bytes(out) * rows), m, m});
    }
  }
  // A kernel writes over what it reads for the last time, each element at its own place.
  for (std::int32_t m = 0; m < static_cast<std::int32_t>(members_.size()); ++m) {
    const Member& member = members_[at(m)];
    if (!member.units) continue;
    const Step& step = steps()[member.step];
    const std::vector<bool>& own_place = facts_[member.step].cut->group.own_place;
    for (std::int32_t out : step.outputs) {
      if (!own.contains(out)) continue;
      Lifetime& made = lives[life_of.at(out)];
      for (std::size_t k = 0; k < step.inputs.size(); ++k) {
        const std::int32_t in = step.inputs[k];
        if (!own.contains(in) || !own_place[k] || row_bytes(in) != row_bytes(out) ||
            std::count(step.inputs.begin(), step.inputs.end(), in) != 1)
          continue;
        Lifetime& read = lives[life_of.at(in)];
        if (read.last != m) continue;  // also where another result took it
        read.last = made.last;
        made.bytes = 0;
        life_of[out] = life_of.at(in);
        break;
      }
    }
  }
  const std::size_t values = lives.size();
  for (std::size_t m = 0; m < parts.size(); ++m) {
    const Strip::Part& part = parts[m];
    const std::size_t bytes =
        part.leaf ? std::max(part.leaf->scratch_bytes(), part.last->scratch_bytes()) : 0;
    lives.push_back({bytes, static_cast<std::int32_t>(m), static_cast<std::int32_t>(m)});
  }
  const MemoryPlan plan = plan_memory(lives);
  LocalPlan local{{},
                  {plan.offsets.begin() + static_cast<std::ptrdiff_t>(values), plan.offsets.end()},
                  plan.bytes};
  for (const auto& [number, life] : life_of) local.value[number] = plan.offsets[life];
  return local;
}

bool StripMaker::build(const std::set<std::int32_t>& own) {
  auto strip = std::make_shared<Strip>();
  strip->matrices = matrices_;
  strip->rows = rows_;
  strip->block = block_;
  for (const Member& member : members_) {
    if (member.units) {
      add_kernel(member, *strip);
    } else {
      add_product(member, *strip);
      if (!strip->parts.back().leaf || !strip->parts.back().last) return false;
    }
  }
  Step joined;
  joined.kind = Cut::Kind::strip;
  // Outputs may be read again inside: inputs are what comes from before.
  for (const Member& member : members_) {
    const Step& step = steps()[member.step];
    for (std::int32_t in : step.inputs)
      if (!maker_.contains(in) && !contains(joined.inputs, in)) joined.inputs.push_back(in);
    for (std::int32_t out : step.outputs)
      if (!own.contains(out)) joined.outputs.push_back(out);
  }
  const LocalPlan local = plan_values(own, block_, strip->parts);
  strip->thread_bytes = local.bytes;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    Strip::Part& part = strip->parts[m];
    part.scratch = local.scratch[m];
    for (std::size_t k = 0; k < part.places.size(); ++k) {
      const std::int32_t number = buffer(steps()[members_[m].step], k);
      if (own.contains(number)) {
        part.places[k] = {true, local.value.at(number), 0, part.leaf ? 0 : -row_bytes(number)};
        continue;
      }
      const auto in = std::find(joined.inputs.begin(), joined.inputs.end(), number);
      const auto out = std::find(joined.outputs.begin(), joined.outputs.end(), number);
      part.places[k].index = static_cast<std::size_t>(
          in != joined.inputs.end()
              ? in - joined.inputs.begin()
              : static_cast<std::ptrdiff_t>(joined.inputs.size()) + (out - joined.outputs.begin()));
    }
  }
  strip->threads = static_cast<int>(
      std::min<int64_t>(most_threads(), strip->matrices * strip->blocks_of_matrix()));
  joined.scratch = static_cast<std::int32_t>(schedule_.slots.size());
  schedule_.slots.push_back(
      {Slot::Where::arena, 0, 0, strip->thread_bytes * static_cast<std::size_t>(strip->threads)});
  for (std::int32_t number : own) schedule_.slots[at(number)].bytes = 0;  // nobody's any more
  for (std::size_t m = 0; m < members_.size(); ++m) {
    strip->steps.push_back(steps()[members_[m].step]);
    strip->steps.back().leaf = strip->parts[m].leaf;
  }
  joined.cut = strip->steps.back().cut;
  for (const Step& step : strip->steps)
    joined.operation = std::max(joined.operation, step.operation);
  joined.strip = std::move(strip);
  steps().push_back(std::move(joined));
  facts_.push_back({});
  return true;
}

}  // namespace

void form_strips(Schedule& schedule, std::vector<StepFacts>& facts) {
  StripMaker(schedule, facts).run();
}

}  // namespace fluxion::codegen
