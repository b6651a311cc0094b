/** When two configurations have the same attention: by what each layer sees, not by the settings that say so. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { settingNames } from '../../kind.ts';
import type { Kinds } from '../../kind.ts';
import { attentionFamily } from './index.ts';

export interface MasksIdentity {
  /** Settings that are seen through the masks alone. */
  readonly settings: readonly string[];
  /** Equal for equal masks. Of a configuration whose attention is a mask and nothing more. */
  of(config: Config, kinds: Kinds): string;
}

const known = new WeakMap<Kinds, MasksIdentity>();

/** Undefined for an attention that is more than a mask: of it only equal settings are known to be the same. */
export function masksIdentity(config: Config, kinds: Kinds): MasksIdentity | undefined {
  const isMask = ({ mask, attend }: { readonly mask?: unknown; readonly attend?: unknown }): boolean =>
    mask !== undefined && attend === undefined;
  if (!isMask(kinds.of(attentionFamily, config))) return undefined;
  let found = known.get(kinds);
  if (found === undefined) {
    const settings = [...kinds.all(attentionFamily).filter(isMask).flatMap(settingNames), attentionFamily.setting!];
    found = { settings, of: masks };
    known.set(kinds, found);
  }
  return found;
}

function masks(config: Config, kinds: Kinds): string {
  const kind = kinds.of(attentionFamily, config);
  const layers = config['model.depth'] as number;
  const seen = kinds.view(kind, config);
  return JSON.stringify(Array.from({ length: layers }, (_, layer) => kind.mask!(seen, { layer, layers })));
}
