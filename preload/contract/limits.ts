/**
 * How much may come in from a page, a file of settings or a flag: the one place of these limits. Each is checked before anything is made
 * of the input, and named in the refusal. What is read as text to train on has limits of its own (`main/engine/data/limits.ts`).
 */
export const LIMITS = {
  /** Bytes of one message of a client. */
  messageBytes: 4 << 20,
  /** Bytes of one that still gets an answer that says so; a longer one ends the connection, before it is taken into memory. */
  answeredBytes: 8 << 20,
  /** Messages of one connection that cannot be read, or are too long; then it is closed. */
  refusedMessages: 100,
  /** Numbers, texts, lists and maps in one message, counted together. */
  messageValues: 25_000,
  /** Characters of a sweep as YAML; and of a recipe or a config file, which hold a hundred lines. */
  yamlCharacters: 1_000_000,
  configCharacters: 65_536,
  /** Keys, values and list entries of a YAML text, counted together. */
  yamlValues: 25_000,
  /** `*name`, `&name` and `!tag` in a YAML text: each is looked up. */
  yamlReferences: 200,
  /** Lists and maps inside one another, in a message or a YAML text. */
  depth: 64,
  /** Characters of the name of a setting. */
  nameCharacters: 120,
  /** Settings given at once: there are about a hundred. */
  settings: 500,
  /** Values of one setting in a sweep. */
  values: 10_000,
  /** Seeds of one setting. */
  seeds: 10_000,
  /** Runs of a sweep, seeds counted. */
  runs: 20_000,
  /** Combinations that a grid may have, or a random sweep may draw. */
  combinations: 250_000,
  /** Characters, and words, of a search. */
  searchCharacters: 200,
  searchWords: 16,
  /** Characters whose tokens are shown at once. */
  exploredCharacters: 20_000,
  /** Points of all runs together in one answer with series. */
  points: 8_000_000,
  /** Characters of one saved layout as JSON, and of all of them. */
  layoutCharacters: 1 << 20,
  layoutsCharacters: 4 << 20,
  /** Imports of pages at once, and files and bytes of one, and characters of the path of a file of it. */
  imports: 8,
  importFiles: 50_000,
  importBytes: 4 * 2 ** 30,
  importPathCharacters: 1000,
  /** Milliseconds after which one that nobody goes on with is forgotten. */
  importKeptMs: 30 * 60_000,
  /** Milliseconds that reading or writing the text of a sweep may take. */
  textMs: 30_000,
  /** And that planning what a form shows may take. The deepest model that is allowed took one on a busy machine. */
  planMs: 180_000,
} as const;

/** `1,000,000`: as messages write limits. */
export const grouped = (n: number): string => String(n).replaceAll(/\B(?=(\d{3})+$)/gu, ',');
