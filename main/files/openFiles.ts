/** Too many open files: the words of the system tell nobody what to do, and what else fails then says something that misleads. */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** As many as nearly any system allows; more than anything here needs. */
const ENOUGH = 1024;

/** Why nothing can be opened, in words that complete `NAME cannot be read: …`; undefined for any other error. */
export function openFilesProblem(error: unknown): string | undefined {
  for (let each = error; each instanceof Object; each = (each as Error).cause) {
    const { code, message = '' } = each as Partial<NodeJS.ErrnoException>;
    // Of builders, threads and loaders the message alone tells.
    if (code === 'EMFILE' || /\bEMFILE\b|too many open files(?! in system)/u.test(message)) return ofProcess();
    if (code === 'ENFILE' || /\bENFILE\b/u.test(message))
      return 'this machine has as many files open as it may have in all: close other programs, or allow more (sysctl fs.file-max)';
  }
  return undefined;
}

/** A database with its journals and their folder. */
const TRIED = 4;

/** {@link openFilesProblem} after a failure that does not say why: whether a few more files can be opened. */
export function noFileOpens(): string | undefined {
  const opened: number[] = [];
  try {
    while (opened.length < TRIED) opened.push(openSync(devNull, 'r'));
    return undefined;
  } catch (error) {
    return openFilesProblem(error);
  } finally {
    opened.forEach((file) => closeSync(file));
  }
}

function ofProcess(): string {
  const limit = allowed();
  const what =
    limit === undefined
      ? 'this process has too many files open'
      : `this process may have no more than ${limit} files open at once`;
  const more = Math.max(ENOUGH, 4 * (limit ?? 0));
  return `${what} (ulimit -n): allow more where Sweeplab is started, such as with ulimit -n ${more}`;
}

/** Undefined where the system does not tell. */
function allowed(): number | undefined {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean | undefined } = process.report;
  const before = report.excludeNetwork;
  try {
    // Addresses are looked up otherwise.
    report.excludeNetwork = true;
    const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
    const soft = userLimits?.open_files?.soft;
    return typeof soft === 'number' ? soft : undefined;
  } catch {
    return undefined;
  } finally {
    report.excludeNetwork = before;
  }
}
