// The user's code called from inside the library: it records as if no program were being traced.
#pragma once
#include "fluxion/core.hpp"

namespace fluxion {
class Frame;

/// The frame that this thread records into, replaced; gives the old one.
Frame* exchange_frame(Frame*) noexcept;

/// Whose line this thread's work belongs to.
struct SiteState {
  const Site* rule = nullptr;
  bool open = false;
  Site scope = {};
};
SiteState exchange_sites(const SiteState&) noexcept;

/// While one lives, this thread is outside all frames and all lines.
class OutsideScope {
 public:
  OutsideScope() noexcept : frame_(exchange_frame(nullptr)), sites_(exchange_sites({})) {}
  ~OutsideScope() {
    exchange_frame(frame_);
    exchange_sites(sites_);
  }
  OutsideScope(const OutsideScope&) = delete;
  OutsideScope& operator=(const OutsideScope&) = delete;

 private:
  Frame* frame_;
  SiteState sites_;
};

}  // namespace fluxion
