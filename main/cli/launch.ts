/** The lab's launch with what a terminal shows of it: warnings, what does not fit, the progress of data. */
import type { Config } from '../../preload/contract/settings.ts';
import { directTools, LaunchRefused, prepareLaunch } from '../lab/launch.ts';
import type { LaunchOptions, LaunchTools, Ready } from '../lab/launch.ts';
import type { Context } from './context.ts';
import { InputError } from './errors.ts';
import { dataDisplay } from './progress/data.ts';

/**
 * Finds everything that can be wrong with runs before one of them exists, and prepares their data.
 *
 * @returns undefined when `review` said no
 * @throws InputError saying what is needed, what there is and what would fit, unless `force`
 */
export async function getReady(
  context: Context,
  configs: readonly Config[],
  { review, ...options }: Omit<LaunchOptions, 'watch'> = {},
): Promise<Ready | undefined> {
  const { output } = context;
  using watch = dataDisplay(output);
  const reviewed = (ready: Ready): boolean | Promise<boolean> => {
    for (const warning of ready.warnings) output.warn(warning);
    return review === undefined || review(ready);
  };
  try {
    return await prepareLaunch(toolsOf(context), configs, { ...options, review: reviewed, watch });
  } catch (error) {
    if (!(error instanceof LaunchRefused)) throw error;
    const messages = error.refusals.map(({ message }) => message);
    throw new InputError(`${messages.join('\n')}\nStart all the same with --force.`, messages);
  }
}

function toolsOf({ workshop }: Context): LaunchTools {
  return directTools({ cache: workshop.paths.cache, catalog: workshop.registry.catalog });
}
