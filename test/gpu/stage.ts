/** What a stage of a GPU session is. */
import { DeviceCallError } from '../../main/engine/executors/cuda/errors.ts';
import type { CudaDevice } from '../../main/engine/executors/cuda/device.ts';
import type { Executor } from '../../main/engine/executors/executor.ts';
import type { Row } from './report.ts';

export interface StageContext {
  /** Opened when a stage first asks for it. @throws CudaError */
  device(): CudaDevice;
  /** What opens sessions on the card as training does, each with a device of its own. @param products `own`: without cuBLASLt */
  executor(products?: 'own'): Promise<Executor>;
  /** A file of what was carried along, such as results of the CPU executor; undefined where there is none. */
  carriedJson<T>(name: string): T | undefined;
  /** Seconds that the stage may take. */
  readonly limit: number;
  /** Few repeats: times mean nothing. */
  readonly quick: boolean;
  /** Keeps a row, also when the stage fails later. */
  row(row: Row): void;
  /** Told before each of the things that the stage does one after the other: where it begins again when one of them breaks the card or hangs. */
  at(number: number): void;
  /** The first of them that is to be done. */
  readonly from: number;
}

export interface Stage {
  readonly name: string;
  /** Seconds that it may take; it is ended after twice as many. */
  readonly seconds: number;
  /** Does not need a card. */
  readonly anywhere?: boolean;
  /** @throws where something is not right */
  run(context: StageContext): Promise<void>;
}

/** Nothing more can be done with the card in this process. */
export class CardLostError extends Error {
  override readonly name = 'CardLostError';
}

/** Whether an error is the card's own, which every later call in the process returns too. */
export function losesCard(error: unknown): boolean {
  const call = error instanceof DeviceCallError ? error : (error as Error).cause;
  return call instanceof DeviceCallError && !call.outOfMemory;
}

/** Does one thing after the other: what becomes of one costs no other. @throws Error naming those that failed, once all were tried */
export async function doEach<T extends string>(
  names: readonly T[],
  row: (row: Row) => void,
  work: (name: T) => Promise<void>,
): Promise<void> {
  const failed: string[] = [];
  for (const name of names)
    try {
      await work(name);
    } catch (error) {
      const { message } = error as Error;
      row({ what: name, error: message });
      failed.push(`${name}: ${message}`);
    }
  if (failed.length > 0) throw new Error(failed.join('; '));
}
