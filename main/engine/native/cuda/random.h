// Philox4x32-10 with the counters of ../random.h, so that every device draws the same bits: number p of a stream is lane p % 4 of block p / 4, counter
// (block, stream, step, micro), key (seed low, seed high); u = (bits >> 8) 2^-24.
#pragma once
#include "device.h"

#ifndef DESCRIBE
// The four numbers of a block. seed: u32[4] in memory: key low, key high, step, micro-batch.
DEVICE vec4 philox(const void* seed, u32 stream, u32 block) {
  const u32* s = (const u32*)seed;
  u32 k0 = s[0], k1 = s[1];
  vec4 c = {block, stream, s[2], s[3]};
  UNROLL for (int round = 0; round < 10; round++) {
    u32 l0 = c.x * 0xD2511F53u, h0 = mul_high(c.x, 0xD2511F53u);
    u32 l1 = c.z * 0xCD9E8D57u, h1 = mul_high(c.z, 0xCD9E8D57u);
    c = vec4{h1 ^ c.y ^ k0, l1, h0 ^ c.w ^ k1, l0};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}
DEVICE float uniform_of(u32 bits) { return (float)(bits >> 8) * 5.9604644775390625e-8f; }
// What a number is multiplied by that is dropped with probability p; scale = 1 / (1 - p).
DEVICE float keep_of(u32 bits, float p, float scale) { return uniform_of(bits) >= p ? scale : 0.f; }
#endif
