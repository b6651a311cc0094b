/** Where messages stand so that they cover no button that one presses next. */

/** px from the upper left corner of the window. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const GAP = 8;

/** How far above its place a stack of messages must stand to leave all `buttons` free; 0 where the window has no such place. px */
export function liftOver(stack: Box, buttons: readonly Box[]): number {
  let lift = 0;
  const beside = buttons.filter(({ left, right }) => left < stack.right && right > stack.left);
  // From below upwards: what lies beneath one that was passed is passed too.
  for (const { top, bottom } of beside.toSorted((a, b) => b.top - a.top))
    if (top < stack.bottom - lift && bottom > stack.top - lift) lift = stack.bottom - top + GAP;
  return lift > stack.top ? 0 : lift;
}
