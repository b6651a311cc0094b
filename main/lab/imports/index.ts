/** What runs can be read from, in the order in which files are offered: the first that knows a file takes it. */
import type { Family } from '../../engine/kind.ts';
import type { ImportKind } from './importKind.ts';
import { consoleLog } from './kinds/consoleLog.ts';
import { csv } from './kinds/csv.ts';
import { hlbGptCsv } from './kinds/hlbGptCsv.ts';
import { jsonLines } from './kinds/jsonLines.ts';
import { lightning } from './kinds/lightning.ts';
import { mlflow } from './kinds/mlflow.ts';
import { parquet } from './kinds/parquet.ts';
import { tensorboard } from './kinds/tensorboard.ts';
import { trainerState } from './kinds/trainerState.ts';
import { wandb } from './kinds/wandb.ts';

export const importFamily: Family<ImportKind> = {
  name: 'import',
  shared: [],
  kinds: [wandb, tensorboard, mlflow, lightning, parquet, trainerState, hlbGptCsv, csv, jsonLines, consoleLog],
};
