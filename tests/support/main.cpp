// The entry of every test program.
#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <cstdlib>

int main(int argc, char** argv) {
  // Never the developer's own cache of code.
  setenv("FLUXION_CACHE_DIR", FLUXION_TEST_CACHE, 0);
  setenv("FLUXION_QUICK_CODE", "2", 0);  // both kinds of code run, soon
  return Catch::Session().run(argc, argv);
}
