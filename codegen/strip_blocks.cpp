// How many rows are a block of a strip, and where its values lie.
#include "codegen/plan.hpp"
#include "codegen/strip_maker.hpp"

#include <algorithm>

namespace fluxion::codegen {

namespace {

using std::int64_t;

// Products of few rows are slow, and large blocks leave the cache (attention over 2,048 keys, 64
// wide, on a core with 512 KB beside 32 MB: 32 rows 170 ms, 64 155, 128 135, 256 125).
constexpr int64_t least_block = 64, most_block = 256;  // rows
constexpr int64_t least_laid_out = 16;                 // of a product whose other operand is
constexpr int64_t most_block_bytes = 2 << 20;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

MatmulSpec block_of(MatmulSpec product, int64_t rows) {
  product.batch = 1;
  product.m = rows;
  return product;
}

}  // namespace

/// Whether a product's right operand is laid out before a loop, for products of any rows.
bool StripMaker::is_laid_out(std::size_t step) const {
  const Slot& right = slot(schedule_.steps[step].inputs[1]);
  const MatmulSpec& product = *facts_[step].product;
  const bool one_matrix = product.batch == 1 || product.b_strides[0] == 0;
  return one_matrix && right.where == Slot::Where::argument && constants_.contain(right.index) &&
         prepare_kept(block_of(product, least_laid_out), 1, Rows::any).product;
}

bool StripMaker::all_laid_out() const {
  return std::all_of(members_.begin(), members_.end(), [&](const Member& member) {
    return member.units || is_laid_out(member.step);
  });
}

/// With fewer rows the library's copy of the other operand, made for each block, weighs.
int64_t StripMaker::least_rows(std::size_t step) const {
  if (is_laid_out(step)) return least_laid_out;
  const MatmulSpec& product = *facts_[step].product;
  const int64_t other = product.k * product.n * static_cast<int64_t>(size_of(product.dtype));
  return other <= (1 << 20) ? least_block : other <= (2 << 20) ? 128 : INT64_MAX;
}

/// The rows of a block follow from shapes alone, and with them the order of the library's sums; but
/// those of our own kernels, which take operands as they were laid out, are the same for any rows.
bool StripMaker::choose_block(const std::set<std::int32_t>& own) {
  int64_t bytes = static_cast<int64_t>(plan_values(own, 1).bytes), least = least_laid_out;
  for (std::int32_t number : shared_)
    if (!own.contains(number)) bytes += row_bytes(number);
  for (const Member& member : members_)
    if (!member.units) least = std::max(least, least_rows(member.step));
  const int64_t most = std::min(most_block_bytes / bytes, most_block);
  if (least > most || least > rows_) return false;
  int64_t blocks = divide_up(rows_, most);
  const bool any_rows = all_laid_out();
  if (const int threads = most_threads(); any_rows && threads > 1)
    blocks = std::max(blocks, std::min(divide_up(2 * threads, matrices_), rows_ / least_laid_out));
  const int64_t even = divide_up(rows_, blocks);
  block_ = any_rows && rows_ % blocks == 0 ? even : std::min(divide_up(even, 16) * 16, rows_);
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

detail::Ref<PreparedLeaf> StripMaker::prepare_block(const Member& member, int64_t rows) const {
  const MatmulSpec block = block_of(*facts_[member.step].product, rows);
  return is_laid_out(member.step) ? prepare_kept(block, 1, Rows::any).product
                                  : prepare(block, Share::none);
}

/// The products of a strip read their right operands where they are laid out before the loop.
void StripMaker::lay_out_operands() {
  for (const Member& member : members_) {
    if (member.units || !is_laid_out(member.step)) continue;
    Step& step = steps()[member.step];
    KeptOperand kept = prepare_kept(block_of(*facts_[member.step].product, block_), 1, Rows::any);
    const auto place = static_cast<std::int32_t>(schedule_.slots.size());
    schedule_.slots.push_back({Slot::Where::arena, 0, 0, kept.bytes});
    schedule_.kept.push_back({step.inputs[1], place, step.operation, std::move(kept.layout)});
    step.inputs[1] = place;
  }
}

void StripMaker::add_product(const Member& member, Strip& strip) {
  const MatmulSpec& product = *facts_[member.step].product;
  Strip::Part part;
  part.matrix_rows = product.m;
  part.leaf = prepare_block(member, block_);
  if (const int64_t last = rows_ % block_; last > 0)
    part.last = prepare_block(member, last);
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
  lay_out_operands();
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

}  // namespace fluxion::codegen
