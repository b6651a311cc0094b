// Where rows stand that belong to experts: a counting sort by expert that keeps the order of rows. Blocks take CHUNK rows; what each counts of each
// expert is added up over blocks in order, so that every block knows where its rows of an expert begin.
#include "device.h"

// choices: i32 [rows, active], the experts of each row in order, -1 for none. counts: i32 [chunks, experts]; then where a chunk's rows of an expert begin.
#define ARGS_expert_choices(P, I, L, F, E) P(chosen) P(choices) I(rows) I(experts) I(active)
#define ARGS_expert_counts(P, I, L, F, E) P(choices) P(counts) I(rows) I(experts) I(active)
#define ARGS_expert_begins(P, I, L, F, E) P(counts) P(ends) I(chunks) I(experts)
#define ARGS_expert_places(P, I, L, F, E) P(choices) P(counts) P(ends) P(token) P(source) P(place) I(rows) I(experts) I(active)
ARGS(expert_choices)
ARGS(expert_counts)
ARGS(expert_begins)
ARGS(expert_places)

#ifndef DESCRIBE
constexpr int CHUNK = 128;

DEVICE void choose(const expert_choices_args& a) {
  i64 row = (i64)block_x() * 256 + thread_x();
  if (row >= a.rows) return;
  const float* chosen = (const float*)a.chosen + row * a.experts;
  int* out = (int*)a.choices + row * a.active;
  int found = 0;
  for (int e = 0; e < a.experts && found < a.active; e++)
    if (chosen[e] != 0.f) out[found++] = e;
  while (found < a.active) out[found++] = -1;
}
// The choices of this block's rows, in shared memory; returns how many there are.
DEVICE int load_choices(const void* choices, int rows, int active, int* own) {
  i64 first = (i64)block_x() * CHUNK;
  int count = least(CHUNK, (int)(rows - first)) * active;
  for (int p = (int)thread_x(); p < count; p += 256) own[p] = ((const int*)choices)[first * active + p];
  sync_block();
  return count;
}
DEVICE void count_choices(const expert_counts_args& a) {
  SHARED_BEGIN
  SHARED(int, own, CHUNK * a.active)
  int count = load_choices(a.choices, a.rows, a.active, own);
  for (int e = (int)thread_x(); e < a.experts; e += 256) {
    int found = 0;
    for (int p = 0; p < count; p++) found += own[p] == e ? 1 : 0;
    ((int*)a.counts)[(i64)block_x() * a.experts + e] = found;
  }
}
DEVICE void begin_experts(const expert_begins_args& a) {
  SHARED_BEGIN
  SHARED(int, totals, a.experts)
  int* counts = (int*)a.counts;
  for (int e = (int)thread_x(); e < a.experts; e += 256) {
    int total = 0;
    for (int c = 0; c < a.chunks; c++) {
      int own = counts[(i64)c * a.experts + e];
      counts[(i64)c * a.experts + e] = total;
      total += own;
    }
    totals[e] = total;
  }
  sync_block();
  if (thread_x() != 0) return;
  int end = 0;
  for (int e = 0; e < a.experts; e++) ((int*)a.ends)[e] = end += totals[e];
}
DEVICE void stand(const expert_places_args& a) {
  SHARED_BEGIN
  SHARED(int, own, CHUNK * a.active)
  int count = load_choices(a.choices, a.rows, a.active, own), places = a.rows * a.active;
  int first = (int)block_x() * CHUNK * a.active, total = ((const int*)a.ends)[a.experts - 1];
  int *token = (int*)a.token, *source = (int*)a.source, *place = (int*)a.place;
  for (int e = (int)thread_x(); e < a.experts; e += 256) {
    int at = ((const int*)a.counts)[(i64)block_x() * a.experts + e] + (e > 0 ? ((const int*)a.ends)[e - 1] : 0);
    for (int p = 0; p < count; p++) {
      if (own[p] != e) continue;
      int row = (first + p) / a.active;
      if (token) token[at] = row;
      if (source) source[at] = row * a.experts + e;
      if (place) place[first + p] = at;
      at++;
    }
  }
  for (int p = (int)thread_x(); p < count; p += 256) {
    if (place && own[p] < 0) place[first + p] = places - 1;
    if (first + p < total) continue;
    if (token) token[first + p] = 0;
    if (source) source[first + p] = 0;
  }
}
#endif
KERNEL(expert_choices, expert_choices_args, 256, choose(a))
KERNEL(expert_counts, expert_counts_args, 256, count_choices(a))
KERNEL(expert_begins, expert_begins_args, 256, begin_experts(a))
KERNEL(expert_places, expert_places_args, 256, stand(a))
