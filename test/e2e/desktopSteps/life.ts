/** The life of the desktop app: a second start, its window, quitting while it trains, crashes of the lab and of the page. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { processBegan } from '../../../main/files/processBegan.ts';
import type { Desktop } from '../desktop.ts';
import { colouredPixels, enginesOf, go, until } from '../harness.ts';

export function lifeSteps(desktop: Desktop): void {
  const place = { x: 120, y: 80, width: 1200, height: 760 };
  const window = () =>
    desktop.main(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((each) => ({
        visible: each.isVisible(),
        minimized: each.isMinimized(),
        maximized: each.isMaximized(),
        focused: each.isFocused(),
        bounds: each.getNormalBounds(),
      })),
    );
  const titleBar = () => desktop.page.getByRole('banner');
  const running = () => titleBar().getByText(/running/u);

  it('is one app however often it is started (would catch two writers of one database)', async () => {
    await desktop.main(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].minimize());
    expect(await desktop.second()).toBe(0);
    await until(window, ([first]) => first?.minimized === false, 'the window of the first start');
    expect(await window()).toMatchObject([{ visible: true, minimized: false, focused: true }]);
  });

  it('asks before it quits while runs train, and goes on where it is told to (would catch a quit that loses a run)', async () => {
    const { page } = desktop;
    await go(page, '#/');
    await page.getByRole('button', { name: 'Adapt Quick start' }).click();
    await page.getByRole('button', { name: 'Clear the draft' }).click();
    await page.locator('[data-setting="stop.steps"] input').first().fill('100000');
    await page.getByRole('complementary', { name: 'Plan' }).getByRole('button', { name: 'Launch 1 run' }).click();
    await page.waitForURL(/#\/board\?sweep=/u);
    await until(
      () => colouredPixels(page, 'train/loss'),
      (count) => count > 20,
      'a drawn curve',
    );
    await desktop.key('Control+q');
    const question = await desktop.press('Keep training');
    expect(question.options).toMatchObject({ message: 'A run is training.', defaultId: 0, cancelId: 0 });
    await running().waitFor();
    await desktop.main(({ BrowserWindow }, bounds) => BrowserWindow.getAllWindows()[0].setBounds(bounds), place);
    // Closing the last window is quitting; training must not go on unseen.
    const closed = desktop.page;
    await desktop.main(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].close());
    expect(await desktop.press('Keep training')).toMatchObject({ modal: false });
    await desktop.findWindow(closed);
    await running().waitFor();
    const lab = await desktop.labProcess();
    const ended = desktop.quit();
    await desktop.press('Stop and quit');
    expect(await ended).toBe(0);
    expect(processBegan(lab)).toBeUndefined();
  });

  it('goes on with its runs at the next start, in a window where the last one was (would catch a checkpoint that nobody reads)', async () => {
    await desktop.start();
    expect((await window())[0]).toMatchObject({ bounds: place, maximized: false, visible: true });
    expect(await desktop.page.evaluate('[outerWidth, outerHeight, screenX, screenY]')).toEqual([1200, 760, 120, 80]);
    const [run] = await until(
      () => [...enginesOf(join(desktop.home, 'lab'))],
      (list) => list.length > 0,
      'a run in training',
    ).then(([first]) => first!);
    await go(desktop.page, `#/run/${run}`);
    await desktop.page
      .getByText(/2\sattempts/u)
      .first()
      .waitFor();
  });

  it('finds the lab again after it crashed (would catch a page that must be loaded again)', async () => {
    const { page } = desktop;
    await page.evaluate('window.same = true');
    const before = await desktop.labProcess();
    process.kill(before, 'SIGKILL');
    // The run that it trained goes on, and the same page hears of it.
    await page
      .getByText(/3\sattempts/u)
      .first()
      .waitFor();
    expect(await page.evaluate('window.same')).toBe(true);
    expect(await desktop.labProcess()).not.toBe(before);
    await running().waitFor();
  });

  it('shows its page again after that crashed (would catch a window that stays white)', async () => {
    await desktop.complaints.expecting(/./u, async () => {
      await desktop.main(({ BrowserWindow }) => {
        const { webContents } = BrowserWindow.getAllWindows()[0];
        return new Promise<void>((resolve) => {
          webContents.once('did-finish-load', () => resolve());
          webContents.forcefullyCrashRenderer();
        });
      });
      await desktop.meetAgain();
    });
    await running().waitFor();
    expect(await desktop.stop()).toBe(0);
  });

  it('opens where there is a screen (would catch a window that nobody can reach)', async () => {
    const file = join(desktop.home, 'user', 'window.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ ...place, maximized: false });
    writeFileSync(file, JSON.stringify({ ...place, x: -9000, maximized: true }));
    await desktop.start();
    await until(window, ([first]) => first?.maximized === true, 'a window as large as the screen');
    const [{ bounds }] = await window();
    expect(bounds.x).toBeGreaterThanOrEqual(0);
    expect(await desktop.stop()).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ width: 1200, height: 760, maximized: true });
  });
}
