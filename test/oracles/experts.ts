/** Where the tokens of experts stand, from the definition: all choices sorted by expert, then by token. */

/** The four outputs of the operation `expertPlaces`. */
export function placesByDefinition(chosen: ArrayLike<number>, experts: number, active: number): Float64Array[] {
  const tokens = chosen.length / experts;
  const choices = Array.from({ length: tokens }, (_, token) =>
    Array.from({ length: experts }, (_unused, expert) => ({ token, expert }))
      .filter(({ expert }) => chosen[token * experts + expert] !== 0)
      .slice(0, active),
  );
  const sorted = choices.flat().sort((a, b) => a.expert - b.expert || a.token - b.token);
  const rank = new Map(sorted.map((choice, i) => [choice, i]));
  const filled = (values: number[], otherwise: number) =>
    Float64Array.from({ length: tokens * active }, (_, i) => values[i] ?? otherwise);
  return [
    filled(
      sorted.map(({ token }) => token),
      0,
    ),
    filled(
      sorted.map(({ token, expert }) => token * experts + expert),
      0,
    ),
    Float64Array.from(
      choices.flatMap((own) => Array.from({ length: active }, (_, i) => rank.get(own[i]!) ?? tokens * active - 1)),
    ),
    Float64Array.from({ length: experts }, (_, e) => sorted.filter(({ expert }) => expert <= e).length),
  ];
}
