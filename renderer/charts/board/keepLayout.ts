/** The layout of a board over reloads, links and restarts: in the address and, for whoever opens it next, with the lab. */
import { onScopeDispose, watch } from 'vue';
import type { Ref } from 'vue';
import { place, setQuery } from '../../frame/router.ts';
import { useClient } from '../../stores/client.ts';
import {
  defaultState,
  packState,
  stateFromText,
  stateText,
  unpackState,
} from '../../../preload/charts/board/boardState.ts';
import type { BoardState } from '../../../preload/charts/board/boardState.ts';
import type { History } from './history.ts';

/** Changes are written once they have come to rest for so long (ms). */
const REST = 500;

/**
 * Address before saved layout before defaults; changes go to both.
 * @param key where the lab keeps it; undefined until it is known
 * @param initial start of a layout that was never saved
 */
export function keepLayout(
  state: Ref<BoardState>,
  history: History,
  key: () => string | undefined,
  initial: Partial<BoardState> = {},
): void {
  let loaded = '';
  /** What the address said when it was last read or written here. */
  let known = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  let save: (() => void) | undefined;
  const fresh = (): BoardState => ({ ...defaultState(), ...initial });
  watch(
    key,
    async (name) => {
      known = place.value.query.board ?? '';
      const linked = stateFromText(known);
      state.value = linked ?? fresh();
      loaded = '';
      if (name === undefined) return;
      try {
        const { value } = await useClient().call('views.get', { key: name });
        if (key() === name && linked === undefined && value != null)
          state.value = { ...fresh(), ...packState(unpackState(value)) };
      } catch {
        // A layout that cannot be read is no reason to show nothing; the defaults serve.
      }
      if (key() !== name) return;
      loaded = name;
      history.restart(stateText(state.value));
    },
    { immediate: true },
  );
  watch(
    state,
    (now) => {
      const name = key();
      if (name === undefined || loaded !== name) return;
      history.record(stateText(now), performance.now());
      clearTimeout(timer);
      const value = JSON.parse(JSON.stringify(packState(now))) as unknown;
      save = () => {
        save = undefined;
        // Losing a layout is no loss of work: the next change tries again.
        useClient()
          .call('views.set', { key: name, value })
          .catch(() => undefined);
      };
      timer = setTimeout(() => {
        if (key() !== name) return;
        known = stateText(now);
        setQuery({ board: known });
        save?.();
      }, REST);
    },
    { deep: true },
  );
  // A link to the same board, or the way back in the history.
  watch(
    () => place.value.query.board ?? '',
    (text) => {
      if (text === known || loaded === '') return;
      known = text;
      state.value = stateFromText(text) ?? fresh();
    },
  );
  // Who leaves at once after a change finds it when they come back.
  onScopeDispose(() => {
    clearTimeout(timer);
    save?.();
  });
}
