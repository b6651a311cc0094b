// Attention that skips what is masked out: queries in blocks, and for each block the keys that any of its queries sees, gathered side by
// side, so that work grows with the pairs that count and not with the square of the length.
//
// A "wide" block is WIDE queries of one class. Classes are the residues of positions modulo the stride for strided patterns, which see
// nothing of each other, and all positions together for the others. Where a class has few members, a block of queries takes several
// neighbouring classes whole, side by side. The keys of a wide block are listed, their rows are gathered
// and packed once; then blocks of BQ queries go over runs of 32-key panels in the list of which some key counts, as attention.h goes
// over its blocks of keys: running maximum and sum forward, five products backward. Which of a run's keys a query sees is decided key
// by key:   first_i <= pos_j <= i  and  (pos_j >= near_i  or  until_j > i)  and, of several classes, the same class.
// Backward, one task per (batch, key/value head); gradients of a wide block's keys are summed in the list and then added to their rows.
#pragma once
#include "attention.h"

namespace LEVEL {

enum : int { SEES_ALL, SEES_LOCAL, SEES_STRIDED, SEES_FIXED };
constexpr int PANEL = 32;                                                    // keys that are skipped together
constexpr int64_t wide_block(bool dot) { return 6 * block_of_queries(dot); }  // queries that share a list of keys
constexpr int64_t LIST_SLACK = BK + 2 * PANEL;

// What decides for one query which keys it sees.
struct Query {
  int64_t i, first, near;
  int32_t residue;
};

// What one head of one sequence sees.
template <class A>
struct Sight {
  const A& g;
  int pattern;
  int64_t step, columns_from, columns_to;  // of a block, for fixed
  const int32_t *expiry, *starts;
  Sight(const A& args, int64_t b, int64_t h) : g(args) {
    pattern = (int)(args.patterns >> (2 * (h % args.turns)) & 3);
    step = pattern == SEES_STRIDED ? min_(args.block, args.t) : 1;
    int64_t v = h / args.turns % args.groups;
    columns_to = args.block - v * args.summary;
    columns_from = columns_to - args.summary;
    expiry = args.expiry ? (const int32_t*)args.expiry + b * args.t : nullptr;
    starts = args.starts ? (const int32_t*)args.starts + b * args.t : nullptr;
  }
  // Nothing before this position is seen by i. Never falls along i.
  int64_t first(int64_t i) const { return starts ? starts[i] : 0; }
  // The first position that i sees whatever its score or column.
  int64_t near(int64_t i) const {
    int64_t from = pattern == SEES_LOCAL ? i - g.block + 1 : pattern == SEES_FIXED ? i / g.block * g.block : 0;
    return max_(from, first(i));
  }
  Query query(int64_t i) const { return Query{i, first(i), near(i), (int32_t)(i % step)}; }
  // out[j]: positions from here on see j only if it is near.
  void until(int32_t* out) const {
    for (int64_t j = 0; j < g.t; j++) out[j] = expiry ? expiry[j] : 0;
    if (pattern != SEES_FIXED) return;
    for (int64_t first = 0; first < g.t; first += g.block)
      for (int64_t j = first + columns_from; j < min_(first + columns_to, g.t); j++) out[j] = (int32_t)g.t;
  }
  // Members of the largest class; classes that a block of queries takes side by side; wide blocks of so many, and of all.
  int64_t members() const { return ceil_div(g.t, step); }
  int64_t side(bool dot) const { return min_(step, max_<int64_t>(1, block_of_queries(dot) / members())); }
  int64_t per_side(bool dot) const { return ceil_div(members(), wide_block(dot)); }
  int64_t wide_blocks(bool dot) const { return ceil_div(step, side(dot)) * per_side(dot); }
};

// The queries of a wide block: `side` neighbouring positions from first on, from first + step on, … ; none when beyond the class.
struct Queries {
  int64_t first, step, side, count;
  int64_t at(int64_t q) const { return side == 1 ? first + q * step : first + q / side * step + q % side; }
};
template <class A>
static Queries queries_of(const Sight<A>& sight, int64_t number, bool dot) {
  int64_t per = sight.per_side(dot), residue = number / per * sight.side(dot), start = number % per * wide_block(dot);
  int64_t side = min_(sight.side(dot), sight.step - residue), rows = (sight.g.t - residue) / sight.step;
  int64_t members = rows * side + min_(side, sight.g.t - residue - rows * sight.step);
  return Queries{residue + start * sight.step, sight.step, side, max_<int64_t>(0, min_(wide_block(dot), members - start))};
}

// The keys that some query of a wide block sees, in order, and what decides about each.
struct KeyList {
  int32_t *pos, *until, *residue;
  float* score;  // null without a selection
  int64_t n;
  bool mixed;  // of several classes: residues decide
};

template <class A>
static void list_keys(const Sight<A>& sight, const Queries& queries, int64_t b, const int32_t* until, KeyList* list) {
  const A& g = sight.g;
  const uint8_t* visible = g.keymask ? (const uint8_t*)g.keymask + b * g.t : nullptr;
  int64_t first = queries.at(0), last = queries.at(queries.count - 1), near = sight.near(first), n = 0;
  int64_t residue = first % sight.step, begin = residue + ceil_div(max_<int64_t>(0, sight.first(first) - residue), sight.step) * sight.step;
  for (int64_t row = begin; row <= last; row += sight.step)
    for (int64_t j = row; j < min_(row + queries.side, last + 1); j++)
      if ((j >= near || until[j] > first) && !(visible && !visible[j])) {
        list->pos[n] = (int32_t)j;
        list->residue[n] = (int32_t)(residue + j - row);
        list->until[n++] = until[j];
      }
  list->n = n;
  list->mixed = queries.side > 1;
  for (int64_t i = n; i < n + LIST_SLACK; i++) list->pos[i] = INT32_MAX, list->until[i] = 0, list->residue[i] = -1;
  if (!list->score) return;
  const float* scores = (const float*)g.scores + b * g.t;
  for (int64_t i = 0; i < n; i++) list->score[i] = scores[list->pos[i]];
  for (int64_t i = n; i < n + LIST_SLACK; i++) list->score[i] = 0.f;
}

// A block of queries and where it looks.
struct Rows {
  int64_t first, last, near, begin;  // positions of the first and the last query; near and first of the first
};
template <class A>
static Rows rows_of(const Sight<A>& sight, const Queries& queries, int64_t q0, int64_t rows) {
  int64_t i = queries.at(q0);
  return Rows{i, queries.at(q0 + rows - 1), sight.near(i), sight.first(i)};
}
// Whether a query of the block sees a key of the panel that begins at entry c.
INLINE bool panel_counts(const KeyList& list, int64_t c, const Rows& rows) {
  for (int64_t e = c; e < min_<int64_t>(c + PANEL, list.n); e++)
    if (list.pos[e] <= rows.last && list.pos[e] >= rows.begin && (list.pos[e] >= rows.near || list.until[e] > rows.first)) return true;
  return false;
}
// The next run of panels from entry c that count: its begin, and its end in *end; list.n when there is none.
static int64_t next_run(const KeyList& list, int64_t c, const Rows& rows, int64_t* end) {
  while (c < list.n && !panel_counts(list, c, rows)) c += PANEL;
  int64_t e = min_<int64_t>(c + PANEL, list.n);
  while (e < list.n && e - c + PANEL <= BK && panel_counts(list, e, rows)) e = min_<int64_t>(e + PANEL, list.n);
  while (e > c && list.pos[e - 1] > rows.last) e--;
  *end = e;
  return min_(c, list.n);
}

INLINE vi load_vi(const int32_t* p) {
  vi v;
  memcpy(&v, p, sizeof v);
  return v;
}
// The score of keys `list[e ..]` for a query: minus infinity where it does not see them.
template <class A>
INLINE vf sparse_score(const A& g, vf raw, float slope, const Query& query, const KeyList& list, int64_t e, vf* capped) {
  vf x = raw * splat((float)g.scale);
  if (g.softcap > 0) x = splat((float)g.softcap) * vtanh(x * splat((float)(1 / g.softcap)));
  *capped = x;
  vi pos = load_vi(list.pos + e);
  if (slope != 0.f) x = x - splat(slope) * (splat((float)query.i) - __builtin_convertvector(pos, vf));
  vi at = splati((int32_t)query.i), near = splati((int32_t)query.near);
  vi seen = (pos <= at) & (pos >= splati((int32_t)query.first)) & ((pos >= near) | (load_vi(list.until + e) > at));
  if (list.mixed) seen = seen & (load_vi(list.residue + e) == splati(query.residue));
  return seen ? x : splat(MINUS_INF);
}
// Factors on probabilities: 1 for near keys, else clip(score - threshold, 0, 1); *smooth: where that is strictly between.
INLINE vf selected(const KeyList& list, int64_t e, int64_t near, float threshold, vi* smooth) {
  vf above = load(list.score + e) - splat(threshold), one = splat(1.f), zero = splat(0.f);
  vi far = load_vi(list.pos + e) < splati((int32_t)near);
  *smooth = far & (above > zero) & (above < one);
  vf clipped = above > one ? one : above > zero ? above : zero;
  return far ? clipped : one;
}

// Dropout factors of keys list[c .. c + n) for query i: numbers lie by position, so neighbours are drawn together.
template <class A>
static void keep_listed(const A& g, const Philox& rng, int64_t b, int64_t h, int64_t i, const KeyList& list, int64_t c, int64_t n, float* keep) {
  uint64_t base = ((uint64_t)(b * g.heads + h) * g.t + i) * g.t;
  for (int64_t e = 0; e < n;) {
    int64_t run = 1;
    while (e + run < n && list.pos[c + e + run] == list.pos[c + e] + run) run++;
    philox_keep(rng, base + list.pos[c + e], run, (float)g.dropout, keep + e);
    e += run;
  }
}

// Rows list.pos[..] of one head, side by side.
static void gather_rows(const void* src, int64_t type, int64_t stride, int64_t width, const KeyList& list, void* out) {
  size_t size = type == F32 ? 4 : 2, bytes = (size_t)width * size;
  for (int64_t e = 0; e < list.n; e++)
    memcpy((char*)out + (size_t)e * bytes, (const char*)src + (size_t)(list.pos[e] * stride) * size, bytes);
}

// Rows of a wide block's queries, `stride` apart in src: where to begin and how far to go; several classes are copied side by side.
struct QueryRows {
  const void* rows;
  int64_t stride;
};
static QueryRows query_rows(const void* src, int64_t type, int64_t stride, int64_t width, const Queries& queries, void* out) {
  if (queries.side == 1) return QueryRows{at(src, type, queries.first * stride), stride * queries.step};
  size_t size = type == F32 ? 4 : 2, bytes = (size_t)width * size;
  for (int64_t q = 0; q < queries.count; q++)
    memcpy((char*)out + (size_t)q * bytes, (const char*)src + (size_t)(queries.at(q) * stride) * size, bytes);
  return QueryRows{out, width};
}

// Rows of a strided class lie far apart, where the processor does not expect them: it is told while the class before is computed.
static void expect_rows(const void* src, int64_t type, int64_t stride, int64_t width, const Queries& queries) {
  int64_t size = type == F32 ? 4 : 2;
  for (int64_t q = 0; q < queries.count; q++)
    for (int64_t byte = 0; byte < width * size; byte += 64)
      __builtin_prefetch((const char*)src + queries.at(q) * stride * size + byte);
}
template <class A>
static void expect_class(const A& g, int64_t b, int64_t h, const Queries& queries) {
  int64_t hk = h / (g.heads / g.kvheads), sq = g.heads * g.d, sk = g.kvheads * g.d, sv = g.kvheads * g.dvalue;
  expect_rows(at((const void*)g.q, g.type, b * g.t * sq + h * g.d), g.type, sq, g.d, queries);
  expect_rows(at((const void*)g.k, g.type, b * g.t * sk + hk * g.d), g.type, sk, g.d, queries);
  expect_rows(at((const void*)g.v, g.type, b * g.t * sv + hk * g.dvalue), g.type, sv, g.dvalue, queries);
}

struct SparseForwardScratch {
  float *rows, *qa, *kt, *vb, *s, *pa, *o, *m, *l, *keep;
  int32_t* until;
  KeyList list;
  size_t bytes;
  SparseForwardScratch(const sparse_attention_args& g, char* base) {
    Cutter c(base);
    bool dot = use_dot(g.compute);
    const int64_t BQ = block_of_queries(dot), most = g.t + LIST_SLACK;
    rows = c.floats(g.t * max_(g.d, g.dvalue));
    qa = c.floats(packed_a_size(BQ, g.d, dot));
    kt = c.floats(packed_b_size(g.t + PANEL, g.d, dot));
    vb = c.floats(packed_b_size(g.dvalue, g.t + PANEL, dot));
    s = c.floats((BQ + MR_MAX) * SLD);
    pa = c.floats(packed_a_size(BQ, BK, dot));
    o = c.floats((BQ + MR_MAX) * round_up(g.dvalue, NR));
    m = c.floats(BQ);
    l = c.floats(BQ);
    keep = c.floats(BK + W);
    until = (int32_t*)c.floats(g.t);
    list.pos = (int32_t*)c.floats(most);
    list.until = (int32_t*)c.floats(most);
    list.residue = (int32_t*)c.floats(most);
    list.score = g.scores ? c.floats(most) : nullptr;
    bytes = c.used + 64;
  }
};
static size_t sparse_attention_scratch(const sparse_attention_args& g, int) { return SparseForwardScratch(g, nullptr).bytes; }

template <bool DOT>
static void sparse_attention_wide(const sparse_attention_args& g, const Sight<sparse_attention_args>& sight, int64_t b, int64_t h,
                                  const Queries& queries, SparseForwardScratch& f, const Philox& rng) {
  constexpr int64_t BQ = block_of_queries(DOT);
  int64_t hk = h / (g.heads / g.kvheads), ldo = round_up(g.dvalue, NR), mr = DOT ? MR_DOT : MR, per = DOT ? 2 : 1;
  int64_t sq = g.heads * g.d, so = g.heads * g.dvalue, sk = g.kvheads * g.d, sv = g.kvheads * g.dvalue, qdepth = depth_of(g.d, DOT);
  KeyList& list = f.list;
  list_keys(sight, queries, b, f.until, &list);
  gather_rows(at((const void*)g.k, g.type, b * g.t * sk + hk * g.d), g.type, sk, g.d, list, f.rows);
  pack_b(f.rows, g.type, g.d, true, list.n, g.d, DOT, f.kt);
  gather_rows(at((const void*)g.v, g.type, b * g.t * sv + hk * g.dvalue), g.type, sv, g.dvalue, list, f.rows);
  pack_b(f.rows, g.type, g.dvalue, false, g.dvalue, list.n, DOT, f.vb);
  int64_t vstride = depth_of(list.n, DOT) * NR;
  QueryRows Q = query_rows(at((const void*)g.q, g.type, b * g.t * sq + h * g.d), g.type, sq, g.d, queries, f.rows);
  float slope = g.slopes ? ((const float*)g.slopes)[h] : 0.f;
  const float* thresholds = g.scores ? (const float*)g.thresholds + b * g.t : nullptr;
  for (int64_t q0 = 0; q0 < queries.count; q0 += BQ) {
    int64_t rows = min_<int64_t>(BQ, queries.count - q0);
    Rows block = rows_of(sight, queries, q0, rows);
    pack_a(at(Q.rows, g.type, q0 * Q.stride), g.type, Q.stride, false, rows, g.d, DOT, f.qa);
    memset(f.o, 0, (size_t)(round_up(rows, mr) * ldo) * 4);
    for (int64_t r = 0; r < rows; r++) f.m[r] = MINUS_INF, f.l[r] = 0.f;
    int64_t end;
    for (int64_t c = next_run(list, 0, block, &end); c < list.n; c = next_run(list, end, block, &end)) {
      int64_t n = end - c, nv = round_up(n, W);
      panel_product<DOT, false>(rows, n, qdepth, f.qa, qdepth * mr, f.kt + c * qdepth, qdepth * NR, f.s, SLD);
      for (int64_t r = 0; r < rows; r++) {
        Query query = sight.query(queries.at(q0 + r));
        int64_t i = query.i;
        float* s = f.s + r * SLD;
        vf best = splat(MINUS_INF), raw;
        for (int64_t j = 0; j < nv; j += W) {
          vf x = sparse_score(g, load(s + j), slope, query, list, c + j, &raw);
          store(s + j, x);
          best = vmax(best, x);
        }
        float shrink = soft_max_step(s, nv, best, &f.m[r], &f.l[r]);
        if (g.dropout > 0) {
          keep_listed(g, rng, b, h, i, list, c, n, f.keep);
          times_kept(s, f.keep, n);
        }
        if (thresholds) {
          vi smooth;
          for (int64_t j = 0; j < nv; j += W) store(s + j, load(s + j) * selected(list, c + j, query.near, thresholds[i], &smooth));
        }
        scale_row(f.o + r * ldo, ldo, shrink);
      }
      pack_a(f.s, F32, SLD, false, rows, n, DOT, f.pa);
      int64_t depth = depth_of(n, DOT);
      panel_product<DOT, true>(rows, g.dvalue, depth, f.pa, depth * mr, f.vb + c / per * NR, vstride, f.o, ldo);
    }
    for (int64_t r = 0; r < rows; r++) {
      int64_t i = queries.at(q0 + r);
      float l = f.l[r], inv = l > 0.f ? 1.f / l : 0.f;
      if (l != l) inv = l;
      float* lse = (float*)g.lse + (b * g.heads + h) * g.t;
      lse[i] = l > 0.f ? f.m[r] + __builtin_logf(l) : l != l ? l : MINUS_INF;
      float* o = f.o + r * ldo;
      for (int64_t d = 0; d < g.dvalue; d += W) store(o + d, load(o + d) * splat(inv));
      write_rows(o, ldo, 1, g.dvalue, g.o, g.type, (b * g.t + i) * so + h * g.dvalue, 0);
    }
  }
}

template <bool DOT>
static void sparse_attention_task(const sparse_attention_args& g, int64_t b, int64_t h, int64_t begin, int64_t end, char* scratch) {
  SparseForwardScratch f(g, scratch);
  Sight<sparse_attention_args> sight(g, b, h);
  sight.until(f.until);
  Philox rng{};
  if (g.dropout > 0) rng = philox_of(g.seed, g.stream);
  for (int64_t number = begin; number < end; number++) {
    Queries queries = queries_of(sight, number, DOT);
    if (sight.step > 1 && number + 1 < end) expect_class(g, b, h, queries_of(sight, number + 1, DOT));
    if (queries.count > 0) sparse_attention_wide<DOT>(g, sight, b, h, queries, f, rng);
  }
}

static void sparse_attention(const Context& x, const sparse_attention_args& g) {
  int64_t pairs = g.batch * g.heads;
  if (pairs * g.t == 0) return;
  bool dot = use_dot(g.compute);
  // Every head is cut into the same number of parts; heads have different numbers of wide blocks.
  int64_t parts = max_<int64_t>(1, ceil_div(x.threads > 1 ? 4 * x.threads : 1, pairs));
  parallel(x.pool, pairs * parts, [&](int64_t task, int thread) {
    int64_t part = task % parts, h = task / parts % g.heads, b = task / parts / g.heads;
    int64_t blocks = Sight<sparse_attention_args>(g, b, h).wide_blocks(dot);
    int64_t begin = part * blocks / parts, end = (part + 1) * blocks / parts;
    char* s = x.scratch + thread * x.stride;
    Tiles tiles(dot);
    if (dot)
      sparse_attention_task<HAS_DOT>(g, b, h, begin, end, s);
    else
      sparse_attention_task<false>(g, b, h, begin, end, s);
  });
}

struct SparseBackwardScratch {
  float *rows, *kt, *vt, *kb, *qa, *da, *qb, *db, *s, *dp, *pt, *st, *sa, *dq, *dkl, *dvl, *dul, *dk, *dv, *delta, *keep;
  int32_t* until;
  KeyList list;
  size_t bytes;
  SparseBackwardScratch(const sparse_attention_backward_args& g, char* base) {
    Cutter c(base);
    bool dot = use_dot(g.compute);
    const int64_t BQ = block_of_queries(dot), WIDE = wide_block(dot), most = g.t + LIST_SLACK, t = g.t + PANEL;
    int64_t ldd = round_up(g.d, NR), ldv = round_up(g.dvalue, NR);
    rows = c.floats(g.t * max_(g.d, g.dvalue));
    kt = c.floats(packed_b_size(t, g.d, dot));
    vt = c.floats(packed_b_size(t, g.dvalue, dot));
    kb = c.floats(packed_b_size(g.d, t, dot));
    qa = c.floats(packed_a_size(WIDE, g.d, dot));
    da = c.floats(packed_a_size(WIDE, g.dvalue, dot));
    qb = c.floats(packed_b_size(g.d, WIDE, dot));
    db = c.floats(packed_b_size(g.dvalue, WIDE, dot));
    s = c.floats((BQ + MR_MAX) * SLD);
    dp = c.floats((BQ + MR_MAX) * SLD);
    pt = c.floats(packed_a_size(BK, BQ, dot));
    st = c.floats(packed_a_size(BK, BQ, dot));
    sa = c.floats(packed_a_size(BQ, BK, dot));
    dq = c.floats((WIDE + MR_MAX) * ldd);
    dkl = c.floats((most + MR_MAX) * ldd);
    dvl = c.floats((most + MR_MAX) * ldv);
    dul = c.floats(g.scores ? most : 0);
    dk = c.floats(g.t * ldd);
    dv = c.floats(g.t * ldv);
    delta = c.floats(WIDE);
    keep = c.floats(BK + W);
    until = (int32_t*)c.floats(g.t);
    list.pos = (int32_t*)c.floats(most);
    list.until = (int32_t*)c.floats(most);
    list.residue = (int32_t*)c.floats(most);
    list.score = g.scores ? c.floats(most) : nullptr;
    bytes = c.used + 64;
  }
};
static size_t sparse_attention_backward_scratch(const sparse_attention_backward_args& g, int) {
  return SparseBackwardScratch(g, nullptr).bytes;
}

// P and dS of one run of keys, row by row, over S and dP; adds to the gradient of the slope and of the selection.
struct RowGradient {
  float slope;
  vf* dslope;
  float* dthresholds;  // [t]
};

template <bool DOT>
static void sparse_backward_rows(const sparse_attention_backward_args& g, const Sight<sparse_attention_backward_args>& sight, int64_t b,
                                 int64_t h, const Queries& queries, int64_t q0, int64_t rows, int64_t c, int64_t n,
                                 SparseBackwardScratch& f, const Philox& rng, const RowGradient& grad) {
  const KeyList& list = f.list;
  const float* lse = (const float*)g.lse + (b * g.heads + h) * g.t;
  const float* thresholds = g.scores ? (const float*)g.thresholds + b * g.t : nullptr;
  vf scale = splat((float)g.scale);
  int64_t nv = round_up(n, W);
  for (int64_t r = 0; r < rows; r++) {
    Query query = sight.query(queries.at(q0 + r));
    int64_t i = query.i;
    float *s = f.s + r * SLD, *dp = f.dp + r * SLD;
    float l = lse[i];
    if (l == MINUS_INF) l = __builtin_inff();  // a row without keys: P = 0
    if (g.dropout > 0) keep_listed(g, rng, b, h, i, list, c, n, f.keep);
    vf delta = splat(f.delta[q0 + r]), rest = splat(l), moved = splat(0.f);
    for (int64_t j = 0; j < nv; j += W) {
      vf capped;
      vf x = sparse_score(g, load(s + j), grad.slope, query, list, c + j, &capped);
      vf p = vexp(x - rest), e = load(dp + j), pd = p;
      if (g.dropout > 0) {
        vf keep = n - j >= W ? load(f.keep + j) : load_n(f.keep + j, n - j);
        pd = p * keep;
        e = e * keep;
      }
      if (thresholds) {
        vi smooth;
        vf factor = selected(list, c + j, query.near, thresholds[i], &smooth), change = p * e;
        change = smooth & (p != splat(0.f)) ? change : splat(0.f);
        moved += change;
        store(f.dul + c + j, load(f.dul + c + j) + change);
        pd = pd * factor;
        e = e * factor;
      }
      vf ds = p * (e - delta);
      ds = p == splat(0.f) ? splat(0.f) : ds;
      if (g.slopes) *grad.dslope -= ds * (splat((float)i) - __builtin_convertvector(load_vi(list.pos + c + j), vf));
      if (g.softcap > 0) {
        vf t = capped * splat((float)(1 / g.softcap));
        ds = ds * (splat(1.f) - t * t);
      }
      store(s + j, pd);
      store(dp + j, ds * scale);
    }
    if (thresholds) grad.dthresholds[i] -= hsum(moved);
  }
}

// f.delta[q] = dO . O of the queries of a wide block.
static void sparse_deltas(const sparse_attention_backward_args& g, int64_t b, int64_t h, const Queries& queries, float* out) {
  for (int64_t q = 0; q < queries.count; q++)
    out[q] = row_dot(g.dout, g.o, g.type, ((b * g.t + queries.at(q)) * g.heads + h) * g.dvalue, g.dvalue);
}

INLINE void add_listed(const KeyList& list, const float* from, int64_t ld, float* to) {
  for (int64_t e = 0; e < list.n; e++) {
    const float* x = from + e * ld;
    float* y = to + list.pos[e] * ld;
    for (int64_t d = 0; d < ld; d += W) store(y + d, load(y + d) + load(x + d));
  }
}

template <bool DOT>
static void sparse_backward_wide(const sparse_attention_backward_args& g, const Sight<sparse_attention_backward_args>& sight, int64_t b,
                                 int64_t h, const Queries& queries, SparseBackwardScratch& f, const Philox& rng, vf* dslope) {
  constexpr int64_t BQ = block_of_queries(DOT);
  int64_t hk = h / (g.heads / g.kvheads), mr = DOT ? MR_DOT : MR, per = DOT ? 2 : 1;
  int64_t ldd = round_up(g.d, NR), ldv = round_up(g.dvalue, NR), ddepth = depth_of(g.d, DOT), vdepth = depth_of(g.dvalue, DOT);
  int64_t sq = g.heads * g.d, so = g.heads * g.dvalue, sk = g.kvheads * g.d, sv = g.kvheads * g.dvalue;
  KeyList& list = f.list;
  list_keys(sight, queries, b, f.until, &list);
  if (list.n > 0) {
    gather_rows(at((const void*)g.k, g.type, b * g.t * sk + hk * g.d), g.type, sk, g.d, list, f.rows);
    pack_b(f.rows, g.type, g.d, true, list.n, g.d, DOT, f.kt);
    pack_b(f.rows, g.type, g.d, false, g.d, list.n, DOT, f.kb);
    gather_rows(at((const void*)g.v, g.type, b * g.t * sv + hk * g.dvalue), g.type, sv, g.dvalue, list, f.rows);
    pack_b(f.rows, g.type, g.dvalue, true, list.n, g.dvalue, DOT, f.vt);
  }
  int64_t nq = queries.count;
  QueryRows Q = query_rows(at((const void*)g.q, g.type, b * g.t * sq + h * g.d), g.type, sq, g.d, queries, f.rows);
  pack_a(Q.rows, g.type, Q.stride, false, nq, g.d, DOT, f.qa);
  pack_b(Q.rows, g.type, Q.stride, false, g.d, nq, DOT, f.qb);
  QueryRows dO = query_rows(at((const void*)g.dout, g.type, b * g.t * so + h * g.dvalue), g.type, so, g.dvalue, queries, f.rows);
  pack_a(dO.rows, g.type, dO.stride, false, nq, g.dvalue, DOT, f.da);
  pack_b(dO.rows, g.type, dO.stride, false, g.dvalue, nq, DOT, f.db);
  sparse_deltas(g, b, h, queries, f.delta);
  memset(f.dq, 0, (size_t)(round_up(nq, mr) * ldd) * 4);
  memset(f.dkl, 0, (size_t)((list.n + mr) * ldd) * 4);
  memset(f.dvl, 0, (size_t)((list.n + mr) * ldv) * 4);
  if (g.scores) memset(f.dul, 0, (size_t)(list.n + PANEL) * 4);
  float slope = g.slopes ? ((const float*)g.slopes)[h] : 0.f;
  RowGradient grad{slope, dslope, g.scores ? (float*)g.dthresholds + (b * g.heads + h) * g.t : nullptr};
  int64_t qdepth = depth_of(nq, DOT), kdepth = depth_of(list.n, DOT);
  for (int64_t q0 = 0; q0 < nq; q0 += BQ) {
    int64_t rows = min_<int64_t>(BQ, nq - q0), end;
    Rows block = rows_of(sight, queries, q0, rows);
    for (int64_t c = next_run(list, 0, block, &end); c < list.n; c = next_run(list, end, block, &end)) {
      int64_t n = end - c;
      panel_product<DOT, false>(rows, n, ddepth, f.qa + q0 * ddepth, ddepth * mr, f.kt + c * ddepth, ddepth * NR, f.s, SLD);
      panel_product<DOT, false>(rows, n, vdepth, f.da + q0 * vdepth, vdepth * mr, f.vt + c * vdepth, vdepth * NR, f.dp, SLD);
      sparse_backward_rows<DOT>(g, sight, b, h, queries, q0, rows, c, n, f, rng, grad);
      int64_t rdepth = depth_of(rows, DOT), ndepth = depth_of(n, DOT);
      pack_a(f.s, F32, SLD, true, n, rows, DOT, f.pt);
      panel_product<DOT, true>(n, g.dvalue, rdepth, f.pt, rdepth * mr, f.db + q0 / per * NR, qdepth * NR, f.dvl + c * ldv, ldv);
      pack_a(f.dp, F32, SLD, true, n, rows, DOT, f.st);
      panel_product<DOT, true>(n, g.d, rdepth, f.st, rdepth * mr, f.qb + q0 / per * NR, qdepth * NR, f.dkl + c * ldd, ldd);
      pack_a(f.dp, F32, SLD, false, rows, n, DOT, f.sa);
      panel_product<DOT, true>(rows, g.d, ndepth, f.sa, ndepth * mr, f.kb + c / per * NR, kdepth * NR, f.dq + q0 * ldd, ldd);
    }
  }
  for (int64_t q = 0; q < nq; q += queries.side) {
    int64_t n = min_(queries.side, nq - q);
    write_rows(f.dq + q * ldd, ldd, n, g.d, g.gq, g.type, (b * g.t + queries.at(q)) * sq + h * g.d, sq);
  }
  add_listed(list, f.dkl, ldd, f.dk);
  add_listed(list, f.dvl, ldv, f.dv);
  if (!g.scores) return;
  float* dscores = (float*)g.dscores + (b * g.heads + h) * g.t;
  for (int64_t e = 0; e < list.n; e++) dscores[list.pos[e]] += f.dul[e];
}

template <bool DOT>
static void sparse_backward_task(const sparse_attention_backward_args& g, int64_t b, int64_t hk, char* scratch) {
  SparseBackwardScratch f(g, scratch);
  int64_t group = g.heads / g.kvheads, ldd = round_up(g.d, NR), ldv = round_up(g.dvalue, NR);
  int64_t sk = g.kvheads * g.d, sv = g.kvheads * g.dvalue;
  memset(f.dk, 0, (size_t)(g.t * ldd) * 4);
  memset(f.dv, 0, (size_t)(g.t * ldv) * 4);
  Philox rng{};
  if (g.dropout > 0) rng = philox_of(g.seed, g.stream);
  for (int64_t h = hk * group; h < (hk + 1) * group; h++) {
    Sight<sparse_attention_backward_args> sight(g, b, h);
    sight.until(f.until);
    vf dslope = splat(0.f);
    int64_t head = b * g.heads + h;
    if (g.scores) {
      memset((float*)g.dscores + head * g.t, 0, (size_t)g.t * 4);
      memset((float*)g.dthresholds + head * g.t, 0, (size_t)g.t * 4);
    }
    int64_t blocks = sight.wide_blocks(DOT), so = g.heads * g.dvalue;
    for (int64_t number = 0; number < blocks; number++) {
      Queries queries = queries_of(sight, number, DOT);
      if (sight.step > 1 && number + 1 < blocks) {
        Queries next = queries_of(sight, number + 1, DOT);
        expect_class(g, b, h, next);
        expect_rows(at((const void*)g.dout, g.type, b * g.t * so + h * g.dvalue), g.type, so, g.dvalue, next);
        expect_rows(at((const void*)g.o, g.type, b * g.t * so + h * g.dvalue), g.type, so, g.dvalue, next);
        expect_rows(f.dk, F32, ldd, g.d, next);
        expect_rows(f.dv, F32, ldv, g.dvalue, next);
      }
      if (queries.count > 0) sparse_backward_wide<DOT>(g, sight, b, h, queries, f, rng, &dslope);
    }
    if (g.dslopes) ((float*)g.dslopes)[head] = hsum(dslope);
  }
  write_rows(f.dk, ldd, g.t, g.d, g.gk, g.type, b * g.t * sk + hk * g.d, sk);
  write_rows(f.dv, ldv, g.t, g.dvalue, g.gv, g.type, b * g.t * sv + hk * g.dvalue, sv);
}

static void sparse_attention_backward(const Context& x, const sparse_attention_backward_args& g) {
  parallel(x.pool, g.batch * g.kvheads, [&](int64_t task, int thread) {
    char* s = x.scratch + thread * x.stride;
    Tiles tiles(use_dot(g.compute));
    if (use_dot(g.compute))
      sparse_backward_task<HAS_DOT>(g, task / g.kvheads, task % g.kvheads, s);
    else
      sparse_backward_task<false>(g, task / g.kvheads, task % g.kvheads, s);
  });
}

}  // namespace LEVEL
