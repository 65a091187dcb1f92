// Numbers of host objects and lines, lanes, formats.
#include "trace/ops/host.hpp"

#include "trace/ops/axes.hpp"

#include <mutex>
#include <unordered_map>

namespace fluxion {
namespace {

struct Numbers {
  std::mutex lock;
  std::uint64_t last = 0;
  std::unordered_map<std::uint64_t, const detail::HostObject*> objects;
  std::vector<Site> sites;
};
Numbers& numbers() {
  static auto* made = new Numbers;  // never destroyed: functions with static lifetime outlive it
  return *made;
}

bool same_place(const Site& a, const Site& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         std::string_view(a.file_name()) == b.file_name();
}

}  // namespace

namespace detail {

HostObject::HostObject() {
  std::lock_guard guard(numbers().lock);
  number_ = ++numbers().last;
  numbers().objects.emplace(number_, this);
}
HostObject::~HostObject() {
  std::lock_guard guard(numbers().lock);
  numbers().objects.erase(number_);
}

}  // namespace detail

namespace ops {

HostHandle::HostHandle(detail::Ref<const detail::HostObject> object)
    : object_(std::move(object)), number_(object_->number()) {}

void HostHandle::push_back(std::uint64_t number) {
  std::lock_guard guard(numbers().lock);
  const auto found = numbers().objects.find(number);
  if (found == numbers().objects.end()) return;
  object_ = detail::Ref<const detail::HostObject>(found->second);
  number_ = number;
}

SiteHandle::SiteHandle(const Site& site) {
  std::lock_guard guard(numbers().lock);
  std::vector<Site>& sites = numbers().sites;
  while (number_ < sites.size() && !same_place(sites[number_], site)) ++number_;
  if (number_ == sites.size()) sites.push_back(site);
}

Site SiteHandle::site() const {
  std::lock_guard guard(numbers().lock);
  return number_ < numbers().sites.size() ? numbers().sites[number_] : Site();
}

namespace {

struct LaneWalk {
  const LaneList& lanes;
  const std::function<void(ConstTensors, Tensors, const std::vector<std::int64_t>&)>& visit;
  std::vector<std::int64_t> index = {};

  void walk(std::vector<ConstTensor> in, std::vector<Tensor> out) {
    if (index.size() == lanes.size()) return visit(in, out, index);
    const Lanes& here = lanes[index.size()];
    const auto step_into = [](auto& tensor) {
      tensor.type = {without_axis(tensor.type.shape, 0), tensor.type.dtype};
      return bytes_of(tensor.type);
    };
    std::vector<std::size_t> in_steps(in.size()), out_steps;
    for (std::int64_t k : here.batched)
      in_steps[static_cast<std::size_t>(k)] = step_into(in[static_cast<std::size_t>(k)]);
    for (Tensor& tensor : out) out_steps.push_back(step_into(tensor));
    index.push_back(0);
    for (std::int64_t i = 0; i < here.size; ++i) {
      index.back() = i;
      walk(in, out);
      for (std::size_t k = 0; k < in.size(); ++k)
        in[k].data = static_cast<const char*>(in[k].data) + in_steps[k];
      for (std::size_t k = 0; k < out.size(); ++k)
        out[k].data = static_cast<char*>(out[k].data) + out_steps[k];
    }
    index.pop_back();
  }
};

}  // namespace

void for_each_lane(
    const LaneList& lanes,
    ConstTensors in,
    Tensors out,
    const std::function<void(ConstTensors, Tensors, const std::vector<std::int64_t>&)>& visit) {
  LaneWalk{lanes, visit}.walk({in.begin(), in.end()}, {out.begin(), out.end()});
}

std::pair<ArrayList, LaneList> with_lanes(const LaneList& inner,
                                          Arrays x,
                                          BatchAxes at,
                                          std::int64_t size) {
  ArrayList operands;
  Lanes lanes{size, {}};
  for (std::size_t k = 0; k < x.size(); ++k) {
    operands.push_back(at[k] == unbatched ? x[k] : move_axis(x[k], at[k], 0));
    if (at[k] != unbatched) lanes.batched.push_back(static_cast<std::int64_t>(k));
  }
  LaneList all{lanes};
  all.insert(all.end(), inner.begin(), inner.end());
  return {std::move(operands), std::move(all)};
}

Type with_lane_axes(const LaneList& lanes, Type type) {
  for (std::size_t k = lanes.size(); k-- > 0;) type.shape = with_axis(type.shape, 0, lanes[k].size);
  return type;
}

Type without_lane_axes(const LaneList& lanes, std::size_t operand, const Type& type) {
  Type one = type;
  for (const Lanes& l : lanes)
    for (std::int64_t k : l.batched)
      if (static_cast<std::size_t>(k) == operand) one.shape = without_axis(one.shape, 0);
  return one;
}

namespace {

constexpr std::string_view coded = "\"%\n", codes = "qpn";

void append_coded(std::string& out, char c) {
  const std::size_t code = coded.find(c);
  if (code == coded.npos)
    out += c;
  else
    (out += '%') += codes[code];
}
void append_braced(std::string& out, std::string_view text) {
  for (char c : text) {
    if (c == '{' || c == '}') out += c;
    append_coded(out, c);
  }
}

}  // namespace

FlatFormat flatten(std::string_view format, const std::vector<detail::FormatValue>& values) {
  FlatFormat flat;
  std::size_t next = 0;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format.substr(i, 2) != "{}") {
      append_coded(flat.text, format[i]);
      if (format[i] == '{' || format[i] == '}') flat.text += format[++i];
      continue;
    }
    ++i;
    const detail::FormatValue& value = values[next++];
    if (value.is == detail::FormatValue::Is::text) {
      append_braced(flat.text, value.text);
      continue;
    }
    flat.text += "{}";
    flat.holes.push_back(value.is == detail::FormatValue::Is::array
                             ? -1
                             : static_cast<std::int64_t>(value.arrays.size()));
    flat.arrays.insert(flat.arrays.end(), value.arrays.begin(), value.arrays.end());
  }
  return flat;
}

std::string fill(const std::string& text,
                 const std::vector<std::int64_t>& holes,
                 ConstTensors arrays) {
  std::string out;
  std::size_t hole = 0, next = 0;
  const auto element = [&] {
    const ConstTensor& a = arrays[next++];
    return elements_text(a.type, a.data);
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      out += coded[codes.find(text[++i])];
    } else if (c == '{' && text[i + 1] == '}') {
      ++i;
      const std::int64_t count = holes[hole++];
      if (count < 0) {
        out += element();
        continue;
      }
      out += '(';
      for (std::int64_t k = 0; k < count; ++k) out += (k ? ", " : "") + element();
      out += ')';
    } else {
      out += c;
      if (c == '{' || c == '}') ++i;
    }
  }
  return out;
}

Array always_active() { return literal(1, bool_); }

}  // namespace ops
}  // namespace fluxion
