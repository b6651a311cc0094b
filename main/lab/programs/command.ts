/**
 * What a sweep file says is to be started, as the program and its arguments: W&B's macros. Nothing passes through a shell, so no value can
 * become a command.
 */
import type { Draft } from '../../../preload/contract/draft.ts';
import type { Config, SettingValue } from '../../../preload/contract/settings.ts';

/** As `wandb agent` starts a program when the file has no `command`. */
const USUAL = ['${env}', '${interpreter}', '${program}', '${args}'];
const INTERPRETER = 'python';

type Macro = (config: Config, program: string | undefined) => readonly string[];

/** As Python writes it, which reads it. */
const valueText = (value: SettingValue): string =>
  typeof value === 'boolean' ? (value ? 'True' : 'False') : `${value}`;

const MACROS: Readonly<Record<string, Macro>> = {
  env: () => (process.platform === 'win32' ? [] : ['/usr/bin/env']),
  interpreter: () => [INTERPRETER],
  program: (_, program) => [program!],
  args: (config) => Object.entries(config).map(([name, value]) => `--${name}=${valueText(value)}`),
  args_no_hyphens: (config) => Object.entries(config).map(([name, value]) => `${name}=${valueText(value)}`),
  args_no_boolean_flags: (config) =>
    Object.entries(config).flatMap(([name, value]) =>
      value === false ? [] : value === true ? [`--${name}`] : [`--${name}=${valueText(value)}`],
    ),
  args_json: (config) => [JSON.stringify(config)],
};
const ALLOWED = `${Object.keys(MACROS)
  .map((name) => `\${${name}}`)
  .join(', ')}, \${envvar:NAME}`;

const MACRO = /\$\{([^}]*)\}/gu;
const ENVVAR = /^envvar:([A-Za-z_][A-Za-z0-9_]*)$/u;

const partsOf = ({ command }: Pick<Draft, 'command'>): readonly string[] => (command ?? USUAL).map(valueText);

/** What is wrong with what is to be started, in words. @param typed on a command line, where only variables are replaced */
export function commandProblems(
  { program, command, resume }: Pick<Draft, 'program' | 'command' | 'resume'>,
  typed = false,
): string[] {
  const parts = partsOf({ command });
  const problems: string[] = [];
  if (parts.length === 0) problems.push('command is empty; allowed: a program and its arguments');
  for (const part of [...parts, ...(resume ?? []).map(valueText)]) {
    for (const [macro, name = ''] of part.matchAll(MACRO)) {
      if (ENVVAR.test(name) || typed) continue;
      if (!Object.hasOwn(MACROS, name)) problems.push(`command: ${macro} is not known; allowed: ${ALLOWED}`);
      else if (macro !== part)
        problems.push(`command: ${macro} must be an entry of its own, not a part of ${JSON.stringify(part)}`);
    }
    if (part.includes('\0')) problems.push('command: an entry holds a zero byte');
  }
  if (program === undefined && parts.includes('${program}'))
    problems.push('program is missing; allowed: the file of a script');
  return [...new Set(problems)];
}

/** The program and its arguments for one run. @param draft one without problems */
export function commandOf(draft: Pick<Draft, 'program' | 'command'>, config: Config): string[] {
  return partsOf(draft).flatMap((part) => {
    const name = /^\$\{([^}]*)\}$/u.exec(part)?.[1];
    return name !== undefined && Object.hasOwn(MACROS, name) ? MACROS[name]!(config, draft.program) : [part];
  });
}

/** With `${envvar:NAME}` read; one that is not set is empty. */
export const withVariables = (
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string[] =>
  command.map((part) =>
    part.replaceAll(MACRO, (macro, name: string) => {
      const variable = ENVVAR.exec(name)?.[1];
      return variable === undefined ? macro : (env[variable] ?? '');
    }),
  );

const PLAIN = /^[\w@%+=:,./-]+$/u;

/** As one would type it. */
export const commandText = (command: readonly string[]): string =>
  command.map((part) => (PLAIN.test(part) ? part : `'${part.replaceAll("'", String.raw`'\''`)}'`)).join(' ');

/** `--lr 1e-3 --flag --name=x` as settings: `lr: 0.001, flag: true, name: x`; so that runs typed by hand can be compared. */
export function settingsOf(command: readonly string[]): Config {
  const found = new Map<string, SettingValue>();
  for (const [i, part] of command.entries()) {
    const [, name, given] = /^--([A-Za-z_][A-Za-z0-9_.-]*)(?:=([^]*))?$/u.exec(part) ?? [];
    if (name === undefined) continue;
    const next = command[i + 1];
    const follows = given ?? (next === undefined || /^--?[A-Za-z_]/u.test(next) ? 'true' : next);
    found.set(name.replaceAll('-', '_'), typed(follows));
  }
  return Object.fromEntries(found);
}

function typed(text: string): SettingValue {
  if (/^true$/iu.test(text)) return true;
  if (/^false$/iu.test(text)) return false;
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : text.slice(0, 20_000);
}
