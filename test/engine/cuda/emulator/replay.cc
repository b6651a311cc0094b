// Runs recorded launches (EMU_RECORD of fakecuda.cc) in a program of its own, so that the thread sanitizer, which cannot be loaded into a running
// process, sees the kernels' races: `replay FILE FOLDER`, the folder being that of the emulated kernels. Prints what it ran.
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "host.h"

#include "record.h"

static void get(void* to, size_t n, FILE* file) {
  if (fread(to, 1, n, file) != n) {
    fprintf(stderr, "the record ends too early\n");
    exit(2);
  }
}
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  FILE* file = fopen(argv[1], "rb");
  if (!file) return 2;
  std::map<std::string, void*> images;
  RecordHead head;
  int count = 0;
  while (fread(&head, sizeof head, 1, file) == 1) {
    std::vector<char> args(head.args);
    get(args.data(), args.size(), file);
    std::vector<std::pair<void*, size_t>> mapped;
    for (u32 i = 0; i < head.blocks; i++) {
      u64 where[2];
      get(where, sizeof where, file);
      size_t length = (where[1] + 4095) / 4096 * 4096;
      void* m = mmap((void*)where[0], length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
      if (m == MAP_FAILED) {
        fprintf(stderr, "no memory at the address that was recorded\n");
        return 2;
      }
      get(m, where[1], file);
      mapped.push_back({m, length});
    }
    void*& image = images[head.family];
    if (!image) image = dlopen((std::string(argv[2]) + "/" + head.family + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!image) {
      fprintf(stderr, "%s\n", dlerror());
      return 2;
    }
    auto entry = (void (*)(const void*))dlsym(image, head.kernel);
    fprintf(stderr, "kernel %s\n", head.kernel);
    emu_launch(head.kernel, entry, args.data(), head.grid, head.size, head.shared);
    for (auto& [m, length] : mapped) munmap(m, length);
    count++;
  }
  printf("%d launches\n", count);
  return 0;
}
