/** Settings as given by a recipe, a config file or flags: names with values and where they stand, not yet checked. */
import { isMap, type YAMLMap } from 'yaml';
import { isPlain, YamlText } from './yamlText.ts';

/** Where a value comes from: `derived` is a default that depends on other settings. */
export type Origin = 'default' | 'derived' | 'recipe' | 'file' | 'flag';

export interface SettingEntry {
  readonly name: string;
  readonly value: unknown;
  /** True when text may stand for a number or a boolean (flags, unquoted YAML). */
  readonly fromText: boolean;
  /** Where it stands, for messages: `quick.yaml:3:5`. */
  readonly where?: string;
}

/** A layer of a configuration. Later layers win. */
export interface SettingsSource {
  readonly origin: Exclude<Origin, 'default' | 'derived'>;
  /** File name or `command line`. */
  readonly label: string;
  readonly entries: readonly SettingEntry[];
  /** What is wrong with the text itself. */
  readonly problems: readonly { readonly message: string; readonly where?: string }[];
}

const MIX = 'data.mix';

/** Nested and dotted keys become flat dotted entries; each is reported with its place. */
export function flattenEntries(yaml: YamlText, map: YAMLMap, prefix = ''): SettingEntry[] {
  return yaml.entries(map).flatMap((entry): SettingEntry[] => {
    const name = prefix ? `${prefix}.${entry.key}` : entry.key;
    // A mixture is a map of texts, whose paths are no settings.
    if (name === MIX && isMap(entry.node)) {
      const parts = yaml.entries(entry.node).map(({ key, node }) => `${key}: ${String(yaml.value(node))}`);
      return [{ name, value: parts.join(', '), fromText: false, where: yaml.where(entry.position) }];
    }
    if (isMap(entry.node) && entry.node.items.length > 0) return flattenEntries(yaml, entry.node, name);
    const value = yaml.value(entry.node);
    return [{ name, value, fromText: isPlain(entry.node), where: yaml.where(entry.position) }];
  });
}

/** A config file: settings, nested or dotted, and optionally `recipe: name` to start from. */
export interface ConfigFile extends SettingsSource {
  readonly recipe?: string;
}

/** Reads the text of a config file. Never throws: what is wrong is in `problems`. */
export function parseConfigFile(text: string, label: string): ConfigFile {
  const yaml = new YamlText(text, label);
  const problems = yaml.problems.map(({ message, position }) => ({ message, where: yaml.where(position) }));
  const all = yaml.root ? flattenEntries(yaml, yaml.root) : [];
  const recipe = all.find((entry) => entry.name === 'recipe');
  if (recipe && typeof recipe.value !== 'string')
    problems.push({
      message: `recipe is ${JSON.stringify(recipe.value)}; allowed: the name of a recipe`,
      where: recipe.where ?? label,
    });
  return {
    origin: 'file',
    label,
    entries: all.filter((entry) => entry.name !== 'recipe'),
    problems,
    ...(recipe && typeof recipe.value === 'string' ? { recipe: recipe.value } : {}),
  };
}

/** Values set on a command line (texts) or by a form (values). */
export function flagSource(values: Readonly<Record<string, unknown>>, label = 'command line'): SettingsSource {
  return {
    origin: 'flag',
    label,
    entries: Object.entries(values).map(([name, value]) => ({ name, value, fromText: typeof value === 'string' })),
    problems: [],
  };
}
