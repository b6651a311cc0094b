import { formatHash } from '../../frame/address.ts';

/** `sweeps.md#grid` → `#/help/sweeps?at=grid`; `https://…` as it is; anything else is no link. */
export function guideLink(to: string): string | undefined {
  if (to.startsWith('https://')) return to;
  const page = /^(?:\.\/)?([\w-]+)\.md(?:#([\w-]+))?$/u.exec(to);
  return page === null ? undefined : formatHash(`/help/${page[1]}`, { at: page[2] });
}
