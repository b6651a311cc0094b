/** What tokenizers make of corpora, as far as it was measured. Measuring takes a while: leaving the view must not lose it. */
import { defineStore } from 'pinia';
import { ref } from 'vue';
import type { DataFacts } from './contract.ts';

export const useTokenizerFacts = defineStore('tokenizerFacts', () => {
  const measured = ref<ReadonlyMap<string, ReadonlyMap<string, DataFacts>>>(new Map());
  const NONE: ReadonlyMap<string, DataFacts> = new Map();
  /** By the key of the tokenizer. `data`: what is read and how, as one text. */
  const of = (data: string): ReadonlyMap<string, DataFacts> => measured.value.get(data) ?? NONE;
  function add(data: string, key: string, facts: DataFacts): void {
    measured.value = new Map(measured.value).set(data, new Map(of(data)).set(key, facts));
  }
  return { of, add };
});
