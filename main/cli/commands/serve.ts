/** `sweeplab serve`: the interface in the browser. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { buildPages, needsBuild, PAGES } from '../../host/buildPages.ts';
import { writeAccess } from '../../endpoint/wandb/access.ts';
import { closeHome } from '../../host/private.ts';
import { LabServer } from '../../host/services/labServer.ts';
import type { LabPaths } from '../../host/paths.ts';
import { LabError } from '../../../preload/contract/rpc.ts';
import { callRunning, lastPort } from '../../server/running.ts';
import { serveBrowsers } from '../../server/server.ts';
import type { BrowserServer } from '../../server/server.ts';
import { Sessions } from '../../server/sessions.ts';
import { requirePlugins } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { plural } from '../format.ts';
import { tellTrouble, watchDatabase } from '../trouble.ts';
import { onInterrupt } from '../interrupts.ts';

/** Where it is looked for; another free one is taken when somebody else has it. */
const USUAL_PORT = 4317;

export interface ServeOptions {
  readonly port?: string;
  /** False with `--no-open`. */
  readonly open: boolean;
  /** What pages may read. */
  readonly allow?: readonly string[];
  readonly newAddress?: boolean;
  readonly forgetBrowsers?: boolean;
  /** Whether pages may start programs. */
  readonly programs?: boolean;
  /** Opens the door for scripts. */
  readonly wandb?: boolean;
}

/** Of `serve` and `start`. */
export const allowOption = (): Option =>
  new Option('--allow <folders...>', 'folders or files with texts that pages may read, beside the data folder');

export function serveCommand(context: Context): Command {
  return new Command('serve')
    .description('Open the interface in the browser. Only this machine can reach it.')
    .option('--port <n>', `port to listen on (default: the last one, else ${USUAL_PORT}, else any that is free)`)
    .option('--no-open', 'print the address and open no browser')
    .addOption(allowOption())
    .option('--programs', 'let pages start programs, after their dialog; without it only the command line does')
    .option('--new-address', 'print an address for another browser of the Sweeplab that runs already')
    .option(
      '--wandb',
      'listen for scripts that report through the W&B client, from now on (sweeplab wandb off ends it)',
    )
    .option('--forget-browsers', 'let no browser in that was let in before; each needs a new address')
    .action((options: ServeOptions) =>
      options.newAddress === true ? newAddress(context, options) : serve(context, options),
    );
}

/** An address of the Sweeplab that runs. @throws LabError `disconnected` when there is none */
async function askRunning({ workshop, output }: Context, { forgetBrowsers }: ServeOptions): Promise<string> {
  const { serving } = workshop.paths;
  if (forgetBrowsers === true) {
    const { forgotten } = await callRunning(serving, 'browsers.forget', {});
    output.note(`${plural(forgotten, 'browser')} forgotten.`);
  }
  return (await callRunning(serving, 'browsers.address', {})).url;
}

async function newAddress(context: Context, options: ServeOptions): Promise<void> {
  const { output } = context;
  try {
    const url = await askRunning(context, options);
    output.text(`Sweeplab is at ${url}`);
    output.text('The address works once, for one browser on this machine.');
    output.data({ url });
  } catch (error) {
    if (error instanceof LabError) throw new InputError(error.message);
    throw error;
  }
}

/** Serves until it is interrupted. */
export async function serve(context: Context, options: ServeOptions): Promise<void> {
  requirePlugins(context);
  const { output, workshop } = context;
  const { port, open, forgetBrowsers } = options;
  const wanted = portOf(port);
  if (options.wandb === true) {
    closeHome(workshop.paths);
    writeAccess(workshop.paths.wandb, { on: true });
  }
  const running = await askRunning(context, options).catch(() => undefined);
  if (running !== undefined) {
    output.text(`Sweeplab runs already. An address for one more browser: ${running}`);
    output.data({ url: running });
    if (open) openBrowser(running);
    return;
  }
  if (await needsBuild()) {
    output.note('Building the interface (once, about ten seconds) …');
    await buildPages();
  }
  const lab = await LabServer.open(workshop, {
    folders: checkedFolders(options.allow ?? []),
    onTrouble: (error) => tellTrouble(output, error, true),
    // Said by the person at the machine, for all pages that are let in.
    ...(options.programs === true ? { askStart: () => Promise.resolve(true) } : {}),
  });
  using _told = watchDatabase(lab.lab.store, output);
  try {
    const { paths } = workshop;
    if (forgetBrowsers === true) new Sessions({ path: paths.browsers }).clear();
    const server = await listen(lab, paths, wanted);
    const url = server.url();
    output.text(`Sweeplab is at ${url}`);
    output.text('The address works once, for one browser on this machine; another: sweeplab serve --new-address');
    const { url: scripts } = lab.wandb;
    if (scripts !== null) output.text(`Scripts may report to ${scripts}; their variables: sweeplab wandb env`);
    output.text(`Runs and models lie in ${paths.home}`);
    output.text('Stop with Ctrl-C: runs in training are saved and go on at the next start.');
    output.data({ url, port: server.port, home: workshop.paths.home });
    if (open) openBrowser(url);
    await interrupted(lab, output);
    await server.close();
  } finally {
    await lab.close();
  }
}

/** @throws InputError for one that is not there: a slip would show only when a page is refused */
function checkedFolders(folders: readonly string[]): readonly string[] {
  for (const folder of folders)
    if (!existsSync(folder))
      throw new InputError(`--allow is ${JSON.stringify(folder)}; allowed: a folder or file that is there`);
  return folders;
}

/** On the port that was used last, so that a page left open finds the lab again. */
async function listen(lab: LabServer, paths: LabPaths, wanted: number | undefined): Promise<BrowserServer> {
  const options = { lab, pages: PAGES, sessions: paths.browsers, note: paths.serving };
  if (wanted !== undefined) return await serveBrowsers({ ...options, port: wanted });
  for (const port of new Set([lastPort(paths.serving) ?? USUAL_PORT, USUAL_PORT])) {
    try {
      return await serveBrowsers({ ...options, port });
    } catch {
      // Somebody else has it.
    }
  }
  return await serveBrowsers({ ...options, port: 0 });
}

/** Resolves at Ctrl-C; a second one ends the engines at once. */
function interrupted(lab: LabServer, output: Context['output']): Promise<void> {
  return new Promise((resolve) => {
    // Kept until the end of the process: the second Ctrl-C comes while the first one is being served.
    onInterrupt(
      () => {
        const { length } = lab.training;
        if (length > 0) output.note(`Saving ${plural(length, 'run')} in training; press Ctrl-C again to end at once.`);
        resolve();
      },
      () => process.exit(130),
    );
  });
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (text.trim() !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InputError(
    `--port is ${JSON.stringify(text)}; allowed: an integer from 0 to 65535; nearest: ${USUAL_PORT}`,
  );
}

/** Where there is no browser to open (a server without a display), the printed address serves. */
function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  const child = spawn(command!, args, { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
