/** A lab on a folder of its own and a page that shows it, from the first test of a file to its last. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, expect } from 'vitest';
import { Complaints, newContext, newHome, openBrowser, removeHome, startLab } from './harness.ts';
import type { Lab } from './harness.ts';

export class Visit {
  /** Data folder of the lab: there before it starts, for what it is to find. */
  readonly home = newHome();
  readonly complaints = new Complaints();
  lab!: Lab;
  browser!: Browser;
  context!: BrowserContext;

  /** Starts lab and browser. @returns the page: the lab's, once its frame is there */
  async begin(): Promise<Page> {
    [this.lab, this.browser] = await Promise.all([startLab(this.home), openBrowser()]);
    this.context = await newContext(this.browser, this.complaints);
    const page = await this.context.newPage();
    await page.goto(this.lab.url);
    await page.getByRole('banner').waitFor();
    return page;
  }

  async end(): Promise<void> {
    await this.browser?.close();
    await this.lab?.stop();
    removeHome(this.home);
  }
}

/** A visit that ends with the tests of this `describe`; whatever the browser complains about fails the test in which it does. */
export function useVisit(): Visit {
  const visit = new Visit();
  afterAll(() => visit.end());
  afterEach(() => expect(visit.complaints.take(), 'what the browser complained about').toEqual([]));
  return visit;
}
