/** What pages may ask of the system. All else is denied, what future browsers invent included. */
import { isOwn } from './origin.ts';

/** Copying numbers and charts to the clipboard is all that the interface needs. */
const ALLOWED: ReadonlySet<string> = new Set(['clipboard-sanitized-write']);

export const mayUse = (permission: string, address: string): boolean => ALLOWED.has(permission) && isOwn(address);
