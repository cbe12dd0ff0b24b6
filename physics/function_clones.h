// TORSOR_CLONES("arch=x86-64-v3", "default") in front of a function: it is compiled for each of these instruction sets and
// picked at load time. Sanitizers (TORSOR_NO_CLONES) instrument the resolver before they are initialised, Clang spells the
// attribute differently, and other systems have no resolvers: they take the baseline.
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && \
    !defined(TORSOR_NO_CLONES) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TORSOR_CLONES(...) __attribute__((target_clones(__VA_ARGS__)))
#else
#define TORSOR_CLONES(...)
#endif
