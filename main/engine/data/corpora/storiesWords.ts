/** The words of the `stories` corpus, written for this project. Common words first. */

const list = (text: string): string[] => text.trim().split(/\s+/);

/** Characters' names; a name fixes its owner's pronouns. */
export const SHE = list(`
Mia Nora Tilly Ruby Hazel Ivy Clara Wren Poppy Elsa Juno Maud Freya Dot Lena Opal Sylvie Greta Anya Pearl Bessie Cora
Zelda Una Agnes Betty Daisy Edith Fern Goldie Heidi Inga Jill Kira Lotte Mabel Olive Paula Rosa Stella Tess Vera Willa Yara
`);
export const HE = list(`
Finn Otto Jasper Hugo Milo Theo Rufus Oscar Barney Felix Sam Ned Gus Leo Arlo Wilf Percy Tobin Emil Kit Boris Dexter
Ivo Ralph Albert Bruno Caspar Dennis Edgar Fred Gilbert Henry Jonas Karl Louis Magnus Nils Owen Pablo Quentin Rolf Stanley Tim Victor
`);

/** Animals and how each of them moves and speaks. */
export const KINDS: readonly (readonly [kind: string, moves: string, speaks: string])[] = [
  ['fox', 'trotted crept slipped', 'barked said'],
  ['mouse', 'scurried scampered tiptoed', 'squeaked said'],
  ['owl', 'flew glided flapped', 'hooted said'],
  ['hare', 'bounded raced leapt', 'said whispered'],
  ['bear', 'lumbered plodded marched', 'growled said'],
  ['frog', 'hopped leapt splashed', 'croaked said'],
  ['badger', 'shuffled trudged plodded', 'grunted said'],
  ['otter', 'swam paddled slid', 'chirped said'],
  ['crow', 'flew swooped flapped', 'cawed said'],
  ['hedgehog', 'shuffled pottered crept', 'mumbled said'],
  ['goat', 'climbed clattered skipped', 'bleated said'],
  ['duck', 'waddled paddled flapped', 'quacked said'],
  ['squirrel', 'scampered darted leapt', 'chattered said'],
  ['cat', 'prowled crept strolled', 'purred said'],
  ['tortoise', 'crawled plodded trudged', 'murmured said'],
  ['wolf', 'loped prowled raced', 'howled said'],
  ['snail', 'crawled slid inched', 'whispered said'],
  ['robin', 'fluttered hopped flew', 'chirped sang'],
  ['donkey', 'trotted plodded clattered', 'brayed said'],
  ['beetle', 'crawled marched scuttled', 'hummed said'],
];

/** Traits of a hero, and what a story about such a hero teaches. */
export const TRAITS: readonly (readonly [trait: string, lessons: readonly string[]])[] = [
  ['shy', ['was never again too shy to speak', 'learned that friends listen to quiet voices']],
  ['proud', ['learned to say thank you', 'was never too proud to ask the way']],
  ['lazy', ['always finished the work before the rest', 'knew that small jobs done today are no burden tomorrow']],
  ['greedy', ['found that shared things taste better', 'always kept the larger half for others']],
  ['curious', ['knew that every question opens a door', 'asked first and touched later']],
  ['clumsy', ['took one careful step at a time', 'laughed about every stumble']],
  ['grumpy', ['smiled at least once before breakfast', 'knew that kind words cost nothing']],
  ['forgetful', ['tied a knot for each promise', 'never forgot who had helped']],
  ['boastful', ['let good deeds speak', 'praised others first']],
  ['gentle', ['knew that soft paws can open hard doors', 'stayed gentle and grew strong as well']],
  ['clever', ['shared every clever idea', 'knew that a good heart is worth more than a quick head']],
  ['stubborn', ['learned when to turn back', 'listened twice before saying no']],
  ['hasty', ['counted to ten before each leap', 'found that slow roads are short roads']],
  ['timid', ['remembered that courage can be small', 'walked in front when it was dark']],
  ['restless', ['found joy in sitting still', 'came home before the lamps were lit']],
  ['honest', ['was trusted by everyone in the valley', 'knew that the truth needs no disguise']],
];

/** Places, each with the things that can be seen there. */
export const PLACES: readonly (readonly [place: string, details: string])[] = [
  ['the forest', 'oak stump clearing fern bramble-bush mushroom-ring birch pine burrow nest'],
  ['the river', 'bank waterfall raft ferry weir whirlpool dam jetty reed-bed sandbar'],
  ['the village', 'bakery well square church inn smithy fountain school pump cottage'],
  ['the meadow', 'haystack fence molehill hedge gate brook anthill footpath shepherd poppy-field'],
  ['the mountain', 'cave ridge summit ledge glacier boulder hut cliff avalanche ravine'],
  ['the mill', 'waterwheel rafters millstone trapdoor ladder granary hoist chute sluice cellar'],
  ['the harbour', 'lighthouse net anchor pier barrel seagull mast crane trawler quay'],
  ['the garden', 'wall greenhouse beehive scarecrow rosebush cabbage-patch pergola sundial lawn compost-heap'],
  ['the market', 'stall basket fishmonger awning crate juggler scales tinker spice-rack cheesemonger'],
  ['the castle', 'drawbridge tower moat dungeon throne banner armoury portcullis ballroom chapel'],
  ['the swamp', 'willow bog lily-pad firefly log quicksand heron stilt-house puddle vine'],
  ['the orchard', 'apple-tree plum-tree wheelbarrow cider-press cherry-tree wasp trellis picker sack swing'],
  ['the farm', 'barn pond plough hen-house tractor trough silo stable pigsty dairy'],
  ['the library', 'shelf candle atlas desk staircase globe alcove librarian manuscript archive'],
  ['the beach', 'shell dune driftwood rowboat rock-pool deckchair crab sandcastle parasol wave'],
  ['the station', 'platform clock trunk rail signal porter tunnel engine bench ticket-office'],
  ['the workshop', 'workbench sawhorse hammer stove window toolbox lathe vice pulley anvil'],
  ['the island', 'palm lagoon shipwreck turtle volcano footprint parrot coral-reef campfire hammock'],
  ['the desert', 'cactus tent camel oasis sandstorm skeleton caravan mirage scorpion pyramid'],
  ['the attic', 'cobweb mirror chest rocking-chair moth skylight dollhouse suitcase wardrobe gramophone'],
];

/** Objects by what can be done with them. */
export const OBJECTS: readonly (readonly [objects: string, uses: readonly string[]])[] = [
  [
    'pie cake pear loaf pudding honeycomb biscuit cheese pancake turnip sausage omelette peach radish waffle dumpling',
    ['tasted', 'sliced', 'smelled', 'shared', 'nibbled', 'warmed', 'salted', 'devoured'],
  ],
  [
    'drum flute fiddle whistle trumpet bell harp accordion banjo gong tuba violin rattle bagpipe cymbal zither',
    ['played', 'tuned', 'practised on', 'listened to', 'sounded', 'strummed', 'rehearsed with', 'performed on'],
  ],
  [
    'kite ball puppet spinning-top wagon doll marble hoop skittle yo-yo jigsaw seesaw rocket catapult trampoline tricycle',
    ['played with', 'mended', 'raced with', 'chased', 'hugged', 'tossed up', 'showed off', 'bounced'],
  ],
  [
    'lantern rope spade compass umbrella bucket telescope needle sickle wrench tweezer shovel chisel pickaxe broom funnel',
    ['used', 'tried out', 'oiled', 'borrowed', 'dropped', 'swung', 'sharpened', 'repaired'],
  ],
  [
    'hat scarf cloak mitten boot ribbon button apron waistcoat slipper shawl bonnet sock jacket petticoat necktie',
    ['put on', 'washed', 'stitched', 'folded', 'wore', 'wrung out', 'ironed', 'tried on'],
  ],
  [
    'coin ring crown key medal locket gem goblet brooch tiara diamond sceptre bracelet statue chalice nugget',
    ['counted', 'polished', 'hid', 'weighed', 'admired', 'guarded', 'buried', 'locked away'],
  ],
  [
    'map letter book riddle song-sheet poem diary postcard scroll newspaper dictionary recipe calendar photograph stamp cookbook',
    ['read', 'unfolded', 'copied', 'studied', 'recited', 'translated', 'memorised', 'signed'],
  ],
];

export const ADJECTIVES = list(`
old little red big shiny blue wooden golden green broken strange silver tiny dusty yellow heavy striped white crooked
painted purple round muddy black rusty velvet glass huge spotted warm hollow crumpled orange dented tin pink sticky frozen
narrow patched fluffy copper brown sparkling woolly slippery bent smooth faded gleaming long short thick thin soft hard
wet dry sharp blunt square flat curly hairy dirty clean new ancient rotten fresh sour sweet salty bitter noisy silent quick
slow gentle wild lucky cursed magic humble royal rare common cheap costly leather paper marble iron brass bronze amber
ivory scarlet crimson violet turquoise grey pale dark bright dull misshapen twisted knotted woven carved polished cracked
chipped scratched folded torn stolen borrowed forgotten secret hidden ugly pretty lovely graceful enormous gigantic
miniature plump skinny lopsided wobbly squeaky creaky rattling humming glowing flickering feathered embroidered checkered
buttoned tangled squashed steaming melted burnt bubbling icy sandy mossy leafy prickly velvety waxy foggy gloomy cosy
`);

export const MOODS = list(`
happy sad worried tired hungry cold excited puzzled lonely cross hopeful sleepy thirsty nervous jealous thankful bored
cheerful calm afraid surprised ashamed dizzy furious glad homesick impatient lucky merry miserable peaceful playful relieved
serious sorry startled suspicious tearful weary confused content eager delighted embarrassed gloomy mischievous offended
`);

export const ADVERBS = list(`
quietly slowly quickly carefully suddenly softly eagerly bravely sadly gladly nervously politely loudly boldly wearily
secretly happily angrily calmly clumsily gently greedily hastily kindly lazily merrily neatly patiently proudly rarely
sleepily solemnly sternly swiftly tenderly thoughtfully timidly urgently wildly wisely anxiously awkwardly briskly
cheerfully daringly dreamily faithfully foolishly
`);

/** Weather of the story, and how it shows later on. */
export const WEATHER: readonly (readonly [weather: string, later: readonly string[]])[] = [
  ['sunny', ['the sun shone on', 'there was no cloud in the sky', 'the light danced on everything']],
  ['rainy', ['the rain drummed on', 'puddles were everywhere', 'drops ran down every leaf']],
  ['windy', ['the wind howled', 'leaves whirled about', 'a gust nearly blew them over']],
  ['snowy', ['snow fell thickly', 'the snow crunched underfoot', 'flakes settled on their noses']],
  ['foggy', ['the fog grew thicker', 'nobody could see the path', 'everything looked grey']],
  ['stormy', ['thunder rolled', 'lightning split the sky', 'the storm shook the trees']],
  ['frosty', ['ice glittered everywhere', 'their breath turned white', 'the frost bit their toes']],
  ['misty', ['mist hung in the air', 'dew lay on everything', 'shapes moved in the mist']],
];

export const TIMES = list('morning evening afternoon night day dawn');
export const CONTESTS = list('race feast fair parade regatta tournament bake-off spelling-bee');
export const BUILDINGS = list('raft treehouse bridge tower windmill den boat snowman swing oven');
export const NUMBERS = list('three two four five seven six nine twelve eight ten');

/** What anyone may do with any thing. */
export const DEEDS = list(`
found wanted carried noticed bought dropped painted cleaned lifted traded hid kicked drew pushed forgot mended sniffed borrowed
offered pulled lost described measured ignored tied balanced inspected repaired juggled wrapped caught sketched rolled shook
returned unpacked tickled dusted praised threw
`);

/** How two things may lie to each other. */
export const RELATIONS = list('beside under behind near above inside beneath beyond opposite against');

export const PLURALS = list(`
nails apples stones feathers buttons candles eggs acorns spoons ribbons sticks shells coins walnuts bottles cherries beads pins
pebbles turnips cushions bricks corks thimbles
`);
