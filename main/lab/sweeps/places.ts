/** Where the parts of a sweep stand in its file. */
import type { Problem } from '../../../preload/contract/settings.ts';

export class Places {
  readonly #found = new Map<string, string>();

  /** The first place of a part counts: a second one is a mistake that is reported as such. */
  add(part: string, where: string): void {
    if (!this.#found.has(part)) this.#found.set(part, where);
  }

  /** `file.yaml:3:5` of a part, or of the nearest one around it; a setting stands where it is varied or set. */
  of(part: string): string | undefined {
    for (let at = part; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
      const found = [at, `parameters.${at}`, `settings.${at}`].find((each) => this.#found.has(each));
      if (found !== undefined) return this.#found.get(found);
    }
    return undefined;
  }

  /** Problems with their places. */
  locate(problems: readonly Problem[]): Problem[] {
    return problems.map((each) => {
      const where = each.where ?? this.of(each.setting);
      return where === undefined ? each : { ...each, where };
    });
  }
}

/** Of a sweep that was not read from a file. */
export const NOWHERE = new Places();
