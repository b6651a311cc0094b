// The Node-API face of the kernels: memory blocks (JavaScript copies in and out), programs, and their execution off the JavaScript thread.
#include <node_api.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>
#if defined(__linux__)
#include <sched.h>
#endif

#include "program.h"

namespace {

int default_threads() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

struct Arguments {
  napi_value v[4];
  size_t n = 4;
  Arguments(napi_env env, napi_callback_info info) { napi_get_cb_info(env, info, &n, v, nullptr, nullptr); }
};
napi_value fail(napi_env env, const std::string& message) {
  napi_throw_error(env, nullptr, message.c_str());
  return nullptr;
}
double to_number(napi_env env, napi_value v, double otherwise = 0) {
  double d = otherwise;
  if (napi_get_value_double(env, v, &d) != napi_ok) return otherwise;
  return d;
}
napi_value number(napi_env env, double d) {
  napi_value v;
  napi_create_double(env, d, &v);
  return v;
}
napi_value text(napi_env env, const std::string& s) {
  napi_value v;
  napi_create_string_utf8(env, s.c_str(), s.size(), &v);
  return v;
}
std::string to_text(napi_env env, napi_value v) {
  size_t n = 0;
  if (napi_get_value_string_utf8(env, v, nullptr, 0, &n) != napi_ok) return "";
  std::string s(n, '\0');
  napi_get_value_string_utf8(env, v, s.data(), n + 1, &n);
  return s;
}
void put(napi_env env, napi_value object, const char* key, napi_value v) { napi_set_named_property(env, object, key, v); }
bool typed(napi_env env, napi_value v, char** data, size_t* bytes) {
  napi_typedarray_type type;
  size_t length = 0;
  void* p = nullptr;
  if (napi_get_typedarray_info(env, v, &type, &length, &p, nullptr, nullptr) != napi_ok) return false;
  size_t size = type == napi_float64_array || type == napi_bigint64_array || type == napi_biguint64_array ? 8
                : type == napi_float32_array || type == napi_int32_array || type == napi_uint32_array     ? 4
                : type == napi_int16_array || type == napi_uint16_array                                   ? 2
                                                                                                          : 1;
  *data = (char*)p;
  *bytes = length * size;
  return true;
}

napi_value Kernels(napi_env env, napi_callback_info) {
  napi_value all;
  napi_create_object(env, &all);
  auto add = [&](const char* name, int64_t code, std::vector<const char*> fields) {
    napi_value k, list;
    napi_create_object(env, &k);
    put(env, k, "code", number(env, (double)code));
    napi_create_array_with_length(env, fields.size(), &list);
    for (size_t i = 0; i < fields.size(); i++) napi_set_element(env, list, (uint32_t)i, text(env, fields[i]));
    put(env, k, "fields", list);
    put(env, all, name, k);
  };
#define FIELD_P(x) "p:" #x,
#define FIELD_I(x) "i:" #x,
#define FIELD_F(x) "f:" #x,
#define FIELD_E(x, e) #e ":" #x,
#define NAMES(k) add(#k, CODE_##k, {FIELDS_##k(FIELD_P, FIELD_I, FIELD_F, FIELD_E)});
  KERNELS(NAMES)
#undef NAMES
#undef FIELD_P
#undef FIELD_I
#undef FIELD_F
#undef FIELD_E
  return all;
}
// Names of every enum's values, in the order of their numbers.
napi_value Enums(napi_env env, napi_callback_info) {
  napi_value all;
  napi_create_object(env, &all);
  auto add = [&](const char* name, std::vector<const char*> values) {
    napi_value list;
    napi_create_array_with_length(env, values.size(), &list);
    for (size_t i = 0; i < values.size(); i++) napi_set_element(env, list, (uint32_t)i, text(env, values[i]));
    put(env, all, name, list);
  };
#define VALUE(name, text) #text,
#define ENUM(e) add(#e, {ENUM_##e(VALUE)});
  ENUMS(ENUM)
#undef ENUM
#undef VALUE
#define OP(name) #name,
  add("ChainOp", {CHAIN_OPS(OP)});
#undef OP
  return all;
}
napi_value Info(napi_env env, napi_callback_info) {
  napi_value o, levels;
  napi_create_object(env, &o);
  put(env, o, "level", text(env, engine->level.name));
  napi_create_array(env, &levels);
  uint32_t i = 0;
  for (auto& l : runnable_levels(false)) napi_set_element(env, levels, i++, text(env, l.name));
  put(env, o, "levels", levels);
  napi_create_array(env, &levels);
  i = 0;
  for (auto& l : runnable_levels(true)) napi_set_element(env, levels, i++, text(env, l.name));
  put(env, o, "testLevels", levels);
  put(env, o, "threads", number(env, engine->threads));
  bool dot = engine->level.name == "avx512" || engine->level.name.rfind("amx", 0) == 0;
  if (dot) {
    dot = false;
    for (auto& l : runnable_levels(true)) dot |= l.name == "avx512-f32";  // listed only where bf16 products exist
  }
  napi_value b;
  napi_get_boolean(env, dot, &b);
  put(env, o, "bf16Products", b);
  return o;
}
napi_value SetLevel(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  std::string error;
  LevelInfo chosen;
  if (engine->running) return fail(env, "a program is running");
  if (!choose_level(to_text(env, a.v[0]), &chosen, &error)) return fail(env, error);
  engine->level = chosen;
  engine->version++;
  activate_level(chosen);
  return nullptr;
}
napi_value SetThreads(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  int n = (int)to_number(env, a.v[0], 0);
  if (engine->running) return fail(env, "a program is running");
  if (n < 1 || n > 1024) return fail(env, "threads must be from 1 to 1024, not " + std::to_string(n));
  if (n == engine->threads && engine->pool) return nullptr;
  delete engine->pool;
  engine->pool = new Pool(n);
  engine->threads = n;
  engine->version++;
  return nullptr;
}
napi_value Allocate(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  double bytes = to_number(env, a.v[0], -1);
  if (!(bytes >= 0 && bytes < (double)POINTER_UNIT)) return fail(env, "allocate: not a size");
  for (int i = 0; i < MAX_BLOCKS; i++) {
    if (engine->blocks[i].data) continue;
    Memory m = reserve((size_t)bytes);
    if (!m.data) return fail(env, "out of memory: the system refused " + std::to_string((uint64_t)bytes) + " bytes");
    engine->blocks[i] = m;
    engine->bases[i] = m.data;
    count((int64_t)bytes);
    return number(env, i);
  }
  return fail(env, "too many memory blocks");
}
Memory* block_of(napi_env env, napi_value v) {
  int64_t i = (int64_t)to_number(env, v, -1);
  return i >= 0 && i < MAX_BLOCKS && engine->blocks[i].data ? &engine->blocks[i] : nullptr;
}
napi_value Free(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  Memory* m = block_of(env, a.v[0]);
  if (!m) return fail(env, "free: no such block");
  if (engine->running) return fail(env, "a program is running");
  count(-(int64_t)m->bytes);
  unreserve(*m);
  engine->bases[m - engine->blocks] = nullptr;
  return nullptr;
}
napi_value transfer(napi_env env, napi_callback_info info, bool write) {
  Arguments a(env, info);
  Memory* m = block_of(env, a.v[0]);
  double offset = to_number(env, a.v[1], -1);
  char* data = nullptr;
  size_t bytes = 0;
  if (!m) return fail(env, "no such block");
  if (!typed(env, a.v[2], &data, &bytes)) return fail(env, "needs a typed array");
  if (!(offset >= 0) || (size_t)offset + bytes > m->bytes) return fail(env, "range outside the block");
  if (bytes == 0) return nullptr;
  if (write)
    memcpy(m->data + (size_t)offset, data, bytes);
  else
    memcpy(data, m->data + (size_t)offset, bytes);
  return nullptr;
}
napi_value Write(napi_env env, napi_callback_info info) { return transfer(env, info, true); }
napi_value Read(napi_env env, napi_callback_info info) { return transfer(env, info, false); }

napi_value Compile(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  char* data = nullptr;
  size_t bytes = 0;
  if (!typed(env, a.v[0], &data, &bytes)) return fail(env, "compile: needs a Float64Array");
  Program* p = new Program();
  std::string error;
  if (!parse((const double*)data, bytes / 8, false, p, &error)) {
    discard(p);
    return fail(env, error);
  }
  engine->programs.push_back(p);
  return number(env, (double)(engine->programs.size() - 1));
}
Program* program_of(napi_env env, napi_value v) {
  double i = to_number(env, v, -1);
  return i >= 0 && i < (double)engine->programs.size() ? engine->programs[(size_t)i] : nullptr;
}
napi_value Release(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  Program* p = program_of(env, a.v[0]);
  if (!p) return fail(env, "release: no such program");
  if (engine->running) return fail(env, "a program is running");
  engine->programs[(size_t)to_number(env, a.v[0])] = nullptr;
  discard(p);
  return nullptr;
}
// Scratch bytes that a program needs for the level and threads now set: a program id, or records not compiled yet.
napi_value ScratchBytes(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  char* data = nullptr;
  size_t bytes = 0;
  if (typed(env, a.v[0], &data, &bytes)) {
    Program* plan = new Program();
    std::string error;
    bool good = parse((const double*)data, bytes / 8, true, plan, &error);
    double need = good ? (double)(stride_of(*plan) * (size_t)engine->threads) : 0;
    discard(plan);
    return good ? number(env, need) : fail(env, error);
  }
  Program* p = program_of(env, a.v[0]);
  if (p) return number(env, (double)(stride_of(*p) * (size_t)engine->threads));
  return fail(env, "scratchBytes: no such program");
}
napi_value RunSync(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  Program* p = program_of(env, a.v[0]);
  if (!p) return fail(env, "run: no such program");
  if (engine->running) return fail(env, "run: another program is running");
  if (!prepare(p)) return fail(env, "out of memory: no room for scratch");
  run_program(p);
  return nullptr;
}

struct Work {
  napi_async_work work;
  napi_deferred deferred;
  Program* program;
};
napi_value Run(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  Program* p = program_of(env, a.v[0]);
  if (!p) return fail(env, "run: no such program");
  if (engine->running) return fail(env, "run: another program is running");
  if (!prepare(p)) return fail(env, "out of memory: no room for scratch");
  Work* w = new Work{nullptr, nullptr, p};
  napi_value promise;
  napi_create_promise(env, &w->deferred, &promise);
  engine->running = true;
  napi_create_async_work(
      env, nullptr, text(env, "sweeplab.run"), [](napi_env, void* data) { run_program(((Work*)data)->program); },
      [](napi_env e, napi_status, void* data) {
        Work* done = (Work*)data;
        engine->running = false;
        napi_value nothing;
        napi_get_undefined(e, &nothing);
        napi_resolve_deferred(e, done->deferred, nothing);
        napi_delete_async_work(e, done->work);
        delete done;
      },
      w, &w->work);
  napi_queue_async_work(env, w->work);
  return promise;
}
// Seconds spent so far in each record of a program.
napi_value Profile(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  Program* p = program_of(env, a.v[0]);
  if (!p) return fail(env, "profile: no such program");
  napi_value buffer, array;
  void* data = nullptr;
  size_t n = p->calls.size();
  napi_create_arraybuffer(env, n * 8, &data, &buffer);
  for (size_t i = 0; i < n; i++) ((double*)data)[i] = p->calls[i].seconds;
  napi_create_typedarray(env, napi_float64_array, n, buffer, 0, &array);
  return array;
}
napi_value MemoryReport(napi_env env, napi_callback_info) {
  napi_value o;
  napi_create_object(env, &o);
  put(env, o, "allocated", number(env, (double)engine->allocated));
  put(env, o, "peak", number(env, (double)engine->peak));
  put(env, o, "scratch", number(env, (double)engine->scratch.bytes));
  return o;
}

}  // namespace

NAPI_MODULE_INIT() {
  if (!engine) {
    engine = new Engine();
    engine->threads = default_threads();
    engine->pool = new Pool(engine->threads);
    const char* forced = getenv("SWEEPLAB_CPU");
    std::string error;
    if (!choose_level(forced ? forced : "", &engine->level, &error)) {
      napi_throw_error(env, nullptr, ("SWEEPLAB_CPU: " + error).c_str());
      delete engine->pool;
      delete engine;
      engine = nullptr;
      return nullptr;
    }
    activate_level(engine->level);
  }
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {{"kernels", Kernels},   {"enums", Enums}, {"info", Info},       {"setLevel", SetLevel}, {"setThreads", SetThreads},
                   {"allocate", Allocate},   {"free", Free},       {"write", Write},       {"read", Read},
                   {"compile", Compile},   {"release", Release},           {"scratchBytes", ScratchBytes}, {"run", Run}, {"runSync", RunSync},
                   {"profile", Profile},   {"memory", MemoryReport}};
  for (auto& f : functions) {
    napi_value v;
    napi_create_function(env, f.name, NAPI_AUTO_LENGTH, f.call, nullptr, &v);
    put(env, exports, f.name, v);
  }
  // What it was built from and what records mean to it: compared when it is loaded (addon.ts).
  put(env, exports, "sources", text(env, SWEEPLAB_SOURCES));
  put(env, exports, "format", number(env, kRecordFormat));
  return exports;
}
