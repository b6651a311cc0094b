// Products whose rows belong to groups with a matrix each (experts), and what puts rows in the order of their groups.
//
// All groups share one plan of blocks, made from the sizes that are known beforehand: a group's rows are cut into blocks of plan.mc
// rows, and all blocks of all groups are the tasks of one parallel region. A group without rows has no tasks forward and a matrix of
// zeros as its gradient. The blocks are those of gemm.h, so sums run in an order that depends on the depth alone.
#pragma once
#include "gemm.h"
#include "norm.h"

namespace LEVEL {

static size_t expert_places_scratch(const expert_places_args&, int) { return 0; }
static void expert_places(const Context& x, const expert_places_args& g) {
  const float* chosen = (const float*)g.chosen;
  int32_t *token = (int32_t*)g.token, *source = (int32_t*)g.source, *place = (int32_t*)g.place, *next = (int32_t*)g.ends;
  // Where tokens will stand is written over the experts that they chose.
  const int64_t chunk = max_<int64_t>(1, 16384 / max_<int64_t>(1, g.experts));
  parallel(x.pool, ceil_div(g.rows, chunk), [&](int64_t task, int) {
    for (int64_t t = task * chunk; t < min_(g.rows, (task + 1) * chunk); t++) {
      int64_t found = 0;
      for (int64_t e = 0; e < g.experts && found < g.active; e++)
        if (chosen[t * g.experts + e] != 0.f) place[t * g.active + found++] = (int32_t)e;
      while (found < g.active) place[t * g.active + found++] = -1;
    }
  });
  int64_t places = g.rows * g.active;
  for (int64_t e = 0; e < g.experts; e++) next[e] = 0;
  for (int64_t p = 0; p < places; p++)
    if (place[p] >= 0) next[place[p]]++;
  int64_t total = 0;
  for (int64_t e = 0; e < g.experts; e++) {
    int32_t count = next[e];
    next[e] = (int32_t)total;
    total += count;
  }
  for (int64_t p = 0; p < places; p++) {
    int64_t e = place[p], t = p / g.active;
    if (e < 0) {
      place[p] = (int32_t)(places - 1);
      continue;
    }
    int32_t at = next[e]++;
    token[at] = (int32_t)t;
    source[at] = (int32_t)(t * g.experts + e);
    place[p] = at;
  }
  for (int64_t p = total; p < places; p++) token[p] = source[p] = 0;
}

static size_t gather_sum_scratch(const gather_sum_args&, int) { return 0; }
static void gather_sum(const Context& x, const gather_sum_args& g) {
  const int64_t chunk = max_<int64_t>(1, 16384 / max_<int64_t>(1, g.n * g.terms));
  const int32_t* index = (const int32_t*)g.index;
  parallel(x.pool, ceil_div(g.rows, chunk), [&](int64_t task, int) {
    for (int64_t r = task * chunk; r < min_(g.rows, (task + 1) * chunk); r++)
      for (int64_t d = 0; d < g.n; d += W) {
        int64_t left = g.n - d;
        vf sum = splat(0.f);
        for (int64_t i = 0; i < g.terms; i++) {
          int64_t row = index[r * g.terms + i];
          if (row >= 0 && row < g.vocabulary) sum = sum + ld(g.table, g.type, row * g.n + d, left);
        }
        st(g.y, g.type, r * g.n + d, sum, left);
      }
  });
}

// Rows begin .. end of a group.
struct Group {
  int64_t begin, end;
  int64_t rows() const { return end - begin; }
};
INLINE Group group_of(const void* ends, int64_t e, int64_t rows) {
  const int32_t* p = (const int32_t*)ends;
  int64_t begin = e == 0 ? 0 : min_<int64_t>(rows, p[e - 1]), end = min_<int64_t>(rows, p[e]);
  return Group{begin, max_(begin, end)};
}

// A product of one group, and the blocks that all groups share.
struct GroupedPlan {
  gemm_args shape{};
  GemmPlan blocks;
  // op(A)[m,k] op(B)[k,n]; A, B and C are contiguous.
  GroupedPlan(int64_t m, int64_t n, int64_t k, int64_t ta, int64_t tb, int64_t atype, int64_t btype, int64_t ctype, int64_t compute,
              int64_t groups, int threads) {
    shape.m = m, shape.n = n, shape.k = k, shape.ta = ta, shape.tb = tb;
    shape.lda = ta ? m : k, shape.ldb = tb ? k : n, shape.ldc = shape.ldaux = shape.ldres = n;
    shape.atype = atype, shape.btype = btype, shape.ctype = ctype, shape.compute = compute;
    shape.alpha = 1;
    shape.batch = max_<int64_t>(1, groups);
    blocks = gemm_plan(shape, threads);
    shape.batch = 1;
  }
};

// For groups of the mean size.
static GroupedPlan plan_of(const grouped_gemm_args& g, int threads) {
  int64_t mean = ceil_div(g.rows, max_<int64_t>(1, g.groups));
  return GroupedPlan(mean, g.n, g.k, 0, g.tb, g.xtype, g.wtype, g.ytype, g.compute, g.groups, threads);
}
static size_t grouped_gemm_scratch(const grouped_gemm_args& g, int threads) { return scratch_of(plan_of(g, threads).blocks); }
static void grouped_gemm(const Context& x, const grouped_gemm_args& g) {
  if (g.rows <= 0 || g.n <= 0) return;
  const GroupedPlan all = plan_of(g, x.threads);
  const GemmPlan& plan = all.blocks;
  int64_t tasks = 0;
  for (int64_t e = 0; e < g.groups; e++) tasks += ceil_div(group_of(g.ends, e, g.rows).rows(), plan.mc) * plan.nblocks;
  int64_t used = g.groups > 0 ? group_of(g.ends, g.groups - 1, g.rows).end : 0;
  memset(at(g.y, g.ytype, used * g.n), 0, (size_t)((g.rows - used) * g.n) * (g.ytype == F32 ? 4 : 2));
  parallel(x.pool, tasks, [&](int64_t task, int thread) {
    GemmPlan p = plan;
    for (int64_t e = 0; e < g.groups; e++) {
      Group group = group_of(g.ends, e, g.rows);
      p.mblocks = ceil_div(group.rows(), p.mc);
      if (task >= p.mblocks * p.nblocks) {
        task -= p.mblocks * p.nblocks;
        continue;
      }
      gemm_args own = all.shape;
      own.m = group.rows();
      own.a = (void*)at((const void*)g.x, g.xtype, group.begin * g.k);
      own.b = (void*)at((const void*)g.w, g.wtype, e * g.n * g.k);
      own.c = at(g.y, g.ytype, group.begin * g.n);
      Tiles tiles(p.dot);
      gemm_block(own, p, task, x.scratch + thread * x.stride);
      return;
    }
  });
}

// For a group of all rows: it fits any smaller depth.
static GroupedPlan plan_of(const grouped_outer_args& g, int threads) {
  return GroupedPlan(g.m, g.n, g.rows, 1, 0, g.xtype, g.ytype, g.outtype, g.compute, g.groups, threads);
}
static size_t grouped_outer_scratch(const grouped_outer_args& g, int threads) { return scratch_of(plan_of(g, threads).blocks); }
static void grouped_outer(const Context& x, const grouped_outer_args& g) {
  if (g.m <= 0 || g.n <= 0) return;
  const GroupedPlan all = plan_of(g, x.threads);
  const GemmPlan& p = all.blocks;
  int64_t blocks = p.mblocks * p.nblocks;
  parallel(x.pool, blocks * g.groups, [&](int64_t task, int thread) {
    int64_t e = task / blocks;
    Group group = group_of(g.ends, e, g.rows);
    gemm_args own = all.shape;
    own.k = group.rows();
    own.a = (void*)at((const void*)g.x, g.xtype, group.begin * g.m);
    own.b = (void*)at((const void*)g.y, g.ytype, group.begin * g.n);
    own.c = at(g.out, g.outtype, e * g.m * g.n);
    Tiles tiles(p.dot);
    gemm_block(own, p, task % blocks, x.scratch + thread * x.stride);
  });
}

}  // namespace LEVEL
