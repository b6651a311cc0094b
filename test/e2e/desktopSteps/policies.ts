/** What pages of the desktop app may not do, tried from its own page. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { BRIDGE_KEYS } from '../../../preload/contract/bridge.ts';
import type { Desktop } from '../desktop.ts';
import { go, until } from '../harness.ts';

const START = /^app:\/\/sweeplab\/index\.html/u;

export function policySteps(desktop: Desktop): void {
  const addresses = (): Promise<string[]> =>
    desktop.main(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((each) => each.webContents.getURL()));
  const opened = (): Promise<string[]> => desktop.main(() => [...globalThis.desk.opened]);
  /** Another window of the same process, which the app did not make. @returns its page */
  const stranger = async (address: string): Promise<Page> => {
    const before = new Set(desktop.context.pages());
    await desktop.main(
      ({ BrowserWindow }, { preload, address }) => {
        const made = new BrowserWindow({ show: false, webPreferences: { preload } });
        void made.loadURL(address);
      },
      { preload: join(desktop.app, 'out/preload/index.cjs'), address },
    );
    const page = await until(
      () => desktop.context.pages().find((each) => !before.has(each))!,
      (each) => each !== undefined,
      'another window',
    );
    await page.waitForFunction('window.sweeplab !== undefined');
    return page;
  };
  const asksForFile = (page: Page): Promise<string> =>
    page.evaluate("window.sweeplab.chooseFile({ name: 'a.csv' }).then(String, ({ message }) => message)");

  it('shows the interface from its own origin, without Node (would catch a page that loads from elsewhere)', async () => {
    const { page } = desktop;
    expect(await addresses()).toEqual([expect.stringMatching(START)]);
    expect(await page.evaluate('[typeof require, typeof process, typeof module]')).toEqual(Array(3).fill('undefined'));
    expect(await page.evaluate('isSecureContext')).toBe(true);
    expect(await page.evaluate('Object.keys(window.sweeplab).sort()')).toEqual([...BRIDGE_KEYS].sort());
    // A page that was taken over cannot put itself between.
    expect(
      await page.evaluate('(window.sweeplab.saveFile = 1, window.sweeplab = 2, typeof window.sweeplab.saveFile)'),
    ).toBe('function');
    const preferences = await desktop.main(({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0].webContents as unknown as { getLastWebPreferences(): object };
      return contents.getLastWebPreferences();
    });
    expect(preferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
    });
  });

  it('gives a page a connection to the lab (would catch a port that never arrives)', async () => {
    const hello = await desktop.page.evaluate(`new Promise((resolve) => {
      addEventListener('message', ({ data, ports, source }) => {
        if (source !== window || data.type !== 'sweeplab:port' || data.token !== 'test') return;
        ports[0].onmessage = (event) => (ports[0].close(), resolve(event.data));
      });
      window.sweeplab.connect('test');
    })`);
    expect(hello).toMatchObject({ kind: 'hello' });
  });

  it('has no page outside of the build (would catch a way out of its folder)', async () => {
    const { page, complaints } = desktop;
    await complaints.expecting(/404/u, async () => {
      for (const path of [
        '/..%2f..%2fpackage.json',
        '/%2e%2e%2fmain/index.js',
        '/..%5c..%5cpackage.json',
        '/assets/..%2f..%2fmain/index.js',
        '/missing.js',
        '/index.html%00.js',
        '/.%2findex.html',
        '/%2fpackage.json',
        '/assets/',
        '/C:/Windows/win.ini',
      ])
        expect([
          path,
          await page.evaluate(`fetch(${JSON.stringify(path)}).then(({ status }) => status, () => 404)`),
        ]).toEqual([path, 404]);
      expect(await page.evaluate("fetch('/index.html', { method: 'POST' }).then(({ status }) => status)")).toBe(404);
    });
    const [status, policy, type] = await page.evaluate<[number, string, string]>(
      "fetch('/index.html').then(({ status, headers }) => [status, headers.get('content-security-policy'), headers.get('content-type')])",
    );
    expect([status, type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(policy).toContain("default-src 'none'");
  });

  it('runs no script and loads nothing but its own (would catch a policy that is not sent)', async () => {
    const { page, complaints } = desktop;
    await complaints.expecting(/policy: |Content Security Policy|ERR_BLOCKED_BY_CSP/u, async () => {
      const made = await page.evaluate<string[]>(`(async () => {
        const broken = [];
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => broken.push(effectiveDirective));
        const script = document.createElement('script');
        script.textContent = 'window.taken = true';
        document.head.append(script);
        const frame = document.createElement('iframe');
        frame.src = location.href;
        document.body.append(frame);
        await new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
        const inside = (() => { try { return typeof frame.contentWindow.sweeplab; } catch { return 'refused'; } })();
        frame.remove();
        const empty = document.body.appendChild(document.createElement('iframe'));
        const bridge = typeof empty.contentWindow.sweeplab;
        empty.remove();
        const away = await fetch('https://127.0.0.1:9/').then(() => 'loaded', () => 'refused');
        let evaluated = 'refused';
        try { evaluated = Function('return "run"')(); } catch {}
        while (broken.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
        return [typeof window.taken, inside, bridge, away, evaluated, ...broken.sort()];
      })()`);
      expect(made).toEqual([
        'undefined',
        'refused',
        'undefined',
        'refused',
        'refused',
        'connect-src',
        'frame-src',
        'script-src',
        'script-src-elem',
      ]);
    });
  });

  it('goes nowhere else and opens no window (would catch a guard that is not attached)', async () => {
    const { page } = desktop;
    const [before] = await addresses();
    const links = ['https://127.0.0.1:9/a', 'http://127.0.0.1:9/b', 'file:///etc/passwd', 'https://u:p@127.0.0.1:9/c'];
    await page.evaluate("location.href = 'https://127.0.0.1:9/'");
    // A click is what popup blockers let through.
    for (const [i, link] of links.entries()) {
      await page.evaluate(`{
        const link = document.createElement('a');
        Object.assign(link, { href: ${JSON.stringify(link)}, target: '_blank', textContent: 'away', id: 'away' });
        link.style.cssText = 'position: fixed; top: 0; left: 0; z-index: 9999';
        document.body.append(link);
      }`);
      await desktop.complaints.expecting(/Not allowed to load local resource/u, () => page.locator('#away').click());
      await page.evaluate("document.getElementById('away').remove()");
      if (i === 0) await until(opened, (list) => list.length > 0, 'the link in the browser of the system');
    }
    await page.evaluate("void window.open('https://127.0.0.1:9/d')");
    await until(opened, (list) => list.length > 1, 'the second link in the browser of the system');
    expect(await opened()).toEqual(['https://127.0.0.1:9/a', 'https://127.0.0.1:9/d']);
    expect(await addresses()).toEqual([before]);
    expect(await page.evaluate('typeof window.sweeplab')).toBe('object');
  });

  it('may copy, and is denied all else of the system (would catch a handler that is not set)', async () => {
    const { page } = desktop;
    const states = await page.evaluate<Record<string, string>>(`(async () => {
      const names = ['geolocation', 'notifications', 'camera', 'microphone', 'midi', 'clipboard-read', 'clipboard-write'];
      const found = await Promise.all(names.map(async (name) => [name, (await navigator.permissions.query({ name })).state]));
      return Object.fromEntries(found);
    })()`);
    const { 'clipboard-write': copying, ...others } = states;
    expect(copying).toBe('granted');
    expect(new Set(Object.values(others))).toEqual(new Set(['denied']));
    expect(
      await page.evaluate(
        'new Promise((resolve) => navigator.geolocation.getCurrentPosition(() => resolve(0), ({ code }) => resolve(code)))',
      ),
    ).toBe(1);
    expect(
      await page.evaluate('navigator.mediaDevices.getUserMedia({ audio: true }).then(() => "", ({ name }) => name)'),
    ).toMatch(/NotAllowedError|NotFoundError/u);
    await page.bringToFront();
    expect(await page.evaluate("navigator.clipboard.writeText('0.003').then(() => 'copied', String)")).toBe('copied');
  });

  it('downloads nothing by itself (would catch a file that is left somewhere unasked)', async () => {
    const { page } = desktop;
    await page.evaluate(`{
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob(['a']));
      link.download = 'a.txt';
      link.click();
    }`);
    const downloads = (): Promise<object[]> => desktop.main(() => [...globalThis.desk.downloads]);
    await until(downloads, (list) => list.length > 0, 'a download');
    expect(await downloads()).toEqual([{ name: 'a.txt', prevented: true }]);
  });

  it('hears only its own window on its own page (would catch a sender that is not looked at)', async () => {
    const other = await stranger('app://sweeplab/index.html');
    expect(await asksForFile(other)).toMatch(/may not ask for that/u);
    const blank = await stranger('about:blank');
    expect(await asksForFile(blank)).toMatch(/may not ask for that/u);
    for (const page of [other, blank]) {
      const answer = await page.evaluate(`new Promise((resolve) => {
        addEventListener('message', ({ data }) => data.token === 'taken' && resolve('connected'));
        window.sweeplab.connect('taken');
        window.sweeplab.showFile('/').catch(() => setTimeout(() => resolve('refused'), 0));
      })`);
      expect(answer).toBe('refused');
    }
    await desktop.main(({ BrowserWindow }) => {
      for (const each of BrowserWindow.getAllWindows().slice(1)) each.destroy();
    });
    await until(addresses, (list) => list.length === 1, 'the end of the other windows');
    // And the window itself, where it shows something else.
    await desktop.complaints.expecting(/./u, async () => {
      const { page } = desktop;
      const own = page.url();
      const show = (address: string): Promise<void> =>
        desktop.main(({ BrowserWindow }, to) => BrowserWindow.getAllWindows()[0].loadURL(to), address);
      await show('about:blank');
      await page.waitForURL('about:blank');
      expect(await asksForFile(page)).toMatch(/may not ask for that/u);
      await show('app://sweeplab/index.html');
      await page.waitForURL(own);
    });
    await desktop.page.getByRole('banner').waitFor();
    expect(desktop.said).toMatch(/A message of about:blank was refused/u);
  });

  it('looks as the system does, or as the menu says (would catch a theme that the desktop does not hand on)', async () => {
    const { page } = desktop;
    const theme = (): Promise<string> => page.evaluate('document.documentElement.dataset.theme');
    const is = (wanted: string): Promise<string> => until(theme, (found) => found === wanted, `the ${wanted} theme`);
    const system = (source: 'dark' | 'light' | 'system'): Promise<void> =>
      desktop.main(({ nativeTheme }, given) => void (nativeTheme.themeSource = given), source);
    await system('dark');
    await is('dark');
    await system('light');
    await is('light');
    await desktop.menu('Look', 'Theme: dark');
    await is('dark');
    await desktop.menu('Look', 'Theme: follow the system');
    await is('light');
    await system('system');
  });

  it('does what its menu says, and leaves to the page what is its own (would catch a key that is pressed twice)', async () => {
    const { page } = desktop;
    await desktop.menu('Go', 'Queue');
    await page.waitForURL(/#\/queue/u);
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Command, run or sweep' }).waitFor();
    // Twice would close it again, a moment later.
    await page.keyboard.type('go to data');
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/data/u);
    await desktop.menu('Lab', 'Import runs…');
    await page.getByRole('dialog', { name: 'Import runs' }).waitFor();
    await page.keyboard.press('Escape');
    await go(page, '#/');
  });
}
