/**
 * The plots of an ablation.
 *
 * @module
 */
import type * as Plot from "@observablehq/plot";
import { type Chart, chart, chartColor, type Panel } from "../../io/chart.ts";
import type { Spread, VariantSummary } from "./table.ts";
import { BASE } from "./variants.ts";

const ROW_PX = 22;
const FRAME_PX = 54; // of a panel, for its title and its axis
const LABELS_PX = 170;

/** What all panels share: variants from top to bottom, names at the left of the first. */
function rowsOf(names: readonly string[], isFirst: boolean) {
  return {
    marginLeft: isFirst ? LABELS_PX : 12,
    marginRight: 16,
    marginTop: 4,
    marginBottom: 24,
    y: {
      domain: [...names],
      label: null,
      tickSize: 0,
      tickPadding: 8,
      ...isFirst ? {} : { axis: null },
    },
  } as const;
}

interface Dot {
  readonly variant: string;
  readonly value: number;
}

/** A dot per seed, a tick at the mean. */
function spreadPanel(
  title: string,
  spreads: readonly (readonly [string, Spread])[],
  { isFirst, rule }: { readonly isFirst: boolean; readonly rule?: number },
): Panel {
  const dots = spreads.flatMap(([variant, { values }]) =>
    values.map((value): Dot => ({ variant, value }))
  );
  const means = spreads.filter(([, { values }]) => values.length > 1)
    .map(([variant, { mean }]): Dot => ({ variant, value: mean }));
  const at = { x: "value", y: "variant" } as const;
  return {
    title,
    plot: (plot: typeof Plot) => ({
      ...rowsOf(spreads.map(([variant]) => variant), isFirst),
      x: { label: null, ticks: 4, nice: true },
      marks: [
        plot.gridX({ stroke: chartColor("grid"), strokeOpacity: 1, ticks: 4 }),
        plot.ruleX(rule === undefined ? [] : [rule], { stroke: chartColor("muted") }),
        plot.dot(dots, { ...at, fill: chartColor("first"), fillOpacity: 0.45, r: 3 }),
        plot.tickX(means, { ...at, stroke: chartColor("first"), strokeWidth: 3, inset: 3 }),
      ],
    }),
  };
}

/** Bars; a second number as an outlined mark on the same line. */
function barPanel(
  title: string,
  bars: readonly Dot[],
  marks: readonly Dot[] = [],
): Panel {
  const at = { x: "value", y: "variant" } as const;
  const largest = Math.max(...bars.map(({ value }) => value), 0);
  return {
    title,
    plot: (plot: typeof Plot) => ({
      ...rowsOf(bars.map(({ variant }) => variant), title.startsWith("Multiply")),
      x: { label: null, ticks: 4, nice: true, domain: [0, largest || 1] },
      marks: [
        plot.gridX({ stroke: chartColor("grid"), strokeOpacity: 1, ticks: 4 }),
        plot.barX(bars, { ...at, fill: chartColor("first"), insetTop: 4, insetBottom: 4 }),
        plot.tickX(marks, { ...at, stroke: chartColor("second"), strokeWidth: 3, inset: 2 }),
      ],
    }),
  };
}

/**
 * Draws the quality of the variants: differences to the base with the same seed, each a dot, the
 * mean a tick.
 */
export function qualityChart(summaries: readonly VariantSummary[]): Promise<Chart> {
  const others = summaries.filter(({ variant, runs }) => variant !== BASE && runs > 0)
    .toSorted((a, b) => b.psnrGainDb.mean - a.psnrGainDb.mean);
  const panelHeightPx = others.length * ROW_PX + FRAME_PX;
  return chart({
    title: "Quality against the base",
    subtitle: "a dot per seed, paired with the base's run of that seed; the tick is the mean",
    panels: others.length === 0 ? [] : [
      spreadPanel(
        "PSNR, dB: to the right is nearer to the teacher",
        others.map(({ variant, psnrGainDb }) => [variant, psnrGainDb]),
        { isFirst: true, rule: 0 },
      ),
      spreadPanel(
        "SWD: to the left is nearer",
        others.map(({ variant, swdGain }) => [variant, swdGain]),
        { isFirst: false, rule: 0 },
      ),
    ],
    columns: 2,
    panelHeightPx,
  });
}

/** Draws what the variants cost: multiply-adds, and milliseconds with demodulation fused and not. */
export function costChart(summaries: readonly VariantSummary[]): Promise<Chart> {
  const sorted = summaries.toSorted((a, b) => a.multiplyAdds - b.multiplyAdds);
  const millions = sorted.map(({ variant, multiplyAdds }) => ({
    variant,
    value: multiplyAdds / 1e6,
  }));
  const fused = sorted.map(({ variant, fusedMs = 0 }) => ({ variant, value: fusedMs }));
  const loose = sorted.flatMap(({ variant, ms }) =>
    ms === undefined ? [] : [{ variant, value: ms }]
  );
  const panels = [
    barPanel("Multiply-adds, millions", millions),
    ...loose.length > 0 ? [barPanel("Milliseconds", fused, loose)] : [],
  ];
  return chart({
    title: "Cost",
    subtitle:
      "of one image; blue: as exported, demodulation fused where it can be; orange: not fused",
    panels,
    columns: panels.length,
    panelHeightPx: sorted.length * ROW_PX + FRAME_PX,
  });
}
