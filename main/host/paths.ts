/** Where a user's data lies. One folder holds everything; removing it removes every trace. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

export interface LabPaths {
  readonly home: string;
  readonly database: string;
  /** One folder per run. */
  readonly checkpoints: string;
  /** Prepared datasets, tokenizers, downloads. Can be removed at any time. */
  readonly cache: string;
  /** The user's plug-ins. */
  readonly plugins: string;
  /** Notes of running engine processes, so that a later host finds those that outlived theirs. */
  readonly engines: string;
  /** Notes of exports that are being written, so that what a killed one left is removed. */
  readonly exports: string;
  /** What pages have sent to be imported; nothing of it is kept. */
  readonly imports: string;
  /** Browsers that were let in, as digests. */
  readonly browsers: string;
  /** What pages keep of their layout. */
  readonly views: string;
  /** Where the interface is served, for other commands. */
  readonly serving: string;
  /** Whether scripts may report through the W&B client, where, and their key. */
  readonly wandb: string;
  /** Whether newer versions are asked for, and when that was done last. */
  readonly updates: string;
  /** What scripts have sent beside their numbers; one folder per run. */
  readonly files: string;
}

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly userHome: string;
}

/**
 * The data folder: `override` (`--data-dir`), else SWEEPLAB_HOME, else the platform's place for application data
 * (XDG base directories on Linux, Application Support on macOS, LOCALAPPDATA on Windows).
 */
export function dataHome(
  override?: string,
  { env, platform, userHome }: Surroundings = { env: process.env, platform: process.platform, userHome: homedir() },
): string {
  const chosen = override ?? (env.SWEEPLAB_HOME || undefined);
  if (chosen !== undefined) return resolve(chosen.replace(/^~(?=$|[/\\])/u, userHome));
  if (platform === 'darwin') return join(userHome, 'Library', 'Application Support', 'sweeplab');
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(userHome, 'AppData', 'Local'), 'sweeplab');
  // The specification tells to ignore relative paths.
  const xdg = env.XDG_DATA_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(userHome, '.local', 'share'), 'sweeplab');
}

export function labPaths(home: string): LabPaths {
  return {
    home,
    database: join(home, 'runs.sqlite'),
    checkpoints: join(home, 'checkpoints'),
    cache: join(home, 'cache'),
    plugins: join(home, 'plugins'),
    engines: join(home, 'engines'),
    exports: join(home, 'exports'),
    imports: join(home, 'imports'),
    browsers: join(home, 'browsers.json'),
    views: join(home, 'views.json'),
    serving: join(home, 'serving.json'),
    wandb: join(home, 'wandb.json'),
    updates: join(home, 'updates.json'),
    files: join(home, 'files'),
  };
}
