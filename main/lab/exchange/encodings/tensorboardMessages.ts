/**
 * The messages of TensorBoard's event files, of their fields those that are written or read here: tensorboard/compat/proto/{event,summary,tensor,
 * types}.proto and tensorboard/plugins/hparams/plugin_data.proto.
 */
import type { RunState } from '../../../../preload/contract/runs.ts';

export const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
export const SUMMARY = { value: 1 } as const;
export const VALUE = { tag: 1, simple: 2, tensor: 8, metadata: 9 } as const;
/** Of a tensor: what kind of numbers, and the numbers as bytes or one by one. */
export const TENSOR = { type: 1, content: 4, float: 5, double: 6, text: 8 } as const;
export const NUMBERS = { float: 1, double: 2, text: 7 } as const;
export const METADATA = { plugin: 1 } as const;
export const PLUGIN = { name: 1, content: 2 } as const;
export const HPARAMS = { version: 1, start: 3, end: 4 } as const;
export const START = { hparams: 1, group: 4, time: 5 } as const;
export const MAP = { key: 1, value: 2 } as const;
/** google.protobuf.Value */
export const STRUCT = { number: 2, string: 3, boolean: 4 } as const;
export const END = { status: 1, time: 2 } as const;
export const STATUS: Readonly<Partial<Record<RunState, number>>> = { finished: 1, failed: 2, running: 3, stopped: 0 };
