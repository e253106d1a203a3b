/**
 * The curves of a run: losses, and how near the student comes to the teacher.
 *
 * @module
 */
import type * as Plot from "@observablehq/plot";
import { type Chart, chart, type ChartColor, chartColor, type Panel } from "./chart.ts";
import { formatNumber, horizontal, type ImageAxis, imageAxis, valueAxis } from "./plot_axes.ts";
import { type CurveEvent, type Point, seriesOf, smooth, thin } from "./event_series.ts";

const SMOOTH_PARTS = 25; // of the run: long enough to still noise, short enough to show a change
const POINTS_PER_PANEL = 260; // one per unit of width: more would fill a band without a line in it

interface Curve {
  readonly name: string;
  readonly color: ChartColor;
  readonly raw: readonly Point[];
  readonly mean: readonly Point[];
}

const value = (point: Point) => point.value;

/** The marks of one curve: every step faint, the mean bold on a halo, with a dot where it is now. */
function curveMarks({ line, dot }: typeof Plot, { color, raw, mean }: Curve, axis: ImageAxis) {
  const stroke = chartColor(color);
  const at = { x: axis.at, y: value };
  const part = (axis.at(raw.at(-1)!) - axis.at(raw[0]!)) / axis.domain[1];
  const count = Math.max(8, Math.round(POINTS_PER_PANEL * part));
  return [
    line(thin(raw, count), { ...at, stroke, strokeOpacity: 0.3, strokeWidth: 1 }),
    line(thin(mean, count), {
      ...at,
      stroke: chartColor("card"),
      strokeOpacity: 0.6,
      strokeWidth: 5,
    }),
    line(thin(mean, count), { ...at, stroke, strokeWidth: 2 }),
    dot(mean.slice(-1), { ...at, fill: stroke, r: 3 }),
  ];
}

function lossPanel(title: string, curves: readonly Curve[], axis: ImageAxis): Panel {
  const { scale, ticks } = valueAxis(curves.flatMap(({ raw }) => raw.map(value)));
  const now = ({ mean }: Curve) => formatNumber(mean.at(-1)!.value);
  return {
    title,
    notes: curves.map((curve) => {
      const text = curves.length > 1 ? `${curve.name} ${now(curve)}` : now(curve);
      return { text, color: curve.color };
    }),
    plot: (plot) => ({
      marginLeft: 44,
      marginRight: 8,
      marginTop: 10,
      marginBottom: 24,
      x: horizontal(axis),
      y: scale,
      marks: [
        plot.gridY({
          stroke: chartColor("grid"),
          strokeOpacity: 1,
          ...typeof ticks === "number" ? { ticks } : { ticks: [...ticks] },
        }),
        ...curves.flatMap((curve) => curveMarks(plot, curve, axis)),
      ],
    }),
  };
}

const DISCRIMINATOR = "discriminator.";

/**
 * Draws the losses of a run, one panel each: the mean over 1/25 of the run over every step, faint.
 *
 * A term of the discriminator shares the panel of the student's term of that name. Axes are
 * logarithmic where all values are positive.
 *
 * @param events of a pipeline or of `events.jsonl`; those of kind `step` with `kimg` and `losses`
 *   are drawn, numbers that are not finite are left out
 */
export function lossCurves(events: readonly CurveEvent[]): Promise<Chart> {
  const series = seriesOf(events, "step");
  const axis = imageAxis([...series.values()]);
  const groups = new Map<string, Curve[]>();
  let window = 1;
  for (const [name, raw] of series) {
    const isDiscriminator = name.startsWith(DISCRIMINATOR);
    const title = isDiscriminator ? name.slice(DISCRIMINATOR.length) : name;
    window = Math.max(window, Math.ceil(raw.length / SMOOTH_PARTS));
    const curve: Curve = {
      name: isDiscriminator ? "discriminator" : "student",
      color: isDiscriminator ? "second" : "first",
      raw,
      mean: smooth(raw, Math.ceil(raw.length / SMOOTH_PARTS)),
    };
    groups.set(title, [...groups.get(title) ?? [], curve]);
  }
  if (groups.size === 0) return chart({ title: "Losses", subtitle: "No step yet", panels: [] });
  return chart({
    title: "Losses",
    subtitle: `against ${axis.unit === "kimg" ? "thousands of images (kimg)" : "images"}; ` +
      (window > 1 ? `bold: mean over ${window} steps, faint: every step` : "every step"),
    panels: [...groups].map(([title, curves]) => lossPanel(title, curves, axis)),
    columns: Math.min(3, groups.size),
  });
}

interface Label {
  readonly text: string;
  readonly value: number;
  readonly color: ChartColor;
  readonly bold: boolean;
}

/** Labels at the right end, moved apart where they would touch. */
function endLabels(labels: readonly Label[], dbPerPx: number): (Label & { dy: number })[] {
  const MIN_GAP_PX = 16;
  const sorted = labels.toSorted((a, b) => b.value - a.value);
  let free = -Infinity;
  const tops = sorted.map(({ value }) => {
    const y = Math.max(-value / dbPerPx, free);
    free = y + MIN_GAP_PX;
    return y;
  });
  return sorted.map((label, i) => ({ ...label, dy: tops[i]! + label.value / dbPerPx }));
}

/**
 * Draws the student's PSNR against the teacher on held-out latents, in dB, with a rule at what the
 * teacher's mean image alone gives: what lies below it is no progress.
 *
 * @param events those of kind `sample` with `kimg` and `measures.psnrDb`,
 *   `measures.meanImagePsnrDb` are drawn
 */
export function psnrCurve(events: readonly CurveEvent[]): Promise<Chart> {
  const series = seriesOf(events, "sample");
  const points = series.get("psnrDb") ?? [];
  const mean = series.get("meanImagePsnrDb")?.at(-1)?.value;
  const title = "Student against teacher, held-out latents";
  const last = points.at(-1);
  if (!last) return chart({ title, subtitle: "No measurement yet", panels: [] });
  const axis = imageAxis([points]);
  const values = [...points.map(({ value }) => value), ...mean === undefined ? [] : [mean]];
  const low = Math.floor(Math.min(...values) - 0.5);
  const high = Math.ceil(Math.max(...values) + 0.5);
  const HEIGHT_PX = 280;
  const MARGIN = { marginTop: 8, marginBottom: 24, marginLeft: 36, marginRight: 170 };
  const dbPerPx = (high - low) / (HEIGHT_PX - MARGIN.marginTop - MARGIN.marginBottom);
  const labels: Label[] = [
    { text: `student ${last.value.toFixed(2)} dB`, value: last.value, color: "first", bold: true },
  ];
  if (mean !== undefined) {
    const text = `mean image ${mean.toFixed(2)} dB`;
    labels.push({ text, value: mean, color: "second", bold: false });
  }
  const plot: Panel["plot"] = ({ gridY, ruleY, line, dot, text }) => ({
    ...MARGIN,
    x: horizontal(axis),
    y: { domain: [low, high], label: null, ticks: 6, tickSize: 0, tickPadding: 6 },
    marks: [
      gridY({ stroke: chartColor("grid"), strokeOpacity: 1, ticks: 6 }),
      ruleY(mean === undefined ? [] : [mean], {
        stroke: chartColor("second"),
        strokeDasharray: "5 4",
        strokeWidth: 1.5,
      }),
      line(points, {
        x: axis.at,
        y: value,
        stroke: chartColor("first"),
        strokeWidth: 2,
      }),
      dot(points, {
        x: axis.at,
        y: value,
        fill: chartColor("first"),
        r: 2.5,
      }),
      ...endLabels(labels, dbPerPx).map((label) =>
        text([label], {
          x: axis.domain[1],
          y: label.value,
          dx: 10,
          dy: label.dy,
          text: (d: Label) => d.text,
          textAnchor: "start",
          fontSize: 12,
          ...label.bold && { fontWeight: 600 },
          fill: chartColor(label.color),
        })
      ),
    ],
  });
  return chart({
    title,
    subtitle: `PSNR in dB, higher is nearer, against ${
      axis.unit === "kimg" ? "thousands of images (kimg)" : "images"
    }; dashed: what the teacher's mean image alone gives`,
    panels: [{ plot }],
    panelHeightPx: HEIGHT_PX,
  });
}
