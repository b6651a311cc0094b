// Rows by index, and sums into rows by index. Sums are in the order of rows whatever the indices are: (index, row) is sorted on the device, then runs
// of equal indices are summed in pieces of 64 rows; what crosses the edge of a piece is joined afterwards, in order.
#include "vector.h"

// y[r] = sum over terms of table[index[r terms + i]].
#define ARGS_gather(P, I, L, F, E) P(table) P(index) P(y) L(rows) L(n) I(terms) I(vocabulary) E(tabletype, DType) E(ytype, DType)
// keys (u64): index << 32 | row, sorted within lists of 2,048; an index outside becomes NOWHERE.
#define ARGS_sort_rows(P, I, L, F, E) P(index) P(keys) I(rows) I(vocabulary)
// Each eight neighbouring sorted lists of `list` keys become one.
#define ARGS_merge_rows(P, I, L, F, E) P(from) P(to) L(list) I(rows)
// edges: f32 [pieces, 2, n]: of each piece the sum of the run that came in, and of the one that begins here and goes on.
#define ARGS_scatter(P, I, L, F, E) P(keys) P(dy) P(table) P(edges) L(n) I(rows) E(dytype, DType) F(scale)
ARGS(gather)
ARGS(sort_rows)
ARGS(merge_rows)
ARGS(scatter)

#ifndef DESCRIBE
constexpr u32 NOWHERE = 0x7fffffffu, NO_ROW = 0xffffffffu;
constexpr int LIST = 2048, FAN = 8, PIECE = 64;

DEVICE void gather_rows(const gather_args& a) {
  i64 groups = (a.n + 7) / 8, at = (i64)block_x() * 256 + thread_x(), r = at / groups, i = at % groups * 8, left = a.n - i;
  if (r >= a.rows) return;
  float sum[8] = {};
  for (int term = 0; term < a.terms; term++) {
    i64 row = ((const int*)a.index)[r * a.terms + term];
    if (row < 0 || row >= a.vocabulary) continue;
    float v[8];
    load_some<8>(a.table, a.tabletype, row * a.n + i, left, v);
    UNROLL for (int k = 0; k < 8; k++) sum[k] += v[k];
  }
  store_some<8>(a.y, a.ytype, r * a.n + i, left, sum);
}

// Bitonic; keys differ by their rows, so that the order is that of a stable sort.
DEVICE void sort_list(const sort_rows_args& a) {
  SHARED_BEGIN
  SHARED(u64, keys, LIST)
  int first = (int)block_x() * LIST;
  for (int i = (int)thread_x(); i < LIST; i += 256) {
    int row = first + i;
    u64 index = NO_ROW;
    if (row < a.rows) {
      int given = ((const int*)a.index)[row];
      index = given >= 0 && given < a.vocabulary ? (u32)given : NOWHERE;
    }
    keys[i] = index << 32 | (u32)row;
  }
  for (int width = 2; width <= LIST; width *= 2)
    for (int step = width / 2; step > 0; step /= 2) {
      sync_block();
      for (int pair = (int)thread_x(); pair < LIST / 2; pair += 256) {
        int low = pair / step * step * 2 + pair % step, high = low + step;
        bool falls = (low & width) != 0;
        u64 x = keys[low], y = keys[high];
        if ((x > y) != falls) {
          keys[low] = y;
          keys[high] = x;
        }
      }
    }
  sync_block();
  for (int i = (int)thread_x(); i < LIST && first + i < a.rows; i += 256) ((u64*)a.keys)[first + i] = keys[i];
}
// The place of a key is its own in its list, and in each other list the number of smaller keys.
DEVICE void merge_lists(const merge_rows_args& a) {
  i64 i = (i64)block_x() * 256 + thread_x();
  if (i >= a.rows) return;
  const u64* from = (const u64*)a.from;
  u64 key = from[i];
  i64 own = i / a.list, first = own / FAN * FAN, at = first * a.list + i % a.list;
  for (i64 other = first; other < first + FAN; other++) {
    i64 begin = other * a.list, low = begin, high = begin + a.list < a.rows ? begin + a.list : a.rows;
    if (other == own) continue;
    if (begin >= a.rows) break;
    while (low < high) {
      i64 middle = (low + high) / 2;
      if (from[middle] < key) low = middle + 1;
      else high = middle;
    }
    at += low - begin;
  }
  ((u64*)a.to)[at] = key;
}

DEVICE u32 index_of(const void* keys, i64 i) { return (u32)(((const u64*)keys)[i] >> 32); }

// A block sums 64 sorted rows, a column to a thread.
DEVICE void scatter_piece(const scatter_args& a) {
  SHARED_BEGIN
  SHARED(u32, indices, PIECE + 2)
  SHARED(u32, rows, PIECE)
  i64 blocks = (a.n + 255) / 256, piece = (i64)block_x() / blocks, column = (i64)block_x() % blocks * 256 + thread_x();
  i64 first = piece * PIECE;
  int count = least(PIECE, (int)(a.rows - first));
  // With the neighbours before and after the piece.
  if (thread_x() < PIECE + 2) {
    i64 i = first + (i64)thread_x() - 1;
    indices[thread_x()] = i >= 0 && i < a.rows ? index_of(a.keys, i) : NO_ROW;
  }
  if ((int)thread_x() < count) rows[thread_x()] = (u32)((const u64*)a.keys)[first + thread_x()];
  sync_block();
  if (column >= a.n) return;
  float sum = 0.f;
  int begin = 0;
  for (int j = 0; j < count; j += 8) {
    float v[8];
    UNROLL for (int k = 0; k < 8; k++)
      v[k] = j + k < count && indices[j + k + 1] != NOWHERE ? load_as(a.dy, a.dytype, (i64)rows[j + k] * a.n + column) : 0.f;
    UNROLL for (int k = 0; k < 8; k++) {
      int i = j + k;
      if (i >= count) break;
      u32 index = indices[i + 1];
      sum += a.scale * v[k];
      if (i + 1 < count && indices[i + 2] == index) continue;
      bool came = begin == 0 && indices[0] == index, goes = i + 1 == count && indices[i + 2] == index;
      if (index == NOWHERE) {
      } else if (came || goes)
        ((float*)a.edges)[(piece * 2 + (came ? 0 : 1)) * a.n + column] = sum;
      else
        ((float*)a.table)[(i64)index * a.n + column] += sum;
      sum = 0.f;
      begin = i + 1;
    }
  }
}
// Where a run begins in this piece and goes on, its parts are added up.
DEVICE void scatter_edge(const scatter_args& a) {
  i64 blocks = (a.n + 255) / 256, piece = (i64)block_x() / blocks, column = (i64)block_x() % blocks * 256 + thread_x();
  i64 first = piece * PIECE, next = first + PIECE;
  if (column >= a.n || next >= a.rows) return;
  u32 index = index_of(a.keys, next - 1);
  bool came = first > 0 && index_of(a.keys, first) == index && index_of(a.keys, first - 1) == index;
  if (index == NOWHERE || came || index_of(a.keys, next) != index) return;
  const float* edges = (const float*)a.edges;
  float sum = edges[(piece * 2 + 1) * a.n + column];
  for (;;) {
    piece++;
    next += PIECE;
    sum += edges[piece * 2 * a.n + column];
    if (next >= a.rows || index_of(a.keys, next - 1) != index || index_of(a.keys, next) != index) break;
  }
  ((float*)a.table)[(i64)index * a.n + column] += sum;
}
#endif
KERNEL(gather, gather_args, 256, gather_rows(a))
KERNEL(sort_rows, sort_rows_args, 256, sort_list(a))
KERNEL(merge_rows, merge_rows_args, 256, merge_lists(a))
KERNEL(scatter_pieces, scatter_args, 256, scatter_piece(a))
KERNEL(scatter_edges, scatter_args, 256, scatter_edge(a))
