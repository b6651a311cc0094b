/** The messages of W&B's offline runs, of their fields those that are written or read here: wandb/proto/wandb_internal.proto. */

export const RECORD = {
  number: 1,
  history: 2,
  summary: 3,
  config: 5,
  files: 6,
  stats: 7,
  output: 13,
  run: 17,
  exit: 18,
  header: 21,
  environment: 26,
} as const;
export const HEADER = { version: 1, producer: 1, least: 2 } as const;
export const RUN = {
  id: 1,
  project: 3,
  config: 4,
  group: 6,
  job: 7,
  name: 8,
  notes: 9,
  tag: 10,
  sweep: 12,
  host: 13,
  started: 17,
  git: 21,
} as const;
export const UPDATE = 1;
export const ITEM = { key: 1, nested: 2, json: 16 } as const;
export const HISTORY = { item: 1, step: 2, number: 1 } as const;
export const TIME = { seconds: 1, nanoseconds: 2 } as const;
export const OUTPUT = { type: 1, time: 2, line: 3, stderr: 0, stdout: 1 } as const;
export const STATS = { time: 2, item: 3 } as const;
export const ENVIRONMENT = { started: 3, program: 6, git: 9, host: 12 } as const;
export const FILES = { item: 1, path: 1 } as const;
export const EXIT = { code: 1, runtime: 2 } as const;

export const GIT = { remote: 1, commit: 2 } as const;
