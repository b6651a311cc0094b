/** What one chart of curves shows, free of how it is drawn. */

export interface DrawnLine {
  /** Unlike any other of the chart. */
  readonly id: string;
  /** Run id or group key: the same in every chart, and shared by the lines of several metrics. */
  readonly group: string;
  readonly label: string;
  readonly color: string;
  /** Which of the chart's metrics, from 0: the colour says whose line it is, the dashes of what. */
  readonly dash?: number;
  readonly x: Float64Array;
  /** What is drawn as the line: smoothed, or the mean of a group. */
  readonly y: Float64Array;
  /** Ends of the band of a group, or of the envelope behind reduced points. */
  readonly low?: Float64Array;
  readonly high?: Float64Array;
  /** The values as logged, drawn faintly under a smoothed line. */
  readonly raw?: Float64Array;
  /** Runs behind each point of a mean, and of the whole group. */
  readonly n?: Uint32Array;
  readonly runs?: number;
  /** One run of the group whose mean is another line: drawn thin and pale, and named by no legend. */
  readonly faint?: true;
  /** Points stand for several logged ones, near the mean of their x. */
  readonly reduced?: boolean;
  /** Whether x increases, so that y is a function of it. */
  readonly increasing: boolean;
  /** Of a line with runs that diverged: the curves of its others, perhaps none, by which a frame is found instead of by the line. */
  readonly sound?: readonly Pick<DrawnLine, 'x' | 'y' | 'increasing'>[];
  /** Its values are read from the right-hand axis. */
  readonly right?: true;
  /** Points are marked, and bands are error bars: few points that lie far apart. */
  readonly markers?: boolean;
  /** Drawn so many pixels to the right of its x, so that bars of one x stand beside each other. */
  readonly aside?: number;
  /** With markers: seeds behind each point had they all ended with a number. A point of fewer is drawn hollow. */
  readonly planned?: Uint32Array;
}

export interface AxisModel {
  readonly label: string;
  readonly log: boolean;
  readonly min: number;
  readonly max: number;
  /** Nobody chose this part of x: values so many times the rest were left out, and are said. */
  readonly far?: number;
  /** There is nothing in the frame, and so no number that its axis could bear. */
  readonly blank?: boolean;
  /** Of the values, where it decides which numbers are round: see `ticksOf`. */
  readonly unit?: string;
  /** Names of the places 1, 2, 3 …, for an axis without numbers. */
  readonly categories?: readonly string[];
  /** Where ticks stand, when they are given by what is shown (the few values of a setting). */
  readonly ticks?: readonly number[];
}

export interface Reference {
  readonly value: number;
  readonly label: string;
  /** Its value is one of the right-hand axis. */
  readonly right?: true;
}

/** A place on x at which there is no number to draw, and why. */
export interface AbsentMark {
  readonly x: number;
  readonly label: string;
}

export interface LineModel {
  readonly lines: readonly DrawnLine[];
  readonly x: AxisModel;
  readonly y: AxisModel;
  /** Of the lines whose values have another unit; its ticks stand at the right. */
  readonly right?: AxisModel;
  readonly references: readonly Reference[];
  readonly absent?: readonly AbsentMark[];
  /** Said under the chart. */
  readonly notes: readonly string[];
  /** Likewise, of what the axes leave out: values beyond the frame, or that a logarithmic axis cannot show. */
  readonly outside: readonly string[];
  /** More is better: of several lines the highest is named first. */
  readonly higherBetter?: boolean;
}

/** The y axis on which a line is read. */
export const yOf = ({ y, right }: Pick<LineModel, 'y' | 'right'>, line: Pick<DrawnLine, 'right'>): AxisModel =>
  line.right === true ? (right ?? y) : y;

/** Colours and sizes of everything that is not data; read from the tokens. */
export interface ChartTheme {
  readonly surface: string;
  readonly line: string;
  readonly text: string;
  readonly muted: string;
  readonly accent: string;
  readonly bad: string;
  readonly font: string;
}
