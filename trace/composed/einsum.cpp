// Sums of products in Einstein's notation: the text read, the pairs chosen, each a dot_general.
#include "trace/composed/common.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace fluxion {
namespace {

using namespace composed;

/// A letter, or -1, -2, ... for the axes of "..." counted from the last.
using Label = int;
using Labels = std::vector<Label>;

struct Term {
  Array array;
  Labels labels;
};

bool holds(const Labels& list, Label label) {
  return std::find(list.begin(), list.end(), label) != list.end();
}

class Equation {
 public:
  Equation(std::string_view text, const std::vector<Array>& operands, const Site& site)
      : text_(text), site_(site) {
    const std::size_t arrow = text.find("->");
    read_operands(text.substr(0, arrow), operands);
    check_sizes();
    if (arrow == std::string_view::npos)
      deduce_output();
    else
      read_output(text.substr(arrow + 2));
  }
  std::vector<Term>& terms() { return terms_; }
  const Labels& output() const { return output_; }
  std::int64_t size(Label label) const { return sizes_.at(label); }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    fail("einsum", site_, fmt::format("einsum: \"{}\": {}", text_, why));
  }

  /// The labels of one operand with `dots` axes under "..." (less than 0: none expected).
  Labels read_labels(std::string_view part, int dots) const {
    Labels labels;
    bool open = false;
    for (std::size_t i = 0; i < part.size(); ++i) {
      const char c = part[i];
      if (c == ' ') continue;
      if (part.substr(i, 3) == "..." && !open) {
        for (int k = dots; k >= 1; --k) labels.push_back(-k);
        open = true;
        i += 2;
      } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        labels.push_back(c);
      } else {
        refuse(fmt::format("'{}' is no letter, comma or \"...\"", c));
      }
    }
    return labels;
  }

  void read_operands(std::string_view inputs, const std::vector<Array>& operands) {
    const auto count = static_cast<std::size_t>(std::count(inputs.begin(), inputs.end(), ',')) + 1;
    if (count != operands.size())
      refuse(fmt::format("it names {} operands, {} are given", count, operands.size()));
    for (const Array& operand : operands) {
      const std::size_t comma = std::min(inputs.find(','), inputs.size());
      const std::string_view part = inputs.substr(0, comma);
      inputs.remove_prefix(std::min(comma + 1, inputs.size()));
      const int named = static_cast<int>(read_labels(part, 0).size()), rank = operand.ndim(site_);
      const bool dots = part.find("...") != std::string_view::npos;
      if (dots ? rank < named : rank != named)
        refuse(fmt::format("\"{}\" names {} axes of an operand that has {}: {}",
                           part,
                           named,
                           rank,
                           to_string(type_of(operand))));
      dots_ = std::max(dots_, rank - named);
      terms_.push_back({operand, read_labels(part, rank - named)});
    }
  }

  void check_sizes() {
    for (const Term& t : terms_) {
      for (std::size_t k = 0; k < t.labels.size(); ++k) {
        const Label label = t.labels[k];
        const std::int64_t n = size_at(t.array, static_cast<int>(k));
        auto [known, fresh] = sizes_.try_emplace(label, n);
        if (fresh || known->second == n || (label < 0 && n == 1)) continue;
        if (label < 0 && known->second == 1)
          known->second = n;
        else if (label < 0)
          refuse(fmt::format("the axes under \"...\" have the sizes {} and {}", known->second, n));
        else
          refuse(fmt::format(
              "the axis '{}' has the sizes {} and {}", static_cast<char>(label), known->second, n));
      }
    }
  }

  void deduce_output() {
    for (int k = dots_; k >= 1; --k) output_.push_back(-k);
    for (auto [label, size] : sizes_) {
      std::ptrdiff_t times = 0;
      for (const Term& t : terms_) times += std::count(t.labels.begin(), t.labels.end(), label);
      if (label > 0 && times == 1) output_.push_back(label);
    }
  }

  void read_output(std::string_view part) {
    output_ = read_labels(part, dots_);
    for (std::size_t k = 0; k < output_.size(); ++k) {
      const Label label = output_[k];
      if (!sizes_.contains(label))
        refuse(fmt::format("the result's axis '{}' is in no operand", static_cast<char>(label)));
      if (std::find(output_.begin() + static_cast<std::ptrdiff_t>(k) + 1, output_.end(), label) !=
          output_.end())
        refuse(fmt::format("the result has the axis '{}' twice", static_cast<char>(label)));
    }
    if (dots_ > 0 && part.find("...") == std::string_view::npos)
      refuse("the operands have axes under \"...\", which the result must keep");
  }

  std::string_view text_;
  Site site_;
  int dots_ = 0;
  std::vector<Term> terms_;
  Labels output_;
  std::map<Label, std::int64_t> sizes_;
};

/// Each label at most once: repeated ones become their diagonal.
Term without_repeats(Term t) {
  for (std::size_t k = 0; k < t.labels.size(); ++k) {
    for (std::size_t j = k + 1; j < t.labels.size(); ++j) {
      if (t.labels[j] != t.labels[k]) continue;
      const Label label = t.labels[k];
      t.array = diagonal(t.array, 0, static_cast<int>(k), static_cast<int>(j));
      t.labels.erase(t.labels.begin() + static_cast<std::ptrdiff_t>(j));
      t.labels.erase(t.labels.begin() + static_cast<std::ptrdiff_t>(k));
      t.labels.push_back(label);
      return without_repeats(std::move(t));
    }
  }
  return t;
}

/// Sums over the labels that nobody else wants.
Term without_own(const Term& t, const Labels& wanted) {
  std::vector<int> gone;
  Labels kept;
  for (std::size_t k = 0; k < t.labels.size(); ++k) {
    if (holds(wanted, t.labels[k]))
      kept.push_back(t.labels[k]);
    else
      gone.push_back(static_cast<int>(k));
  }
  return gone.empty() ? t : Term{sum(t.array, Axes(gone)), kept};
}

/// Without the axes of size 1 that stand for a larger one of the other operand.
Term without_ones(const Term& t, const Equation& e) {
  std::vector<int> ones;
  Labels kept;
  for (std::size_t k = 0; k < t.labels.size(); ++k) {
    if (size_at(t.array, static_cast<int>(k)) == 1 && e.size(t.labels[k]) != 1)
      ones.push_back(static_cast<int>(k));
    else
      kept.push_back(t.labels[k]);
  }
  return ones.empty() ? t : Term{squeeze(t.array, Axes(ones)), kept};
}

/// The labels of a product of two terms, of which `wanted` are still needed: shared ones, then
/// those of each alone.
Labels product_labels(const Term& a, const Term& b, const Labels& wanted) {
  Labels shared, rest;
  for (Label l : a.labels) (holds(b.labels, l) ? shared : rest).push_back(l);
  for (Label l : b.labels)
    if (!holds(a.labels, l)) rest.push_back(l);
  std::erase_if(shared, [&](Label l) { return !holds(wanted, l); });
  shared.insert(shared.end(), rest.begin(), rest.end());
  return shared;
}

Term product(const Term& a, const Term& b, const Labels& wanted, const Site& site) {
  ops::DotDimensions d;
  for (std::size_t k = 0; k < a.labels.size(); ++k) {
    const auto at = std::find(b.labels.begin(), b.labels.end(), a.labels[k]);
    if (at == b.labels.end()) continue;
    const bool kept = holds(wanted, a.labels[k]);
    (kept ? d.lhs_batch : d.lhs_contract).push_back(static_cast<int>(k));
    (kept ? d.rhs_batch : d.rhs_contract).push_back(static_cast<int>(at - b.labels.begin()));
  }
  return {ops::dot_general(a.array, b.array, d, site), product_labels(a, b, wanted)};
}

/// What all terms but two, and the result, need.
Labels wanted_by_others(const std::vector<Term>& terms,
                        std::size_t i,
                        std::size_t j,
                        const Labels& output) {
  Labels wanted = output;
  for (std::size_t k = 0; k < terms.size(); ++k)
    if (k != i && k != j)
      wanted.insert(wanted.end(), terms[k].labels.begin(), terms[k].labels.end());
  return wanted;
}

/// Multiplications of a product of two terms.
double cost_of(const Labels& a, const Labels& b, const Equation& e) {
  double cost = 1;
  for (Label l : a) cost *= static_cast<double>(e.size(l));
  for (Label l : b)
    if (!holds(a, l)) cost *= static_cast<double>(e.size(l));
  return cost;
}

/// The pair whose product is smallest; the first of equals.
std::pair<std::size_t, std::size_t> cheapest(const std::vector<Term>& terms, const Equation& e) {
  std::pair<std::size_t, std::size_t> best{0, 1};
  double least = -1;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    for (std::size_t j = i + 1; j < terms.size(); ++j) {
      double size = 1;
      for (Label l : product_labels(terms[i], terms[j], wanted_by_others(terms, i, j, e.output())))
        size *= static_cast<double>(e.size(l));
      if (least < 0 || size < least) {
        least = size;
        best = {i, j};
      }
    }
  }
  return best;
}

constexpr std::size_t most_exhaustive = 8;  // terms: 6,561 ways to split their subsets

/// The order of products with the fewest multiplications, over all subsets of a few terms.
class BestOrder {
 public:
  BestOrder(const std::vector<Term>& terms, const Equation& e, const Site& site)
      : terms_(terms), e_(e), site_(site), plans_(std::size_t{1} << terms.size()) {
    for (std::size_t set = 1; set < plans_.size(); ++set) plan(set);
  }
  Term product() const { return product(plans_.size() - 1); }

 private:
  struct Plan {
    double cost = 0;
    std::size_t first = 0;  // one of two parts; 0 for a single term
    Labels labels = {};
  };

  /// What is still needed outside of a subset.
  Labels wanted(std::size_t set) const {
    Labels labels = e_.output();
    for (std::size_t k = 0; k < terms_.size(); ++k)
      if (!(set >> k & 1))
        labels.insert(labels.end(), terms_[k].labels.begin(), terms_[k].labels.end());
    return labels;
  }

  void plan(std::size_t set) {
    Plan& best = plans_[set];
    for (std::size_t k = 0; k < terms_.size(); ++k)
      if (set == std::size_t{1} << k) best.labels = terms_[k].labels;
    const std::size_t lowest = set & (~set + 1);
    if (set == lowest) return;
    best.cost = -1;
    // Every split once: the first part holds the first term.
    for (std::size_t part = (set - 1) & set; part; part = (part - 1) & set) {
      if (!(part & lowest)) continue;
      const Plan &a = plans_[part], &b = plans_[set ^ part];
      const double cost = a.cost + b.cost + cost_of(a.labels, b.labels, e_);
      if (best.cost >= 0 && cost >= best.cost) continue;
      best.cost = cost;
      best.first = part;
    }
    const Term a{{}, plans_[best.first].labels}, b{{}, plans_[set ^ best.first].labels};
    best.labels = product_labels(a, b, wanted(set));
  }

  Term product(std::size_t set) const {
    const Plan& p = plans_[set];
    if (p.first)
      return fluxion::product(product(p.first), product(set ^ p.first), wanted(set), site_);
    std::size_t k = 0;
    while (!(set >> k & 1)) ++k;
    return terms_[k];
  }

  const std::vector<Term>& terms_;
  const Equation& e_;
  const Site& site_;
  std::vector<Plan> plans_;
};

/// All terms as one.
Term contracted(std::vector<Term> terms, const Equation& e, const Site& site) {
  if (terms.size() <= most_exhaustive) return BestOrder(terms, e, site).product();
  while (terms.size() > 1) {
    const auto [i, j] = cheapest(terms, e);
    Term both = product(terms[i], terms[j], wanted_by_others(terms, i, j, e.output()), site);
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(j));
    terms[i] = std::move(both);
  }
  return terms[0];
}

}  // namespace

Array einsum_of(SitedText equation, const std::vector<Array>& operands) {
  SiteScope here(equation.site);
  if (operands.empty()) fail("einsum", equation.site, "einsum: no operands are given");
  DType d = operands[0].dtype(equation.site);
  for (const Array& a : operands) d = promote(d, a.dtype(equation.site));
  std::vector<Array> alike;
  for (const Array& a : operands) alike.push_back(a.astype(arithmetic_dtype(d)));
  Equation e(equation.text, alike, equation.site);
  std::vector<Term>& terms = e.terms();
  for (std::size_t k = 0; k < terms.size(); ++k) {
    terms[k] = without_repeats(terms[k]);
    terms[k] = without_own(without_ones(terms[k], e), wanted_by_others(terms, k, k, e.output()));
  }
  Term last = without_own(contracted(terms, e, equation.site), e.output());
  std::vector<int> order;
  for (Label l : e.output())
    order.push_back(static_cast<int>(std::find(last.labels.begin(), last.labels.end(), l) -
                                     last.labels.begin()));
  return order.empty() ? last.array : transpose(last.array, order);
}

}  // namespace fluxion
