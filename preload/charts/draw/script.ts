/** A figure as a program: matplotlib draws it again from the CSV beside it, to be changed by whoever writes the paper. */
import { DASHES } from './curveItems.ts';
import { yOf } from './model.ts';
import type { AxisModel, DrawnLine, LineModel } from './model.ts';

/** JSON is Python for what stands here, but for what is no number, true and nothing. */
const python = (value: unknown): string => {
  if (value === undefined || value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'None';
  if (typeof value === 'string')
    return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, each]) => `${python(key)}: ${python(each)}`)
    .join(', ')}}`;
};

export interface ScriptWords {
  readonly title: string;
  readonly notes: readonly string[];
}

/** Beginning and end of every script; `body` draws into `figure` with `rows` and `header` at hand. */
export function scriptOf({ title, notes }: ScriptWords, body: string): string {
  return `# Redraws this figure from the CSV file beside it: python FILE.py [--csv FILE.csv] [--width MM] [--out FILE.pdf]
# Needs matplotlib alone. Change whatever you like.
import argparse, csv, math, pathlib, textwrap
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

here = pathlib.Path(__file__)
options = argparse.ArgumentParser()
options.add_argument("--csv", default=str(here.with_suffix(".csv")))
options.add_argument("--width", type=float, default=178, help="millimetres: 85 for one column, 178 for two")
options.add_argument("--out", default=str(here.with_suffix("")) + "-matplotlib.pdf")
options = options.parse_args()
# Letters stay letters in the file, embedded.
plt.rcParams.update({"font.size": 8, "pdf.fonttype": 42, "svg.fonttype": "none", "axes.spines.top": False, "axes.spines.right": False})

TITLE = ${python(title)}
NOTES = ${python(notes)}


def number(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


with open(options.csv, newline="", encoding="utf-8-sig") as file:
    header, *rows = list(csv.reader(file))
wide = options.width / 25.4
# What the legend names.
handles = {}

${body.trim()}

figure.suptitle(TITLE, fontsize=9, x=0.01, ha="left", fontweight="bold")
notes = "\\n".join(part for note in NOTES for part in textwrap.wrap(note, int(options.width * 0.8)))
if handles or notes:
    legend = figure.legend(
        handles.values(), handles.keys(), loc="outside lower left", ncols=max(1, int(options.width // 55)), fontsize=6, frameon=False,
        title=notes, title_fontsize=6, alignment="left",
    )
    legend.get_title().set_color("0.4")
figure.savefig(options.out, dpi=300)
print(options.out)
`;
}

const axisOf = ({ label, log, min, max, categories }: AxisModel): object => ({ label, log, min, max, categories });

const styleOf = (line: DrawnLine, several: boolean): object => {
  const dashes = DASHES[(line.dash ?? 0) % DASHES.length];
  return {
    color: line.color,
    dashes: [...dashes],
    faint: line.faint === true,
    markers: line.markers === true,
    right: line.right === true,
    named: several && line.faint !== true,
  };
};

/** Of a chart of curves: its CSV has a row per point of each line. */
export function linesScript(
  words: ScriptWords,
  panels: readonly { readonly title: string; readonly model: LineModel }[],
): string {
  const lines = panels.flatMap(({ model }) => model.lines);
  const several = new Set(lines.filter(({ faint }) => !faint).map(({ label }) => label)).size > 1;
  const drawn = panels.map(({ title, model }) => ({
    title,
    x: axisOf(model.x),
    y: axisOf(model.y),
    right: model.right === undefined ? null : axisOf(model.right),
    references: model.references.map(({ value, label, right }) => ({ value, label, right: right === true })),
    lines: Object.fromEntries(
      model.lines.map((line) => [
        model.right === undefined ? line.label : `${line.label} | ${yOf(model, line).label}`,
        styleOf(line, several),
      ]),
    ),
  }));
  return scriptOf(
    words,
    `
PANELS = ${python(drawn)}

column = {name: i for i, name in enumerate(header)}
value = column["value"] if "value" in column else column["raw"] - 1
at = value - 1
# Lines of each panel, in their order.
points = {}
for row in rows:
    facet = row[column["facet"]] if "facet" in column else ""
    name = row[column["line"]] + (" | " + row[column["axis"]] if "axis" in column else "")
    points.setdefault(facet, {}).setdefault(name, []).append(row)

columns = min(len(PANELS), max(1, math.ceil(math.sqrt(len(PANELS) * 1.6))), max(1, int(options.width // 50)))
lines_of = math.ceil(len(PANELS) / columns)
high = wide / columns * 0.6 * lines_of + 0.9
figure, grid = plt.subplots(lines_of, columns, figsize=(wide, high), squeeze=False, sharex=True, sharey=True, layout="constrained")
for unused in list(grid.flat)[len(PANELS):]:
    unused.set_visible(False)
for panel, axes in zip(PANELS, grid.flat):
    other = None
    if panel["right"]:
        other = axes.twinx()
        other.spines["right"].set_visible(True)
    places = panel["x"]["categories"]
    for name, own in points.get(panel["title"], {}).items():
        style = panel["lines"].get(name)
        if style is None:
            continue
        on = other if style["right"] and other else axes
        x = [places.index(row[at]) + 1 if places else number(row[at]) for row in own]
        y, raw, low, high = ([number(row[i]) for row in own] for i in (value, column["raw"], column["low"], column["high"]))
        # Means of few points, with bars.
        if style["markers"]:
            bars = [[max(0, m - l) for m, l in zip(y, low)], [max(0, h - m) for m, h in zip(y, high)]]
            on.errorbar(x, y, yerr=bars, color=style["color"], fmt="none", linewidth=0.8, alpha=0.6)
        elif any(math.isfinite(each) for each in low):
            on.fill_between(x, low, high, color=style["color"], alpha=0.16, linewidth=0)
        if any(math.isfinite(each) for each in raw):
            on.plot(x, raw, color=style["color"], alpha=0.28, linewidth=0.6)
        dashes = (0, style["dashes"]) if style["dashes"] else "solid"
        line, = on.plot(
            x, y, color=style["color"], linestyle=dashes, marker="o" if style["markers"] or len(x) == 1 else None, markersize=3,
            alpha=0.3 if style["faint"] else 1, linewidth=0.5 if style["faint"] else 1.1, zorder=2 if style["faint"] else 3,
        )
        if style["named"]:
            handles.setdefault(own[0][column["line"]], line)
    for reference in panel["references"]:
        on = other if reference["right"] and other else axes
        side = panel["right"] if on is other else panel["y"]
        if not side["min"] <= reference["value"] <= side["max"]:
            continue
        on.axhline(reference["value"], color="0.45", linewidth=0.7, linestyle=":")
        on.annotate(reference["label"], (1, reference["value"]), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=6, color="0.45")
    for on, side in ((axes, panel["y"]), (other, panel["right"])):
        if on is None:
            continue
        on.set_yscale("log" if side["log"] else "linear")
        on.set_ylim(side["min"], side["max"])
        if on is other or axes.get_subplotspec().is_first_col():
            on.set_ylabel(side["label"])
    axes.set_xscale("log" if panel["x"]["log"] else "linear")
    axes.set_xlim(panel["x"]["min"], panel["x"]["max"])
    if places:
        axes.set_xticks(range(1, len(places) + 1), places)
    axes.set_xlabel(panel["x"]["label"])
    axes.set_title(panel["title"], fontsize=8, loc="left")
    axes.grid(axis="y", linewidth=0.4, alpha=0.5)
`,
  );
}

/** Of a heat map: its CSV has a row per cell. */
export function heatScript(words: ScriptWords, higherBetter: boolean, what: 'mean' | 'best'): string {
  return scriptOf(
    words,
    `
HIGHER_IS_BETTER = ${python(higherBetter)}
SHOWN = ${python(what === 'mean' ? 'mean' : higherBetter ? 'max' : 'min')}


def ordered(values):
    known = list(dict.fromkeys(values))
    return sorted(known, key=number) if all(math.isfinite(number(each)) for each in known) else known


across, up = ordered(row[0] for row in rows), ordered(row[1] for row in rows)
shown, spread, count = header.index(SHOWN), header.index("sd (n-1)"), header.index("N")
cells = [[math.nan] * len(across) for _ in up]
for row in rows:
    cells[up.index(row[1])][across.index(row[0])] = number(row[shown])
figure, axes = plt.subplots(figsize=(wide, wide * 0.55 + 0.5), layout="constrained")
image = axes.imshow(cells, origin="lower", aspect="auto", cmap="Blues" if HIGHER_IS_BETTER else "Blues_r")
for row in rows:
    x, y, mean = across.index(row[0]), up.index(row[1]), number(row[shown])
    if math.isfinite(mean):
        red, green, blue, _ = image.cmap(image.norm(mean))
        sd = number(row[spread])
        text = f"{mean:.4g}" + (f" ± {sd:.2g}" if SHOWN == "mean" and math.isfinite(sd) else "") + f"\\nN {row[count]}"
        axes.text(x, y, text, ha="center", va="center", fontsize=6, color="black" if red + green + blue > 1.6 else "white")
axes.set_xticks(range(len(across)), across)
axes.set_yticks(range(len(up)), up)
axes.set_xlabel(header[0])
axes.set_ylabel(header[1])
figure.colorbar(image, ax=axes)
`,
  );
}

/** Of a Pareto front: its CSV has a row per setting. */
export function paretoScript(words: ScriptWords, higherBetter: boolean): string {
  return scriptOf(
    words,
    `
HIGHER_IS_BETTER = ${python(higherBetter)}

settings = [(row[0], *map(number, row[1:7])) for row in rows]
settings = [each for each in settings if math.isfinite(each[1]) and math.isfinite(each[3])]
most = max((n for *_, n, _ in settings), default=0)
sign = -1 if HIGHER_IS_BETTER else 1
# Nobody is cheaper and better.
front = []
for each in sorted((each for each in settings if each[5] == most), key=lambda each: (each[1], sign * each[3])):
    if not front or sign * each[3] < sign * front[-1][3]:
        front.append(each)
figure, axes = plt.subplots(figsize=(wide, wide * 0.55 + 0.5), layout="constrained")
for name, cost, cost_sd, mean, sd, n, seeds in settings:
    axes.errorbar(cost, mean, xerr=cost_sd if cost_sd > 0 else None, yerr=sd if sd > 0 else None, color="0.6", linewidth=0.8)
    axes.plot(cost, mean, "o", color="#2563eb", markersize=5, markerfacecolor="#2563eb" if n == most else "white")
axes.plot([each[1] for each in front], [each[3] for each in front], "--", color="#2563eb", linewidth=0.8)
for name, cost, _, mean, *_ in front[:12]:
    axes.annotate(name, (cost, mean), xytext=(4, 4), textcoords="offset points", fontsize=6)
costs = [each[1] for each in settings]
if costs and min(costs) > 0 and max(costs) > 5 * min(costs):
    axes.set_xscale("log")
axes.set_xlabel(header[1])
axes.set_ylabel(header[3])
axes.grid(linewidth=0.4, alpha=0.5)
`,
  );
}

/** Of parallel coordinates: its CSV has a row per setting. */
export function parallelScript(words: ScriptWords, higherBetter: boolean): string {
  return scriptOf(
    words,
    `
HIGHER_IS_BETTER = ${python(higherBetter)}

names = header[:-2]
rows = [row for row in rows if math.isfinite(number(row[len(names) - 1]))]


def placed(i):
    """Values of an axis from 0 to 1, and its ticks."""
    texts = [row[i] for row in rows]
    values = [number(text) for text in texts]
    if not all(map(math.isfinite, values)):
        known = list(dict.fromkeys(texts))
        of = [known.index(text) / max(1, len(known) - 1) for text in texts]
        return of, [(k / max(1, len(known) - 1), text) for k, text in enumerate(known)]
    low, high = min(values), max(values)
    log = i < len(names) - 1 and low > 0 and high >= 8 * low
    scaled = math.log if log else float
    span = (scaled(high) - scaled(low)) or 1
    at = lambda each: (scaled(each) - scaled(low)) / span
    if i == len(names) - 1 and not HIGHER_IS_BETTER:
        above, at = at, lambda each: 1 - above(each)
    ticks = sorted(set(values)) if len(set(values)) <= 8 else [low, high]
    return [at(each) for each in values], [(at(each), f"{each:.4g}") for each in ticks]


axes_of = [placed(i) for i in range(len(names))]
figure, axes = plt.subplots(figsize=(wide, wide * 0.5 + 0.5), layout="constrained")
metric = [number(row[len(names) - 1]) for row in rows]
best = (max if HIGHER_IS_BETTER else min)(metric, default=0)
span = max((abs(each - best) for each in metric), default=1) or 1
for k, row in enumerate(rows):
    far = abs(metric[k] - best) / span
    axes.plot(range(len(names)), [of[k] for of, _ in axes_of], color=plt.get_cmap("Blues_r")(0.1 + 0.6 * math.sqrt(far)), linewidth=1.8 if far == 0 else 0.9, zorder=3 - far)
for i, (_, ticks) in enumerate(axes_of):
    axes.axvline(i, color="0.5", linewidth=0.6, zorder=4)
    for place, text in ticks:
        axes.annotate(text, (i, place), xytext=(3, 0), textcoords="offset points", fontsize=6, va="center", zorder=5)
axes.set_xticks(range(len(names)), names)
axes.xaxis.tick_top()
axes.set_yticks([])
for side in axes.spines.values():
    side.set_visible(False)
`,
  );
}
