#include "memory.h"

#include <algorithm>
#include <cstdlib>
// Sanitizers watch the heap, not mappings.
#if (defined(__unix__) || defined(__APPLE__)) && !defined(__SANITIZE_ADDRESS__)
#define MAPPED 1
#include <sys/mman.h>
#else
#define MAPPED 0
#endif

Memory reserve(size_t bytes) {
  Memory m;
  m.bytes = bytes;
  size_t size = std::max<size_t>(bytes, 64);
#if MAPPED
  void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return Memory();
#if defined(MADV_HUGEPAGE)
  if (size >= (size_t(4) << 20)) madvise(p, size, MADV_HUGEPAGE);
#endif
  m.data = (char*)p;
#else
  m.data = (char*)calloc(1, size);
#endif
  return m;
}
void unreserve(Memory& m) {
  if (!m.data) return;
#if MAPPED
  munmap(m.data, std::max<size_t>(m.bytes, 64));
#else
  free(m.data);
#endif
  m = Memory();
}
