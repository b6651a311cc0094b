import { expect, it } from 'vitest';
import { ref } from 'vue';
import { useRoving } from '../../../renderer/components/roving.ts';

const letters = ['a', 'b', 'c', 'd', 'e'];
const key = (pressed: string): { key: string } => ({ key: pressed });

it('has one stop of the Tab key, whatever the length (would catch 300 stops before the toolbar)', () => {
  const { tabindex, touch } = useRoving(() => letters);
  const stops = (): string[] => letters.filter((each) => tabindex(each) === 0);
  expect(stops()).toEqual(['a']);
  touch('d');
  expect(stops()).toEqual(['d']);
});

it('keeps a stop when the row that had it is gone, or scrolled out of a virtual list', () => {
  const all = ref(letters);
  const mounted = ref(letters);
  const { tabindex, touch } = useRoving(
    () => all.value,
    () => mounted.value,
  );
  touch('b');
  mounted.value = ['c', 'd'];
  expect(letters.filter((each) => tabindex(each) === 0)).toEqual(['c']);
  mounted.value = ['b', 'c', 'd'];
  expect(tabindex('b')).toBe(0);
  all.value = mounted.value = ['c', 'd', 'e'];
  expect(tabindex('c')).toBe(0);
});

it('arrows, Home, End and pages stay inside the list', () => {
  const { target } = useRoving(() => letters);
  expect(target(key('ArrowDown'), 'a')).toBe('b');
  expect(target(key('ArrowUp'), 'a')).toBe('a');
  expect(target(key('End'), 'a')).toBe('e');
  expect(target(key('Home'), 'd')).toBe('a');
  expect(target(key('PageDown'), 'b')).toBe('e');
  expect(target(key('x'), 'b')).toBeUndefined();
});
