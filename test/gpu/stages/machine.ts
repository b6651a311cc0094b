import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { cublasLooks, driverLooks } from '../../../main/engine/executors/cuda/libraries.ts';
import { thisMachine } from '../../../main/engine/executors/cuda/surroundings.ts';
import type { Stage } from '../stage.ts';

/** What the driver's own tool says, where it is. */
function driverSays(): string {
  const fields = 'name,driver_version,memory.total,memory.used,clocks.max.sm,power.limit';
  try {
    return execFileSync('nvidia-smi', [`--query-gpu=${fields}`, '--format=csv,noheader'], { encoding: 'utf8' }).trim();
  } catch (error) {
    return (error as Error).message;
  }
}

/** What the card, its driver and the machine are, and which of NVIDIA's libraries are found where. */
export const machine: Stage = {
  name: 'machine',
  seconds: 10,
  run: async ({ device, row }) => {
    row({ what: 'host', cpu: cpus()[0]?.model ?? '', cores: cpus().length, bytes: totalmem(), node: process.version });
    for (const look of driverLooks(thisMachine())) row({ what: 'driver', ...look });
    row({ what: 'nvidia-smi', text: driverSays() });
    const { facts } = device();
    row({ what: 'device', ...facts, ...device().memory() });
    const major = Math.floor(facts.driverVersion / 1000);
    for await (const look of cublasLooks(thisMachine(), major)) row({ what: 'cuBLASLt', ...look });
  },
};
