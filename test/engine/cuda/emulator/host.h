// What runs kernels on the emulated device: one launch at a time, and what it counted.
#pragma once
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;
#include <cstdint>

struct EmuStats {
  u64 threads, switches, collectives, conflicts;
};
enum EmuOrder { EMU_FORWARD, EMU_REVERSE, EMU_RANDOM };
/** In which order threads and blocks of later launches run; until then as EMU_ORDER and EMU_BLOCKS say. */
void emu_orders(EmuOrder threads, EmuOrder blocks);
/** @param shared bytes of shared memory that the launch declared; a kernel that takes more fails */
EmuStats emu_launch(const char* name, void (*entry)(const void*), const void* args, const u32 grid[3], u32 size, unsigned shared);
