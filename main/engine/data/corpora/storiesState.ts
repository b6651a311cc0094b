/** What a story has established so far, and the slots by which templates speak of it. */
import { ranked } from './grammar.ts';
import type { Options, Slots, Speaker } from './grammar.ts';
import {
  ADJECTIVES,
  ADVERBS,
  BUILDINGS,
  CONTESTS,
  DEEDS,
  HE,
  KINDS,
  MOODS,
  PLURALS,
  NUMBERS,
  OBJECTS,
  PLACES,
  RELATIONS,
  SHE,
  TIMES,
  TRAITS,
  WEATHER,
} from './storiesWords.ts';

export interface Character {
  name: number;
  kind: number;
}

/** A thing that reappears under the same description. */
export interface Thing {
  text: string;
  uses: Options | null;
}

export interface Story {
  readonly speaker: Speaker;
  hero: Character;
  friend: Character;
  other: Character;
  trait: number;
  weather: number;
  home: number;
  place: number;
  detail: number;
  /** What the story is about. */
  quest: Thing;
  /** What was found on the way. */
  find: Thing;
  /** Last mood named, so that nobody is `sad and sad`. */
  mood: number;
  count: string;
  contest: string;
  /** Subject of the sentence being told. */
  subject: Character;
}

export function newStory(speaker: Speaker): Story {
  const nobody = { name: -1, kind: -1 };
  return {
    speaker,
    hero: { ...nobody },
    friend: { ...nobody },
    other: { ...nobody },
    trait: -1,
    weather: -1,
    home: -1,
    place: -1,
    detail: -1,
    quest: { text: '', uses: null },
    find: { text: '', uses: null },
    mood: -1,
    count: '',
    contest: '',
    subject: { ...nobody },
  };
}

// Common names alternate between the two genders.
const NAMES = SHE.flatMap((name, i) => [name, HE[i]]);
const isShe = (character: Character) => character.name % 2 === 0;

/** A final space keeps word lists prefix-free: `cat ` is not the beginning of `caterpillar `. */
const spaced = (words: readonly string[]) => words.map((word) => `${word} `);
const articled = (words: readonly string[]) =>
  words.map((word) => (/^[aeiou]/.test(word) ? `an ${word} ` : `a ${word} `));

const names = ranked(NAMES, 30);
const kinds = ranked(KINDS.map(([kind]) => kind));
const moves = KINDS.map(([, verbs]) => ranked(verbs.split(' '), 3));
const speaks = KINDS.map(([, , verbs]) => ranked(verbs.split(' '), 2));
const aTrait = ranked(articled(TRAITS.map(([trait]) => trait)));
const lessons = TRAITS.map(([, lesson]) => ranked(lesson, 3));
const places = ranked(
  PLACES.map(([place]) => place),
  10,
);
const details = PLACES.map(([, words]) => ranked(words.split(' '), 5));
const adjectives = ranked(spaced(ADJECTIVES));
const anAdjective = ranked(articled(ADJECTIVES));
const objectWords = OBJECTS.flatMap(([words, uses]) => {
  const options = ranked(uses, 4);
  return words.split(' ').map((word) => ({ word, options }));
});
// Interleave the groups, so that each has common and rare members.
const objectOrder = objectWords.map((_, i) => objectWords[(i % OBJECTS.length) * 16 + Math.floor(i / OBJECTS.length)]);
const objects = ranked(
  objectOrder.map(({ word }) => word),
  20,
);
const moods = ranked(MOODS);
const adverbs = ranked(ADVERBS);
const weathers = ranked(WEATHER.map(([weather]) => weather));
const later = WEATHER.map(([, texts]) => ranked(texts, 3));
const times = ranked(TIMES, 3);
const contests = ranked(CONTESTS, 4);
const plurals = ranked(PLURALS, 6);
const buildings = ranked(BUILDINGS, 5);
const numbers = ranked(NUMBERS, 4);
const deeds = ranked(DEEDS);
const relations = ranked(RELATIONS, 4);

const named = (story: Story, character: Character) => story.speaker.say(NAMES[character.name]);
const told = (story: Story, character: Character, she: string, he: string) =>
  story.speaker.say(isShe(character) ? she : he);

function meet(story: Story, character: Character): void {
  character.kind = story.speaker.pick(kinds, character.kind);
}

function christen(story: Story, character: Character, except: number): void {
  character.name = story.speaker.pick(names, except);
}

function thing(story: Story, article: boolean): Thing {
  const index = story.speaker.pick(article ? anAdjective : adjectives);
  const object = story.speaker.pick(objects);
  return { text: `${ADJECTIVES[index]} ${objectOrder[object].word}`, uses: objectOrder[object].options };
}

function travel(story: Story): void {
  story.place = story.speaker.pick(places, story.place);
  story.detail = -1;
}

/** Templates refer to these by `{name}`. Slots that choose say so; the others only repeat what is known. */
export const slots: Slots<Story> = {
  // Choices.
  'name hero': (s) => christen(s, s.hero, -1),
  'name friend': (s) => christen(s, s.friend, s.hero.name),
  'kind hero': (s) => meet(s, s.hero),
  'kind friend': (s) => meet(s, s.friend),
  'kind other': (s) => meet(s, s.other),
  'a trait': (s) => {
    s.trait = s.speaker.pick(aTrait);
  },
  'weather!': (s) => {
    s.weather = s.speaker.pick(weathers);
  },
  home: (s) => {
    travel(s);
    s.home = s.place;
  },
  'new place': travel,
  detail: (s) => {
    s.detail = s.speaker.pick(details[s.place], s.detail);
  },
  'a quest': (s) => {
    s.quest = thing(s, true);
  },
  'new quest': (s) => {
    s.quest = thing(s, false);
  },
  'a building': (s) => {
    const index = s.speaker.pick(anAdjective);
    s.quest = { text: `${ADJECTIVES[index]} ${BUILDINGS[s.speaker.pick(buildings)]}`, uses: null };
  },
  'a find': (s) => {
    s.find = thing(s, true);
  },
  adj: (s) => {
    s.speaker.pick(adjectives);
  },
  'a adj': (s) => {
    s.speaker.pick(anAdjective);
  },
  object: (s) => {
    s.speaker.pick(objects);
  },
  mood: (s) => {
    s.mood = s.speaker.pick(moods, s.mood);
  },
  did: (s) => {
    s.speaker.pick(deeds);
  },
  by: (s) => {
    s.speaker.pick(relations);
  },
  adverb: (s) => {
    s.speaker.pick(adverbs);
  },
  time: (s) => {
    s.speaker.pick(times);
  },
  'contest!': (s) => {
    s.contest = CONTESTS[s.speaker.pick(contests)];
  },
  'count!': (s) => {
    s.count = NUMBERS[s.speaker.pick(numbers)];
  },
  plural: (s) => {
    s.speaker.pick(plurals);
  },
  number: (s) => {
    s.speaker.pick(numbers);
  },
  moved: (s) => {
    s.speaker.pick(moves[s.subject.kind]);
  },
  'hero moved': (s) => {
    s.speaker.pick(moves[s.hero.kind]);
  },
  'hero spoke': (s) => {
    s.speaker.pick(speaks[s.hero.kind]);
  },
  'friend spoke': (s) => {
    s.speaker.pick(speaks[s.friend.kind]);
  },
  'other spoke': (s) => {
    s.speaker.pick(speaks[s.other.kind]);
  },
  'used find': (s) => {
    if (s.find.uses !== null) s.speaker.pick(s.find.uses);
  },
  'used quest': (s) => {
    if (s.quest.uses === null) s.speaker.say('looked at');
    else s.speaker.pick(s.quest.uses);
  },
  'weather later': (s) => {
    s.speaker.pick(later[s.weather]);
  },
  lesson: (s) => {
    s.speaker.pick(lessons[s.trait]);
  },
  // Recalls.
  hero: (s) => named(s, s.hero),
  friend: (s) => named(s, s.friend),
  He: (s) => told(s, s.hero, 'She', 'He'),
  he: (s) => told(s, s.hero, 'she', 'he'),
  him: (s) => told(s, s.hero, 'her', 'him'),
  his: (s) => told(s, s.hero, 'her', 'his'),
  His: (s) => told(s, s.hero, 'Her', 'His'),
  'friend him': (s) => told(s, s.friend, 'her', 'him'),
  'subject his': (s) => told(s, s.subject, 'her', 'his'),
  'hero kind': (s) => s.speaker.say(KINDS[s.hero.kind][0]),
  'friend kind': (s) => s.speaker.say(KINDS[s.friend.kind][0]),
  'other kind': (s) => s.speaker.say(KINDS[s.other.kind][0]),
  trait: (s) => s.speaker.say(TRAITS[s.trait][0]),
  place: (s) => s.speaker.say(PLACES[s.place][0]),
  'home again': (s) => s.speaker.say(PLACES[s.home][0]),
  quest: (s) => s.speaker.say(s.quest.text),
  find: (s) => s.speaker.say(s.find.text),
  contest: (s) => s.speaker.say(s.contest),
  count: (s) => s.speaker.say(s.count),
};

/** The ways a sentence may begin with a character: the hero by name, the hero by pronoun, the friend by name. */
export function subjectHeads(story: Story): string[] {
  return [` ${NAMES[story.hero.name]} `, isShe(story.hero) ? ' She ' : ' He ', ` ${NAMES[story.friend.name]} `];
}
