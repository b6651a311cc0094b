// Programs: records of kernel calls, decoded once and run many times, and the state that they share.
//
// A program comes as doubles, records [code, length, fields..., extra numbers...]; length counts the whole record. Field order and
// codes come from `kernels()` of addon.cc. A pointer is block * 2^44 + byte offset, or -1.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "isa.h"
#include "memory.h"
#include "pool.h"

constexpr int MAX_BLOCKS = 4096;
constexpr int64_t POINTER_UNIT = int64_t(1) << 44;

// One call, decoded.
struct Call {
  int64_t code = 0;
  std::vector<double> extra;
  void* args = nullptr;
  double seconds = 0;
};

struct Program {
  std::vector<Call> calls;
  size_t stride = 0;      // scratch bytes per thread, for the level and threads of `version`
  uint64_t version = 0;
};

struct Engine {
  Memory blocks[MAX_BLOCKS];
  char* bases[MAX_BLOCKS] = {};
  Memory scratch;
  std::vector<Program*> programs;
  Pool* pool = nullptr;
  int threads = 1;
  LevelInfo level;
  uint64_t version = 1;  // changes with level or threads
  size_t allocated = 0, peak = 0;
  bool running = false;
};
extern Engine* engine;

// Appends the calls of `n` doubles to a program; false with the reason. With `plan` the pointers need not exist.
bool parse(const double* data, size_t n, bool plan, Program* program, std::string* error);
// Scratch bytes per thread for the level and threads now set.
size_t stride_of(const Program& p);
// Makes room for a program's scratch; false where the system refuses.
bool prepare(Program* p);
void run_program(Program* p);
void discard(Program* p);
// Counts memory that was taken (or, below 0, given back).
void count(int64_t change);
