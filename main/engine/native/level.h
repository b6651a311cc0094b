// Included by each level_*.cc after it defined LEVEL, LEVEL_W, LEVEL_BF16 and LEVEL_AMX: compiles every kernel for that level and
// defines its table, `level_<LEVEL>`.
#include "attention.h"
#include "chain.h"
#include "cross_entropy.h"
#include "grouped.h"
#include "optimizer.h"
#include "peak.h"
#include "rows.h"
#include "sparse_attention.h"
#include "sparse_select.h"

namespace LEVEL {
extern const Level table;
const Level table = {
#define STRING_(x) #x
#define STRING(x) STRING_(x)
    STRING(LEVEL),
#define ENTRY(k) &k, &k##_scratch,
    KERNELS(ENTRY)
#undef ENTRY
};
}  // namespace LEVEL
