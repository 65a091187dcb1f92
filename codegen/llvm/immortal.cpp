// What LLVM keeps in statics is never destroyed: a thread may still compile while the process ends,
// and a compilation makes such statics at any time.

// All destructors of this module's statics would be registered here; hidden, so that no other
// module's are.
extern "C" [[gnu::visibility("hidden")]] int __cxa_atexit(void (*)(void*), void*, void*) noexcept {
  return 0;
}
