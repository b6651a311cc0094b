/**
 * The configuration that is looked at, its what-ifs, and their answers. While something is dragged, questions are asked as fast as they
 * are answered and the newest one wins; the differences between choices are asked for once it is quiet.
 */
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue';
import type { Config, SettingValue } from '../../../preload/contract/settings.ts';
import { AUTO_POLICY } from '../../../preload/shared/settings/policy.ts';
import * as lab from '../../stores/lab.ts';
import type { DeviceChoice, FitReport } from '../../stores/lab.ts';
import { changesFor, whatIfsFor, withoutChange } from './model/whatIfs.ts';
import type { Vocabularies } from './model/whatIfs.ts';

export interface Source {
  readonly kind: 'recipe' | 'draft' | 'run';
  readonly label: string;
  readonly recipe: string | null;
  /** On top of the recipe; complete for a run. */
  readonly values: Readonly<Record<string, SettingValue>>;
  readonly runId?: string;
}

export interface Difference {
  readonly bytes: number;
  /** Time of a step ÷ that of the present one; null where it is not known. */
  readonly time: number | null;
  readonly fit: lab.Fit;
}

const QUIET_MS = 220;

const middle = (range: lab.Range | null): number | null => (range === null ? null : Math.sqrt(range.low * range.high));

function differenceOf(now: FitReport, before: FitReport): Difference {
  const [a, b] = [middle(now.time.stepSeconds), middle(before.time.stepSeconds)];
  return {
    bytes: now.verdict.neededBytes - before.verdict.neededBytes,
    time: a === null || b === null || b === 0 ? null : a / b,
    fit: now.verdict.fit,
  };
}

export function useFit() {
  const source = shallowRef<Source | null>(null);
  const choice = ref<DeviceChoice>({});
  const overrides = shallowRef<Readonly<Record<string, SettingValue>>>({});
  /** What-ifs that a source is opened with: from the address. */
  let first: Readonly<Record<string, SettingValue>> = {};
  /** Without what-ifs. */
  const reference = shallowRef<FitReport | null>(null);
  const answer = shallowRef<FitReport | null>(null);
  const asking = ref(false);
  const failed = ref<string | null>(null);
  /** `precision.policy=bf16` → what it would change. */
  const differences = shallowRef<ReadonlyMap<string, Difference>>(new Map());
  const answerTime = ref<number | null>(null);

  /** What is asked for, at once: a slider must not wait for the answer to move. */
  const config = computed<Config>(() => ({ ...(reference.value ?? answer.value)?.config, ...overrides.value }));
  const policies = ref<readonly string[]>([]);
  const optimizers = ref<readonly string[]>([]);
  const vocabularies = shallowRef<Vocabularies>({});
  const whatIfs = computed(() =>
    answer.value === null
      ? []
      : whatIfsFor(config.value, policies.value, optimizers.value, vocabularies.value, reference.value?.config),
  );

  void lab.vocabularies().then((fixed) => (vocabularies.value = fixed));
  void lab.settings().then((specs) => {
    const values = (name: string): readonly string[] => {
      const type = specs.find((spec) => spec.name === name)?.type;
      return type?.kind === 'enum' ? type.values : [];
    };
    // It is one of the others.
    policies.value = values('precision.policy').filter((value) => value !== AUTO_POLICY);
    optimizers.value = values('optimizer.kind');
  });

  const ask = (
    values: Readonly<Record<string, SettingValue>>,
    occupancy: boolean,
    signal: AbortSignal,
  ): Promise<FitReport> =>
    lab.fitReport({ ...source.value!.values, ...values }, source.value!.recipe, choice.value, occupancy, signal);

  let running: AbortController | undefined;
  let again = false;
  let quiet: ReturnType<typeof setTimeout> | undefined;

  /** One question at a time: a slider asks far more often than anything can answer. */
  async function refresh(): Promise<void> {
    if (source.value === null) return;
    clearTimeout(quiet);
    if (running !== undefined) {
      again = true;
      return;
    }
    const mine = (running = new AbortController());
    asking.value = true;
    const began = performance.now();
    try {
      if (reference.value === null && Object.keys(overrides.value).length > 0)
        reference.value = await ask({}, false, mine.signal).catch(() => null);
      if (mine.signal.aborted) return;
      const found = await ask(overrides.value, true, mine.signal);
      if (mine.signal.aborted) return;
      answer.value = found;
      answerTime.value = performance.now() - began;
      failed.value = null;
      if (Object.keys(overrides.value).length === 0) reference.value = found;
    } catch (error) {
      if (!mine.signal.aborted) failed.value = (error as Error).message;
    } finally {
      if (running === mine) running = undefined;
      asking.value = false;
      if (again) {
        again = false;
        void refresh();
      } else quiet = setTimeout(() => void compare(), QUIET_MS);
    }
  }

  let comparing: AbortController | undefined;
  /** What each other choice would change, and what each what-if changes now. */
  async function compare(): Promise<void> {
    comparing?.abort();
    const mine = (comparing = new AbortController());
    const present = answer.value;
    if (present === null) return;
    const found = new Map<string, Difference>();
    const questions: (readonly [string, Readonly<Record<string, SettingValue>>, boolean])[] = [];
    for (const { name, control, values } of whatIfs.value) {
      const changes = changesFor(name, present.config[name], present.config, vocabularies.value);
      if (Object.keys(changes).some((key) => key in overrides.value))
        questions.push([name, withoutChange(overrides.value, name), true]);
      if (control !== 'choice') continue;
      for (const value of values) {
        if (value === present.config[name]) continue;
        questions.push([`${name}=${String(value)}`, { ...overrides.value, [name]: value }, false]);
      }
    }
    for (const [key, values, backwards] of questions) {
      try {
        const other = await ask(values, false, mine.signal);
        if (mine.signal.aborted || answer.value !== present) return;
        found.set(key, backwards ? differenceOf(present, other) : differenceOf(other, present));
        differences.value = new Map(found);
      } catch {
        if (mine.signal.aborted) return;
        // This choice cannot be planned here; the others can.
      }
    }
    differences.value = found;
  }

  function set(name: string, value: SettingValue): void {
    let next = {
      ...withoutChange(overrides.value, name),
      ...changesFor(name, value, config.value, vocabularies.value),
    };
    // Back where it began: no what-if any more.
    const began = reference.value?.config;
    if (
      began !== undefined &&
      Object.entries(changesFor(name, value, config.value, vocabularies.value)).every(
        ([key, each]) => began[key] === each,
      )
    ) {
      next = withoutChange(overrides.value, name);
    }
    overrides.value = next;
  }
  function take(changes: Readonly<Record<string, SettingValue>>): void {
    overrides.value = { ...overrides.value, ...changes };
  }
  function reset(name?: string): void {
    overrides.value = name === undefined ? {} : withoutChange(overrides.value, name);
  }

  /** @param changes what-ifs that it begins with */
  function look(at: Source, changes: Readonly<Record<string, SettingValue>> = {}): void {
    first = changes;
    source.value = at;
  }

  function forget(): void {
    running?.abort();
    running = undefined;
    comparing?.abort();
    differences.value = new Map();
  }
  watch(overrides, () => {
    comparing?.abort();
    void refresh();
  });
  watch(source, () => {
    forget();
    reference.value = null;
    answer.value = null;
    const next = first;
    first = {};
    if (Object.keys(overrides.value).length + Object.keys(next).length > 0) overrides.value = next;
    else void refresh();
  });
  watch(choice, () => {
    forget();
    void refresh();
  });
  onScopeDispose(() => {
    forget();
    clearTimeout(quiet);
  });

  return {
    source,
    choice,
    overrides,
    reference,
    answer,
    asking,
    failed,
    differences,
    answerTime,
    whatIfs,
    vocabularies,
    config,
    look,
    set,
    take,
    reset,
    refresh,
  };
}
