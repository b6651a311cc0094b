/** What an address asks the builder to begin with: `?recipe=NAME`, `?from=RUN`, `?sweep=SWEEP`. */
import { watch } from 'vue';
import type { Draft } from '../../../preload/contract/draft.ts';
import { place, setQuery } from '../../frame/router.ts';
import { useToasts } from '../../stores/toasts.ts';
import * as lab from '../../stores/lab.ts';
import { draftOfRecipe } from '../../../preload/shared/sweeps/recipe.ts';
import { isEmpty } from '../../stores/draft/draft.ts';
import { draftOfRun } from '../../stores/draft/fromRun.ts';
import type { useBuilder } from '../../stores/draft.ts';

export function useOpened(builder: ReturnType<typeof useBuilder>): void {
  const toasts = useToasts();

  function take(draft: Draft, from: string): void {
    const message = isEmpty(builder.draft) ? undefined : `A new draft from ${from}`;
    builder.yaml = { text: null };
    builder.replace(draft, message);
  }

  async function open(what: 'recipe' | 'from' | 'sweep', id: string): Promise<void> {
    if (what === 'from') {
      const run = await lab.run(id);
      take(draftOfRun(run, builder.specs), run.name);
    } else if (what === 'sweep') {
      const { sweep, draft } = await lab.sweep(id);
      if (draft === null)
        toasts.show({ level: 'bad', message: `${sweep.name} was made by an older version: its plan cannot be read` });
      else take({ ...draft, name: draft.name || sweep.name }, sweep.name);
    } else {
      const recipe = builder.recipes.find(({ name }) => name === id);
      if (recipe === undefined) toasts.show({ level: 'bad', message: `There is no recipe ${id}` });
      else take(draftOfRecipe(recipe), recipe.title);
    }
  }

  watch(
    () => [builder.loaded, place.value.route.name, place.value.query] as const,
    ([loaded, route, { recipe, from, sweep }]) => {
      if (!loaded || route !== 'builder') return;
      const asked = { recipe, from, sweep };
      const what = (['recipe', 'from', 'sweep'] as const).find((each) => asked[each] !== undefined);
      if (what === undefined) return;
      // Taken once: coming back to the address later must not throw the draft away.
      setQuery({ recipe: null, from: null, sweep: null });
      open(what, asked[what]!).catch((error: unknown) => toasts.fail('The draft is as it was', error));
    },
    { immediate: true },
  );
}
