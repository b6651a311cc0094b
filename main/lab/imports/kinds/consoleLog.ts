/**
 * What trainings print: lines with a step and numbers with names, as those of nanoGPT, modded-nanogpt, llm.c, nanochat and of the Trainer. The lines
 * themselves become the log of the run.
 */
import { linesOf, stemOf, textOf } from '../files.ts';
import type { ImportFile } from '../files.ts';
import { defineImport } from '../importKind.ts';
import { parsePython } from '../python.ts';
import type { Receiver, RunReceiver } from '../receiver.ts';
import { isMeasured } from '../rows/names.ts';
import { isFields, settingOf } from '../values.ts';

const NUMBER = String.raw`[+-]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)(?=$|[^a-z]|ms\b|s\b)`;
/** `step 250:`, `iter 10:`, `step:1000/4000`, `[ 12/938]`, `Step 00010/00100 (1.2%)`, `Epoch 3`. */
const STEP =
  /(?:^|[\s[|(])(?:(?:global[ _]?)?step|iter(?:ation)?|it|update)\s*[:=#]?\s*\[?\s*(\d[\d,]*)(?:\s*\/\s*\d[\d,]*)?/iu;
const BRACKETS = /^\s*\[\s*(\d+)\s*\/\s*\d+\s*\]\s*(?:(\w+)\s*:)?/u;
/** `0 val 10.95`, as build-nanogpt writes its log. */
const BARE = new RegExp(String.raw`^\s*(\d+)\s+(train|val|hella)\s+(${NUMBER})\s*$`, 'iu');
const PAIR = new RegExp(
  String.raw`([A-Za-z_][A-Za-z0-9_./]*(?: [A-Za-z_][A-Za-z0-9_./]*)?)\s*[:=]?\s*(${NUMBER})\s*(ms|s|sec|min|m|h|%|tok\/s|[kKMG]i?B)?(?=$|[\s,;|()\]:])`,
  'giu',
);
/** `lr = 0.001`, `--n_layer=12`, `Overriding: max_iters = 2000`: before the first step, a setting. */
const SETTING = /^\s*(?:-{1,2}|overriding:\s*)?([A-Za-z_][\w.]*)\s*(?:=|:)\s*('[^']*'|"[^"]*"|[^\s,;]+)\s*(?:#.*)?$/iu;
const STAMP = /^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?Z?\]?/u;
/** So many lines without a step may stand before the first one. */
const LOOKED_AT = 400;

export const consoleLog = defineImport({
  name: 'console-log',
  label: 'console logs',
  help: 'Lines with a step and named numbers, as nanoGPT, modded-nanogpt, llm.c, nanochat and the Trainer print them.',
  claims: ({ text }) => text.split('\n', LOOKED_AT).filter((line) => pointsOf(line) !== undefined).length > 0,
  async read(source, to) {
    for (const file of source.files) await new Log(file, to).read();
  },
});

interface Points {
  readonly step: number | undefined;
  readonly values: readonly (readonly [string, number])[];
}

/** What a line says; undefined where it is no line with numbers of a step. */
function pointsOf(line: string): Points | undefined {
  if (line.length > 2000) return undefined;
  const [, bareStep, bareName, bareValue] = BARE.exec(line) ?? [];
  if (bareStep !== undefined)
    return {
      step: Number(bareStep),
      values: [[bareName === 'hella' ? 'hellaswag' : `${bareName!.toLowerCase()}/loss`, toNumber(bareValue!)]],
    };
  const printed = printedObject(line);
  if (printed !== undefined) return printed;
  const brackets = BRACKETS.exec(line);
  const found = brackets ?? STEP.exec(line);
  if (found === null) return undefined;
  const rest = line.slice(found.index + found[0].length);
  const prefix = brackets?.[2] === undefined ? undefined : splitOf(brackets[2]);
  const values = [...rest.matchAll(PAIR)].map(([, name, value, unit]): [string, number] => [
    nameOf(name!, unit, prefix),
    toNumber(value!),
  ]);
  return values.length === 0 ? undefined : { step: toNumber(found[1]!), values };
}

/** `{'loss': 0.5, 'epoch': 0.1}`: the Trainer prints no steps, so they are counted. */
function printedObject(line: string): Points | undefined {
  const at = line.indexOf('{');
  if (at < 0 || !line.trimEnd().endsWith('}')) return undefined;
  try {
    const value = parsePython(line.slice(at).trim());
    if (!isFields(value)) return undefined;
    const values = Object.entries(value).flatMap(([name, each]): [string, number][] => {
      const number = typeof each === 'number' ? each : typeof each === 'string' ? Number(each) : Number.NaN;
      return typeof each === 'number' || Number.isFinite(number) ? [[name, number]] : [];
    });
    const step = values.find(([name]) => /^(?:global_)?step$/u.test(name))?.[1];
    if (!values.some(([name]) => isMeasured(name))) return undefined;
    return values.length === 0
      ? undefined
      : { step, values: values.filter(([name]) => !/^(?:global_)?step$/u.test(name)) };
  } catch {
    return undefined;
  }
}

const toNumber = (text: string): number => {
  const plain = text.replaceAll(',', '').toLowerCase();
  if (plain.endsWith('nan')) return Number.NaN;
  if (plain.includes('inf')) return plain.startsWith('-') ? -Infinity : Infinity;
  return Number(plain);
};

const SPLIT = /^(train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|test)(?:_step)?$/iu;

function splitOf(word: string): string {
  const [, split] = SPLIT.exec(word) ?? [];
  if (split === undefined) return word;
  return /^train/iu.test(split) ? 'train' : /^val/iu.test(split) ? 'val' : /^eval/iu.test(split) ? 'eval' : 'test';
}

/** `train loss` → `train/loss`; `time … ms` → `time_ms`. */
function nameOf(given: string, unit: string | undefined, prefix: string | undefined): string {
  const [first, second] = given.trim().split(' ');
  const name =
    second === undefined
      ? first!
      : SPLIT.test(first!)
        ? `${splitOf(first!)}/${second}`
        : given.trim().replaceAll(' ', '_');
  const suffix =
    unit === undefined || unit === '%' || name.toLowerCase().endsWith(unit.toLowerCase())
      ? ''
      : `_${unit.replace('/', '_per_')}`;
  return `${prefix === undefined || name.includes('/') ? '' : `${prefix}/`}${name}${suffix}`;
}

class Log {
  readonly #file: ImportFile;
  readonly #to: Receiver;
  #run: RunReceiver | undefined;
  #number = 0;
  #first: number | undefined;
  #last = -Infinity;
  #printed = 0;
  /** Lines before the first step, which may set it up. */
  #before: string[] = [];
  #began: number | undefined;

  constructor(file: ImportFile, to: Receiver) {
    this.#file = file;
    this.#to = to;
  }

  async read(): Promise<void> {
    const onLong = (line: number): void =>
      this.#to.note('lines that are too long, left out', `${this.#file.path}, line ${line}`);
    this.#begin();
    for await (const { first, lines } of linesOf(textOf(this.#file), onLong)) {
      lines.forEach((line, i) =>
        this.#line(line.slice(line.lastIndexOf('\r', line.length - 2) + 1).trimEnd(), first + i),
      );
      await this.#to.flush();
    }
  }

  #begin(): void {
    this.#number++;
    this.#run = this.#to.run(this.#number === 1 ? '' : `#${this.#number}`);
    const stem = stemOf(this.#file.path);
    this.#run.says({ name: this.#number === 1 ? stem : `${stem} #${this.#number}` });
    this.#first = undefined;
    this.#last = -Infinity;
    this.#printed = 0;
  }

  #line(line: string, number: number): void {
    if (line === '') return;
    const points = pointsOf(line);
    const at = this.#time(line);
    if (points === undefined) {
      this.#other(line);
      this.#run!.line(line, at);
      return;
    }
    const step = points.step ?? this.#printed;
    if (points.step === undefined) {
      if (this.#printed++ === 0)
        this.#to.note('lines without a step, counted from 0', `${this.#file.path}, line ${number}`);
    } else if (this.#first !== undefined && step <= this.#first && this.#last > this.#first) this.#begin();
    this.#first ??= step;
    this.#last = Math.max(this.#last, step);
    this.#before = [];
    const seen = new Set<string>();
    for (const [name, value] of points.values) {
      if (seen.has(name))
        this.#to.note(
          'numbers of a line with the same name, of which the first counts',
          `${this.#file.path}, line ${number}`,
        );
      else this.#run!.point(name, step, value);
      seen.add(name);
    }
    this.#run!.line(line, at);
  }

  /** Before the first step, it may say how the run is set up. */
  #other(line: string): void {
    if (this.#first !== undefined || this.#before.length >= LOOKED_AT) return;
    this.#before.push(line);
    const [, name, value] = SETTING.exec(line) ?? [];
    if (name === undefined) return;
    const plain = value!.replaceAll(/^['"]|['"]$/gu, '');
    this.#run!.says({ config: { [name]: settingOf(plain) } });
  }

  #time(line: string): number | undefined {
    const [, stamp, fraction = ''] = STAMP.exec(line) ?? [];
    if (stamp === undefined) return undefined;
    const time = Date.parse(`${stamp.replace(' ', 'T')}.${fraction.slice(0, 3).padEnd(3, '0')}`);
    if (!Number.isFinite(time)) return undefined;
    if (this.#began === undefined) this.#run!.says({ startedAt: time });
    this.#began ??= time;
    this.#run!.says({ endedAt: time });
    return time;
  }
}
