// The precompiled Catch2 that all test programs reuse needs one file that is compiled with it.
