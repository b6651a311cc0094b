/** Records by id that arrive one change at a time. Keeps the map of a store current without rebuilding lists per record. */
import { computed, shallowRef, triggerRef } from 'vue';
import type { ComputedRef, ShallowRef } from 'vue';

export interface Records<T> {
  readonly byId: ShallowRef<Map<string, T>>;
  /** Newest first: ids created later sort later. Without those in the bin. */
  readonly list: ComputedRef<readonly T[]>;
  /** Replaces everything. */
  fill(records: readonly T[]): void;
  /** Adds or replaces some. */
  merge(records: readonly T[]): void;
  drop(ids: readonly string[]): void;
}

export function useRecords<T extends { readonly id: string }>(
  hidden: (record: T) => boolean = () => false,
): Records<T> {
  const byId = shallowRef(new Map<string, T>());
  const list = computed(() =>
    [...byId.value.values()]
      .filter((record) => !hidden(record))
      .sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)),
  );
  return {
    byId,
    list,
    fill(records) {
      byId.value = new Map(records.map((record) => [record.id, record]));
    },
    merge(records) {
      if (records.length === 0) return;
      for (const record of records) byId.value.set(record.id, record);
      triggerRef(byId);
    },
    drop(ids) {
      for (const id of ids) byId.value.delete(id);
      triggerRef(byId);
    },
  };
}
