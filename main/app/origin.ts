/** Where the app's own pages come from. */
export const SCHEME = 'app';
export const HOST = 'sweeplab';
const ORIGIN = `${SCHEME}://${HOST}`;
export const START_PAGE = `${ORIGIN}/index.html`;

/** True for an address of the app itself. `URL.origin` is "null" for schemes that browsers do not know, so the parts are compared. */
export function isOwn(address: string): boolean {
  const url = URL.parse(address);
  return (
    url !== null &&
    url.protocol === `${SCHEME}:` &&
    url.hostname === HOST &&
    url.port === '' &&
    url.username === '' &&
    url.password === ''
  );
}
