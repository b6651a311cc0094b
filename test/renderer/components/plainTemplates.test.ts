/** The compiler's change of templates, tried on what it compiles; and the same for options of charts. */
import { compile } from '@vue/compiler-dom';
import * as Vue from 'vue';
import { describe, expect, it } from 'vitest';
import { shownText } from '../../../preload/shared/plainText.ts';
import { plainOption } from '../../../preload/charts/draw/plainOption.ts';
import { plainTemplates, SHOW } from '../../../renderer/components/plainTemplates.ts';

const EVIL = 'safe\u202Etxt.exe\u200B';
const SEEN = 'safe<U+202E>txt.exe<U+200B>';

/** What a template makes of values, as the renderer's build compiles it. */
function rendered(template: string, values: Readonly<Record<string, unknown>>): Vue.VNode {
  const { code } = compile(template, {
    mode: 'function',
    hoistStatic: true,
    prefixIdentifiers: true,
    nodeTransforms: [plainTemplates],
  });
  const render = new Function('Vue', code)(Vue) as (...given: unknown[]) => Vue.VNode;
  const show = (value: unknown): unknown => (typeof value === 'string' ? shownText(value) : value);
  return render({ ...values, [SHOW]: show }, []);
}

describe('templates', () => {
  it('show hidden characters of whatever they name (would catch a name that reads backwards on any page)', () => {
    const node = rendered('<b :title="name" :aria-label="`Run ${name}`">{{ name }} of {{ n }}</b>', {
      name: EVIL,
      n: 2,
    });
    expect(node.children).toBe(`${SEEN} of 2`);
    expect(node.props).toEqual({ title: SEEN, 'aria-label': `Run ${SEEN}` });
  });

  it('do so within lists, conditions and slots', () => {
    const node = rendered(
      '<ul><li v-for="x in list" :key="x"><i v-if="x">{{ x }}</i><i v-else>{{ name }}</i></li></ul>',
      {
        list: [EVIL, ''],
        name: EVIL,
      },
    );
    const texts = JSON.stringify(node, ['children']);
    expect(texts).not.toContain('\u202E');
    expect(texts.split(SEEN)).toHaveLength(3);
  });

  it('leave constants where they may stand, and other attributes as they are', () => {
    expect(rendered('<p>{{ 1 + 1 }}</p>', {}).children).toBe('2');
    expect(rendered('<input :value="name" :placeholder="name">', { name: EVIL }).props).toEqual({
      value: EVIL,
      placeholder: SEEN,
    });
  });
});

describe('options of charts', () => {
  it('show hidden characters in axes, data and what functions answer', () => {
    const option = plainOption({
      xAxis: { name: EVIL, data: [EVIL, 'b'] },
      tooltip: { formatter: () => EVIL },
      series: [{ renderItem: () => ({ children: [{ style: { text: EVIL } }] }) }],
    });
    expect(option.xAxis).toEqual({ name: SEEN, data: [SEEN, 'b'] });
    expect(option.tooltip.formatter()).toBe(SEEN);
    expect(option.series[0].renderItem().children[0].style.text).toBe(SEEN);
  });

  it('copy nothing that holds nothing hidden (would catch copies of all points at every drawing)', () => {
    const points = new Float32Array(4);
    const data = Array.from({ length: 1000 }, (_, i) => [i, Number.NaN]);
    const option = plainOption({ shape: { curve: { points } }, series: [{ data }] });
    expect(option.shape.curve.points).toBe(points);
    expect(option.series[0].data).toBe(data);
  });
});
