// A persistent pool of threads. `run` hands out task numbers 0..n-1 in order to whichever thread is free and returns when all are
// done. Kernels cut their work so that each task's result does not depend on who computes it nor on how many threads there are:
// results are the same bits for any pool size.
//
// Idle workers spin briefly (a step is thousands of short parallel regions), then sleep until the next region.
#pragma once
#include <cstdint>

class Pool {
 public:
  typedef void (*Task)(void* context, int64_t task, int thread);
  explicit Pool(int threads);
  ~Pool();
  int threads() const { return threads_; }
  void run(int64_t n, Task task, void* context);

 private:
  struct State;
  State* state_;
  int threads_;
};

// Calls f(task, thread) for each task; f is any callable.
template <class F>
static inline void parallel(Pool* pool, int64_t n, F f) {
  pool->run(n, [](void* c, int64_t task, int thread) { (*(F*)c)(task, thread); }, &f);
}
