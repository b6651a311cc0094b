/**
 * What the compiler of templates does to every text of a page: `{{ name }}` and `:title="name"` show the characters that would else hide,
 * or turn around what stands beside them (preload/shared/plainText.ts). Done here, no template can forget it.
 */
import type { ExpressionNode, NodeTransform, SimpleExpressionNode, SourceLocation } from '@vue/compiler-core';

/** Kinds of nodes: in the compiler's types they are an enum, of which nothing is left where types are only stripped. */
const [ELEMENT, SIMPLE, INTERPOLATION, DIRECTIVE, COMPOUND] = [1, 4, 5, 7, 8] as number[];
/** Attributes that a browser shows or reads aloud. */
const SHOWN = new Set(['title', 'alt', 'placeholder', 'label', 'aria-label', 'aria-description', 'aria-valuetext']);

/** Of the application's global properties: the function that all texts go through. */
export const SHOW = '$shown';

function shown(content: ExpressionNode, loc: SourceLocation): ExpressionNode {
  // Never constant: what the compiler takes for one it moves to where there is no `_ctx`.
  const call = { type: SIMPLE, content: `_ctx.${SHOW}`, isStatic: false, constType: 0, loc };
  return { type: COMPOUND, loc, children: [call, '(', content, ')'] } as unknown as ExpressionNode;
}

export const plainTemplates: NodeTransform = (node) => {
  if ('content' in node && (node.type as number) === INTERPOLATION) {
    node.content = shown(node.content as ExpressionNode, node.loc);
    return;
  }
  // A component hands on what it is given to an element of its own.
  if (!('tagType' in node) || (node.type as number) !== ELEMENT || (node.tagType as number) !== 0) return;
  for (const prop of node.props) {
    if ((prop.type as number) !== DIRECTIVE || !('exp' in prop) || prop.name !== 'bind') continue;
    const { arg, exp, loc } = prop;
    if (exp === undefined || (arg?.type as number) !== SIMPLE || !(arg as SimpleExpressionNode).isStatic) continue;
    if (SHOWN.has((arg as SimpleExpressionNode).content)) prop.exp = shown(exp, loc);
  }
};
