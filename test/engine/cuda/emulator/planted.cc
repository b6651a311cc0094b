// Runs the kernels of planted.cu with one bug against double precision: `planted BUG`. Exit 0: all right; 1: a wrong number; otherwise who noticed.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "host.h"

#include "device.h"

#include "planted.cu"

static std::mt19937 rng(7);
// Exactly sized blocks, so that address sanitizers see every step outside; outputs begin as NaN.
template <class T>
struct Block {
  T* p;
  size_t n;
  explicit Block(size_t count) : n(count) {
    if (posix_memalign((void**)&p, 256, n * sizeof(T))) abort();
    memset((void*)p, 0xff, n * sizeof(T));
  }
};
static bool wrong(double got, double want, double bound) { return !(std::fabs(got - want) <= bound * (1 + std::fabs(want))); }

static int rows(int bug) {
  const int count = 37, n = 769;
  Block<float> x(count * n), y(count * n);
  std::normal_distribution<float> normal;
  for (size_t i = 0; i < x.n; i++) x.p[i] = normal(rng);
  rows_args a{x.p, y.p, count, n, bug};
  u32 grid[3] = {(u32)count, 1, 1};
  emu_launch("standardise_rows", standardise_rows, &a, grid, 256, 128);
  for (int r = 0; r < count; r++) {
    double m = 0, q = 0;
    for (int i = 0; i < n; i++) m += x.p[r * n + i];
    m /= n;
    for (int i = 0; i < n; i++) q += (x.p[r * n + i] - m) * (x.p[r * n + i] - m);
    for (int i = 0; i < n; i++) if (wrong(y.p[r * n + i], (x.p[r * n + i] - m) / std::sqrt(q / n), 1e-4)) return 1;
  }
  return 0;
}
static int product(int bug) {
  const int m = 77, n = 131, k = 200;
  Block<bf16> a(m * k), b(n * k), c(m * n);
  std::normal_distribution<float> normal;
  for (size_t i = 0; i < a.n; i++) a.p[i] = to_bf16(normal(rng));
  for (size_t i = 0; i < b.n; i++) b.p[i] = to_bf16(normal(rng));
  product_args args{a.p, b.p, c.p, m, n, k, bug};
  u32 grid[3] = {3, 2, 1};
  EmuStats stats = emu_launch("multiply_tiles", multiply_tiles, &args, grid, 128, 2 * 3 * 64 * 64 * 2);
  printf("bank conflicts: %llu\n", stats.conflicts);
  for (int i = 0; i < m; i++) for (int j = 0; j < n; j++) {
    double sum = 0;
    for (int d = 0; d < k; d++) sum += (double)to_float(a.p[i * k + d]) * to_float(b.p[j * k + d]);
    if (wrong(to_float(c.p[i * n + j]), sum, 8e-2)) return 1;
  }
  return 0;
}
int main(int argc, char** argv) {
  int bug = argc > 1 ? atoi(argv[1]) : 0;
  return rows(bug) | product(bug);
}
