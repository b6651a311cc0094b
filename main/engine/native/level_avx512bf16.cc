// AVX-512 with bf16 dot products (vdpbf16ps); bf16 products run at twice the f32 rate.
#define LEVEL avx512bf16
#define LEVEL_W 16
#define LEVEL_BF16 1
#define LEVEL_AMX 0
#include "level.h"
