// Runs recorded launches (EMU_RECORD of fakecuda.cc) in a program of its own, so that the thread sanitizer, which cannot be loaded into a running
// process, sees the kernels' races: `replay FILE FOLDER`, the folder being that of the emulated kernels. Prints what it ran. `replay FILE FOLDER orders`
// runs each with its threads and blocks in three orders and compares every byte of the device's memory: results that depend on an order are not the
// device's to give, so a barrier is missing, or two blocks write the same.
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "host.h"

#include "record.h"

typedef std::vector<char> Bytes;
struct Mapped {
  char* at;
  size_t bytes, length;
  Bytes first;  // what is in it before the launch
};

static void get(void* to, size_t n, FILE* file) {
  if (fread(to, 1, n, file) != n) {
    fprintf(stderr, "the record ends too early\n");
    exit(2);
  }
}
static Mapped map_next(FILE* file) {
  u64 where[2];
  get(where, sizeof where, file);
  size_t length = (where[1] + 4095) / 4096 * 4096;
  void* m = mmap((void*)where[0], length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (m == MAP_FAILED) {
    fprintf(stderr, "no memory at the address that was recorded\n");
    exit(2);
  }
  get(m, where[1], file);
  return Mapped{(char*)m, (size_t)where[1], length, {}};
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  bool compares = argc > 3 && !strcmp(argv[3], "orders");
  FILE* file = fopen(argv[1], "rb");
  if (!file) return 2;
  std::map<std::string, void*> images;
  RecordHead head;
  int count = 0, differing = 0;
  while (fread(&head, sizeof head, 1, file) == 1) {
    Bytes args(head.args);
    get(args.data(), args.size(), file);
    std::vector<Mapped> mapped;
    for (u32 i = 0; i < head.blocks; i++) mapped.push_back(map_next(file));
    void*& image = images[head.family];
    if (!image) image = dlopen((std::string(argv[2]) + "/" + head.family + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!image) {
      fprintf(stderr, "%s\n", dlerror());
      return 2;
    }
    auto entry = (void (*)(const void*))dlsym(image, head.kernel);
    if (!entry) {
      fprintf(stderr, "%s\n", dlerror());
      return 2;
    }
    fprintf(stderr, "kernel %s\n", head.kernel);
    auto launch = [&] { emu_launch(head.kernel, entry, args.data(), head.grid, head.size, head.shared); };
    if (!compares) launch();
    else {
      for (Mapped& m : mapped) m.first.assign(m.at, m.at + m.bytes);
      std::vector<Bytes> usual;
      for (EmuOrder order : {EMU_FORWARD, EMU_REVERSE, EMU_RANDOM}) {
        for (Mapped& m : mapped) memcpy(m.at, m.first.data(), m.bytes);
        emu_orders(order, order);
        launch();
        bool same = true;
        for (size_t i = 0; i < mapped.size(); i++) {
          if (order == EMU_FORWARD) usual.emplace_back(mapped[i].at, mapped[i].at + mapped[i].bytes);
          else same = same && !memcmp(mapped[i].at, usual[i].data(), mapped[i].bytes);
        }
        if (same) continue;
        printf("kernel %s gives other bits in %s order\n", head.kernel, order == EMU_REVERSE ? "reverse" : "random");
        differing++;
      }
    }
    for (Mapped& m : mapped) munmap(m.at, m.length);
    count++;
  }
  printf("%d launches\n", count);
  return differing > 0;
}
