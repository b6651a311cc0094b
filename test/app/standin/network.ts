/** Requests of pages: documents are asked about, and what has the app's own scheme is answered by the app. */
import { allContents, contentsOf, popups } from './contents.ts';
import type { WebContents } from './contents.ts';
import { ownAddress, schemeOf, shownPatterns } from './addresses.ts';
import { state } from './state.ts';

type Handler = (request: Request) => Response | Promise<Response>;

const handlers = new Map<string, Handler>();

export function handleScheme(scheme: string, handler: Handler): void {
  if (handlers.has(scheme)) throw new Error(`The scheme ${scheme} is already handled`);
  handlers.set(scheme, handler);
}

interface Paused {
  readonly requestId: string;
  readonly frameId: string;
  readonly resourceType: string;
  readonly redirectedRequestId?: string;
  readonly request: { readonly url: string; readonly method: string; readonly headers: Record<string, string> };
}

export async function watchRequests(): Promise<void> {
  const { chromium } = state;
  chromium.on('Fetch.requestPaused', (paused: Paused) => {
    answer(paused).catch((error: Error) => {
      // Electron says no more of a handler that fails.
      if (!/Invalid InterceptionId/u.test(error.message)) console.error(error);
      fail(paused, 'Failed');
    });
  });
  await chromium.send('Fetch.enable', {
    patterns: [{ urlPattern: '*', resourceType: 'Document' }, ...shownPatterns().map((urlPattern) => ({ urlPattern }))],
  });
}

const fail = ({ requestId }: Paused, errorReason: string): void =>
  state.chromium.tell('Fetch.failRequest', { requestId, errorReason });

async function answer(paused: Paused): Promise<void> {
  const { requestId, frameId, resourceType, request, redirectedRequestId } = paused;
  if (resourceType === 'Document') {
    const contents = contentsOf(frameId);
    if (contents?.mayShow(frameId, request.url, redirectedRequestId !== undefined) === false) {
      fail(paused, 'Aborted');
      return;
    }
  }
  const scheme = schemeOf(request.url);
  const handler = scheme === undefined ? undefined : handlers.get(scheme.name);
  if (scheme === undefined) {
    await state.chromium.send('Fetch.continueRequest', { requestId });
    return;
  }
  const fetched = resourceType === 'Fetch' || resourceType === 'XHR';
  if (handler === undefined || (fetched && scheme.privileges.supportFetchAPI !== true)) {
    fail(paused, 'NameNotResolved');
    return;
  }
  const { method, headers } = request;
  const response = await handler(new Request(ownAddress(request.url), { method, headers }));
  await state.chromium.send('Fetch.fulfillRequest', {
    requestId,
    responseCode: response.status,
    responseHeaders: [...response.headers].map(([name, value]) => ({ name, value })),
    body: Buffer.from(await response.arrayBuffer()).toString('base64'),
  });
}

/** What DevTools say of pages, to those whose they are. */
export async function watchPages(onPopup: (opener: WebContents, target: string) => Promise<void>): Promise<void> {
  const { chromium } = state;
  for (const method of [
    'Page.frameAttached',
    'Page.frameDetached',
    'Page.frameNavigated',
    'Page.navigatedWithinDocument',
    'Page.lifecycleEvent',
    'Page.loadEventFired',
    'Page.windowOpen',
    'Inspector.targetCrashed',
    'Runtime.executionContextCreated',
    'Runtime.executionContextDestroyed',
    'Runtime.executionContextsCleared',
    'Runtime.bindingCalled',
  ])
    chromium.on(method, (told, session) =>
      allContents()
        .find((each) => each.session === session)
        ?.hear(method, told),
    );
  chromium.on('Target.targetDestroyed', ({ targetId }) =>
    allContents()
      .find(({ target }) => target === targetId)
      ?.gone(),
  );
  // A window that a page opens waits until it is known whether it may.
  chromium.on('Target.attachedToTarget', ({ sessionId, targetInfo, waitingForDebugger }) => {
    if (waitingForDebugger !== true) return;
    const { targetId, type } = targetInfo;
    const own = type === 'page' && state.creating > 0;
    if (own) state.creating--;
    void (async () => {
      const popup = type === 'page' && !own ? await popups.next() : undefined;
      if (popup?.action === 'deny') chromium.tell('Target.closeTarget', { targetId });
      else if (popup !== undefined) await onPopup(popup.opener, targetId);
      chromium.tell('Runtime.runIfWaitingForDebugger', {}, sessionId);
      chromium.tell('Target.detachFromTarget', { sessionId });
    })();
  });
  await chromium.send('Target.setDiscoverTargets', { discover: true });
  await chromium.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true });
}
