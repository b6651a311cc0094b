/** Rules for what a gpt has beside its sizes: layers of their own, experts, scaled embeddings. */
import type { Config, SettingProblem } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { changed } from '../../changed.ts';
import { MOST_LAYERS } from '../mostLayers.ts';
import { mup } from '../parametrization/mup.ts';
import { headUnit } from './gpt.dimensions.ts';
import {
  gptWidths,
  uncounted,
  isPerLayer,
  layerIn,
  mendLayer,
  parseLayers,
  PER_LAYER,
  tooManyEntries,
  withinDepth,
} from './gptLayers.ts';
import { gptRules } from './gpt.rules.ts';
import { widthRules } from './widths.rules.ts';
import { listedWidths, MOST_WIDTHS } from './widths.ts';

const number = (config: Config, name: string): number => config[name] as number;

const experts: Rule = {
  code: 'model.experts_active',
  settings: ['model.experts', 'model.experts_active'],
  severity: 'error',
  yields: ['model.experts_active'],
  check: (config) => {
    const [all, active] = [number(config, 'model.experts'), number(config, 'model.experts_active')];
    if (all === 1 || active <= all) return null;
    return problem('model.experts_active', active, `at most model.experts ${all}`, all, undefined, [
      { setting: 'model.experts', value: all, nearest: active },
    ]);
  },
};

/** The text of the setting is read, and speaks of layers that exist. */
const readable: Rule = {
  code: PER_LAYER,
  settings: [PER_LAYER, 'model.depth'],
  severity: 'error',
  check: (config) => {
    const text = String(config[PER_LAYER]);
    const many = tooManyEntries(text);
    if (many !== undefined)
      return problem(
        PER_LAYER,
        text,
        `at most ${MOST_LAYERS} entries, one for each layer`,
        undefined,
        `${many} entries`,
      );
    const { wrong, ...parsed } = parseLayers(text, config);
    if (wrong !== undefined) {
      const { allowed, nearest = [] } = wrong;
      const isPossible = (better: string): boolean =>
        impossibleLayer(changed(config, { [PER_LAYER]: better })) === undefined;
      return problem(PER_LAYER, text, allowed, nearest.find(isPossible) ?? nearest[0]);
    }
    const depth = number(config, 'model.depth');
    const { entries } = parsed as { entries: readonly { readonly last: number }[] };
    const beyond = entries.find(({ last }) => last >= depth);
    if (beyond === undefined) return null;
    const why = { rule: 'model.depth', numbers: `${depth}, so that the last layer is ${depth - 1}` };
    return problem(PER_LAYER, text, `layers from 0 to ${depth - 1}`, withinDepth(text, depth), why, [
      { setting: 'model.depth', value: depth, nearest: beyond.last + 1 },
    ]);
  },
};

/** What the rules of a gpt say against a layer, the first one first. */
function impossibleLayer(config: Config): { readonly layer: number; readonly found: SettingProblem } | undefined {
  for (let layer = 0; layer < gptWidths(config).length - 1; layer++) {
    const own = layerIn(config, layer);
    for (const { severity, check } of gptRules) {
      const found = severity === 'error' ? check(own) : null;
      if (found !== null) return { layer, found };
    }
  }
  return undefined;
}

/** More mistakes than this in one text are not mended for its author. */
const MOST_MENDED = 8;

/** The text with every layer's sizes the nearest that are possible. */
function possibleLayers(config: Config): string | undefined {
  let text = String(config[PER_LAYER]);
  for (let round = 0; round <= MOST_MENDED; round++) {
    const wrong = impossibleLayer(changed(config, { [PER_LAYER]: text }));
    if (wrong === undefined) return text;
    const { layer, found } = wrong;
    if (found.nearest === undefined || !isPerLayer(found.setting)) return undefined;
    text = mendLayer(text, layer, found.setting, found.nearest);
  }
  return undefined;
}

/** Every layer is possible with its own settings. */
const possible: Rule = {
  code: 'model.per_layer_sizes',
  settings: [PER_LAYER, 'model.width', 'model.widths', 'model.heads'],
  severity: 'error',
  check: (config) => {
    const text = String(config[PER_LAYER]);
    if (text.trim() === '' || listedWidths(config).length > MOST_WIDTHS || readable.check(config) !== null) return null;
    const wrong = impossibleLayer(config);
    if (wrong === undefined) return null;
    const { layer, found } = wrong;
    const why = `in layer ${layer} ${found.why ?? found.message}`;
    return problem(PER_LAYER, text, `${found.setting}: ${found.allowed}`, possibleLayers(config), why);
  },
};

/** Nothing is said that never counts: of two values for a layer the later one is taken. */
const counted: Rule = {
  code: 'model.per_layer_repeated',
  settings: [PER_LAYER],
  severity: 'error',
  check: (config) => {
    const text = String(config[PER_LAYER]);
    if (tooManyEntries(text) !== undefined) return null;
    const { why, without } = uncounted(text) ?? {};
    if (why === undefined) return null;
    const allowed = 'each setting of a layer once, or a range first and single layers of it after';
    return problem(PER_LAYER, text, allowed, without, why);
  },
};

const scaledEmbeddings: Rule = {
  code: 'model.embedding_scale',
  settings: ['model.embedding_scale', 'model.parametrization'],
  severity: 'error',
  yields: ['model.embedding_scale'],
  check: (config) => {
    if (config['model.embedding_scale'] !== true || config['model.parametrization'] !== mup.name) return null;
    const why = 'a factor that grows with the width is what this parametrization takes away';
    return problem('model.embedding_scale', true, `off with model.parametrization ${mup.name}`, false, why);
  },
};

export const gptLayerRules: readonly Rule[] = [
  ...widthRules(headUnit),
  readable,
  possible,
  counted,
  experts,
  scaledEmbeddings,
];
