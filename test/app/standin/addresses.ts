/**
 * Chromium knows no scheme but its own, and none can be taught over DevTools: `app://sweeplab/x` is shown as `https://sweeplab.app.test/x`, which
 * is never looked up, since every request for it is answered here. Everything that crosses is translated, so the app sees its own addresses.
 */
const SUFFIX = 'test';

interface Scheme {
  readonly name: string;
  readonly privileges: Electron.Privileges;
}

const schemes = new Map<string, Scheme>();

export function registerScheme({ scheme, privileges = {} }: Electron.CustomScheme): void {
  schemes.set(scheme, { name: scheme, privileges });
}

/** What is not `secure` is plain http here, which Chromium keeps the same things from. */
const carrier = ({ privileges }: Scheme): string => (privileges.secure === true ? 'https' : 'http');

/** As Chromium shows it. A scheme that is not registered as standard has no origin: Chromium says of it that it is unknown. */
export function shownAddress(address: string): string {
  const url = URL.parse(address);
  const scheme = url === null ? undefined : schemes.get(url.protocol.slice(0, -1));
  if (url === null || scheme?.privileges.standard !== true) return address;
  return `${carrier(scheme)}://${url.host}.${scheme.name}.${SUFFIX}${address.slice(`${url.protocol}//${url.host}`.length) || '/'}`;
}

const patternOf = ({ name }: Scheme): RegExp => new RegExp(`^https?://([^/?#]+)\\.${name}\\.${SUFFIX}(?=[/?#]|$)`, 'u');

export function schemeOf(shown: string): Scheme | undefined {
  return [...schemes.values()].find((scheme) => patternOf(scheme).test(shown));
}

/** As the app knows it. */
export function ownAddress(shown: string): string {
  const scheme = schemeOf(shown);
  return scheme === undefined ? shown : shown.replace(patternOf(scheme), `${scheme.name}://$1`);
}

/** What Chromium is to hold up for an answer. */
export const shownPatterns = (): string[] => [...schemes.keys()].map((name) => `*://*.${name}.${SUFFIX}/*`);
