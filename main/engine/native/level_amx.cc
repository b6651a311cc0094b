// AVX-512 bf16 with AMX tiles for bf16 products.
#define LEVEL amx
#define LEVEL_W 16
#define LEVEL_BF16 1
#define LEVEL_AMX 1
#include "level.h"

namespace LEVEL {
bool amx_emulated = false;
}
