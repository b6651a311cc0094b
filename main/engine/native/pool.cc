#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static inline void relax() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

struct Pool::State {
  std::vector<std::thread> workers;
  std::mutex mutex;
  std::condition_variable wake;
  alignas(64) std::atomic<uint64_t> epoch{0};
  alignas(64) std::atomic<int64_t> next{0};
  alignas(64) std::atomic<int> inside{0};  // workers that may be running tasks
  std::atomic<bool> open{false};
  std::atomic<int> sleeping{0};
  std::atomic<bool> stop{false};
  int64_t count = 0;
  Task task = nullptr;
  void* context = nullptr;

  void drain(int thread) {
    for (;;) {
      int64_t t = next.fetch_add(1, std::memory_order_relaxed);
      if (t >= count) return;
      task(context, t, thread);
    }
  }

  void work(int thread) {
    uint64_t seen = 0;
    for (;;) {
      int spins = 0;
      while (epoch.load(std::memory_order_acquire) == seen) {
        if (++spins < 4000) {
          relax();
          continue;
        }
        std::unique_lock<std::mutex> lock(mutex);
        sleeping.fetch_add(1);
        wake.wait(lock, [&] { return epoch.load() != seen; });
        sleeping.fetch_sub(1);
      }
      seen = epoch.load(std::memory_order_acquire);
      if (stop.load()) return;
      // A worker that wakes late must neither delay the region nor touch the next one while it is being set up:
      // either it sees the region closed, or the owner sees it inside and waits.
      inside.fetch_add(1);
      if (open.load()) drain(thread);
      inside.fetch_sub(1);
    }
  }

  void publish() {
    epoch.fetch_add(1);  // sequentially consistent: a worker either sees it before sleeping or is counted as sleeping
    if (sleeping.load() > 0) {
      std::lock_guard<std::mutex> lock(mutex);
      wake.notify_all();
    }
  }
};

Pool::Pool(int threads) : state_(new State), threads_(threads < 1 ? 1 : threads) {
  for (int i = 1; i < threads_; i++) state_->workers.emplace_back([this, i] { state_->work(i); });
}

Pool::~Pool() {
  state_->stop = true;
  state_->publish();
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->wake.notify_all();
  }
  for (auto& w : state_->workers) w.join();
  delete state_;
}

void Pool::run(int64_t n, Task task, void* context) {
  if (n <= 0) return;
  if (n == 1 || threads_ == 1) {
    for (int64_t i = 0; i < n; i++) task(context, i, 0);
    return;
  }
  State& s = *state_;
  s.task = task;
  s.context = context;
  s.count = n;
  s.next.store(0, std::memory_order_relaxed);
  s.open.store(true);
  s.publish();
  s.drain(0);
  s.open.store(false);
  while (s.inside.load() != 0) relax();
}
