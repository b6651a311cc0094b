import type { Config } from '../../../../preload/contract/settings.ts';
import { changed } from '../../changed.ts';
import type { ModelKind } from '../model.ts';

/** A model's settings at another width. */
export const atWidth = (model: ModelKind, config: Config, width: number): Config =>
  model.atWidth?.(config, width) ?? changed(config, { 'model.width': width });
