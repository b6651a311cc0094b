/** Every setting as a flag: `--model.depth 4`, and `--model.depth 2 4` where several values make a sweep. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Question, SettingSpec } from '../../preload/contract/settings.ts';
import { nearestName } from '../../preload/shared/settings/nearest.ts';
import { describeType, formatValue } from '../../preload/shared/settings/values.ts';
import type { SettingsRegistry } from '../lab/settings/index.ts';
import { InputError } from './errors.ts';
import type { Output } from './output.ts';
import { listed } from './valueLists.ts';

const QUESTIONS: Readonly<Record<Question, string>> = {
  data: 'Data: which text is trained on, which is held out?',
  tokenizer: 'Tokenizer: how is text cut into tokens?',
  capacity: 'Capacity: how large is the model, and of which kind?',
  memory: 'Memory: what does a step need?',
  stability: 'Stability: does it train steadily?',
  budget: 'Budget: how long does it train, and how is it measured?',
};

function placeholder({ type }: SettingSpec, many: boolean): string {
  const dots = many ? '...' : '';
  switch (type.kind) {
    case 'int':
      return `<n${dots}>`;
    case 'float':
      return `<x${dots}>`;
    case 'bool':
      return `[on|off${dots}]`;
    case 'enum':
    case 'string':
      return `<${type.kind === 'enum' ? 'choice' : 'text'}${dots}>`;
  }
}

/** Adds a hidden option per setting (the help lists them by question instead). All take several values; see `singleValues`. */
export function addSettingFlags(command: Command, registry: SettingsRegistry): void {
  for (const spec of registry.specs) {
    const open = spec.type.kind === 'bool' ? '[values...]' : '<values...>';
    command.addOption(new Option(`--${spec.name} ${open}`).hideHelp());
  }
}

/** The setting flags among parsed options: name → texts. A flag without a value (a boolean) stands for `true`. */
export function settingValues(
  registry: SettingsRegistry,
  options: Readonly<Record<string, unknown>>,
): Record<string, readonly string[]> {
  const values: Record<string, readonly string[]> = {};
  for (const spec of registry.specs) {
    const { name } = spec;
    const given = options[name];
    if (given === undefined) continue;
    values[name] = given === true ? ['true'] : listed(spec, given as string[]);
  }
  return values;
}

/** One value per setting, as `train` takes them. @throws InputError for a setting with several */
export function singleValues(values: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, list]) => {
      const file = list.slice(1).find((value) => /\.ya?ml$/u.test(value));
      if (file !== undefined)
        throw new InputError(
          `${file} was read as a value of ${name}; write the file first: sweeplab train ${file} --${name} ${list[0]}`,
        );
      if (list.length > 1)
        throw new InputError(
          `${name} has ${list.length} values (${list.join(', ')}); allowed: one for a single run. To compare them: ` +
            `sweeplab sweep --${name} ${list.join(' ')}`,
        );
      return [name, list[0]];
    }),
  );
}

/** The reference of all settings, by question, from their declarations. */
export function settingsHelp(registry: SettingsRegistry, output: Output, many: boolean, only?: string): string {
  const sections: string[] = [];
  for (const { question, specs } of registry.questions()) {
    const shown = specs.filter(({ name }) => only === undefined || name === only || name.startsWith(`${only}.`));
    if (shown.length === 0) continue;
    sections.push(
      [output.style('bold', QUESTIONS[question]), ...shown.map((spec) => settingLine(spec, many))].join('\n'),
    );
  }
  return sections.join('\n\n');
}

const NAME_WIDTH = 40;
const HELP_WIDTH = 76;

function settingLine(spec: SettingSpec, many: boolean): string {
  const flag = `  --${spec.name} ${placeholder(spec, many)}`;
  const facts = [`default ${formatDefault(spec)}`];
  if (spec.type.kind !== 'bool' && !(spec.type.kind === 'string' && spec.type.pattern === undefined))
    facts.push(describeType(spec.type));
  if (spec.unit !== undefined) facts.push(spec.unit);
  if (spec.when !== undefined) facts.push(`when ${spec.when}`);
  const lines = wrap(`${spec.help} (${facts.join('; ')})`, HELP_WIDTH);
  const indent = ' '.repeat(NAME_WIDTH);
  const first = flag.length < NAME_WIDTH ? flag.padEnd(NAME_WIDTH) + lines.shift()! : flag;
  return [first, ...lines.map((line) => indent + line)].join('\n');
}

function formatDefault(spec: SettingSpec): string {
  const text = formatValue(spec, spec.default);
  return text === '' ? '""' : text;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** What is wrong with an unknown flag, and what was probably meant: a setting (by its own name or that of other tools) or an option. */
export function unknownFlag(flag: string, registry: SettingsRegistry | undefined, options: readonly string[]): string {
  const name = flag.replace(/^--?/u, '').replace(/=.*$/u, '');
  const near =
    registry?.suggest(name) ??
    nearestName(
      name,
      options.map((option) => option.replace(/^--/u, '')),
    );
  const section = registry?.names.filter((other) => other.startsWith(`${name}.`)) ?? [];
  if (section.length > 0)
    return `--${name} is not a setting but a section; its settings are ${section.map((each) => `--${each}`).join(', ')}`;
  return `--${name} is not an option${near === undefined ? '' : `; did you mean --${near}?`}`;
}
