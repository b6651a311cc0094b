/** Opens the card of a session, and cuBLASLt where the run multiplies with it. */
import { DIFFERENT_BITS, OutOfMemoryError } from '../executor.ts';
import type { Card } from './card.ts';
import { Cublas } from './cublas.ts';
import { CudaDevice } from './device.ts';
import { DeviceCallError } from './errors.ts';
import { asTable, tableMismatch } from './products.ts';
import type { ProductTable } from './products.ts';

/** @param decided what an earlier session of the run multiplied with @throws OutOfMemoryError, Error naming the card and the call */
export function openDevice({ library, ordinal = 0, name, cublas }: Card, decided?: unknown): CudaDevice {
  const table = asTable(decided);
  try {
    const device = new CudaDevice(library, ordinal);
    try {
      device.library = libraryFor(device, cublas, table);
      const here = { capability: device.facts.capability, library: device.library?.version ?? null };
      const mismatch = table && tableMismatch(table, here);
      if (mismatch !== undefined) device.remarks.push(`${mismatch}: ${DIFFERENT_BITS}`);
      return device;
    } catch (error) {
      device.dispose();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof DeviceCallError)) throw error;
    if (error.outOfMemory)
      throw new OutOfMemoryError(`${error.call} found no memory on ${name} before anything was allocated`, {
        cause: error,
      });
    throw new Error(`${name} cannot be opened: ${error.message}`, { cause: error });
  }
}

function libraryFor(
  { facts: { capability }, remarks }: CudaDevice,
  path: string | undefined,
  table: ProductTable | undefined,
): Cublas | undefined {
  if (path === undefined) return undefined;
  if (table?.capability === capability && table.library === null) {
    remarks.push(`products go on with our own kernels, as they began, though ${path} is here now`);
    return undefined;
  }
  try {
    return new Cublas(path, capability, table);
  } catch (error) {
    if (error instanceof DeviceCallError && error.outOfMemory) throw error;
    const why = (error as Error).message.split('\n')[0];
    remarks.push(`${path} cannot be used (${why}): products run on our own kernels`);
    return undefined;
  }
}
