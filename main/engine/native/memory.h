// Memory of the addon's own: no external ArrayBuffers, which Electron forbids.
#pragma once
#include <cstddef>

struct Memory {
  char* data = nullptr;
  size_t bytes = 0;
};

// Zeroed memory at a page boundary, in huge pages where the system offers them; without data where it refuses.
Memory reserve(size_t bytes);
void unreserve(Memory& m);
