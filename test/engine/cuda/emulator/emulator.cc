// Fibers and collectives of the emulated device. Threads are fibers; a warp's collective runs when its last lane arrives; cp.async copies only when it is
// waited for; shared memory begins as NaN. One block at a time; orders are a choice: EMU_ORDER=forward|reverse|random (threads),
// EMU_BLOCKS=forward|reverse|random.
#include "host.h"

#include "emulator.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(EMU_TSAN)
extern "C" {
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* addr);
void __tsan_release(void* addr);
void __tsan_read_range(void* addr, unsigned long size);
void __tsan_write_range(void* addr, unsigned long size);
}
#define HB_RELEASE(p) __tsan_release(p)
#define HB_ACQUIRE(p) __tsan_acquire(p)
#define SEEN_READ(p, n) __tsan_read_range((void*)(p), n)
#define SEEN_WRITE(p, n) __tsan_write_range((void*)(p), n)
#else
#define HB_RELEASE(p)
#define HB_ACQUIRE(p)
#define SEEN_READ(p, n)
#define SEEN_WRITE(p, n)
#endif

extern "C" void emu_switch(void** save, void* load);
asm(R"(
.text
.globl emu_switch
.type emu_switch,@function
emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emu_switch,.-emu_switch
)");

extern "C" thread_local EmuThread* emu_now = nullptr;
using std::max;
using std::min;

namespace {
enum State { READY, AT_BLOCK, AT_WARP, DONE };
struct Copy { void* to; const void* from; int bytes; };
struct Request { int op, site; const void* in; void* out; int argument; };
struct Fiber {
  EmuThread thread;  // first: emu_now points here
  void* sp = nullptr;
  char* stack = nullptr;
  State state = DONE;
  int site = 0;
  Request request;
  std::vector<Copy> copies;
  std::vector<size_t> groups;  // copies in each committed group, oldest first
  size_t open = 0;             // copies after the last commit
#if defined(EMU_TSAN)
  void* tsan = nullptr;
#endif
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
#endif
};
struct Warp { int arrived = 0, alive = 0; };
struct Array { void* data; unsigned bytes; const char* name; };

#if defined(__SANITIZE_ADDRESS__) || defined(EMU_TSAN)
constexpr size_t STACK = 512 << 10;
#else
constexpr size_t STACK = 128 << 10;
#endif
constexpr int MOST = 1024;

struct Engine {
  Fiber fiber[MOST];
  Warp warp[MOST / 32];
  void* main_sp = nullptr;
  void (*entry)(const void*) = nullptr;
  const void* args = nullptr;
  const char* name = "";
  int count = 0, alive = 0, arrived = 0;
  unsigned declared = 0, used = 0;
  std::vector<Array> arrays;
  std::string error;
  char hb_shared, hb_block, hb_warp[MOST / 32], hb_start, hb_end;
  EmuStats stats{};
#if defined(__SANITIZE_ADDRESS__)
  const void* main_stack = nullptr;
  size_t main_size = 0;
  void* main_fake = nullptr;
#endif
#if defined(EMU_TSAN)
  void* tsan_main = nullptr;
#endif
};
Engine* e = nullptr;

[[noreturn]] void fail(const char* format, ...) {
  char text[512];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  fprintf(stderr, "EMULATOR: kernel %s: %s\n", e->name, text);
  fflush(stderr);
  _exit(77);
}

void to_main(Fiber* f, bool last) {
  (void)last;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(last ? nullptr : &f->fake, e->main_stack, e->main_size);
#endif
#if defined(EMU_TSAN)
  __tsan_switch_to_fiber(e->tsan_main, 1);
#endif
  emu_switch(&f->sp, e->main_sp);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(f->fake, nullptr, nullptr);
#endif
}
void to_fiber(Fiber* f) {
  emu_now = &f->thread;
  e->stats.switches++;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&e->main_fake, f->stack, STACK);
#endif
#if defined(EMU_TSAN)
  __tsan_switch_to_fiber(f->tsan, 1);
#endif
  emu_switch(&e->main_sp, f->sp);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(e->main_fake, nullptr, nullptr);
#endif
}
Fiber* now() { return (Fiber*)emu_now; }

void run_copies(Fiber* f, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const Copy& c = f->copies[i];
    SEEN_WRITE(c.to, 16);
    memset(c.to, 0, 16);
    memcpy(c.to, c.from, (size_t)c.bytes);
  }
  f->copies.erase(f->copies.begin(), f->copies.begin() + (long)n);
}

void release_block() {
  e->arrived = 0;
  for (int i = 0; i < e->count; i++) if (e->fiber[i].state == AT_BLOCK) e->fiber[i].state = READY;
}

void start() {
  Fiber* f = now();
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom; size_t size;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &size);
  e->main_stack = bottom; e->main_size = size;
#endif
  for (;;) {
    HB_ACQUIRE(&e->hb_start);
    e->entry(e->args);
    run_copies(f, f->copies.size());
    f->groups.clear(); f->open = 0;
    HB_RELEASE(&e->hb_end);
    f->state = DONE;
    e->alive--;
    Warp& w = e->warp[f->thread.tid / 32];
    w.alive--;
    if (w.arrived > 0 && w.arrived == w.alive) fail("lanes of warp %u left while others wait in a collective", f->thread.tid / 32);
    if (e->alive > 0 && e->arrived == e->alive) release_block();
    to_main(f, false);
  }
}

void prepare(int count) {
  for (int i = 0; i < count; i++) {
    Fiber& f = e->fiber[i];
    if (!f.stack) {
      f.stack = (char*)mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      mprotect(f.stack, 4096, PROT_NONE);
      void** sp = (void**)(f.stack + STACK);
      *--sp = nullptr;
      *--sp = (void*)start;
      for (int r = 0; r < 6; r++) *--sp = nullptr;
      f.sp = sp;
#if defined(EMU_TSAN)
      f.tsan = __tsan_create_fiber(0);
#endif
    }
  }
}

EmuOrder order_named(const char* variable) {
  const char* o = getenv(variable);
  return !o || !strcmp(o, "forward") ? EMU_FORWARD : !strcmp(o, "reverse") ? EMU_REVERSE : EMU_RANDOM;
}
EmuOrder order_of_threads = order_named("EMU_ORDER"), order_of_blocks = order_named("EMU_BLOCKS");

// One of the two 16-bit elements of a register, or a tf32 (whose low bits do not count).
float element(int type, u32 word, int half) {
  u16 bits = (u16)(half ? word >> 16 : word);
  if (type == EMU_BF16) return to_float(bf16{bits});
  if (type == EMU_F16) return to_float(f16{bits});
  return bits_float(word & 0xffffe000u);
}

enum { SHUFFLE = 1, SYNC, LDMATRIX, LDMATRIX_T, MMA, SUM, MAX };
struct Mma { int type; float* d; const u32* a; u32 b0, b1; };

void collective(Fiber* first, int op) {
  Fiber* lane = first;  // the 32 fibers of the warp follow each other
  e->stats.collectives++;
  switch (op) {
    case SHUFFLE: {
      u32 v[32];
      for (int i = 0; i < 32; i++) v[i] = *(const u32*)lane[i].request.in;
      for (int i = 0; i < 32; i++) *(u32*)lane[i].request.out = v[lane[i].request.argument & 31];
      break;
    }
    case MAX: {
      float v = *(const float*)lane[0].request.in;
      for (int i = 1; i < 32; i++) v = fmaxf(v, *(const float*)lane[i].request.in);
      for (int i = 0; i < 32; i++) *(float*)lane[i].request.out = v;
      break;
    }
    case SUM: {
      float v[32];
      for (int i = 0; i < 32; i++) v[i] = *(const float*)lane[i].request.in;
      for (int m = 16; m > 0; m >>= 1) { float w[32]; for (int i = 0; i < 32; i++) w[i] = v[i] + v[i ^ m]; memcpy(v, w, sizeof v); }
      for (int i = 0; i < 32; i++) *(float*)lane[i].request.out = v[i];
      break;
    }
    case LDMATRIX: case LDMATRIX_T:
      for (int m = 0; m < 4; m++) {
        int used[8] = {}, most = 0;  // eight rows of 16 bytes are read at once: each must lie in another eighth of the banks
        for (int r = 0; r < 8; r++) most = max(most, ++used[(uintptr_t)lane[m * 8 + r].request.in / 16 % 8]);
        e->stats.conflicts += (u64)(most - 1);
        const u16* row[8];
        for (int r = 0; r < 8; r++) row[r] = (const u16*)lane[m * 8 + r].request.in;
        for (int l = 0; l < 32; l++) {
          u32* out = (u32*)lane[l].request.out;
          int g = l / 4, c = (l % 4) * 2;
          out[m] = op == LDMATRIX ? (u32)row[g][c] | (u32)row[g][c + 1] << 16 : (u32)row[c][g] | (u32)row[c + 1][g] << 16;
        }
      }
      break;
    case MMA: {
      alignas(64) float a[16][16] = {}, b[16][8] = {}, d[16][8];
      int type = ((const Mma*)lane[0].request.in)->type;
      for (int l = 0; l < 32; l++) {
        const Mma& m = *(const Mma*)lane[l].request.in;
        int g = l / 4, t = l % 4, c = t * 2;
        if (type == EMU_TF32) {
          a[g][t] = element(type, m.a[0], 0); a[g + 8][t] = element(type, m.a[1], 0);
          a[g][t + 4] = element(type, m.a[2], 0); a[g + 8][t + 4] = element(type, m.a[3], 0);
          b[t][g] = element(type, m.b0, 0); b[t + 4][g] = element(type, m.b1, 0);
        } else for (int h = 0; h < 2; h++) {
          a[g][c + h] = element(type, m.a[0], h); a[g + 8][c + h] = element(type, m.a[1], h);
          a[g][c + 8 + h] = element(type, m.a[2], h); a[g + 8][c + 8 + h] = element(type, m.a[3], h);
          b[c + h][g] = element(type, m.b0, h); b[c + 8 + h][g] = element(type, m.b1, h);
        }
        for (int h = 0; h < 2; h++) { d[g][c + h] = m.d[h]; d[g + 8][c + h] = m.d[2 + h]; }
      }
      int depth = type == EMU_TF32 ? 8 : 16;
      for (int i = 0; i < 16; i++) for (int k = 0; k < depth; k++) for (int j = 0; j < 8; j++) d[i][j] += a[i][k] * b[k][j];
      for (int l = 0; l < 32; l++) {
        const Mma& m = *(const Mma*)lane[l].request.in;
        int g = l / 4, c = (l % 4) * 2;
        for (int h = 0; h < 2; h++) { m.d[h] = d[g][c + h]; m.d[2 + h] = d[g + 8][c + h]; }
      }
      break;
    }
  }
}

void arrive(int op, int site, const void* in, void* out, int argument) {
  Fiber* f = now();
  int index = (int)f->thread.tid, w = index / 32;
  Warp& warp = e->warp[w];
  f->request = Request{op, site, in, out, argument};
  if (op == SYNC) HB_RELEASE(&e->hb_warp[w]);
  warp.arrived++;
  f->site = site;
  if (warp.arrived == warp.alive) {
    Fiber* first = &e->fiber[w * 32];
    if (op != SYNC && warp.alive != 32) fail("line %d: a collective of %d lanes", site, warp.alive);
    for (int i = 0; i < 32; i++)
      if (first[i].state != DONE && (first[i].request.op != op || first[i].request.site != site))
        fail("lanes of warp %d meet in different collectives (lines %d and %d)", w, site, first[i].request.site);
    collective(first, op);
    warp.arrived = 0;
    for (int i = 0; i < 32; i++) if (first[i].state == AT_WARP) first[i].state = READY;
  } else {
    f->state = AT_WARP;
    to_main(f, false);
  }
  if (op == SYNC) HB_ACQUIRE(&e->hb_warp[w]);
}
}  // namespace

extern "C" void emu_sync_block(int site) {
  Fiber* f = now();
  HB_RELEASE(&e->hb_block);
  f->site = site;
  e->arrived++;
  if (e->arrived == e->alive) release_block();
  else {
    f->state = AT_BLOCK;
    to_main(f, false);
  }
  HB_ACQUIRE(&e->hb_block);
}
extern "C" void emu_sync_warp(int site) { arrive(SYNC, site, nullptr, nullptr, 0); }
extern "C" u32 emu_shuffle(u32 v, int lane, int site) {
  u32 r;
  arrive(SHUFFLE, site, &v, &r, lane);
  return r;
}
extern "C" float emu_warp_max(float v, int site) {
  float r;
  arrive(MAX, site, &v, &r, 0);
  return r;
}
extern "C" float emu_warp_sum(float v, int site) {
  float r;
  arrive(SUM, site, &v, &r, 0);
  return r;
}
extern "C" void emu_load_matrix(u32 r[4], const void* row, bool transposed, int site) {
  if ((uintptr_t)row % 16) fail("line %d: ldmatrix row at an address that is not a multiple of 16", site);
#if defined(__SANITIZE_ADDRESS__)
  for (int i = 0; i < 2; i++) (void)*((volatile const u64*)row + i);  // each lane touches its own row, so a bad one is named
#endif
  SEEN_READ(row, 16);
  arrive(transposed ? LDMATRIX_T : LDMATRIX, site, row, r, 0);
}
extern "C" void emu_mma(int type, float d[4], const u32 a[4], u32 b0, u32 b1, int site) {
  Mma m{type, d, a, b0, b1};
  arrive(MMA, site, &m, nullptr, 0);
}
extern "C" void emu_copy_async(void* to, const void* from, int bytes) {
  if ((uintptr_t)to % 16 || (bytes > 0 && (uintptr_t)from % 16)) fail("cp.async on an address that is not a multiple of 16");
  if (bytes < 0 || bytes > 16) fail("cp.async of %d bytes", bytes);
  Fiber* f = now();
  SEEN_WRITE(to, 16);  // the copy may happen at any time from here to the wait
  if (bytes > 0) SEEN_READ(from, (size_t)bytes);
  memset(to, 0xff, 16);  // NaN until waited for
  f->copies.push_back(Copy{to, from, bytes});
  f->open++;
}
extern "C" void emu_copy_commit() { Fiber* f = now(); f->groups.push_back(f->open); f->open = 0; }
extern "C" void emu_copy_wait(int left) {
  Fiber* f = now();
  size_t n = 0;
  while ((int)f->groups.size() > left) { n += f->groups.front(); f->groups.erase(f->groups.begin()); }
  run_copies(f, n);
}
extern "C" void* emu_shared(unsigned bytes, const char* name) {
  EmuThread* t = emu_now;
  unsigned index = t->next_shared++;
  if (index == e->arrays.size()) {
    Array a{nullptr, bytes, name};
    if (posix_memalign(&a.data, 128, bytes)) fail("no memory");
    memset(a.data, 0xff, bytes);
    e->arrays.push_back(a);
    HB_RELEASE(&e->hb_shared);
    e->used += (bytes + 127) / 128 * 128;
    if (e->used > e->declared) fail("takes %u bytes of shared memory, the launch declared %u", e->used, e->declared);
  }
  HB_ACQUIRE(&e->hb_shared);
  return e->arrays[index].data;
}

void emu_orders(EmuOrder threads, EmuOrder blocks) { order_of_threads = threads, order_of_blocks = blocks; }

EmuStats emu_launch(const char* name, void (*entry)(const void*), const void* args, const u32 grid[3], u32 size, unsigned shared) {
  if (!e) e = new Engine();
#if defined(EMU_TSAN)
  if (!e->tsan_main) e->tsan_main = __tsan_get_current_fiber();
#endif
  e->name = name; e->entry = entry; e->args = args; e->declared = shared; e->stats = EmuStats{};
  prepare((int)size);
  std::mt19937 random(1234);
  std::vector<int> order(size);
  for (u32 i = 0; i < size; i++) order[i] = order_of_threads == EMU_REVERSE ? (int)(size - 1 - i) : (int)i;
  for (Array& a : e->arrays) free(a.data);
  e->arrays.clear(); e->used = 0;
  u64 blocks = (u64)grid[0] * grid[1] * grid[2];
  std::vector<u64> shuffled;
  if (order_of_blocks == EMU_RANDOM) {
    for (u64 b = 0; b < blocks; b++) shuffled.push_back(b);
    std::shuffle(shuffled.begin(), shuffled.end(), random);
  }
  for (u64 b = 0; b < blocks; b++) {
    u64 at = order_of_blocks == EMU_FORWARD ? b : order_of_blocks == EMU_REVERSE ? blocks - 1 - b : shuffled[b];  // a result that depends on the order of blocks is a bug
    u32 x = (u32)(at % grid[0]), y = (u32)(at / grid[0] % grid[1]), z = (u32)(at / grid[0] / grid[1]);
    e->count = e->alive = (int)size; e->arrived = 0;
    for (Array& a : e->arrays) memset(a.data, 0xff, a.bytes);
    for (u32 w = 0; w < (size + 31) / 32; w++) e->warp[w] = Warp{0, (int)min(32u, size - w * 32)};
    for (u32 i = 0; i < size; i++) {
      Fiber& f = e->fiber[i];
      f.thread = EmuThread{i, {x, y, z}, size, {grid[0], grid[1], grid[2]}, 0};
      f.state = READY;
    }
    HB_RELEASE(&e->hb_start);
    while (e->alive > 0) {
      bool moved = false;
      if (order_of_threads == EMU_RANDOM) std::shuffle(order.begin(), order.end(), random);
      for (int i : order) if (e->fiber[i].state == READY) { to_fiber(&e->fiber[i]); moved = true; }
      if (!moved) {
        int stuck = -1;
        for (int i = 0; i < e->count && stuck < 0; i++) if (e->fiber[i].state != DONE) stuck = i;
        fail("deadlock: block (%u,%u,%u), thread %d waits at line %d in %s", x, y, z, stuck, e->fiber[stuck].site, e->fiber[stuck].state == AT_WARP ? "a warp collective" : "sync_block");
      }
    }
    HB_ACQUIRE(&e->hb_end);
    e->stats.threads += size;
  }
  return e->stats;
}
