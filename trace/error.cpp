// The text of errors, and whose line an error or a recorded operation belongs to.
#include "trace/error.hpp"

#include "trace/frame.hpp"
#include "trace/outside.hpp"

namespace fluxion {
namespace {

// Who names the line, strongest first: the rule being applied (the forward operation's line), the
// outermost composed function, the operation being recorded.
thread_local const Site* rule_line = nullptr;
thread_local bool scope_open = false;
thread_local Site scope_line;

}  // namespace

SiteScope::SiteScope(const Site& site) noexcept : outermost_(!scope_open) {
  if (outermost_) {
    scope_open = true;
    scope_line = site;
  }
}
SiteScope::~SiteScope() {
  if (outermost_) scope_open = false;
}

RuleSite::RuleSite(const Site& site) noexcept : saved_(rule_line) { rule_line = &site; }
RuleSite::~RuleSite() { rule_line = saved_; }

SiteState exchange_sites(const SiteState& state) noexcept {
  const SiteState old{rule_line, scope_open, scope_line};
  rule_line = state.rule;
  scope_open = state.open;
  scope_line = state.scope;
  return old;
}

Site rule_site() { return current_site(Site::current()); }

Site current_site(const Site& otherwise) noexcept {
  if (rule_line) return *rule_line;
  return scope_open ? scope_line : otherwise;
}

InternalError::InternalError(const std::string& what)
    : std::logic_error("fluxion: internal error: " + what +
                       "\n  = this is a mistake of the library, please report it with the program "
                       "that led here") {}

Error::Error(std::string_view code, Site site, std::string_view text) : code_(code), site_(site) {
  const std::size_t first = text.find('\n');
  what_ = "error[" + code_ + "]: " + std::string(text.substr(0, first)) + "\n  --> " +
          site.file_name() + ":" + std::to_string(site.line());
  if (first != text.npos) what_ += text.substr(first);
}

void fail(std::string_view code,
          const Site& site,
          std::string_view sentence,
          std::initializer_list<std::string> details,
          std::string_view hint) {
  std::string text(sentence);
  for (const std::string& detail : details) text += "\n  | " + detail;
  if (!hint.empty()) text += "\n  = hint: " + std::string(hint);
  throw Error(code, current_site(site), text);
}

std::string to_string(DType d) { return std::string(detail::dtype_word(d)); }
std::string to_string(const Shape& s) {
  std::string out = "[";
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (i) out += ',';
    out += std::to_string(s[i]);
  }
  return out += ']';
}
std::string to_string(const Spec& t) { return to_string(t.dtype) + to_string(t.shape); }

}  // namespace fluxion
