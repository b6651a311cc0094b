/**
 * What a kind of executor is, before it is opened: facts about memory and speed that plans rest on, and how to open it. Light to import: what
 * needs a library or an addon is loaded when it is opened.
 */
import { definer } from '../kind.ts';
import type { Kind } from '../kind.ts';
import type { ProgramUse } from '../compile/use.ts';
import type { Program, StateSpec } from '../graph/program.ts';
import type { Executor } from './executor.ts';

/** Shares of a device's best speed: of arithmetic, of bandwidth; and seconds per operation. */
export interface Share {
  readonly flops: number;
  readonly bytes: number;
  readonly launch: number;
}

/** FLOP/s with 32-bit and with 16-bit operands, bytes/s, seconds per operation. */
export interface Rate {
  readonly single: number;
  readonly half: number;
  readonly bytes: number;
  readonly launch: number;
}

/** How fast steps are, at a fast and at a slow end: in shares of what the device can do, or the same wherever it runs. */
export type Speeds =
  | {
      readonly basis: 'device';
      readonly fast: Share;
      readonly slow: Share;
      /** 16-bit operands are computed as 32-bit ones. */
      readonly wide?: boolean;
    }
  | { readonly basis: 'fixed'; readonly fast: Rate; readonly slow: Rate };

export interface BaseBytes {
  /** Bytes besides the plan, before any data: runtime and loaded code on the host; context, handles and kernels on a GPU. */
  readonly bytes: number;
  /** `measured` on a machine like this, `estimated` from published figures. */
  readonly basis: 'measured' | 'estimated';
  /** For people. */
  readonly what: string;
}

/** The policy that a device trains fastest in without scaling the loss, and why, for people. */
export interface FastestPolicy {
  readonly policy: string;
  readonly why: string;
}

/** What plans of one kind of executor differ by, from card to card; only that kind knows what it means. */
export type Profile = Readonly<Record<string, boolean>>;

export interface ExecutorKind extends Kind {
  /** A choice of `device` that means the fastest of several kinds. */
  readonly group?: string;
  /** Where it runs and holds the planned bytes: in the engine's own process, or on a GPU. */
  readonly memory: 'host' | 'gpu';
  /** How the device list calls what it runs on, beside the processor's own name; nothing for the first choice there. */
  readonly variant?: string;
  /** Package that npm may have left out, without which it cannot be opened. */
  readonly needs?: string;
  /** Precision policies that it runs. */
  readonly policies: readonly string[];
  /** What `precision.policy: auto` means on it, on this machine or on a card. @param multipliesBf16 whether the card does; undefined: one that it runs on */
  fastest(multipliesBf16?: boolean): FastestPolicy;
  /** `arena`: it allocates the plan, so its bytes are exact. `tensors`: it allocates tensor by tensor; the plan counts them. */
  readonly holds: 'arena' | 'tensors';
  readonly base: BaseBytes;
  /** What of {@link base} was measured on a card of this machine; undefined where nothing was. */
  baseOn?(card: { readonly card: string; readonly driver: string }): BaseBytes | undefined;
  /**
   * What programs are compiled for on a card. @param capability compute capability, `9.0`; null: not known @param here whether it is in this machine,
   * with what is installed; else with all that could be
   */
  profileOn?(capability: string | null, here: boolean): Promise<Profile>;
  /** Most that a thread's kernels take for packed operands and partial sums, by their block sizes. */
  readonly threadBytes?: number;
  /** Most bytes that it can address, whatever the machine has. */
  readonly limitBytes?: number;
  /** Share of the planned bytes kept free, beyond the fixed margin, because it allocates more than the plan counts. */
  readonly slack: number;
  readonly speeds: Speeds;
  /** What to do where it cannot be opened. */
  readonly advice: string;
  /** Bytes of one persistent state. */
  stateBytes(state: StateSpec): number;
  /** What is taken of the device for a plan's bytes of state, arena and tables; their sum unless given. */
  takenBytes?(state: number, arena: number, tables: number): number;
  /** What a program holds while this executor runs it. @param vocabulary ids, to tell logits from other arrays @param profile what is usual unless given */
  use(program: Program, vocabulary: number, profile?: Profile): ProgramUse;
  /**
   * Takes no memory of the device before a session is opened: hosts open executors only to know what there is.
   *
   * @param ordinal one of several cards, as CUDA counts those that this process sees in the order of the bus; default: the best
   * @throws ExecutorUnavailableError saying what is missing
   */
  open(ordinal?: number): Promise<Executor>;
}

export const defineExecutor = definer<ExecutorKind>('executor', ['fastest', 'stateBytes', 'use', 'open']);

export const MIB = 2 ** 20;
export const ALL_POLICIES: readonly string[] = ['fp32', 'bf16', 'fp16', 'pure-bf16'];
/** What stands among policies where products of fp32 can be computed in tf32. */
export const TF32 = 'tf32';

/**
 * Resident size of an engine process with a host executor open and no model (Node 24, Linux x64): 115 MB with TensorFlow.js, 102 MB
 * without, rounded up to whole 16 MiB.
 */
export const ENGINE_PROCESS: BaseBytes = { bytes: 112 * MIB, basis: 'measured', what: 'engine process' };
