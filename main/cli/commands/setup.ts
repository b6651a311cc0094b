/** `sweeplab setup`: fetches what makes Sweeplab faster and what it works without. */
import { Command } from 'commander';
import { findDriver } from '../../engine/executors/cuda/find.ts';
import { ON_A_GPU } from '../../engine/executors/index.ts';
import { loadNative } from '../../engine/native/addon.ts';
import { fetchCublas, keptCublas, newestMajor, wheelFor } from '../../lab/libraries/cublas.ts';
import type { Fetching } from '../../lab/libraries/cublas.ts';
import { fetchKernels } from '../../lab/libraries/kernels.ts';
import { LICENCE } from '../../lab/libraries/wheels.ts';
import { confirmed } from '../consent.ts';
import type { Context } from '../context.ts';
import { EXIT, InputError } from '../errors.ts';
import { formatBytes } from '../format.ts';
import { commandGroup } from '../group.ts';
import { onInterrupt } from '../interrupts.ts';
import { wholeNumber } from '../numbers.ts';
import { dataDisplay } from '../progress/data.ts';

interface Options {
  readonly cuda?: string;
  readonly from?: string;
  readonly yes?: boolean;
}

export function setupCommand(context: Context): Command {
  const setup = commandGroup('setup', 'Fetch what makes Sweeplab faster; it works without.');
  setup.addCommand(
    new Command(ON_A_GPU)
      .description(
        "Fetch NVIDIA's cuBLASLt for faster matrix products, most of all on H100, H200 and B200. Not needed where PyTorch or the CUDA toolkit is found (see doctor).",
      )
      .option('--cuda <major>', 'CUDA that it belongs to, 12 or 13 (default: the newest that the driver runs)')
      .option('--from <place>', 'a mirror of files.pythonhosted.org/packages, or the wheel as a file')
      .option('--yes', 'accept the licence without being asked')
      .action((options: Options) => cuda(context, options)),
  );
  setup.addCommand(
    new Command('native')
      .description(
        'Fetch the native kernels, built by a release, for a checkout on a machine without a C++ compiler. They are checked against the checksums of the release and the sources here.',
      )
      .option('--from <place>', 'the address of the files of a release, or the file itself')
      .action((options: Options) => native(context, options)),
  );
  return setup;
}

async function native(context: Context, { from }: Options): Promise<void> {
  const { output, workshop } = context;
  if (loadNative().native !== undefined) {
    output.text('The native kernels are there already.');
    return output.data({ kept: true });
  }
  if (from === undefined)
    throw new InputError(
      '--from is missing: the address of the files of a release, such as https://github.com/OWNER/sweeplab/releases/download/v0.1.0, or the file itself',
    );
  await stoppable(context, async (signal) => {
    const { cache } = workshop.paths;
    const library = await shown(context, (progress) => fetchKernels({ from, cache, signal, ...progress }));
    output.text(`Ready: ${library}`);
    output.data({ kept: true, library });
  });
}

async function cuda(context: Context, { cuda: asked, from, yes = false }: Options): Promise<void> {
  const { output, workshop } = context;
  const { home, cache } = workshop.paths;
  const wheel = wheelFor(wholeNumber('--cuda', asked, 1) ?? (await newest(context)));
  const { major, version, bytes } = wheel;
  const where = { wheel, home, cache, ...(from === undefined ? {} : { from }) };
  const before = await keptCublas(where);
  if (before !== undefined) {
    output.text(`cuBLASLt for CUDA ${major} is there already: ${before}`);
    return output.data({ kept: true, library: before, major });
  }
  output.note(`cuBLASLt ${version} for CUDA ${major}, ${formatBytes(bytes)}. Licence: ${LICENCE}`);
  await stoppable(context, async (signal) => {
    const fetched = await shown(context, (progress) => fetchCublas({ ...where, ...progress, signal }));
    if (!yes) {
      const show = (text: string): void => (output.json ? output.note(text) : output.text(text));
      show(fetched.licence);
      if (!(await confirmed(output.json, 'Do you accept this licence?'))) {
        await fetched.refuse();
        output.text('Nothing was kept.');
        return output.data({ kept: false });
      }
    }
    const library = await shown(context, (progress) => fetched.keep(progress));
    output.text(`Ready: ${library}; its licence lies beside it.`);
    output.data({ kept: true, library, major, version });
  });
}

/** Fetching that Ctrl-C stops. */
async function stoppable(context: Context, fetching: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const cancel = new AbortController();
  using interrupts = onInterrupt(
    () => cancel.abort(),
    () => process.exit(EXIT.interrupted),
  );
  try {
    await fetching(cancel.signal);
  } catch (error) {
    if (!interrupts.interrupted) throw error;
    context.output.note('Stopped. What has arrived is kept: the same command goes on from there.');
    context.exit(EXIT.interrupted);
  }
}

/** Work with its progress on display. */
async function shown<T>({ output }: Context, work: (progress: Pick<Fetching, 'onProgress'>) => Promise<T>): Promise<T> {
  using display = dataDisplay(output);
  return await work({ onProgress: display.onProgress });
}

async function newest({ output }: Context): Promise<number> {
  const { found: driver } = await findDriver();
  const major = newestMajor(driver?.cuda);
  if (driver === undefined) output.note(`No NVIDIA driver is found here: taking the one for CUDA ${major}.`);
  return major;
}
