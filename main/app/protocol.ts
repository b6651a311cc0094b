/** The app's own scheme: the built interface, with its headers, and 404 for everything else. */
import { readFile } from 'node:fs/promises';
import { protocol } from 'electron';
import type { Session } from 'electron';
import { contentSecurityPolicy, pageHeaders } from '../host/pageFiles.ts';
import { SCHEME } from './origin.ts';
import { findPage } from './pages.ts';

/** No network: calls travel over a message port. */
const HEADERS = pageHeaders(contentSecurityPolicy());

/** Before the app is ready. `standard` gives pages an origin, `secure` what browsers keep from plain http. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

export function servePages(session: Session, root: string): void {
  session.protocol.handle(SCHEME, async ({ url, method }) => {
    const page = method === 'GET' ? await findPage(root, url) : undefined;
    if (page === undefined) return new Response('Not found', { status: 404, headers: HEADERS });
    return new Response(await readFile(page.path), { headers: { ...HEADERS, 'Content-Type': page.type } });
  });
}
