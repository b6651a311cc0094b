// libcublasLt.so for tests: the functions of cuBLASLt that main/engine/executors/cuda/cublas.ts calls, over the memory and streams of the fake
// driver. Descriptors are checked, products are those of the definition, and three algorithms need different workspaces, add in different orders, and
// write over all of what they are given, so that memory which is not theirs shows.
//
// Environment:  EMU_CUBLAS=130000, its version   EMU_CUBLAS_FIRST=2, the algorithm that it thinks best   EMU_CUBLAS_LEAST=300, rows of the smallest product
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "host.h"
#include "emulator.h"
#define API extern "C" __attribute__((visibility("default"))) int

extern "C" int emuQueue(void* stream, void (*work)(const void*), const void* data, size_t n);
extern "C" int emuPlanted(const char* name);
// A failure that a test asked for.
#define BEGIN if (int r = emuPlanted(__func__)) return r;

namespace {
enum Status { OK = 0, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum Kind { HANDLE = 0x51, PRODUCT, LAYOUT, PREFERENCE, GONE };
struct Object { int kind; };
struct Product : Object { int compute, scale, transa = 0, transb = 0, epilogue = 1; const void* bias = nullptr; };
struct Layout : Object { int type; u64 rows, columns; i64 ld; int batch = 1; i64 stride = 0; };
struct Preference : Object { u64 workspace = 0; u32 alignment[4] = {256, 256, 256, 256}; };
struct Algorithm { u64 magic, id, workspace, rest[5]; };
struct Result { Algorithm algorithm; u64 workspace; int state; float waves; int reserved[4]; };
static_assert(sizeof(Algorithm) == 64 && sizeof(Result) == 96);
constexpr u64 MAGIC = 0x616c676f72697468;
constexpr u64 NEEDS[3] = {48 << 20, 24 << 20, 0};  // the best first
int objects = 0;  // that have not been destroyed

u64 number(const char* name, u64 otherwise) { const char* text = getenv(name); return text ? strtoull(text, nullptr, 10) : otherwise; }
bool is(const void* p, Kind kind) { return p && ((const Object*)p)->kind == kind; }
template <class T>
int make(T** out, T value) {
  *out = new T(value);
  objects++;
  return OK;
}
int drop(void* p, Kind kind) {
  if (!is(p, kind)) return INVALID_VALUE;
  ((Object*)p)->kind = GONE;
  objects--;
  return OK;
}
int width(int type) { return type == 0 ? 4 : type == 2 || type == 14 ? 2 : 0; }
double load(const void* p, int type, i64 i) {
  if (type == 0) return ((const float*)p)[i];
  return type == 2 ? to_float(((const f16*)p)[i]) : to_float(((const bf16*)p)[i]);
}
void store(void* p, int type, i64 i, double v) {
  if (type == 0) ((float*)p)[i] = (float)v;
  else if (type == 2) ((f16*)p)[i] = to_f16((float)v);
  else ((bf16*)p)[i] = to_bf16((float)v);
}

struct Call {
  Product product;
  Layout a, b, c, d;
  float alpha, beta;
  const void *pa, *pb, *pc;
  void* pd;
  void* workspace;
  u64 bytes, algorithm;
};
// Sizes agree, types are known, rows do not overlap.
int consistent(const Product* p, const Layout* a, const Layout* b, const Layout* c, const Layout* d) {
  if (!is(p, PRODUCT) || !is(a, LAYOUT) || !is(b, LAYOUT) || !is(c, LAYOUT) || !is(d, LAYOUT)) return INVALID_VALUE;
  u64 m = p->transa ? a->columns : a->rows, k = p->transa ? a->rows : a->columns;
  u64 depth = p->transb ? b->columns : b->rows, n = p->transb ? b->rows : b->columns;
  if (k != depth || d->rows != m || d->columns != n || c->rows != m || c->columns != n) return INVALID_VALUE;
  for (const Layout* l : {a, b, c, d}) if (l->ld < (i64)l->rows || l->batch != d->batch) return INVALID_VALUE;
  if (p->epilogue != 1 && (p->epilogue != 4 || !p->bias || (u64)p->bias % 16)) return INVALID_VALUE;
  if (p->compute != 68 || p->scale != 0 || a->type != b->type || width(a->type) != 2 || c->type != d->type) return NOT_SUPPORTED;
  return d->type == a->type || d->type == 0 ? OK : NOT_SUPPORTED;
}
void run(const void* data) {
  const Call* c = (const Call*)data;
  memset(c->workspace, 0xff, c->bytes);
  u64 m = c->d.rows, n = c->d.columns, k = c->product.transa ? c->a.rows : c->a.columns;
  std::vector<float> a(m * k), b(n * k);
  for (i64 e = 0; e < c->d.batch; e++) {
    for (u64 i = 0; i < m; i++)
      for (u64 p = 0; p < k; p++) a[i * k + p] = (float)load(c->pa, c->a.type, e * c->a.stride + (i64)(c->product.transa ? i * c->a.ld + p : p * c->a.ld + i));
    for (u64 j = 0; j < n; j++)
      for (u64 p = 0; p < k; p++) b[j * k + p] = (float)load(c->pb, c->b.type, e * c->b.stride + (i64)(c->product.transb ? p * c->b.ld + j : j * c->b.ld + p));
    for (u64 j = 0; j < n; j++)
      for (u64 i = 0; i < m; i++) {
        float sum = 0;
        for (u64 q = 0; q < k; q++) {
          u64 p = c->algorithm == 2 ? k - 1 - q : q;
          sum += a[i * k + p] * b[j * k + p];
        }
        double v = (double)c->alpha * sum;
        if (c->beta != 0) v += (double)c->beta * load(c->pc, c->c.type, e * c->c.stride + (i64)(j * c->c.ld + i));
        // One for each row of D, in D's type.
        if (c->product.epilogue == 4) v += load(c->product.bias, c->d.type, (i64)i);
        store(c->pd, c->d.type, e * c->d.stride + (i64)(j * c->d.ld + i), v);
      }
  }
}
}  // namespace

extern "C" __attribute__((visibility("default"))) size_t cublasLtGetVersion() { return number("EMU_CUBLAS", 130000); }
// Objects of this library that have not been destroyed.
API emuObjects() { return objects; }

API cublasLtCreate(Object** h) { BEGIN return make(h, Object{HANDLE}); }
API cublasLtDestroy(Object* h) { return drop(h, HANDLE); }
API cublasLtMatmulDescCreate(Product** p, int compute, int scale) { BEGIN return make(p, Product{{PRODUCT}, compute, scale}); }
API cublasLtMatmulDescDestroy(Product* p) { return drop(p, PRODUCT); }
API cublasLtMatmulDescSetAttribute(Product* p, int which, const void* v, size_t bytes) {
  BEGIN
  if (!is(p, PRODUCT) || bytes != (which == 8 ? 8u : 4u)) return INVALID_VALUE;
  int value = which == 8 ? 0 : *(const int*)v;
  switch (which) {
    case 3: if (value < 0 || value > 1) return INVALID_VALUE; p->transa = value; return OK;
    case 4: if (value < 0 || value > 1) return INVALID_VALUE; p->transb = value; return OK;
    case 7: p->epilogue = value; return value == 1 || value == 4 ? OK : NOT_SUPPORTED;
    case 8: memcpy(&p->bias, v, 8); return OK;
    default: return NOT_SUPPORTED;
  }
}
API cublasLtMatrixLayoutCreate(Layout** l, int type, u64 rows, u64 columns, i64 ld) {
  BEGIN
  if (width(type) == 0) return INVALID_VALUE;
  return make(l, Layout{{LAYOUT}, type, rows, columns, ld});
}
API cublasLtMatrixLayoutSetAttribute(Layout* l, int which, const void* v, size_t bytes) {
  BEGIN
  if (!is(l, LAYOUT)) return INVALID_VALUE;
  if (which == 5 && bytes == 4) memcpy(&l->batch, v, 4);
  else if (which == 6 && bytes == 8) memcpy(&l->stride, v, 8);
  else return INVALID_VALUE;
  return OK;
}
API cublasLtMatrixLayoutDestroy(Layout* l) { return drop(l, LAYOUT); }
API cublasLtMatmulPreferenceCreate(Preference** p) { BEGIN return make(p, Preference{{PREFERENCE}}); }
API cublasLtMatmulPreferenceDestroy(Preference* p) { return drop(p, PREFERENCE); }
API cublasLtMatmulPreferenceSetAttribute(Preference* p, int which, const void* v, size_t bytes) {
  BEGIN
  if (!is(p, PREFERENCE)) return INVALID_VALUE;
  if (which == 1 && bytes == 8) memcpy(&p->workspace, v, 8);
  else if (which >= 5 && which <= 8 && bytes == 4) memcpy(&p->alignment[which - 5], v, 4);
  else return INVALID_VALUE;
  return OK;
}
API cublasLtMatmulAlgoGetHeuristic(Object* h, Product* p, Layout* a, Layout* b, Layout* c, Layout* d, Preference* f, int wanted, Result* out, int* found) {
  BEGIN
  if (!is(h, HANDLE) || !is(f, PREFERENCE) || wanted < 1) return INVALID_VALUE;
  if (int r = consistent(p, a, b, c, d)) return r;
  *found = 0;
  if (d->columns < number("EMU_CUBLAS_LEAST", 0)) return NOT_SUPPORTED;
  for (u64 id = number("EMU_CUBLAS_FIRST", 0); id < 3 && *found < wanted; id++)
    if (NEEDS[id] <= f->workspace) out[(*found)++] = Result{{MAGIC, id, NEEDS[id]}, NEEDS[id], OK, 1.f};
  return *found ? OK : NOT_SUPPORTED;
}
API cublasLtMatmulAlgoCheck(Object* h, Product* p, Layout* a, Layout* b, Layout* c, Layout* d, const Algorithm* algorithm, Result* out) {
  BEGIN
  if (!is(h, HANDLE)) return INVALID_VALUE;
  if (int r = consistent(p, a, b, c, d)) return r;
  if (algorithm->magic != MAGIC || algorithm->id > 2) return NOT_SUPPORTED;
  *out = Result{*algorithm, NEEDS[algorithm->id], OK, 1.f};
  return OK;
}
API cublasLtMatmul(Object* h, Product* p, const float* alpha, const void* pa, Layout* a, const void* pb, Layout* b, const float* beta, const void* pc,
                   Layout* c, void* pd, Layout* d, const Algorithm* algorithm, void* workspace, size_t bytes, void* stream) {
  BEGIN
  if (!is(h, HANDLE)) return INVALID_VALUE;
  if (int r = consistent(p, a, b, c, d)) return r;
  if (!algorithm || algorithm->magic != MAGIC || algorithm->id > 2 || bytes < NEEDS[algorithm->id]) return INVALID_VALUE;
  for (const void* at : {pa, pb, pc, (const void*)pd, (const void*)workspace}) if ((u64)at % 16) return INVALID_VALUE;
  Call call{*p, *a, *b, *c, *d, *alpha, *beta, pa, pb, pc, pd, workspace, bytes, algorithm->id};
  return emuQueue(stream, run, &call, sizeof call);
}
