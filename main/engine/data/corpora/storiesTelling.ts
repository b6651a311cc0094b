/**
 * The built-in corpus: short animal stories from a probabilistic grammar, any length, seeded, with an exactly known entropy.
 *
 * What can be learned, from near to far: spelling; which word class follows; `a` or `an`; how each animal moves and speaks;
 * what is seen at each place; what is done with each thing; pronouns that match a name; the weather; objects, counts and
 * places that come back word for word; which plot needs which ending; which lesson a hero's trait leads to.
 */
import { Stream } from '../../random/stream.ts';
import { Options, PrefixReader, Reader, Rules, Writer } from './grammar.ts';
import type { Speaker } from './grammar.ts';
import { newStory, slots, subjectHeads } from './storiesState.ts';
import type { Story } from './storiesState.ts';

const rules = (...templates: (readonly [weight: number, template: string])[]) => new Rules<Story>(slots, templates);

const opening = rules(
  [
    4,
    'Once {a trait}{kind hero} named {name hero} lived {by} {home}. One {weather!} {time}, {he} {did} {a adj}{adj}{object}, {a adj}{object} and {number} {adj}{plural}.',
  ],
  [
    3,
    'One {weather!} {time}, {name hero}, {a trait}{kind hero}, came to {home} with {number} {adj}{adj}{plural}, {a adj}{object} and {a adj}{adj}{object}.',
  ],
  [
    2,
    'In {home} lived {name hero}, {a trait}{kind hero}. The {time} was {weather!} and {he} {adverb} {did} {number} {adj}{adj}{plural} and {a adj}{adj}{object}.',
  ],
);

const company = rules(
  [
    3,
    ' With {him} came {name friend}, {a adj}{adj}{kind friend} with {a adj}{adj}{object} and {number} {adj}{plural}.',
  ],
  [3, ' The {hero kind} knew {a adj}{kind friend}, {name friend}, who {adverb} {did} {a adj}{adj}{object}.'],
  [2, ' There {name friend}, {a adj}{adj}{kind friend}, {adverb} {did} {a adj}{adj}{detail}.'],
);

/** The plots, by what the story is about. */
const plots = rules(
  [3, ' But {friend} had lost {a quest} {by} the {detail}.'],
  [3, ' Soon came the {adj}{contest!}; its {adj}prize was {a quest}.'],
  [3, ' For a birthday, {friend} {adverb} wished for {a quest}.'],
  [2, ' They {adverb} began {a building} of {count!} {adj}planks.'],
  [2, ' Then {a adj}{kind other} {adverb} left {a quest} {by} the {detail}.'],
);

/** The endings that belong to each plot; all have the same heads. */
const endings = [
  rules(
    [3, ' At last {hero} saw the {quest} {by} {a adj}{object}, and {adverb} {used quest} it.'],
    [2, ' In the end {friend} found the {quest} {by} the {adj}{detail}.'],
  ),
  rules(
    [3, ' At last the {contest} began; {hero} {adverb} won the {quest} and took it to {home again}.'],
    [2, ' In the end {friend} won the {contest} and {adverb} {used quest} the {quest}.'],
  ),
  rules(
    [3, ' At last {friend} unwrapped the {quest} and {adverb} {used quest} it until {time}.'],
    [2, ' In the end {hero} gave {friend him} {a adj}{adj}{object}, not the {quest}.'],
  ),
  rules(
    [3, ' At last all {count} planks were {adj}and the {quest} stood {by} the {adj}{detail}.'],
    [2, ' In the end the {quest} fell, all {count} planks, {by} the {adj}{detail}.'],
  ),
  rules(
    [3, ' At last the {hero kind} {adverb} gave the {quest} to {a adj}{kind other}.'],
    [2, ' In the end nobody came for the {quest}; {hero} {adverb} {used quest} it.'],
  ),
];

/** What may happen on the way. */
const episodes = rules(
  [3, ' So they went {adverb} to {new place}: {a adj}{adj}{detail}, {a adj}{adj}{detail} and {a adj}{adj}{detail}.'],
  [
    3,
    ' Near {a adj}{detail} {a adj}{adj}{kind other} {adverb} {did} {a adj}{object}. "It is worth {number} {plural}," it {other spoke}.',
  ],
  [3, ' Here lay {number} {adj}{plural}, {a adj}{adj}{object}, {a adj}{adj}{object} and {a adj}{adj}{object}.'],
  [1, ' Meanwhile {weather later}, {adverb} {by} the {adj}{detail}.'],
  [1, ' "Is it the {quest}?" {friend} {friend spoke} {adverb}.'],
  [2, ' Under {a adj}{adj}{detail} lay {a find}, {number} {adj}{plural} and {a adj}{adj}{object}.'],
  [2, ' "Bring {number} {adj}{plural} and {a adj}{adj}{object}," {hero} {hero spoke} {adverb}.'],
  [3, ' All {mood}, {a adj}{adj}{kind other} {did} {a adj}{adj}{object}, {number} {plural} and {a adj}{object}.'],
);

/** What the hero or the friend does, after their name. */
const ALWAYS = [
  [1, 'went {adverb} to {new place} with {a adj}{adj}{object}.'],
  [3, 'had {a adj}{adj}{object}, {a adj}{adj}{object} and {number} {adj}{plural}.'],
  [1, 'looked {mood}, then {moved} {adverb} past {a adj}{adj}{detail}.'],
  [4, 'often {did} {a adj}{adj}{object}, {a adj}{adj}{object} and {number} {adj}{adj}{plural}.'],
  [1, 'dreamed of the {quest} and of {a adj}{adj}{kind other}.'],
  [3, 'saw {number} {adj}{adj}{plural} {by} the {adj}{detail}.'],
  [6, 'then {adverb} {did} {a adj}{adj}{object} and {a adj}{object}.'],
  [4, 'and {a adj}{adj}{kind other} {did} {a adj}{adj}{object} {by} the {detail}.'],
] as const;
const actions = rules(...ALWAYS);
/** More becomes possible once something was found on the way. */
const actionsWithFind = rules(
  ...ALWAYS,
  [5, 'soon {used find} the {find}.'],
  [2, 'showed the {find} to {a adj}{kind other}.'],
);

const lessons = rules(
  [3, ' And so {hero} the {trait} {hero kind} {lesson}.'],
  [2, ' From that {time} on, {hero} {lesson}.'],
);

const MIN_STEPS = 4;
const MAX_STEPS = 12;

/** Tells (or, with a `Reader`, follows) one story. */
export function tell(speaker: Speaker): void {
  const story = newStory(speaker);
  opening.expand(story);
  company.expand(story);
  const plot = plots.expand(story);
  const ending = endings[plot];
  const subjects = subjectHeads(story);
  for (let step = 0; ; step++) {
    const texts: string[] = [];
    const weights: number[] = [];
    if (step < MAX_STEPS) {
      texts.push(...subjects, ...episodes.heads);
      weights.push(8, 8, 6, ...episodes.weights);
    }
    // The longer the story, the likelier its end.
    if (step >= MIN_STEPS) {
      texts.push(...ending.heads);
      weights.push(...ending.weights.map((weight) => weight * (step - MIN_STEPS + 1)));
    }
    let next = speaker.pick(new Options(texts, weights));
    if (step >= MAX_STEPS) next += subjects.length + episodes.heads.length;
    if (next < subjects.length) {
      story.subject = next === 2 ? story.friend : story.hero;
      (story.find.text === '' ? actions : actionsWithFind).expand(story);
    } else if (next < subjects.length + episodes.heads.length) {
      episodes.finish(story, next - subjects.length);
    } else {
      ending.finish(story, next - subjects.length - episodes.heads.length);
      break;
    }
  }
  lessons.expand(story);
}

export interface StoryText {
  readonly text: string;
  /** −log2 of the probability of this text: its exact information in bits. */
  readonly bits: number;
}

/** Story number `index` of the corpus with this seed: a pure function of both. */
export function story(seed: number, index: number): StoryText {
  const writer = new Writer(new Stream(seed, 'data/stories', index));
  tell(writer);
  return { text: writer.text, bits: writer.bits };
}

/** −log2 of the probability that the grammar tells exactly `text`; throws when it cannot. Also returns the picks. */
export function storyBits(text: string): { bits: number; picks: readonly number[] } {
  const reader = new Reader(text);
  tell(reader);
  if (reader.position !== text.length) throw new Error(`not a story: it should end at ${reader.position}`);
  return { bits: reader.bits, picks: reader.picks };
}

/** −log2 of the probability that a story begins with exactly `text`: the information of a document that is scored in part. */
export const storyPrefixBits = (text: string): number => new PrefixReader(text).measure(tell);
