// StableHLO programs as users hold them.
#include "fluxion/stablehlo.hpp"

#include "interop/file.hpp"
#include "interop/stablehlo_lower.hpp"
#include "interop/stablehlo_write.hpp"
#include "trace/error.hpp"

namespace fluxion::stablehlo {

class Program::Impl : public detail::Shared {
 public:
  explicit Impl(Traced traced) : traced_(std::move(traced)) {
    const TypeList types = traced_.graph->input_types();
    inputs.assign(types.begin(),
                  types.end() - static_cast<std::ptrdiff_t>(traced_.captures.size()));
    outputs = traced_.graph->output_types();
  }
  const Graph& graph() const { return *traced_.graph; }
  const ArrayList& captures() const { return traced_.captures; }

  std::vector<Spec> inputs, outputs;

 private:
  Traced traced_;
};

namespace {

constexpr std::uint64_t largest_text = std::uint64_t{1} << 32;

const Program::Impl& impl(const detail::Ref<const detail::Shared>& p) {
  return static_cast<const Program::Impl&>(*p);
}

}  // namespace

Program::Program(detail::Ref<const Impl> impl) : impl_(impl.raw()) {}
const std::vector<Spec>& Program::inputs() const { return impl(impl_).inputs; }
const std::vector<Spec>& Program::outputs() const { return impl(impl_).outputs; }
Function Program::function() const {
  return Function(detail::Ref<const detail::Shared>(&impl(impl_).graph()));
}

std::vector<Array> Program::operator()(const std::vector<Array>& arguments, Site site) const {
  const Impl& program = impl(impl_);
  const SiteScope here(site);
  if (arguments.size() != program.inputs.size())
    fail("stablehlo-arguments",
         site,
         "the program takes " + std::to_string(program.inputs.size()) + " arguments, not " +
             std::to_string(arguments.size()));
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    const Spec given{arguments[k].shape(site), arguments[k].dtype(site)};
    if (!(given == program.inputs[k]))
      fail("stablehlo-arguments",
           site,
           "argument " + std::to_string(k) + " has another type than the program's",
           {"the program takes " + to_string(program.inputs[k]),
            "the argument is   " + to_string(given)});
  }
  ArrayList operands = arguments;
  operands.insert(operands.end(), program.captures().begin(), program.captures().end());
  return inline_graph(program.graph(), operands);
}

Program read(std::string_view text, std::string_view entry, Site site) {
  const SiteScope here(site);
  for (const Module& module : parse(text, site)) {
    if (!module.find(entry)) continue;
    Lowering lowering(module, site);
    return Program(
        detail::Ref<const Program::Impl>(new Program::Impl(lowering.function(entry, {1, 1}))));
  }
  fail("stablehlo-program", site, "stablehlo: the text has no function @" + std::string(entry));
}

Program load(const std::string& path, std::string_view entry, Site site) {
  interop::InputFile file(path, interop::Compression::none, site);
  const std::vector<char> text = file.read_up_to(largest_text);
  return read({text.data(), text.size()}, entry, site);
}

std::string write(const Function& f, Site site) {
  const SiteScope here(site);
  GraphRef graph;
  try {
    graph = parse_graph(f.text());
  } catch (const Error&) {  // handles of this process have no text
    fail("stablehlo-host",
         site,
         "stablehlo: the program calls back, checks or prints: this belongs to this process and "
         "cannot be written",
         {},
         "trace a function without callbacks, checks and prints");
  }
  return write_graph(*graph);
}

}  // namespace fluxion::stablehlo
