/** Where a window may go: nowhere but to the app's own pages. Links to elsewhere are opened by the system's browser, if at all. */
import { isOwn } from './origin.ts';

/** Also asked for redirects and for frames. */
export const mayNavigate = (address: string): boolean => isOwn(address);

const LONGEST = 2048;

/**
 * Whether the system's browser may be asked to open the address: https only, since other schemes start other programs, and without
 * credentials, which make one host look like another.
 */
export function mayOpenExternally(address: unknown): address is string {
  if (typeof address !== 'string' || address.length > LONGEST) return false;
  const url = URL.parse(address);
  return url !== null && url.protocol === 'https:' && url.hostname !== '' && url.username === '' && url.password === '';
}
