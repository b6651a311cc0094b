/** How programs are compiled for NVIDIA GPUs: what runs directly, and the scratch memory that its kernels take. */
import { fuse } from '../../compile/fuse.ts';
import { planMemory } from '../../compile/plan.ts';
import type { MemoryPlan } from '../../compile/plan.ts';
import { lower } from '../../compile/schedule.ts';
import type { Target } from '../../compile/schedule.ts';
import { foldStorage } from '../../compile/storage.ts';
import { updateParts } from '../../graph/ops/index.ts';
import type { Program } from '../../graph/program.ts';
import type { Node, Value } from '../../graph/value.ts';
import { ALL_POLICIES, TF32 } from '../executorKind.ts';
import { addressed } from '../native/call.ts';
import type { AddressOf, KernelCall } from '../native/call.ts';
import { callsOf, nativeTarget } from '../native/operation.ts';
import type { NativeOperations, Placement } from '../native/operation.ts';
import { nativeOperations } from '../native/ops/index.ts';
import { hasKernel, keepsBytes, updateCalls } from '../native/ops/optimizer.ts';
import type { CallExtra, CallFields, CudaKernels } from './kernel.ts';
import { kernelsFor } from './kernels/index.ts';
import { DRIVER_ALONE } from './products.ts';
import type { DeviceProfile } from './products.ts';

/** What cuBLASLt and 16-byte loads want of every buffer. */
export const CUDA_ALIGNMENT = 256;

/** All, and 32-bit products on tensor cores. */
export const CUDA_POLICIES: readonly string[] = [...ALL_POLICIES, TF32];

/** Logits of so many rows are made at once: chunks that fit into a cache would read and write the gradients of the weights too often. */
const LOGIT_ROWS = 8192;

export const CUDA_OPERATIONS: NativeOperations = {
  ...nativeOperations({ logitRows: (rows) => Math.min(rows, LOGIT_ROWS) }),
  optimizerUpdate: {
    keeps: (node) => hasKernel(node) && (keepsBytes(node) || isAlike(updateParts(node).moments)),
    calls: storedUpdate,
  },
};

const isAlike = (moments: readonly Value[]): boolean => moments.every(({ dtype }) => dtype === moments[0]!.dtype);

/** The update of state of any type: of all moments the same. */
function storedUpdate(node: Node, place: Placement): KernelCall[] {
  const { p, moments } = updateParts(node);
  const types = { ptype: p.dtype, mtype: moments[0]?.dtype ?? 'f32' };
  return updateCalls(node, place).map((call) =>
    call.kernel === 'optimizer' ? { ...call, fields: { ...call.fields, ...types } } : call,
  );
}

const native = nativeTarget('cuda', CUDA_OPERATIONS);

const aligned = (bytes: number): number => Math.ceil(bytes / CUDA_ALIGNMENT) * CUDA_ALIGNMENT;

/** Bytes of the node's own workspace, behind which the scratch memory of its kernels lies. */
export const ownWorkspace = (node: Node): number => aligned(native.workspaceBytes(node));

/** A call as rules of kernels take it: with addresses, 0 for nothing. @param tf32 its products may round 32-bit operands */
export function callFor(call: KernelCall, address: AddressOf, tf32: boolean): { fields: CallFields; extra: CallExtra } {
  const { args, extra } = addressed(call, address);
  const fields = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, value ?? 0]));
  if (tf32 && fields['compute'] === 'f32') fields['compute'] = 'tf32';
  return { fields, extra: extra.map((each) => (typeof each === 'number' ? each : each.name)) };
}

/** An address that stands for any: scratch is a matter of shapes. */
const SOMEWHERE = CUDA_ALIGNMENT;

/** Calls of a node wherever its values lie: with the copies that it makes where none of them lie together. */
const callsAnywhere = (node: Node): readonly KernelCall[] => callsOf(CUDA_OPERATIONS, node, { together: () => false });

/** Most scratch memory of a kernel that runs the node. */
function scratchOf(node: Node, kernels: CudaKernels, tf32: boolean): number {
  let most = 0;
  for (const call of callsAnywhere(node)) {
    const scratch = kernels[call.kernel]?.scratch;
    if (scratch === undefined) continue;
    const { fields, extra } = callFor(call, () => SOMEWHERE, tf32);
    most = Math.max(most, scratch(fields, extra));
  }
  return aligned(most);
}

export function cudaTarget(profile: DeviceProfile, tf32: boolean): Target {
  const kernels = kernelsFor(profile);
  const known = new WeakMap<Node, number>();
  return {
    name: 'cuda',
    keeps: (node) => native.keeps(node),
    workspaceBytes: (node) => {
      const bytes = known.get(node) ?? ownWorkspace(node) + scratchOf(node, kernels, tf32);
      known.set(node, bytes);
      return bytes;
    },
    alignment: CUDA_ALIGNMENT,
    packs: true,
  };
}

export interface Compiled {
  /** What it is compiled for. */
  readonly profile: DeviceProfile;
  readonly target: Target;
  readonly program: Program;
  readonly plan: MemoryPlan;
}

/** Fusion, decomposition of what is not run directly, and the memory plan. */
export function compileForCuda(source: Program, profile = DRIVER_ALONE): Compiled {
  const target = cudaTarget(profile, source.tf32 === true);
  const program = lower(foldStorage(fuse(source)), target);
  return { profile, target, program, plan: planMemory(program, target) };
}
