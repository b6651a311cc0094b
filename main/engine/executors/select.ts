/** The executor that the setting `device` asks for. */
import { ordinalOf, parseDevice } from './cards.ts';
import type { Executor } from './executor.ts';
import { ExecutorUnavailableError } from './executor.ts';
import { TF32 } from './executorKind.ts';
import type { ExecutorKind } from './executorKind.ts';
import { AUTO, EXECUTORS, GROUPS, ON_A_GPU } from './index.ts';

export interface Selection {
  readonly executor: Executor;
  /** Executors that come before it and why each cannot be used. */
  readonly passedOver: readonly string[];
  /** Whether one of these comes with Sweeplab and would work, were it not for what the reason says how to mend. */
  readonly isBroken: boolean;
}

/**
 * Opens the executor for `device`. With `auto`, or the name of a group, the first that starts and computes at `precision` (`precisionOf`) is taken. Throws
 * {@link ExecutorUnavailableError} naming the setting and what could be chosen instead.
 */
export async function selectExecutor(device: string, precision = 'fp32'): Promise<Selection> {
  const { card } = parseDevice(device);
  const candidates = candidatesFor(device);
  const ordinal = card === undefined ? undefined : await ordinalOf(device, card);
  const passedOver: string[] = [];
  let isBroken = false;
  for (const kind of candidates) {
    const { name, policies } = kind;
    if (!policies.includes(precision)) {
      passedOver.push(`${name}: does not run ${settingOf(precision)} (it runs ${policies.join(', ')})`);
      continue;
    }
    try {
      return { executor: await open(kind, ordinal), passedOver, isBroken };
    } catch (error) {
      if (!(error instanceof ExecutorUnavailableError)) throw error;
      passedOver.push(error.message);
      isBroken ||= error.mend !== undefined && kind.needs === undefined;
    }
  }
  const advice = candidates.length === 1 ? '; set device to auto to take the fastest executor found' : '';
  throw new ExecutorUnavailableError(
    `device is ${device}, which cannot be used here: ${passedOver.join('; ')}${advice}`,
  );
}

const settingOf = (precision: string): string =>
  precision === TF32 ? 'products of precision.tf32' : `precision.policy ${precision}`;

/** CUDA counts the cards as nvidia-smi does; said before its library is loaded. */
function open(kind: ExecutorKind, ordinal?: number): Promise<Executor> {
  if (kind.memory === 'gpu') process.env.CUDA_DEVICE_ORDER = 'PCI_BUS_ID';
  return kind.open(ordinal);
}

/** The executors that a device without its number may mean, the fastest first. */
export const meant = (name: string): readonly ExecutorKind[] =>
  name === AUTO ? EXECUTORS : EXECUTORS.filter((kind) => kind.name === name || kind.group === name);

function candidatesFor(device: string): readonly ExecutorKind[] {
  const { name: wanted, card } = parseDevice(device);
  const found = card === undefined || wanted === ON_A_GPU ? meant(wanted) : [];
  if (found.length > 0) return found;
  const names = [AUTO, ...GROUPS, ...EXECUTORS.map(({ name }) => name), `${ON_A_GPU}:0 …`];
  throw new ExecutorUnavailableError(`device is ${device}: allowed are ${names.join(', ')}`);
}

export interface Probe {
  readonly kind: ExecutorKind;
  readonly available: boolean;
  /** What it runs on, or why it cannot be used. */
  readonly detail: string;
  /** What mends that it cannot be used. */
  readonly advice?: string;
}

/** Every executor here, for `doctor` and the list of devices. Opens each of them. */
export async function probeExecutors(): Promise<Probe[]> {
  const results: Probe[] = [];
  for (const kind of EXECUTORS) results.push(await probeExecutor(kind));
  return results;
}

export async function probeExecutor(kind: ExecutorKind): Promise<Probe> {
  try {
    return { kind, available: true, detail: (await open(kind)).device.name };
  } catch (error) {
    const { why, mend } = error instanceof ExecutorUnavailableError ? error : { why: (error as Error).message };
    const named = `${kind.name}: `;
    const detail = why.startsWith(named) ? why.slice(named.length) : why;
    return { kind, available: false, detail, advice: mend ?? kind.advice };
  }
}
