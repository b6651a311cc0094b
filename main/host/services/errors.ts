/** From the errors of the lab's parts to the codes of the contract. */
import { z } from 'zod';
import { LabError } from '../../../preload/contract/rpc.ts';
import type { ErrorCode } from '../../../preload/contract/rpc.ts';
import type { Problem } from '../../../preload/contract/settings.ts';
import { toldProblems } from '../../../preload/shared/settings/values.ts';
import { openFilesProblem } from '../../files/openFiles.ts';
import type { StoreErrorCode } from '../../store/index.ts';
import { StoreError } from '../../store/index.ts';

const STORE: Partial<Record<StoreErrorCode, ErrorCode>> = {
  'not-found': 'not-found',
  ambiguous: 'not-found',
  missing: 'not-found',
  state: 'state',
  invalid: 'invalid',
  order: 'invalid',
  full: 'storage',
  io: 'storage',
  busy: 'storage',
  locked: 'storage',
  'read-only': 'storage',
  gone: 'storage',
  backlog: 'storage',
  corrupt: 'storage',
  closed: 'disconnected',
};

/** Errors whose messages are written for users, by name: their classes belong to many parts. */
const BY_NAME: Readonly<Record<string, ErrorCode>> = {
  RecipeError: 'invalid',
  ImportError: 'invalid',
  CompressionError: 'invalid',
  DataError: 'invalid',
  LibraryError: 'invalid',
  UnknownGpuError: 'invalid',
  PluginError: 'invalid',
  ExpressionError: 'invalid',
  ExportError: 'storage',
  NoDeviceError: 'device',
  ExecutorUnavailableError: 'device',
  OutOfMemoryError: 'memory',
  SampleError: 'state',
  CheckpointError: 'storage',
  SafetensorsError: 'storage',
  AbortError: 'cancelled',
};

/** What the system says of a disk, in words. */
const DISK: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EROFS: 'the disk can only be read',
  EACCES: 'that is not allowed there',
  EPERM: 'that is not allowed there',
  EIO: 'the disk does not answer',
};

/** Never throws. What is not known is `internal`, with its message and without its stack. */
export function toLabError(error: unknown): LabError {
  if (error instanceof LabError) return error;
  if (error instanceof StoreError) return new LabError(STORE[error.code] ?? 'internal', error.message);
  if (error instanceof z.ZodError) return inputError(error);
  const { name, message, code, path }: NodeJS.ErrnoException =
    error instanceof Error ? error : new Error(String(error));
  const disk = openFilesProblem(error) ?? (code === undefined ? undefined : DISK[code]);
  if (disk !== undefined) return new LabError('storage', `${path ?? 'A file'} cannot be written or read: ${disk}.`);
  return new LabError(BY_NAME[name] ?? 'internal', message);
}

/** Of problems in a message. */
const MOST_TOLD = 20;
/** Values in them are the caller's, and as long as a setting may be. */
const MOST_CHARACTERS = 50_000;

/** @throws LabError `invalid` when there are any problems: with the first ones as details, and how many more there are in the message */
export function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new LabError('invalid', toldProblems(problems, MOST_TOLD).join('\n'), toldInDetail(problems));
}

function toldInDetail(problems: readonly Problem[]): Problem[] {
  let characters = 0;
  return problems
    .slice(0, MOST_TOLD)
    .filter((problem, i) => (characters += JSON.stringify(problem).length) <= MOST_CHARACTERS || i === 0);
}

/** Names in messages are the caller's, and as long as they like. */
const brief = (text: string): string => (text.length > 300 ? `${text.slice(0, 299)}…` : text);

/** Where the input differs from the schema; at most ten places. */
export function inputError(error: z.ZodError): LabError {
  const places = error.issues
    .slice(0, 10)
    .map(({ path, message }) => ({ path: brief(path.join('.')), message: brief(message) }));
  const [first] = places;
  return new LabError(
    'input',
    brief(`The input is wrong${first?.path ? ` at ${brief(first.path)}` : ''}: ${first?.message}`),
    places,
  );
}
