/** A parsed page as elements. Links lead to other pages of the guide or, outside, to https addresses only. */
import { defineComponent, h } from 'vue';
import type { PropType, VNode, VNodeChild } from 'vue';
import CopyButton from '../../components/CopyButton.vue';
import { guideLink } from './links.ts';
import type { Block, Inline } from './blocks.ts';

type ImageSource = (source: string) => string | undefined;

function inline(parts: readonly Inline[], image: ImageSource): VNodeChild[] {
  return parts.map((part) => {
    switch (part.kind) {
      case 'text':
        return part.text;
      case 'code':
        return h('code', part.text);
      case 'strong':
        return h('strong', inline(part.parts, image));
      case 'emphasis':
        return h('em', inline(part.parts, image));
      case 'image': {
        const src = image(part.source);
        return src === undefined ? part.alt : h('img', { src, alt: part.alt, loading: 'lazy' });
      }
      case 'link': {
        const href = guideLink(part.to);
        if (href === undefined) return h('span', inline(part.parts, image));
        const outside = href.startsWith('https:') ? { target: '_blank', rel: 'noreferrer noopener' } : {};
        return h('a', { href, ...outside }, inline(part.parts, image));
      }
    }
    return null;
  });
}

function block(each: Block, image: ImageSource): VNode {
  switch (each.kind) {
    case 'heading':
      return h(`h${each.level}`, { id: each.id }, inline(each.parts, image));
    case 'paragraph':
      return h('p', inline(each.parts, image));
    case 'code':
      return h('div', { class: 'code' }, [
        h('pre', { tabindex: 0 }, h('code', each.text)),
        h(CopyButton, { text: each.text, label: 'Copy' }),
      ]);
    case 'list':
      return h(
        each.ordered ? 'ol' : 'ul',
        each.items.map((item) =>
          h(
            'li',
            // A single paragraph needs no space around it.
            item.map((part) => (part.kind === 'paragraph' ? h('span', inline(part.parts, image)) : block(part, image))),
          ),
        ),
      );
    case 'quote':
      return h(
        'blockquote',
        each.blocks.map((part) => block(part, image)),
      );
    case 'table':
      return h('div', { class: 'table', tabindex: 0 }, [
        h('table', [
          h(
            'thead',
            h(
              'tr',
              each.head.map((cell) => (cell.length === 0 ? h('td') : h('th', { scope: 'col' }, inline(cell, image)))),
            ),
          ),
          h(
            'tbody',
            each.rows.map((row) =>
              h(
                'tr',
                row.map((cell) => h('td', inline(cell, image))),
              ),
            ),
          ),
        ]),
      ]);
    case 'rule':
      return h('hr');
  }
}

export default defineComponent({
  name: 'MarkdownText',
  props: {
    blocks: { type: Array as PropType<readonly Block[]>, required: true },
    image: { type: Function as PropType<ImageSource>, required: true },
  },
  setup: (props) => () =>
    h(
      'article',
      { class: 'markdown' },
      props.blocks.map((each) => block(each, props.image)),
    ),
});
