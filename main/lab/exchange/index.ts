/** The exchange formats, in the order in which they are offered; the first is the usual one. */
import type { Family } from '../../engine/kind.ts';
import { csvLong } from './csvLong.ts';
import { csvWide } from './csvWide.ts';
import type { ExchangeKind } from './exchange.ts';
import { mlflow } from './mlflow.ts';
import { parquet } from './parquet.ts';
import { report } from './report.ts';
import { tensorboard } from './tensorboard.ts';
import { trackio } from './trackio.ts';
import { wandb } from './wandb.ts';

export const exchangeFamily: Family<ExchangeKind> = {
  name: 'exchange',
  setting: 'format',
  shared: [],
  kinds: [csvLong, csvWide, parquet, tensorboard, wandb, mlflow, trackio, report],
};
