/** What the choices of a range start from. */
import type { DraftParameter } from '../../../preload/contract/draft.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { previewValues } from './distributions.ts';

/**
 * The values from which each kind of range is made. Looking through the kinds keeps them; only what is typed makes new ones. If each look
 * were made of the one before, three learning rates would drift away: a bell around them, a share of that, and a list of the share.
 */
export class Origin {
  #values: readonly SettingValue[];
  #chosen: string;
  readonly #list: () => readonly SettingValue[] | undefined;
  readonly #parameter: () => DraftParameter | null;

  /**
   * @param list the values of the field now; undefined where it is a distribution
   * @param parameter the distribution of the field now; null where it is a list
   */
  constructor(list: () => readonly SettingValue[] | undefined, parameter: () => DraftParameter | null) {
    this.#list = list;
    this.#parameter = parameter;
    this.#values = this.#now();
    this.#chosen = this.#state();
  }

  /** To make the next choice of. */
  values(): readonly SettingValue[] {
    if (this.#state() !== this.#chosen) this.#values = this.#now();
    return this.#values;
  }

  /** What the field has now was made by a choice. Whatever it has later was typed. */
  chose(): void {
    this.#chosen = this.#state();
  }

  #state(): string {
    return JSON.stringify(this.#parameter() ?? this.#list());
  }

  #now(): readonly SettingValue[] {
    const parameter = this.#parameter();
    return parameter === null ? (this.#list() ?? []) : (parameter.values ?? previewValues(parameter));
  }
}
