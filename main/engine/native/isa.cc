#include "isa.h"

#include <cstdint>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace portable {
extern const Level table;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Level table;
}
namespace avx512 {
extern const Level table;
}
namespace avx512bf16 {
extern const Level table;
}
namespace amx {
extern const Level table;
extern bool amx_emulated;
}

namespace {

struct Features {
  bool avx2 = false, avx512 = false, bf16 = false, amx = false;
};

uint64_t xcr0() {
  uint32_t lo, hi;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return ((uint64_t)hi << 32) | lo;
}

// Linux hands out tile state on request only: ARCH_REQ_XCOMP_PERM for component 18 (tile data).
bool request_tiles() {
#if defined(__linux__)
  return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#else
  return false;
#endif
}

Features detect() {
  Features f;
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return f;
  bool fma = c & (1u << 12), osxsave = c & (1u << 27), avx = c & (1u << 28), f16c = c & (1u << 29);
  if (!osxsave || !avx) return f;
  uint64_t x = xcr0();
  bool ymm = (x & 6) == 6, zmm = (x & 0xe6) == 0xe6, tiles = (x & 0x60000) == 0x60000;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return f;
  f.avx2 = ymm && fma && f16c && (b & (1u << 5));
  unsigned need = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31);  // F, DQ, BW, VL
  f.avx512 = f.avx2 && zmm && (b & need) == need;
  bool tile = d & (1u << 24), tile_bf16 = d & (1u << 22);
  unsigned most = a;
  if (most >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) f.bf16 = f.avx512 && (a & (1u << 5));
  f.amx = f.bf16 && tiles && tile && tile_bf16 && request_tiles();
  return f;
}

}  // namespace
#endif

std::vector<LevelInfo> runnable_levels(bool tests) {
  std::vector<LevelInfo> levels{{"portable", &portable::table, false}};
#if defined(__x86_64__)
  static const Features f = detect();
  if (f.avx2) levels.push_back({"avx2", &avx2::table, false});
  if (f.avx512 && (tests || !f.bf16)) levels.push_back({f.bf16 ? "avx512-f32" : "avx512", &avx512::table, false});
  if (tests && f.bf16) levels.push_back({"amx-emulated", &amx::table, true});
  if (f.bf16) levels.push_back({"avx512", &avx512bf16::table, false});
  if (f.amx) levels.push_back({"amx", &amx::table, false});
#else
  (void)tests;
#endif
  return levels;
}

bool choose_level(const std::string& name, LevelInfo* out, std::string* error) {
  auto all = runnable_levels(true);
  if (name.empty()) {
    *out = all.back();
    return true;
  }
  std::string list;
  for (auto& l : all) {
    if (l.name == name) {
      *out = l;
      return true;
    }
    if (l.name != "avx512-f32" && l.name != "amx-emulated") list += (list.empty() ? "" : ", ") + l.name;
  }
  bool known = name == "avx2" || name == "avx512" || name == "amx";
  *error = known ? "this processor cannot run the instruction level '" + name + "'; it can run: " + list
                 : "unknown instruction level '" + name + "'; allowed here: " + list;
  return false;
}

void activate_level(const LevelInfo& info) {
#if defined(__x86_64__)
  amx::amx_emulated = info.emulated;
#else
  (void)info;
#endif
}
