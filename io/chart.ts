/**
 * Charts without a browser: Observable Plot on linkedom, drawn to PNG by resvg. One SVG serves light
 * and dark pages, and stands alone as a file.
 *
 * @module
 */
import type * as Plot from "@observablehq/plot";
import { fileURLToPath } from "node:url";

/** Colours as they are in light and in dark. Light ones are all different: dark is found by them. */
const COLORS = {
  card: { light: "#fefefe", dark: "#171a21" },
  ink: { light: "#1f2430", dark: "#e8ebf1" },
  muted: { light: "#626b7d", dark: "#a0a9ba" },
  grid: { light: "#e4e7ec", dark: "#2d333f" },
  first: { light: "#1664c0", dark: "#6fb1ff" },
  second: { light: "#bf4a06", dark: "#ffa366" },
} as const;

/** A colour of charts. */
export type ChartColor = "card" | "ink" | "muted" | "grid" | "first" | "second";
/** Names of themes. */
export type Theme = "light" | "dark";

/** The colour to draw with; a dark page turns it into its dark counterpart. */
export function chartColor(name: ChartColor): string {
  return COLORS[name].light;
}

/** A text above the right end of a panel; several share a line where they fit in. */
export interface PanelNote {
  /** One line. */
  readonly text: string;
  /** Its colour. */
  readonly color: ChartColor;
}

/** One plot of a chart. */
export interface Panel {
  /** Above the left end. */
  readonly title?: string;
  /** Above the right end. */
  readonly notes?: readonly PanelNote[];
  /** Marks and scales; the module is given because it is loaded only when something is drawn. */
  plot(plot: typeof Plot): Plot.PlotOptions;
}

/** What {@linkcode chart} draws. */
export interface ChartOptions {
  /** Above the panels. */
  readonly title: string;
  /** What the axes and lines are, in a sentence. */
  readonly subtitle?: string;
  /** The plots. */
  readonly panels: readonly Panel[];
  /** Panels side by side. Default: 1. */
  readonly columns?: number;
  /** Width of the whole chart. Default: 920. */
  readonly widthPx?: number;
  /** Height of each panel's plot. Default: 180. */
  readonly panelHeightPx?: number;
}

/** A chart that was drawn. */
export interface Chart {
  /** A whole SVG document with its own background. It follows the page's or system's dark mode. */
  readonly svg: string;
  /** The same as PNG. `scale` is the number of pixels per unit, 2 by default. */
  png(options?: { readonly theme?: Theme; readonly scale?: number }): Uint8Array;
}

const PADDING_PX = 20;
const GAP_PX = 24;
const LINE_PX = 16;
const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Text for XML, which has no way to write control characters. */
function escapeXml(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "").replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
}

function text(
  content: string,
  { x, y, size, color, bold = false }: {
    readonly x: number;
    readonly y: number;
    readonly size: number;
    readonly color: ChartColor;
    readonly bold?: boolean;
  },
): string {
  const weight = bold ? ' font-weight="600"' : "";
  return `<text x="${x}" y="${y}" font-size="${size}"${weight} ` +
    `fill="${chartColor(color)}">${escapeXml(content)}</text>`;
}

/** Loaded when the first chart is drawn: resvg is native code, which importing must not ask for. */
async function loadPlot() {
  const [plot, { parseHTML }, { Resvg }] = await Promise.all([
    import("@observablehq/plot"),
    import("linkedom"),
    import("@resvg/resvg-js"),
  ]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  return { plot, document, Resvg };
}

/**
 * Loads what charts are drawn with, so that they can be drawn after the process has given up loading
 * native code.
 *
 * @example
 * ```ts ignore
 * import { prepareCharts } from "haarlem";
 *
 * await prepareCharts();
 * Deno.permissions.revokeSync({ name: "ffi" });
 * ```
 */
export async function prepareCharts(): Promise<void> {
  await loadPlot();
}

type Loaded = Awaited<ReturnType<typeof loadPlot>>;

/** Width of a text of 12 px, near enough to see whether a line is full. */
const widthPxOf = (content: string) => content.length * 7.2;

/** Notes in one line after the title if there is room, else below each other. */
function noteLines(title: string, notes: readonly PanelNote[], widthPx: number): PanelNote[][] {
  const line = [title, ...notes.map(({ text }) => text)].join("   ");
  return widthPxOf(line) < widthPx ? [[...notes]] : notes.map((note) => [note]);
}

function drawNotes(notes: readonly PanelNote[], x: number, y: number): string {
  const spans = notes.map(({ text, color }) =>
    `<tspan fill="${chartColor(color)}">${escapeXml(text)}</tspan>`
  );
  // Spaces that stay: renderers leave `dx` out when they align the end.
  const line = spans.join("\u00a0\u00a0\u00a0");
  return `<text x="${x}" y="${y}" font-size="12" text-anchor="end">${line}</text>`;
}

function drawPanel(
  { title, notes = [], plot: optionsOf }: Panel,
  { x, y, width, height }: Place,
  { plot, document }: Loaded,
): string {
  const noted = notes.length > 0 ? noteLines(title ?? "", notes, width) : [];
  const lines = Math.max(title ? 1 : 0, noted.length);
  const header = lines > 0 ? lines * LINE_PX + 4 : 0;
  const svg = plot.plot({
    document,
    width,
    height: height - header,
    ...optionsOf(plot),
  });
  svg.setAttribute("x", String(x));
  svg.setAttribute("y", String(y + header));
  svg.setAttribute("font-size", "11");
  for (const style of svg.querySelectorAll("style")) style.remove();
  const parts = [
    title ? text(title, { x, y: y + 12, size: 13, color: "ink", bold: true }) : "",
    ...noted.map((line, i) => drawNotes(line, x + width, y + 12 + i * LINE_PX)),
    svg.outerHTML,
  ];
  return parts.join("");
}

/** Turns colours with the page: rules win over attributes, and other readers skip them. */
function darkRules(): string {
  const rules = Object.values(COLORS).flatMap(({ light, dark }) => [
    `.haarlem-chart [fill="${light}"]{fill:${dark}}`,
    `.haarlem-chart [stroke="${light}"]{stroke:${dark}}`,
  ]);
  return `<style>@media (prefers-color-scheme:dark){${rules.join("")}}</style>`;
}

function inTheme(svg: string, theme: Theme): string {
  if (theme === "light") return svg;
  return Object.values(COLORS).reduce((all, { light, dark }) => all.replaceAll(light, dark), svg);
}

/** The font that comes with the project; `undefined` where only the system's fonts are at hand. */
function fontFiles(): string[] | undefined {
  try {
    return ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((name) => {
      const path = fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}`));
      Deno.statSync(path);
      return path;
    });
  } catch {
    return undefined;
  }
}

/** Draws an SVG as PNG, with the same font on every machine. */
function toPng(
  svg: string,
  { theme, scale, Resvg }: {
    readonly theme: Theme;
    readonly scale: number;
    readonly Resvg: Loaded["Resvg"];
  },
): Uint8Array {
  const files = fontFiles();
  const family = "DejaVu Sans";
  const themed = inTheme(svg.replaceAll(`font-family="${FONT}"`, `font-family="${family}"`), theme);
  const image = new Resvg(themed, {
    background: COLORS.card[theme],
    fitTo: { mode: "zoom", value: scale },
    font: {
      loadSystemFonts: files === undefined,
      ...files && { fontFiles: files },
      defaultFontFamily: family,
      sansSerifFamily: family,
    },
  });
  return new Uint8Array(image.render().asPng());
}

/**
 * Draws plots in a grid on a card, with one title.
 */
export async function chart(
  { title, subtitle, panels, columns = 1, widthPx = 920, panelHeightPx = 180 }: ChartOptions,
): Promise<Chart> {
  const loaded = await loadPlot();
  const { Resvg } = loaded;
  const top = PADDING_PX + (subtitle ? 48 : 30);
  const width = (widthPx - 2 * PADDING_PX - (columns - 1) * GAP_PX) / columns;
  const rows = Math.ceil(panels.length / columns);
  const heightPx = top + rows * panelHeightPx + (rows - 1) * GAP_PX + PADDING_PX;
  const drawn = panels.map((panel, i) => {
    const x = PADDING_PX + (i % columns) * (width + GAP_PX);
    const y = top + Math.floor(i / columns) * (panelHeightPx + GAP_PX);
    return drawPanel(panel, { x, y, width, height: panelHeightPx }, loaded);
  });
  const { ink, card, grid } = COLORS;
  const body = [
    darkRules(),
    `<rect x="0.5" y="0.5" width="${widthPx - 1}" height="${heightPx - 1}" rx="8" ` +
    `fill="${card.light}" stroke="${grid.light}"/>`,
    text(title, { x: PADDING_PX, y: PADDING_PX + 12, size: 16, color: "ink", bold: true }),
    subtitle ? text(subtitle, { x: PADDING_PX, y: PADDING_PX + 32, size: 12, color: "muted" }) : "",
    ...drawn,
  ].join("");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" class="haarlem-chart" width="${widthPx}" ` +
    `height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}" font-family="${FONT}" role="img">` +
    `<title>${escapeXml(title)}</title>${
      body
        .replaceAll("currentColor", ink.light)
        .replaceAll("var(--plot-background)", card.light)
        .replaceAll(/ font-family="system-ui, sans-serif"/g, "")
    }</svg>`;
  return {
    svg,
    png: ({ theme = "light", scale = 2 } = {}) => toPng(svg, { theme, scale, Resvg }),
  };
}
