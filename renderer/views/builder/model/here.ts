/** Which section of a long page one is at: that of which the tab is marked. */

export interface SectionPlace {
  readonly name: string;
  /** Of its upper edge, counted from that of the window it scrolls in. px */
  readonly top: number;
}

export interface ScrollWindow {
  readonly height: number;
  /** It cannot be scrolled further down. */
  readonly atEnd: boolean;
}

/** A section that begins this far down is the one that is read. px */
const NEAR = 80;

/**
 * The last section that has begun; the first one where none has. At the end of the page, where the last sections never reach the top, the
 * one that was asked for counts while it can be seen.
 *
 * @param sections in the order of the page
 * @returns undefined without sections
 */
export function sectionHere(
  sections: readonly SectionPlace[],
  { height, atEnd }: ScrollWindow,
  asked?: string,
): string | undefined {
  const wanted = atEnd ? sections.find(({ name }) => name === asked) : undefined;
  if (wanted !== undefined && wanted.top >= -1 && wanted.top < height) return wanted.name;
  return (sections.findLast(({ top }) => top < NEAR) ?? sections[0])?.name;
}
