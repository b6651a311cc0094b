// AVX-512 F, BW, DQ, VL.
#define LEVEL avx512
#define LEVEL_W 16
#define LEVEL_BF16 0
#define LEVEL_AMX 0
#include "level.h"
