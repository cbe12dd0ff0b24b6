// The choice of kernels at run time: see kernel_table.h.
#include "operators/engine/kernel_table.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "physics/error.h"

namespace torsor::engine {

extern const KernelTable<double> k_baseline_double;
extern const KernelTable<float> k_baseline_float;
#ifdef TORSOR_X86_KERNELS
extern const KernelTable<double> k_avx2_double, k_avx512_double;
extern const KernelTable<float> k_avx2_float, k_avx512_float;
#endif

namespace {

struct Level {
  const KernelTable<double>* doubles;
  const KernelTable<float>* floats;
};

std::vector<Level> find_levels() {
  std::vector<Level> levels{{&k_baseline_double, &k_baseline_float}};
#ifdef TORSOR_X86_KERNELS
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    levels.push_back({&k_avx2_double, &k_avx2_float});
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
      levels.push_back({&k_avx512_double, &k_avx512_float});
  }
#endif
  return levels;
}

const std::vector<Level>& levels() {
  static const std::vector<Level> found = find_levels();
  return found;
}

const Level* find_level(const std::string& name) {
  if (name.empty()) return &levels().back();
  for (const Level& level : levels())
    if (name == level.doubles->name) return &level;
  throw InputError(unknown_name_message("instruction set", name, instruction_sets()));
}

std::atomic<const Level*>& current() {
  static std::atomic<const Level*> level = [] {
    const char* name = std::getenv("TORSOR_INSTRUCTION_SET");
    return find_level(name ? name : "");
  }();
  return level;
}

}  // namespace

template <>
const KernelTable<double>& kernels<double>() {
  return *current().load()->doubles;
}

template <>
const KernelTable<float>& kernels<float>() {
  return *current().load()->floats;
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const Level& level : levels()) names.emplace_back(level.doubles->name);
  return names;
}

std::string instruction_set() {
  return current().load()->doubles->name;
}

void force_instruction_set(const std::string& name) {
  current() = find_level(name);
}

}  // namespace torsor::engine
