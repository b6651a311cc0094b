/** Every built-in setting, in the order in which sections are shown. */
import type { SettingSpec } from '../../../../preload/contract/settings.ts';
import { batchSettings } from './batch.ts';
import { dataSettings } from './data.ts';
import { evalSettings } from './eval.ts';
import { generalSettings } from './general.ts';
import { logSettings } from './log.ts';
import { modelSettings } from './model.ts';
import { optimizerSettings } from './optimizer.ts';
import { precisionSettings } from './precision.ts';
import { scheduleSettings } from './schedule.ts';
import { stopSettings } from './stop.ts';
import { tokenizerSettings } from './tokenizer.ts';

/** Every section in order, with the given settings of the model kinds in the place of `model.*`. */
export function settingsWithModels(models: readonly SettingSpec[]): readonly SettingSpec[] {
  return [
    ...generalSettings,
    ...dataSettings,
    ...tokenizerSettings,
    ...models,
    ...optimizerSettings,
    ...scheduleSettings,
    ...batchSettings,
    ...precisionSettings,
    ...evalSettings,
    ...stopSettings,
    ...logSettings,
  ];
}

/** All sections, with the settings of the model kind `gpt`. */
export const builtInSettings: readonly SettingSpec[] = settingsWithModels(modelSettings);
