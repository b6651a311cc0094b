// libcuda.so.1 for tests: devices, memory, modules, streams, events and graphs of the driver API over the emulator. Work is done as late as the API
// allows, so that a result read without waiting, or a pinned buffer reused too early, fails every time. Calls that are illegal fail as on the device.
//
// Environment, read by cuInit:  EMU_MEMORY=bytes of each device   EMU_DEVICES=how many   EMU_KERNELS=folder of the kernels   EMU_SHARED=most bytes of
// shared memory of a block   EMU_CAPABILITY=90, or 61,90 for two unlike devices   EMU_DRIVER=13000   EMU_FAIL=cuGraphLaunch:2:700 (the second call of it returns 700; 7xx stay)
// EMU_PACE=operations that a query carries out; 1 finds who asks too early   EMU_UNTOUCHED=1: memory is counted and never filled, for plans of any size
// EMU_RECORD=file: writes launches there with all memory of the device, three of each kernel and block count, for replay.cc
#include <dlfcn.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host.h"
#include "record.h"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif
#define API extern "C" __attribute__((visibility("default"))) int

namespace {
enum Result {
  OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201,
  INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700, CAPTURE_UNSUPPORTED = 900
};
typedef std::function<void()> Work;
struct Event { u64 recorded = 0, done = 0; double at = 0; };
struct Graph { std::vector<Work> work; };
struct Stream { std::deque<Work> queue; Graph* capture = nullptr; };
struct Module { void* handle; std::string family; };
struct Function { std::string family, name; void (*entry)(const void*); unsigned size, threads, dynamic = 48 << 10; };
struct Range { u64 at, bytes; };
constexpr u64 GRANULE = 2 << 20;  // in which the device counts memory

struct State {
  std::map<u64, size_t> memory, pinned;
  std::vector<Stream*> streams;
  u64 used = 0, peak = 0, total = 8ull << 30, launches = 0, graphs = 0, copies = 0, conflicts = 0;
  int devices = 1, retained = 0, current = 0, sticky = 0;
  std::vector<int> numbers;  // their numbers, as CUDA_VISIBLE_DEVICES leaves them
  unsigned shared = 227 << 10;
  bool ready = false, untouched = false;
  u64 pace = 1;
  std::string failing;  // name of the call that is to fail
  int left = 0, code = 0;
  std::shared_ptr<std::vector<Range>> visible;  // what the next launches may touch; everything where there is none
} s;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
u64 number(const char* name, u64 otherwise) { const char* text = getenv(name); return text ? strtoull(text, nullptr, 10) : otherwise; }

// Devices that CUDA_VISIBLE_DEVICES leaves, up to the first entry that means nothing. A part of a device (MIG) is the first one.
std::vector<int> devicesLeft(int devices) {
  std::vector<int> found;
  const char* text = getenv("CUDA_VISIBLE_DEVICES");
  for (int i = 0; !text && i < devices; i++) found.push_back(i);
  if (text && !strncmp(text, "MIG-", 4)) return {0};
  while (text && *text) {
    char* end;
    long i = strtol(text, &end, 10);
    if (end == text || i < 0 || i >= devices) break;
    found.push_back((int)i);
    text = *end == ',' ? end + 1 : "";
  }
  return found;
}
// The entry of a list for a device; its last one where it is too short.
u64 entry(const char* name, u64 otherwise, int device) {
  const char* text = getenv(name);
  if (!text) return otherwise;
  for (int i = s.numbers[(size_t)device]; i > 0; i--)
    if (const char* comma = strchr(text, ',')) text = comma + 1;
  return strtoull(text, nullptr, 10);
}

// The failure that a test asked for. Errors of the device itself stay: every later call returns them too.
int planted(const char* name) {
  if (s.sticky) return s.sticky;
  if (s.failing != name || s.left <= 0 || --s.left > 0) return OK;
  if (s.code >= 700 && s.code < 800) s.sticky = s.code;
  return s.code;
}
#define BEGIN                            \
  if (!s.ready) return NOT_INITIALIZED;  \
  if (int r = planted(__func__)) return r;
#define IN_CONTEXT BEGIN if (!s.current) return INVALID_CONTEXT;

size_t granules(size_t n) { return (n + GRANULE - 1) / GRANULE * GRANULE; }
bool capturing() {
  for (Stream* t : s.streams) if (t->capture) return true;
  return false;
}
void add(Stream* t, Work work) {
  if (t->capture) t->capture->work.push_back(work);
  else t->queue.push_back(work);
}
bool step(Stream* t) {
  if (t->queue.empty()) return false;
  Work work = t->queue.front();
  t->queue.pop_front();
  work();
  return true;
}
void drain(Stream* t) { while (step(t)) {} }
const std::pair<const u64, size_t>* block(const std::map<u64, size_t>& of, u64 p) {
  auto i = of.upper_bound(p);
  if (i == of.begin()) return nullptr;
  --i;
  return p < i->first + i->second ? &*i : nullptr;
}
bool inside(u64 p, size_t n) { auto* b = block(s.memory, p); return b && p + n <= b->first + b->second; }
bool pinned(const void* p) { return block(s.pinned, (u64)p) != nullptr; }

// Memory of the device. What is recorded lies where replay.cc can have it again: in the lowest terabyte, which sanitizers leave to programs.
void* take(size_t n) {
  static u64 next = 0x1000000000;
  void* m = nullptr;
  if (s.untouched) {
    m = mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return m == MAP_FAILED ? nullptr : m;
  }
  if (!getenv("EMU_RECORD")) return posix_memalign(&m, 256, n) ? nullptr : m;
  size_t length = (n + 4095) / 4096 * 4096;
  m = mmap((void*)next, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  next += length + 4096;
  return m == MAP_FAILED ? nullptr : m;
}
void give(void* m, size_t n) {
  if (s.untouched || getenv("EMU_RECORD")) munmap(m, (n + 4095) / 4096 * 4096);
  else free(m);
}
void record(const Function* f, const std::vector<char>& args, const u32 grid[3], u32 size, unsigned shared) {
  static const char* path = getenv("EMU_RECORD");
  if (!path) return;
  static FILE* file = fopen(path, "ab");
  static std::map<std::string, int> seen;
  if (!file || seen[f->name + (grid[0] * grid[1] * grid[2] > 1 ? "" : " one block")]++ >= 3) return;
  RecordHead head{};
  snprintf(head.family, sizeof head.family, "%s", f->family.c_str());
  snprintf(head.kernel, sizeof head.kernel, "%s", f->name.c_str());
  memcpy(head.grid, grid, sizeof head.grid);
  head.size = size;
  head.shared = shared;
  head.args = (u32)args.size();
  head.blocks = (u32)s.memory.size();
  fwrite(&head, sizeof head, 1, file);
  fwrite(args.data(), 1, args.size(), file);
  for (auto& [at, bytes] : s.memory) {
    u64 where[2] = {at, bytes};
    fwrite(where, sizeof where, 1, file);
    fwrite((void*)at, 1, bytes, file);
  }
  fflush(file);
}

// Device memory outside of `visible` is forbidden while a kernel runs; only the address sanitizer can see it.
struct Fence {
  std::shared_ptr<std::vector<Range>> visible;
  explicit Fence(std::shared_ptr<std::vector<Range>> v) : visible(v) { apply(true); }
  ~Fence() { apply(false); }
  void apply(bool on) {
    if (!visible) return;
#if defined(__SANITIZE_ADDRESS__)
    for (auto& [at, bytes] : s.memory) {
      if (on) __asan_poison_memory_region((void*)at, bytes);
      else __asan_unpoison_memory_region((void*)at, bytes);
    }
    if (on) for (Range& r : *visible) __asan_unpoison_memory_region((void*)r.at, r.bytes);
#else
    (void)on;
#endif
  }
};
}  // namespace

// ---- devices
API cuInit(unsigned) {
  if (!s.ready) {
    s.total = number("EMU_MEMORY", s.total);
    s.numbers = devicesLeft((int)number("EMU_DEVICES", 1));
    s.devices = (int)s.numbers.size();
    s.shared = (unsigned)number("EMU_SHARED", s.shared);
    s.pace = number("EMU_PACE", 1);
    s.untouched = number("EMU_UNTOUCHED", 0) != 0;
    if (const char* f = getenv("EMU_FAIL")) {
      std::string t = f;
      size_t a = t.find(':'), b = t.rfind(':');
      s.failing = t.substr(0, a);
      s.left = atoi(t.c_str() + a + 1);
      s.code = atoi(t.c_str() + b + 1);
    }
  }
  if (int r = planted(__func__)) return r;
  if (s.devices == 0) return NO_DEVICE;
  s.ready = true;
  return OK;
}
API cuDriverGetVersion(int* v) {
  if (int r = planted(__func__)) return r;
  *v = (int)number("EMU_DRIVER", 13000);
  return OK;
}
API cuDeviceGetCount(int* n) { BEGIN *n = s.devices; return OK; }
API cuDeviceGet(int* d, int ordinal) { BEGIN if (ordinal < 0 || ordinal >= s.devices) return INVALID_DEVICE; *d = ordinal; return OK; }
API cuDeviceGetName(char* name, int n, int) { BEGIN snprintf(name, (size_t)n, "Emulated GPU"); return OK; }
API cuDeviceTotalMem_v2(size_t* n, int) { BEGIN *n = s.total; return OK; }
API cuDeviceGetAttribute(int* v, int which, int d) {
  BEGIN
  switch (which) {
    case 75: *v = (int)entry("EMU_CAPABILITY", 90, d) / 10; return OK;
    case 76: *v = (int)entry("EMU_CAPABILITY", 90, d) % 10; return OK;
    case 16: *v = 4; return OK;             // multiprocessors
    case 97: *v = (int)s.shared; return OK;  // most shared memory of a block
    default: return INVALID_VALUE;
  }
}
API cuDevicePrimaryCtxRetain(void** c, int) { BEGIN s.retained++; *c = &s; return OK; }
API cuDevicePrimaryCtxRelease_v2(int) {
  if (!s.ready || s.retained == 0) return INVALID_CONTEXT;
  if (--s.retained == 0) s.current = 0;
  return OK;
}
API cuCtxSetCurrent(void* c) { BEGIN s.current = c != nullptr; return OK; }
API cuMemGetInfo_v2(size_t* f, size_t* t) { IN_CONTEXT *f = s.total - s.used; *t = s.total; return OK; }
API cuGetErrorName(int, const char** t) { *t = "CUDA_ERROR_EMULATED"; return OK; }
API cuGetErrorString(int e, const char** t) {
  *t = e == OUT_OF_MEMORY ? "out of memory" : e == ILLEGAL_ADDRESS ? "an illegal memory access was encountered" : "emulated error";
  return OK;
}

// ---- memory
API cuMemAlloc_v2(u64* p, size_t n) {
  IN_CONTEXT
  if (capturing()) return CAPTURE_UNSUPPORTED;
  if (n == 0) return INVALID_VALUE;
  if (s.used + granules(n) > s.total) return OUT_OF_MEMORY;
  void* m = take(n);
  if (!m) return OUT_OF_MEMORY;
  if (!s.untouched) memset(m, 0xff, n);  // NaN, whatever the type
  s.memory[(u64)m] = n;
  s.used += granules(n);
  if (s.used > s.peak) s.peak = s.used;
  *p = (u64)m;
  return OK;
}
// Memory can be given back after a failure too.
API cuMemFree_v2(u64 p) {
  auto i = s.memory.find(p);
  if (i == s.memory.end()) return INVALID_VALUE;
  if (s.sticky) for (Stream* t : s.streams) t->queue.clear();
  for (Stream* t : s.streams) drain(t);
  s.used -= granules(i->second);
  give((void*)p, i->second);
  s.memory.erase(i);
  return planted(__func__);
}
API cuMemHostAlloc(void** p, size_t n, unsigned) {
  IN_CONTEXT
  if (posix_memalign(p, 4096, n)) return OUT_OF_MEMORY;
  memset(*p, 0xff, n);
  s.pinned[(u64)*p] = n;
  return OK;
}
API cuMemFreeHost(void* p) {
  if (!s.pinned.erase((u64)p)) return INVALID_VALUE;
  free(p);
  return planted(__func__);
}
API cuMemcpyHtoDAsync_v2(u64 to, const void* from, size_t n, Stream* t) {
  IN_CONTEXT
  if (!inside(to, n)) return INVALID_VALUE;
  s.copies++;
  if (n == 0) return OK;
  if (pinned(from) || t->capture) add(t, [=] { memcpy((void*)to, from, n); });  // reads its source only when it runs
  else {
    auto copy = std::make_shared<std::vector<char>>((const char*)from, (const char*)from + n);
    add(t, [=] { memcpy((void*)to, copy->data(), n); });
  }
  return OK;
}
API cuMemcpyDtoHAsync_v2(void* to, u64 from, size_t n, Stream* t) {
  IN_CONTEXT
  if (!inside(from, n)) return INVALID_VALUE;
  s.copies++;
  if (n > 0) add(t, [=] { memcpy(to, (void*)from, n); });
  if (!pinned(to) && !t->capture) drain(t);
  return OK;
}
API cuMemcpyDtoDAsync_v2(u64 to, u64 from, size_t n, Stream* t) {
  IN_CONTEXT
  if (!inside(from, n) || !inside(to, n)) return INVALID_VALUE;
  add(t, [=] { memmove((void*)to, (void*)from, n); });
  return OK;
}
API cuMemsetD8Async(u64 to, u8 v, size_t n, Stream* t) {
  IN_CONTEXT
  if (!inside(to, n)) return INVALID_VALUE;
  if (!s.untouched) add(t, [=] { memset((void*)to, v, n); });
  return OK;
}

// ---- streams and events
API cuStreamCreate(Stream** t, unsigned) { IN_CONTEXT *t = new Stream(); s.streams.push_back(*t); return OK; }
API cuStreamDestroy_v2(Stream* t) {
  if (s.sticky) t->queue.clear();
  drain(t);
  for (size_t i = 0; i < s.streams.size(); i++) if (s.streams[i] == t) s.streams.erase(s.streams.begin() + (long)i);
  delete t;
  return planted(__func__);
}
API cuStreamSynchronize(Stream* t) { IN_CONTEXT if (t->capture) return CAPTURE_UNSUPPORTED; drain(t); return OK; }
API cuStreamQuery(Stream* t) { IN_CONTEXT step(t); return t->queue.empty() ? OK : NOT_READY; }
API cuEventCreate(Event** v, unsigned) { IN_CONTEXT *v = new Event(); return OK; }
API cuEventDestroy_v2(Event* v) { delete v; return planted(__func__); }
API cuEventRecord(Event* v, Stream* t) {
  IN_CONTEXT
  u64 n = ++v->recorded;
  add(t, [=] { v->done = n; v->at = now(); });
  return OK;
}
API cuEventQuery(Event* v) {
  IN_CONTEXT
  if (v->done >= v->recorded) return OK;
  for (u64 i = 0; i < s.pace && v->done < v->recorded; i++)
    for (Stream* t : s.streams) if (step(t)) break;
  return v->done >= v->recorded ? OK : NOT_READY;
}
API cuEventSynchronize(Event* v) {
  IN_CONTEXT
  while (v->done < v->recorded) {
    bool moved = false;
    for (Stream* t : s.streams) moved |= step(t);
    if (!moved) return INVALID_HANDLE;
  }
  return OK;
}
API cuEventElapsedTime(float* ms, Event* a, Event* b) {
  IN_CONTEXT
  if (a->done < a->recorded || b->done < b->recorded) return NOT_READY;
  *ms = (float)((b->at - a->at) * 1e3);
  return OK;
}

// ---- kernels
// The real driver compiles the PTX; here its first line, "// family NAME", names the emulated kernels EMU_KERNELS/NAME.so.
API cuModuleLoadData(Module** m, const void* image) {
  IN_CONTEXT
  const char *text = (const char*)image, *folder = getenv("EMU_KERNELS");
  if (strncmp(text, "// family ", 10) || !strstr(text, ".version ") || !strstr(text, ".target sm_80") || !folder) return INVALID_IMAGE;
  std::string family(text + 10, strcspn(text + 10, "\n"));
  void* h = dlopen((std::string(folder) + "/" + family + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!h) {
    fprintf(stderr, "EMULATOR: %s\n", dlerror());
    return INVALID_IMAGE;
  }
  *m = new Module{h, family};
  return OK;
}
API cuModuleUnload(Module* m) { delete m; return planted(__func__); }
API cuModuleGetFunction(Function** f, Module* m, const char* name) {
  IN_CONTEXT
  void* entry = dlsym(m->handle, name);
  if (!entry) return NOT_FOUND;
  std::string n = name;
  auto of = [&](const char* what) { return *(unsigned*)dlsym(m->handle, (n + what).c_str()); };
  *f = new Function{m->family, n, (void (*)(const void*))entry, of("_size"), of("_threads")};
  return OK;
}
API cuFuncSetAttribute(Function* f, int which, int v) {
  IN_CONTEXT
  if (which != 8 || v < 0 || (unsigned)v > s.shared) return INVALID_VALUE;
  f->dynamic = (unsigned)v;
  return OK;
}
API cuLaunchKernel(Function* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, Stream* t, void** params, void**) {
  IN_CONTEXT
  if (by != 1 || bz != 1 || bx != f->threads || gx == 0 || gy == 0 || gz == 0 || gx > 0x7fffffffu || gy > 65535 || gz > 65535) return INVALID_VALUE;
  if (shared > f->dynamic || shared > s.shared) return INVALID_VALUE;
  auto args = std::make_shared<std::vector<char>>((char*)params[0], (char*)params[0] + f->size);
  auto visible = s.visible;
  s.launches++;
  add(t, [=] {
    u32 g[3] = {gx, gy, gz};
    record(f, *args, g, bx, shared);
    Fence fence(visible);
    s.conflicts += emu_launch(f->name.c_str(), f->entry, args->data(), g, bx, shared).conflicts;
  });
  return OK;
}

// ---- graphs
API cuStreamBeginCapture_v2(Stream* t, int) { IN_CONTEXT if (t->capture) return CAPTURE_UNSUPPORTED; t->capture = new Graph(); return OK; }
API cuStreamEndCapture(Stream* t, Graph** g) {
  if (!t->capture) return INVALID_VALUE;
  *g = t->capture;
  t->capture = nullptr;
  return planted(__func__);
}
API cuGraphInstantiateWithFlags(Graph** x, Graph* g, u64) { IN_CONTEXT *x = new Graph(*g); return OK; }
API cuGraphLaunch(Graph* g, Stream* t) { IN_CONTEXT s.graphs++; for (Work& work : g->work) add(t, work); return OK; }
API cuGraphDestroy(Graph* g) { delete g; return planted(__func__); }
API cuGraphExecDestroy(Graph* g) { delete g; return planted(__func__); }

// ---- libraries over the driver: work that runs in its turn, again with every launch of a graph that it was recorded in
API emuQueue(Stream* t, void (*work)(const void*), const void* data, size_t n) {
  auto copy = std::make_shared<std::vector<char>>((const char*)data, (const char*)data + n);
  add(t, [=] { work(copy->data()); });
  return OK;
}

API emuPlanted(const char* name) { return planted(name); }

// ---- what tests ask and tell
struct EmuReport { u64 used, peak, launches, graphs, copies, blocks, pinned, streams, retained; };
API emuReport(EmuReport* out) {
  *out = EmuReport{s.used, s.peak, s.launches, s.graphs, s.copies, s.memory.size(), s.pinned.size(), s.streams.size(), (u64)s.retained};
  return OK;
}
// Rows that ldmatrix could not read at once since the start, because they share banks of shared memory.
API emuConflicts(u64* out) { *out = s.conflicts; return OK; }
// The n-th call of `name` from now returns `code`; 0 forgets it, and what the device remembers of earlier failures.
API emuFail(const char* name, int n, int code) {
  s.failing = name;
  s.left = n;
  s.code = code;
  s.sticky = 0;
  return OK;
}
API emuMemory(u64 bytes) { s.total = bytes; s.peak = s.used; return OK; }
// Ranges {address, bytes} that the launches from here on may touch; none forbids nothing.
API emuVisible(const u64* ranges, int count) {
  if (count == 0) s.visible = nullptr;
  else s.visible = std::make_shared<std::vector<Range>>((const Range*)ranges, (const Range*)ranges + count);
  return OK;
}
