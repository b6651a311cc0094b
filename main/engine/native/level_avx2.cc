// AVX2, FMA and F16C.
#define LEVEL avx2
#define LEVEL_W 8
#define LEVEL_BF16 0
#define LEVEL_AMX 0
#include "level.h"
