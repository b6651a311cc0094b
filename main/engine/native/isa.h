// Which instruction levels this processor can run.
#pragma once
#include <string>
#include <vector>

#include "kernels.h"

struct LevelInfo {
  std::string name;  // portable | avx2 | avx512 | amx, and for tests avx512-f32 (no bf16 products) and amx-emulated
  const Level* level;
  bool emulated;
};

// Levels that can run here, slowest first; the test-only ones come with `tests`.
std::vector<LevelInfo> runnable_levels(bool tests);

// The level called `name`, or the fastest for an empty name. On failure returns false and an explanation.
bool choose_level(const std::string& name, LevelInfo* out, std::string* error);

// Makes a level current for the whole process (the emulation flag is global).
void activate_level(const LevelInfo& info);
