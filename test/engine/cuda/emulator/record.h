// A recorded launch: this head, the bytes of the arguments, then for each block of device memory its address, its size and what is in it.
#pragma once
struct RecordHead {
  char family[32], kernel[64];
  u32 grid[3], size, shared, args, blocks;
};
