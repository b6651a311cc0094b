// No instruction beyond the platform's baseline (SSE2 on x86-64).
#define LEVEL portable
#define LEVEL_W 4
#define LEVEL_BF16 0
#define LEVEL_AMX 0
#include "level.h"
