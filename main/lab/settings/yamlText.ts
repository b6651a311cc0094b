/** YAML with positions: what recipes, config files and sweep files share. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit, type YAMLMap } from 'yaml';
import { LIMITS } from '../../../preload/contract/limits.ts';
import { yamlExcess } from './yamlBounds.ts';

export interface Position {
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
}

/** One `key: value` of a map. */
export interface YamlEntry {
  readonly key: string;
  readonly position: Position;
  /** The value's node; null for an empty value. */
  readonly node: Node | null;
}

/** Something wrong with the text of a file, before anything is known of settings. */
export interface YamlProblem {
  readonly code: 'yaml';
  readonly message: string;
  readonly position: Position;
}

/** Of more than these nobody reads on. */
const MOST_PROBLEMS = 20;

function positionIn(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

/** Keys at the top that begin so hold anchors for other places, as in Compose files. */
const ASIDE = /^x-/u;

/** `<<`, which merges maps into the one where it stands; in quotes it is a name like any other. */
const isMerge = (key: unknown): boolean =>
  isScalar(key) && (key.type === 'PLAIN' || key.type === undefined) && key.source === '<<';

export class YamlText {
  /** File name for messages. */
  readonly label: string;
  readonly problems: readonly YamlProblem[];
  /** The top-level map; undefined when the file is empty or broken. */
  readonly root: YAMLMap | undefined;
  readonly #lines = new LineCounter();
  readonly #document;
  readonly #entries = new Map<YAMLMap, readonly YamlEntry[]>();

  /** Never throws. A text that holds more than the limits of the contract is not parsed: that is its one problem. */
  constructor(text: string, label: string, mostCharacters: number = LIMITS.configCharacters) {
    this.label = label;
    const excess = yamlExcess(text, mostCharacters);
    const parsed = excess === undefined ? text : '';
    // The parser's own check of keys that are given twice compares each with all before it.
    this.#document = parseDocument(parsed, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: false,
      merge: true,
    });
    if (excess !== undefined) {
      this.problems = [this.#problem(excess.message, positionIn(text, excess.offset))];
      this.root = undefined;
      return;
    }
    const problems: YamlProblem[] = [...this.#document.errors, ...this.#document.warnings]
      .slice(0, MOST_PROBLEMS)
      .map((error) => this.#problem(error.message, this.#at(error.pos[0])));
    const top = this.#document.contents;
    if (top && !isMap(top)) problems.push(this.#problem('expected `name: value` lines', this.position(top)));
    if (problems.length === 0) problems.push(...this.#unusable());
    this.problems = problems;
    this.root = isMap(top) && problems.length === 0 ? top : undefined;
  }

  #problem(detail: string, position: Position): YamlProblem {
    return { code: 'yaml', position, message: detail };
  }

  /** What is YAML but cannot be read as settings: keys that are no text, aliases to nothing, to themselves or without end. */
  #unusable(): YamlProblem[] {
    const problems: YamlProblem[] = [];
    visit(this.#document, {
      Map: (_, { items }, around) => {
        if (around.length > 2 * LIMITS.depth) {
          problems.push(
            this.#problem(`nested too deep; allowed: at most ${LIMITS.depth} maps`, this.position(items[0]?.key)),
          );
          return visit.BREAK;
        }
        const seen = new Set<unknown>();
        for (const { key } of items) {
          const name = isScalar(key) ? key.value : undefined;
          if (name !== undefined && !isMerge(key) && seen.has(name))
            problems.push(this.#problem('the same key is given twice', this.position(key)));
          seen.add(name);
        }
        return undefined;
      },
      Pair: (_, { key, value }) => {
        if (!isScalar(key)) problems.push(this.#problem('a name must be plain text', this.position(key)));
        else if (String(key.value).length > LIMITS.nameCharacters)
          problems.push(this.#problem(`a name has at most ${LIMITS.nameCharacters} characters`, this.position(key)));
        else if (isMerge(key) && this.#merged(value as Node | null) === undefined)
          problems.push(
            this.#problem('<< merges a map, an alias of one (*name), or a list of these', this.position(value ?? key)),
          );
      },
      Alias: (_, alias, around) => {
        const meant = alias.resolve(this.#document);
        if (meant && !around.includes(meant)) return;
        const why = meant ? 'stands within itself' : `stands for nothing; write &${alias.source} before it`;
        problems.push(this.#problem(`*${alias.source} ${why}`, this.position(alias)));
      },
    });
    if (problems.length > 0) return problems.slice(0, MOST_PROBLEMS);
    try {
      this.#document.toJS();
      return [];
    } catch (error) {
      return [this.#problem((error as Error).message, { line: 1, column: 1 })];
    }
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  position(node: unknown): Position {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    return this.#at(range?.[0] ?? 0);
  }

  /** `file.yaml:3:5`, as editors open it. */
  where(position: Position): string {
    return `${this.label}:${position.line}:${position.column}`;
  }

  /**
   * The `key: value` lines of a map. What `<<` merges into it counts where the map itself does not have the key, the first of several maps
   * before the others, as in PyYAML.
   */
  entries(map: YAMLMap): readonly YamlEntry[] {
    const known = this.#entries.get(map);
    if (known !== undefined) return known;
    const own = map.items.filter(({ key }) => !isMerge(key)).map((pair) => this.#entry(pair));
    const merged = map.items
      .filter(({ key }) => isMerge(key))
      .flatMap(({ value }) => this.#merged(value as Node | null) ?? [])
      .flatMap((each) => this.entries(each));
    const found = new Map(own.map((entry) => [entry.key, entry]));
    for (const entry of merged) if (!found.has(entry.key)) found.set(entry.key, entry);
    const entries = [...found.values()].filter(({ key }) => map !== this.#document.contents || !ASIDE.test(key));
    this.#entries.set(map, entries);
    return entries;
  }

  #entry({ key, value }: YAMLMap['items'][number]): YamlEntry {
    return {
      key: String(isScalar(key) ? key.value : key),
      position: this.position(key),
      node: this.resolve(value as Node | null),
    };
  }

  /** The maps that `<<` stands before; undefined when there is something else. */
  #merged(value: Node | null): YAMLMap[] | undefined {
    const node = this.resolve(value);
    const maps = isSeq(node) ? node.items.map((item) => this.resolve(item as Node)) : [node];
    return maps.every((each) => isMap(each)) ? maps : undefined;
  }

  /** Follows an alias (`*name`) to what it stands for. */
  resolve(node: Node | null): Node | null {
    return isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
  }

  /** The plain JavaScript value of a node. */
  value(node: Node | null): unknown {
    return node === null ? null : node.toJS(this.#document);
  }
}

/** True for text written without quotes, where `10k` is meant as a number. */
export function isPlain(node: Node | null): boolean {
  return isScalar(node) && (node.type === 'PLAIN' || node.type === undefined);
}
