#include "program.h"

#include <algorithm>
#include <chrono>

Engine* engine = nullptr;

namespace {

#define FIELD_P(x) +1
#define FIELD_I(x) +1
#define FIELD_F(x) +1
#define FIELD_E(x, e) +1
constexpr int FIELD_COUNT[] = {
#define COUNT(k) 0 FIELDS_##k(FIELD_P, FIELD_I, FIELD_F, FIELD_E),
    KERNELS(COUNT)
#undef COUNT
};
#undef FIELD_P
#undef FIELD_I
#undef FIELD_F
#undef FIELD_E

// How many values each enum has.
#define VALUE(name, text) +1
#define ENUM(e) constexpr int64_t COUNT_##e = 0 ENUM_##e(VALUE);
ENUMS(ENUM)
#undef ENUM
#undef VALUE

bool pointer_ok(double p, std::string* error, const char* kernel, const char* field) {
  if (p < 0) return true;
  int64_t v = (int64_t)p, block = v / POINTER_UNIT, offset = v % POINTER_UNIT;
  if (block < MAX_BLOCKS && engine->blocks[block].data && (size_t)offset <= engine->blocks[block].bytes) return true;
  *error = std::string(kernel) + "." + field + " points outside the allocated blocks";
  return false;
}

bool enum_ok(double v, int64_t count, std::string* error, const char* kernel, const char* field) {
  if (v >= 0 && v < (double)count && v == (double)(int64_t)v) return true;
  *error = std::string(kernel) + "." + field + " is none of its enum's values";
  return false;
}

// Decodes one record into `call`; `p` is at its code. With `plan` the pointers need not exist (and must not be followed).
bool decode(const double* p, int64_t length, bool plan, Call* call, std::string* error) {
  static char* nowhere[MAX_BLOCKS];
  if (!nowhere[0]) std::fill(nowhere, nowhere + MAX_BLOCKS, (char*)4096);
  char* const* bases = plan ? nowhere : engine->bases;
  int64_t code = (int64_t)p[0];
  if (code < 0 || code >= KERNEL_COUNT || length < 2 + FIELD_COUNT[code]) {
    *error = "malformed record of kernel " + std::to_string(code);
    return false;
  }
  call->code = code;
  const double* f = p + 2;
  call->extra.assign(f + FIELD_COUNT[code], p + length);
  switch (code) {
#define FIELD_P(x)                                          \
  if (!plan && !pointer_ok(*f, error, kernel, #x)) { delete a; return false; } \
  a->x = resolve(bases, *f++);
#define FIELD_I(x) a->x = (int64_t)*f++;
#define FIELD_F(x) a->x = *f++;
#define FIELD_E(x, e)                                       \
  if (!enum_ok(*f, COUNT_##e, error, kernel, #x)) { delete a; return false; } \
  a->x = (int64_t)*f++;
#define DECODE(k)                                   \
  case CODE_##k: {                                  \
    const char* kernel = #k;                        \
    (void)kernel;                                   \
    k##_args* a = new k##_args();                   \
    FIELDS_##k(FIELD_P, FIELD_I, FIELD_F, FIELD_E)  \
    a->blocks = bases;                              \
    call->args = a;                                 \
    break;                                          \
  }
    KERNELS(DECODE)
#undef DECODE
#undef FIELD_P
#undef FIELD_I
#undef FIELD_F
#undef FIELD_E
    default:
      return false;
  }
  return true;
}

void set_extra(Call& c) {
  switch (c.code) {
#define EXTRA(k)                                           \
  case CODE_##k:                                           \
    ((k##_args*)c.args)->extra = c.extra.data();           \
    ((k##_args*)c.args)->nextra = (int64_t)c.extra.size(); \
    break;
    KERNELS(EXTRA)
#undef EXTRA
  }
}
void destroy(Call& c) {
  switch (c.code) {
#define DESTROY(k)                \
  case CODE_##k:                  \
    delete (k##_args*)c.args;     \
    break;
    KERNELS(DESTROY)
#undef DESTROY
  }
}
size_t scratch_of(const Call& c) {
  const Level* l = engine->level.level;
  switch (c.code) {
#define SCRATCH(k) \
  case CODE_##k:   \
    return l->k##_scratch(*(const k##_args*)c.args, engine->threads);
    KERNELS(SCRATCH)
#undef SCRATCH
  }
  return 0;
}
void execute(const Call& c, const Context& x) {
  const Level* l = engine->level.level;
  switch (c.code) {
#define EXECUTE(k)                              \
  case CODE_##k:                                \
    l->k(x, *(const k##_args*)c.args);          \
    break;
    KERNELS(EXECUTE)
#undef EXECUTE
  }
}

}  // namespace

bool parse(const double* data, size_t n, bool plan, Program* program, std::string* error) {
  for (size_t i = 0; i < n;) {
    if (i + 2 > n || !(data[i + 1] >= 2) || i + (size_t)data[i + 1] > n) {
      *error = "record " + std::to_string(program->calls.size()) + " runs past the end of the program";
      return false;
    }
    Call call;
    int64_t length = (int64_t)data[i + 1];
    if (!decode(data + i, length, plan, &call, error)) return false;
    program->calls.push_back(std::move(call));
    i += (size_t)length;
  }
  for (Call& c : program->calls) set_extra(c);
  return true;
}
size_t stride_of(const Program& p) {
  size_t most = 0;
  for (const Call& c : p.calls) most = std::max(most, scratch_of(c));
  return (most + 4095) / 4096 * 4096;
}
void count(int64_t change) {
  engine->allocated = (size_t)((int64_t)engine->allocated + change);
  engine->peak = std::max(engine->peak, engine->allocated);
}
bool prepare(Program* p) {
  if (p->version != engine->version) {
    p->stride = stride_of(*p);
    p->version = engine->version;
  }
  size_t need = p->stride * (size_t)engine->threads;
  if (need <= engine->scratch.bytes) return true;
  count(-(int64_t)engine->scratch.bytes);
  unreserve(engine->scratch);
  engine->scratch = reserve(need);
  if (!engine->scratch.data) return false;
  count((int64_t)need);
  return true;
}
void run_program(Program* p) {
  Context x{engine->pool, engine->scratch.data, p->stride, engine->threads};
  for (Call& c : p->calls) {
    auto start = std::chrono::steady_clock::now();
    execute(c, x);
    c.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
}
void discard(Program* p) {
  for (Call& c : p->calls) destroy(c);
  delete p;
}
