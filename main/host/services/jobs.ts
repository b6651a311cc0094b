/**
 * Long computations in processes of their own, so that they hold nobody up and that running out of memory ends them alone: preparing
 * data, sampling from a model.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LabError } from '../../../preload/contract/rpc.ts';
import type { ErrorCode } from '../../../preload/contract/rpc.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type {
  CheckAnswer,
  CheckName,
  CheckProgress,
  DataProgress,
  SampleText,
} from '../../../preload/contract/shapes.ts';
import type { Reach } from '../../lab/datasets/datasets.ts';
import type { SampleRequest } from '../../lab/sampling/sampling.ts';

export interface PrepareJob {
  readonly kind: 'prepare';
  readonly cache: string;
  readonly plugins: readonly string[];
  readonly configs: readonly Config[];
  /** What reading may not leave. */
  readonly reach: Reach | undefined;
}
export interface SampleJob {
  readonly kind: 'sample';
  readonly database: string;
  readonly cache: string;
  readonly plugins: readonly string[];
  readonly runId: string;
  readonly request: SampleRequest;
}
export interface CheckJob {
  readonly kind: 'check';
  readonly cache: string;
  readonly plugins: readonly string[];
  readonly config: Config;
  readonly check: CheckName;
  /** Undefined: as many as usual. */
  readonly steps: number | undefined;
}
export type Job = PrepareJob | SampleJob | CheckJob;
/** What each kind of job comes to. */
export interface JobResult {
  prepare: null;
  sample: SampleText[];
  check: CheckAnswer;
}

/** How far each kind of job is. */
interface JobProgress {
  prepare: DataProgress;
  sample: DataProgress;
  check: CheckProgress;
}

export type JobMessage =
  | { readonly type: 'progress'; readonly progress: JobProgress[Job['kind']] }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string };

const ENTRY = fileURLToPath(new URL('./jobMain.ts', import.meta.url));

/** @throws LabError; `cancelled` when the signal aborts, which ends the process */
export async function runJob<J extends Job>(
  job: J,
  signal: AbortSignal,
  onProgress: (progress: JobProgress[J['kind']]) => void = () => undefined,
): Promise<JobResult[J['kind']]> {
  if (signal.aborted) throw new LabError('cancelled', 'The call was cancelled.');
  const child = fork(ENTRY, [], {
    serialization: 'advanced',
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-2000)));
  const stop = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop);
  try {
    return await new Promise((resolve, reject) => {
      child.on('message', (message: JobMessage) => {
        if (message.type === 'progress') onProgress(message.progress as JobProgress[J['kind']]);
        else if (message.type === 'done') resolve(message.result as JobResult[J['kind']]);
        else reject(new LabError(message.code, message.message));
      });
      child.on('error', (error) => reject(new LabError('internal', error.message)));
      child.on('close', (code, end) => {
        if (signal.aborted) reject(new LabError('cancelled', 'The call was cancelled.'));
        const last = stderr.trim().split('\n').at(-1);
        reject(new LabError('internal', `The computation ended early (${end ?? code}${last ? `: ${last}` : ''}).`));
      });
      child.send(job);
    });
  } finally {
    signal.removeEventListener('abort', stop);
    if (child.exitCode === null) child.kill('SIGKILL');
  }
}
