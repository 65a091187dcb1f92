// Which steps go through the same rows.
#include "codegen/strips.hpp"

#include "codegen/strip_maker.hpp"

#include <algorithm>
#include <numeric>

namespace fluxion::codegen {
namespace {

using std::int64_t;

constexpr std::size_t farthest = 24;            // steps after the first
constexpr std::size_t least_saved = 512 << 10;  // bytes that need not go through memory
constexpr double least_flops = 2e6;             // of products of a loop's step that threads share

}  // namespace

void StripMaker::run() {
  for (std::size_t s = 0; s < steps().size();) {
    leading_.clear();
    if (facts_[s].product && constants_.count > 0) leading_ = kernels_before(s);
    if (!leading_.empty() && from(*leading_.begin(), s)) {
      s = *leading_.begin();
      continue;
    }
    leading_.clear();
    if (!facts_[s].product || !from(s, s)) ++s;
  }
}

/// Kernels of a loop's step that make the rows which a product takes.
std::set<std::size_t> StripMaker::kernels_before(std::size_t product) {
  std::set<std::size_t> found;
  std::set<std::int32_t> wanted = {steps()[product].inputs[0]};
  for (std::size_t t = product; t-- > 0 && t + farthest > product;) {
    const Step& step = steps()[t];
    if (step.kind != Cut::Kind::kernel) continue;
    const auto makes = [&](std::int32_t out) { return wanted.contains(out); };
    if (std::none_of(step.outputs.begin(), step.outputs.end(), makes)) continue;
    found.insert(t);
    wanted.insert(step.inputs.begin(), step.inputs.end());
  }
  return found;
}

/// Makes a strip of a product, of what follows it and of the kernels that may lead, without the
/// kernels that its blocks do not divide. False if there is none.
bool StripMaker::from(std::size_t first, std::size_t product) {
  if (facts_[product].product->m < least_rows(product)) return false;
  refused_.clear();
  std::set<std::int32_t> own;
  for (bool whole = false; !whole;) {
    if (!grow(first, product) || !worth_it()) return false;
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

/// Takes in a product, what leads to it from `first` on, and what follows. Steps in between come
/// before the strip, or, where they need what it makes, after it. False if the product is none of
/// it.
bool StripMaker::grow(std::size_t first, std::size_t product) {
  const MatmulSpec& shape = *facts_[product].product;
  product_ = product;
  members_.clear();
  maker_.clear();
  shared_.clear();
  before_.clear();
  after_.clear();
  matrices_ = shape.batch;
  rows_ = shape.m;
  end_ = first;
  for (std::size_t t = first; t < steps().size() && t <= product + farthest; ++t) {
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
    if (t == product) return false;
    (blocked || needs ? after_ : before_).push_back(t);
  }
  return true;
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
  if (t == product_ && members_.empty()) {
    members_.push_back({t, {}});
    return true;
  }
  if (product.batch * product.m != rows_in_all() || !maker_.contains(a)) return false;
  if (maker_.contains(step.inputs[1]) || maker_.contains(step.outputs[0])) return false;
  const int64_t rows = std::gcd(rows_, product.m);
  if (rows < least_rows(t) || !writes_own_rows(a)) return false;
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
        std::gcd(rows_, product->m) < least_rows(t))
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
  if (std::none_of(step.inputs.begin(), step.inputs.end(), made) && !leading_.contains(t))
    return false;
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

bool StripMaker::worth_it() const {
  if (members_.size() < 2) return false;
  std::size_t saved = 0;
  for (std::int32_t number : shared_) saved += slot(number).bytes;
  if (saved >= least_saved) return true;
  // The threads meet once in a step of a loop, and find what they left in their caches.
  double work = 0;
  for (const Member& member : members_)
    if (!member.units) work += flops(*facts_[member.step].product);
  return all_laid_out() && work >= least_flops;
}

void form_strips(Schedule& schedule, std::vector<StepFacts>& facts, Constants constants) {
  StripMaker(schedule, facts, constants).run();
}

}  // namespace fluxion::codegen
