/** What runs of W&B's client are known by, reported or read. */

export const wandbRunSource = (project: string, name: string): string => `wandb/run/${project}/${name}`;

/** Keys of rows and summaries that are the client's own. */
export const OWN_KEYS: readonly string[] = ['_step', '_runtime', '_timestamp', '_wandb'];

/** What the client calls a project where the script names none. */
export const NO_PROJECT = 'uncategorized';
