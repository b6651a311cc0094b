/** What goes wrong on a command line, and the exit code that says so. */

/**
 * 0 done; 1 a run failed or diverged, or the machine did (disk full, another writer); 2 bad input, nothing was started;
 * 130 interrupted by Ctrl-C, the convention of shells (128 + SIGINT).
 */
export const EXIT = { ok: 0, failed: 1, badInput: 2, interrupted: 130 } as const;

/** Bad input: the message is for the user and nothing was started. */
export class InputError extends Error {
  override readonly name = 'InputError';
  /** For `--json`: what is wrong, one entry each. */
  readonly problems: readonly unknown[];

  constructor(message: string, problems: readonly unknown[] = []) {
    super(message);
    this.problems = problems;
  }
}

/** Errors of the parts whose messages are written for users and that blame the input. */
const INPUT_ERRORS = new Set([
  'InputError',
  'RecipeError',
  'PluginError',
  'DeclarationError',
  'ExpressionError',
  'SweepError',
  'DataError',
  'DownloadError',
  'CheckpointError',
  'ExportError',
  'FigureError',
  'ImportError',
  'NoDeviceError',
  'UnknownGpuError',
  'LibraryError',
  'SampleError',
  'ExecutorUnavailableError',
  // Found while a plan is built, before anything starts: the engine tells of its own as failures of the run.
  'ScheduleError',
  'StopRuleError',
  'ShapeError',
  'RuleError',
]);
/** Codes of StoreError and LabError that blame the input. */
const INPUT_CODES = new Set(['not-found', 'ambiguous', 'invalid', 'state', 'missing']);

export function exitCodeOf(error: unknown): number {
  const { name, code } = error as { name?: string; code?: string };
  if (name === 'StoreError' || name === 'LabError') return INPUT_CODES.has(code ?? '') ? EXIT.badInput : EXIT.failed;
  return INPUT_ERRORS.has(name ?? '') ? EXIT.badInput : EXIT.failed;
}
