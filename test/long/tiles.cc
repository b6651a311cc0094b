// The tile (AMX) level against double precision and, bit by bit, against its emulation in plain C++. A program of its own, so that
// a machine or an emulator without Node can run it, as the first process of an otherwise empty Linux too; see
// main/engine/native/README.md.
//
//   tiles [seed] [cases]   exit code 0: all equal, 1: something differs, 2: this processor has no tiles
//
// A timer's signals interrupt the products unless the environment says SIGNALS=0.
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/time.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "isa.h"
#include "pool.h"

namespace {

std::mt19937 generator;
int any(int lo, int hi) { return lo + (int)(generator() % (uint32_t)(hi - lo + 1)); }
bool coin() { return generator() & 1; }
float normal() {
  float s = 0;
  for (int i = 0; i < 6; i++) s += (float)(generator() & 0xffff) / 65536.f - 0.5f;
  return s * 1.4f;
}
float widen(uint16_t h) {
  uint32_t u = (uint32_t)h << 16;
  float f;
  memcpy(&f, &u, 4);
  return f;
}
uint16_t narrow(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

// Numbers of a type, with some after the end that no kernel may change.
struct Array {
  static constexpr size_t GUARD = 64;
  int64_t type;
  size_t n;
  std::vector<char> bytes;
  Array(size_t count, int64_t t, float scale = 1) : type(t), n(count), bytes((count + GUARD) * (t == BF16 ? 2 : 4)) {
    for (size_t i = 0; i < n + GUARD; i++) set(i, scale * normal());
  }
  void set(size_t i, float v) {
    if (type == BF16) {
      uint16_t h = narrow(v);
      memcpy(&bytes[2 * i], &h, 2);
    } else {
      memcpy(&bytes[4 * i], &v, 4);
    }
  }
  float get(size_t i) const {
    if (type == BF16) {
      uint16_t h;
      memcpy(&h, &bytes[2 * i], 2);
      return widen(h);
    }
    float f;
    memcpy(&f, &bytes[4 * i], 4);
    return f;
  }
  void* data() { return bytes.data(); }
};

int failures = 0, comparisons = 0;
double worst = 0;
void fail(const char* what, const std::string& which) {
  if (failures++ < 20) printf("DIFFERS %s: %s\n", what, which.c_str());
}

// One call at a level: scratch of exactly the bytes asked for, filled with NaN, so that nothing unwritten is used.
template <class G, class Run, class Scratch>
void call(Pool& pool, const LevelInfo& level, const G& g, Run run, Scratch scratch) {
  activate_level(level);
  size_t need = (level.level->*scratch)(g, pool.threads()), stride = (need + 127) / 64 * 64;
  std::vector<char> memory(stride * (size_t)pool.threads() + 64);
  memset(memory.data(), 0xff, memory.size());
  (level.level->*run)(Context{&pool, memory.data(), stride, pool.threads()}, g);
}

LevelInfo tiles, emulated;

// Runs a kernel at both levels on the same memory and compares every output to the bit.
template <class G, class Run, class Scratch>
void both(Pool& pool, const G& g, Run run, Scratch scratch, std::vector<Array*> outputs, const std::string& which) {
  std::vector<std::vector<char>> before, want;
  for (Array* o : outputs) before.push_back(o->bytes);
  call(pool, emulated, g, run, scratch);
  for (size_t i = 0; i < outputs.size(); i++) {
    want.push_back(outputs[i]->bytes);
    outputs[i]->bytes.assign(before[i].begin(), before[i].end());
  }
  call(pool, tiles, g, run, scratch);
  for (size_t i = 0; i < outputs.size(); i++) {
    comparisons++;
    if (outputs[i]->bytes != want[i]) {
      size_t e = 0, w = outputs[i]->type == BF16 ? 2 : 4, count = 0, first = 0;
      for (; e < outputs[i]->n + Array::GUARD; e++)
        if (memcmp(&outputs[i]->bytes[e * w], &want[i][e * w], w) && !count++) first = e;
      float other = 0;
      if (w == 4) memcpy(&other, &want[i][first * 4], 4);
      else { uint16_t h; memcpy(&h, &want[i][first * 2], 2); other = widen(h); }
      char text[160];
      snprintf(text, sizeof text, "bits of output %zu: %zu of %zu, first at %zu: %.9g, emulated %.9g", i, count, outputs[i]->n, first,
               (double)outputs[i]->get(first), (double)other);
      fail(text, which);
    }
  }
}

void product(Pool& pool, int limit) {
  gemm_args g{};
  g.m = any(1, limit), g.n = any(1, limit), g.k = any(1, limit), g.batch = any(0, 3) ? 1 : 2;
  if (!any(0, 9)) g.k = 1000 + any(0, 1500), g.m = any(5, 40), g.n = any(1, 40);  // several blocks of depth
  g.ta = coin(), g.tb = coin(), g.beta = coin();
  g.atype = coin(), g.btype = coin(), g.ctype = coin(), g.auxtype = g.restype = g.ctype, g.compute = BF16;
  g.lda = (g.ta ? g.m : g.k) + any(0, 3), g.ldb = (g.tb ? g.k : g.n) + any(0, 3), g.ldc = g.ldaux = g.ldres = g.n + any(0, 3);
  g.sa = (g.ta ? g.k : g.m) * g.lda, g.sb = (g.tb ? g.n : g.k) * g.ldb, g.sc = g.m * g.ldc;
  int epilogue = any(0, 4);  // none, bias, relu with the pre-activation kept, residual, gradient of relu
  g.alpha = epilogue && coin() ? 0.5 : 1;
  Array a((size_t)(g.sa * g.batch), g.atype), b((size_t)(g.sb * g.batch), g.btype), c((size_t)(g.sc * g.batch), g.ctype);
  Array aux((size_t)(g.sc * g.batch), g.ctype), residual((size_t)(g.sc * g.batch), g.ctype), bias((size_t)g.n, F32);
  g.a = a.data(), g.b = b.data();
  if (epilogue) g.bias = bias.data();
  if (epilogue == 2 || epilogue == 4) g.act = RELU, g.aux = aux.data(), g.actgrad = epilogue == 4;
  if (epilogue == 3) g.residual = residual.data();
  g.c = c.data();
  char which[240];
  snprintf(which, sizeof which, "gemm m %d n %d k %d ta %d tb %d types %d%d%d beta %d batch %d epilogue %d threads %d", (int)g.m,
           (int)g.n, (int)g.k, (int)g.ta, (int)g.tb, (int)g.atype, (int)g.btype, (int)g.ctype, (int)g.beta, (int)g.batch, epilogue,
           pool.threads());
  Array before = c, aux_before = aux;
  both(pool, g, &Level::gemm, &Level::gemm_scratch, {&c, &aux}, which);
  for (int64_t z = 0; z < g.batch; z++)
    for (int64_t i = 0; i < g.m; i++)
      for (int64_t j = 0; j < g.n; j++) {
        double sum = 0, size = 1;
        for (int64_t p = 0; p < g.k; p++) {
          double x = widen(narrow(a.get((size_t)(z * g.sa + (g.ta ? p * g.lda + i : i * g.lda + p)))));
          double y = widen(narrow(b.get((size_t)(z * g.sb + (g.tb ? j * g.ldb + p : p * g.ldb + j)))));
          sum += x * y;
          size += fabs(x * y);
        }
        size_t e = (size_t)(z * g.sc + i * g.ldc + j);
        double v = g.alpha * sum + g.beta * before.get(e);
        if (epilogue) v += bias.get((size_t)j);
        if (epilogue == 4) v = aux_before.get(e) > 0 ? v : 0;
        if (epilogue == 2) v = v > 0 ? v : 0;
        if (epilogue == 3) v += residual.get(e);
        double off = fabs(c.get(e) - v) / (size + fabs(v));
        if (g.ctype == F32 && off > worst) worst = off;
        if (!(off <= (g.ctype == BF16 ? 5e-3 : 1e-6))) {
          char text[120];
          snprintf(text, sizeof text, "from double precision at %d,%d: %.9g, not %.9g", (int)i, (int)j, (double)c.get(e), v);
          fail(text, which);
          return;
        }
      }
}

void attend(Pool& pool, int limit) {
  attention_backward_args g{};
  g.batch = any(1, 2), g.kvheads = any(1, 2), g.heads = g.kvheads * any(1, 2);
  g.tq = any(1, limit), g.tk = g.tq + any(0, 20), g.d = any(1, 72), g.dvalue = any(1, 72);
  g.causal = coin(), g.window = coin() ? any(1, limit) : 0, g.type = coin(), g.compute = BF16;
  g.scale = 1 / sqrt((double)g.d), g.softcap = coin() ? 4 : 0;
  g.sqh = g.d, g.sqt = g.d * g.heads, g.sqb = g.sqt * g.tq, g.skh = g.d, g.skt = g.d * g.kvheads, g.skb = g.skt * g.tk;
  g.svh = g.dvalue, g.svt = g.dvalue * g.kvheads, g.svb = g.svt * g.tk, g.soh = g.dvalue, g.sot = g.dvalue * g.heads,
  g.sob = g.sot * g.tq;
  Array q((size_t)(g.sqb * g.batch), g.type), k((size_t)(g.skb * g.batch), g.type), v((size_t)(g.svb * g.batch), g.type);
  Array o((size_t)(g.sob * g.batch), g.type), lse((size_t)(g.batch * g.heads * g.tq), F32), dout = o, gq = q, gk = k, gv = v;
  g.q = q.data(), g.k = k.data(), g.v = v.data(), g.o = o.data(), g.lse = lse.data(), g.dout = dout.data();
  g.gq = gq.data(), g.gk = gk.data(), g.gv = gv.data();
  attention_args f{};
#define COPY_(x) f.x = g.x;
#define COPY_E(x, e) f.x = g.x;
  FIELDS_attention(COPY_, COPY_, COPY_, COPY_E)
#undef COPY_
#undef COPY_E
  char which[160];
  snprintf(which, sizeof which, "tq %d tk %d d %d dvalue %d heads %d/%d window %d type %d threads %d", (int)g.tq, (int)g.tk, (int)g.d,
           (int)g.dvalue, (int)g.heads, (int)g.kvheads, (int)g.window, (int)g.type, pool.threads());
  both(pool, f, &Level::attention, &Level::attention_scratch, {&o, &lse}, std::string("attention ") + which);
  both(pool, g, &Level::attention_backward, &Level::attention_backward_scratch, {&gq, &gk, &gv},
       std::string("attention_backward ") + which);
}

void entropy(Pool& pool, int limit) {
  cross_entropy_args g{};
  g.rows = any(1, limit), g.d = any(1, limit), g.vocabulary = any(2, 2 * limit), g.chunk = any(1, 64);
  g.htype = coin(), g.wtype = coin(), g.dhtype = coin(), g.ltype = coin(), g.compute = BF16;
  g.dscale = 1.0 / (double)g.rows, g.beta = coin(), g.softcap = coin() ? 15 : 0;
  Array hidden((size_t)(g.rows * g.d), g.htype), weight((size_t)(g.vocabulary * g.d), g.wtype), loss((size_t)g.rows, F32);
  Array dhidden((size_t)(g.rows * g.d), g.dhtype), dweight((size_t)(g.vocabulary * g.d), F32);
  Array logits((size_t)(g.chunk * ((g.vocabulary + 63) / 64 * 64)), g.ltype);
  std::vector<int32_t> target;
  for (int64_t r = 0; r < g.rows; r++) target.push_back(any(-1, (int)g.vocabulary - 1));
  g.hidden = hidden.data(), g.weight = weight.data(), g.target = target.data(), g.loss = loss.data();
  g.dhidden = dhidden.data(), g.dweight = dweight.data(), g.logits = logits.data();
  char which[160];
  snprintf(which, sizeof which, "cross_entropy rows %d d %d vocabulary %d chunk %d", (int)g.rows, (int)g.d, (int)g.vocabulary,
           (int)g.chunk);
  both(pool, g, &Level::cross_entropy, &Level::cross_entropy_scratch, {&loss, &dhidden, &dweight}, which);
}

std::atomic<int> signals{0};
void on_signal(int) { signals++; }

int run(unsigned seed, int cases) {
  bool found = false;
  for (auto& level : runnable_levels(true)) {
    printf("level %s\n", level.name.c_str());
    if (level.name == "amx") tiles = level, found = true;
    if (level.name == "amx-emulated") emulated = level;
  }
  if (!found) {
    printf("this processor (or its operating system) has no tiles\n");
    return 2;
  }
  generator.seed(seed);
  Pool one(1), four(4);
  // Signals interrupt the products on every thread, and another thread takes processor time: tile state is saved and restored.
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  itimerval every{{0, 2000}, {0, 2000}};
  const char* wanted = getenv("SIGNALS");
  if (!wanted || strcmp(wanted, "0")) setitimer(ITIMER_REAL, &every, nullptr);
  for (int i = 0; i < cases; i++) {
    product(i & 1 ? four : one, i < cases / 2 ? 40 : 100);
    if (i % 10 == 4) attend(i & 1 ? four : one, 90), entropy(i & 1 ? one : four, 60);
    if (i % 10 == 9) {
      printf("%d cases, %d outputs, %d failures\n", i + 1, comparisons, failures);
      fflush(stdout);
    }
  }
  itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  printf("%d cases: %d outputs equal the emulation bit by bit but for %d failures; f32 products within %.2g of double precision; "
         "%d signals\n", cases, comparisons, failures, worst, (int)signals);
  return failures ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  bool first_process = getpid() == 1;
  if (first_process) argc = 1;  // the kernel hands on words of its own command line
  int cases = argc > 2 ? atoi(argv[2]) : 60;
  if (cases < 1) {
    printf("the number of cases must be 1 or more\n");
    return 1;
  }
  int code = run(argc > 1 ? (unsigned)atoi(argv[1]) : 1, cases);
  printf("RESULT %d\n", code);
  fflush(stdout);
  if (first_process) {
    sleep(1);
    reboot(RB_POWER_OFF);
  }
  return code;
}
