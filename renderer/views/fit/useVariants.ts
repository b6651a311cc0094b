/** The settings of the builder's draft where it is swept: which there are, how much each needs, and the one that is looked at. */
import { computed, onScopeDispose, shallowRef } from 'vue';
import { formatMemory } from '../../../preload/shared/format.ts';
import { useQuery } from '../../frame/router.ts';
import { useBuilder } from '../../stores/draft.ts';
import * as lab from '../../stores/lab.ts';
import type { DeviceChoice } from '../../stores/lab.ts';
import { chosenOf, variantsOf } from './model/variants.ts';
import type { Variant } from './model/variants.ts';

/** The fit check answers within a budget: it is asked again until it has come to all, or for long. */
const ROUNDS = 30;
/** Of more, a list to choose from would be of no use. */
const MOST_OPTIONS = 500;

export function useVariants(device: () => DeviceChoice) {
  const builder = useBuilder();
  /** The largest first; empty for a draft of one setting. */
  const variants = shallowRef<readonly Variant[]>([]);
  const query = useQuery('setting', '');
  const variant = computed(() => chosenOf(variants.value, query.value));
  const worst = computed(() => variant.value === variants.value[0]);
  /** Its key; in the address where it is not the largest. */
  const chosen = computed({
    get: () => variant.value?.key ?? '',
    set: (key) => (query.value = key === variants.value[0]?.key ? '' : key),
  });
  const options = computed(() =>
    variants.value.slice(0, MOST_OPTIONS).map(({ key, label, bytes, fit }) => ({
      value: key,
      label: `${label}: ${formatMemory(bytes)}, ${fit}`,
    })),
  );

  let checking: AbortController | undefined;
  async function check(): Promise<void> {
    checking?.abort();
    const mine = (checking = new AbortController());
    if (Object.keys(builder.draft.parameters).every((name) => name === 'seed')) {
      variants.value = [];
      return;
    }
    for (let round = 0; round < ROUNDS; round++) {
      const plan = await lab.plan(builder.draft, device(), mine.signal).catch(() => null);
      if (plan === null || mine.signal.aborted) return;
      variants.value = variantsOf(plan);
      if (plan.pending === 0) return;
    }
  }
  onScopeDispose(() => checking?.abort());
  return { variants, variant, worst, chosen, options, check };
}
