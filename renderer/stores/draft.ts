/**
 * The draft that is being built, its plan and its history. Lives as long as the app, and is kept by the lab (`views.set`), so
 * that nothing typed is lost by leaving the view, closing the window or restarting.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { type Draft, EMPTY_DRAFT, readDraft } from '../../preload/contract/draft.ts';
import type { Config, Problem, SettingSpec, SettingValue } from '../../preload/contract/settings.ts';
import { useConnection } from './connection.ts';
import { useToasts } from './toasts.ts';
import * as lab from './lab.ts';
import type { CheckedSettings, DerivedSetting, DeviceChoice, RecipeCard, SweepPlan } from './lab.ts';
import { conditionOf, mayHold } from '../../preload/shared/settings/conditions.ts';
import { fieldOf, isEmpty, reset, setRecipe, valuesOf } from './draft/draft.ts';
import { briefSetting, digitsApart, formatSetting } from '../../preload/shared/format.ts';
import type { Field } from './draft/draft.ts';
import { commit, historyOf, redo as redoHistory, undo as undoHistory } from './draft/history.ts';
import type { History } from './draft/history.ts';
import { byPlace, fixed, problemsFromDropped } from './draft/problems.ts';
import type { Fixable } from './draft/problems.ts';

const KEY = 'builder.draft';
const YAML_KEY = 'builder.yaml';
/** Keystrokes closer together than this share a plan; with the plan itself it stays within 150 ms. */
const PLAN_DELAY = 40;
const SAVE_DELAY = 400;

/** Values of a setting in a row of text. */
export const namedValues = ({ values, more }: Pick<DerivedSetting, 'values' | 'more'>): string =>
  [...values.map((value) => briefSetting(value, digitsApart(values))), ...(more > 0 ? [`${more} more`] : [])].join(
    ', ',
  );

const isAbort = (error: unknown): boolean =>
  (error as Error).name === 'AbortError' || (error as { code?: string }).code === 'cancelled';

export const useBuilder = defineStore('builder', () => {
  const toasts = useToasts();
  const connection = useConnection();
  const history = shallowRef<History<Draft>>(historyOf(EMPTY_DRAFT));
  const draft = computed(() => history.value.present);
  const specs = shallowRef<readonly SettingSpec[]>([]);
  const byName = computed(() => new Map(specs.value.map((spec) => [spec.name, spec])));
  const recipes = shallowRef<readonly RecipeCard[]>([]);
  /** What recipe and defaults alone give. */
  const checked = shallowRef<Pick<CheckedSettings, 'config' | 'given'>>({ config: {}, given: [] });
  const loaded = ref(false);
  const loadProblem = ref<string | null>(null);
  const restored = ref(false);

  const choice = ref<DeviceChoice>({});
  const plan = shallowRef<SweepPlan | null>(null);
  const planned = shallowRef<Draft | null>(null);
  const planning = ref(false);
  const planFailed = ref<string | null>(null);
  /** ms from the change to the answer shown, for the measurements. */
  const planTime = ref<number | null>(null);

  /** YAML that could not be read into the draft yet; null when the draft says it all. */
  const yaml = ref<{ text: string | null }>({ text: null });

  /** Settings that follow from others unless they are set, by name. */
  const derived = computed(() => {
    const given = new Set(checked.value.given);
    // A value of the recipe counts as set until it gives way to what was typed.
    return new Map(
      Object.entries(plan.value?.derived ?? {}).filter(([name, each]) => !given.has(name) || !each.replaced),
    );
  });
  /**
   * The configuration that recipe and defaults alone give. What follows from other settings is in none: whatever is typed there is set,
   * be it what the recipe alone would give.
   */
  const base = computed<Config>(() =>
    Object.fromEntries(Object.entries(checked.value.config).filter(([name]) => !derived.value.has(name))),
  );

  const isSetting = (name: string): boolean => byName.value.has(name);
  const canUndo = computed(() => history.value.past.length > 0);
  const canRedo = computed(() => history.value.future.length > 0);
  const current = computed(() => planned.value === draft.value);
  const fromDropped = computed(() => problemsFromDropped(plan.value?.dropped ?? [], isSetting));
  /** What stands in the way. When everything was dropped: the rules that dropped it, in the places where they can be met. */
  const obstacles = computed<readonly Problem[]>(() => {
    const given = plan.value?.problems ?? [];
    const all = given.some(({ code }) => code === 'nothing_left') && fromDropped.value.length > 0;
    return all ? [...given.filter(({ code }) => code !== 'nothing_left'), ...fromDropped.value] : given;
  });
  const problems = computed(() => byPlace(obstacles.value, isSetting));
  /** Values that drop some combinations only. */
  const notes = computed(() => byPlace((plan.value?.runs ?? 0) > 0 ? fromDropped.value : [], isSetting, false));

  function change(next: Draft, key: string | null = null): void {
    history.value = commit(history.value, next, key, Date.now());
  }
  function undo(): void {
    history.value = undoHistory(history.value);
  }
  function redo(): void {
    history.value = redoHistory(history.value);
  }

  function field(name: string): Field {
    const found = fieldOf(draft.value, name, base.value);
    const follows = derived.value.get(name);
    if (found.form !== 'base' || follows === undefined) return found;
    // A plan of the draft before knows what it would be: the next one is on its way.
    return { form: 'derived', values: follows.values, more: follows.more };
  }
  /** Values of a setting in this draft; undefined where not all are known. */
  function valuesIn(name: string): readonly SettingValue[] | undefined {
    const found = field(name);
    if (found.form === 'distribution' || (found.form === 'derived' && found.more > 0)) return undefined;
    return valuesOf(found);
  }
  /** What a setting would be if nothing were typed, in words. */
  function before(name: string): string {
    const follows = derived.value.get(name);
    return follows === undefined ? formatSetting(base.value[name]!) : namedValues(follows);
  }
  /** Whether the setting has an effect in some run of this draft. */
  function isActive({ when }: SettingSpec): boolean {
    const condition = when === undefined ? null : conditionOf(when);
    return condition === null || mayHold(condition, valuesIn);
  }

  /** Takes the nearest valid choice of a problem. */
  function fix(problem: Fixable): void {
    const next = fixed(draft.value, problem, isSetting, base.value);
    if (next !== null) change(next);
  }
  const canFix = (problem: Fixable): boolean => fixed(draft.value, problem, isSetting, base.value) !== null;

  /** Settings of a suggestion, all in one step of the history. */
  function takeAll(changes: Readonly<Record<string, SettingValue>>): void {
    let next = draft.value;
    for (const [name, value] of Object.entries(changes)) {
      next = reset(next, name);
      next = { ...next, settings: { ...next.settings, [name]: value } };
    }
    change(next);
  }

  /** Begins again; what was there can be had back. */
  function clear(): void {
    const before = draft.value;
    change({ ...EMPTY_DRAFT, recipe: before.recipe });
    toasts.undoable('The draft was cleared', () => change(before), KEY);
  }

  /** A whole draft from elsewhere: YAML, a recipe card, a run. */
  function replace(next: Draft, message?: string): void {
    const before = draft.value;
    change(next);
    if (message !== undefined) toasts.undoable(message, () => change(before), KEY);
  }
  /** A whole text from elsewhere: it says which, and offers what was there, be it a text that could not be read yet. */
  function takeText(text: string, from: string): void {
    const before = draft.value;
    const typed = yaml.value.text;
    yaml.value = { text };
    const message = `The draft is now that of ${from}`;
    const undo = (): void => {
      yaml.value = { text: typed };
      change(before);
    };
    if (isEmpty(before) && typed === null) toasts.show({ message, about: KEY });
    else toasts.undoable(message, undo, KEY);
  }
  function chooseRecipe(recipe: string | null): void {
    change(setRecipe(draft.value, recipe));
  }

  async function loadBase(recipe: string | null): Promise<void> {
    const found = await lab.check({}, recipe);
    if (draft.value.recipe === recipe) checked.value = found;
  }

  let loading: Promise<void> | undefined;
  async function load(): Promise<void> {
    try {
      const [settings, found, stored, text] = await Promise.all([
        lab.settings(),
        lab.recipes(),
        lab.stored(KEY),
        lab.stored(YAML_KEY),
      ]);
      specs.value = settings;
      recipes.value = found;
      // What was typed before the answer came wins over what was stored.
      if (!restored.value && history.value.past.length === 0) history.value = historyOf(readDraft(stored));
      if (!restored.value && typeof text === 'string') yaml.value = { text };
      restored.value = true;
      await loadBase(draft.value.recipe);
      loaded.value = true;
      loadProblem.value = null;
      request();
    } catch (error) {
      if (!loaded.value) loadProblem.value = (error as Error).message;
      loading = undefined;
    }
  }
  /** Reads what the builder needs, once. */
  const ready = (): Promise<void> => (loading ??= load());

  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | undefined;
  function request(): void {
    clearTimeout(timer);
    if (!loaded.value) return;
    planning.value = true;
    planTime.value = null;
    const since = performance.now();
    timer = setTimeout(() => void askPlan(since), PLAN_DELAY);
  }

  async function askPlan(since: number): Promise<void> {
    // An answer to an older draft is of no use: its work is cancelled.
    running?.abort();
    const mine = new AbortController();
    running = mine;
    const asked = draft.value;
    try {
      const answer = await lab.plan(asked, choice.value, mine.signal);
      if (mine !== running) return;
      plan.value = answer;
      planned.value = asked;
      planFailed.value = null;
      planTime.value ??= performance.now() - since;
      // The rest of the fit check, while the counts are already shown.
      if (answer.pending > 0) setTimeout(() => mine === running && void askPlan(since), 0);
    } catch (error) {
      if (mine !== running || isAbort(error)) return;
      planned.value = null;
      planFailed.value = (error as Error).message;
      plan.value = null;
    } finally {
      if (mine === running) planning.value = (plan.value?.pending ?? 0) > 0 && planFailed.value === null;
    }
  }

  let saving: ReturnType<typeof setTimeout> | undefined;
  let unsaved: Draft | undefined;
  function save(): void {
    unsaved = draft.value;
    clearTimeout(saving);
    saving = setTimeout(flush, SAVE_DELAY);
  }
  function flush(): void {
    clearTimeout(saving);
    if (unsaved === undefined) return;
    const value = unsaved;
    unsaved = undefined;
    // Tried again with the next change, or when the lab is back.
    lab.store(KEY, value).catch(() => (unsaved ??= value));
  }
  if (typeof window !== 'undefined') window.addEventListener('pagehide', flush);

  watch(draft, (now, before) => {
    if (!restored.value) return;
    save();
    if (now.recipe !== before.recipe) {
      loadBase(now.recipe).catch((error: unknown) => {
        if (!isAbort(error)) toasts.fail('Could not read the recipe', error);
      });
    }
    request();
  });
  watch(
    () => yaml.value.text,
    (text) => {
      if (restored.value) lab.store(YAML_KEY, text).catch(() => undefined);
    },
  );
  watch(choice, request);
  watch(
    () => connection.generation,
    () => {
      flush();
      if (!loaded.value) void ready();
      else request();
    },
  );

  async function launch(force: boolean): Promise<string | null> {
    const asked = draft.value;
    const { sweepId } = await lab.launch(asked, force);
    return sweepId;
  }

  return {
    draft,
    specs,
    byName,
    recipes,
    base,
    derived,
    before,
    loaded,
    loadProblem,
    choice,
    plan,
    planning,
    planFailed,
    planTime,
    obstacles,
    problems,
    notes,
    yaml,
    current,
    canUndo,
    canRedo,
    change,
    undo,
    redo,
    field,
    valuesIn,
    isActive,
    isSetting,
    fix,
    canFix,
    takeAll,
    clear,
    replace,
    takeText,
    chooseRecipe,
    ready,
    request,
    flush,
    launch,
  };
});
