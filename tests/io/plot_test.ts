import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { chart, chartColor } from "../../io/chart.ts";
import type { CurveEvent } from "../../io/event_series.ts";
import { lossCurves, psnrCurve } from "../../io/plot.ts";
import { decodeImage } from "../../io/png.ts";

/** A run of so many steps of 100 images: losses fall to a tenth, the student passes the mean image. */
function eventsOf(steps: number): CurveEvent[] {
  const events: CurveEvent[] = [];
  for (let step = 1; step <= steps; step++) {
    const t = step / steps;
    const kimg = step / 10;
    const losses: Record<string, number> = { pixel: 0.5 * 10 ** -t, gradientNorm: 2 };
    if (t > 0.5) {
      losses["adversarial"] = 0.7;
      losses["discriminator.adversarial"] = 1.25;
    }
    events.push({ kind: "step", kimg, losses });
    const measures = { psnrDb: 11 + 8 * t, meanImagePsnrDb: 15.25 };
    if (step % 10 === 0) events.push({ kind: "sample", kimg, measures });
  }
  return events;
}

function textsOf(svg: string): string[] {
  const { document } = parseHTML(svg);
  return [...document.querySelectorAll("text")].map(({ textContent }) => textContent ?? "");
}

Deno.test("lossCurves() gives each loss a panel with its name and value", async () => {
  const { svg } = await lossCurves(eventsOf(100));
  const texts = textsOf(svg);
  for (const title of ["pixel", "gradientNorm", "adversarial"]) assert.ok(texts.includes(title));
  assert.ok(!texts.includes("discriminator.adversarial"));
  assert.ok(texts.includes("student 0.7") && texts.includes("discriminator 1.25"));
  assert.ok(
    texts.includes(
      "against thousands of images (kimg); bold: mean over 4 steps, faint: every step",
    ),
  );
  const { document } = parseHTML(svg);
  assert.equal(document.querySelectorAll("svg > svg").length, 3);
});

Deno.test("lossCurves() is logarithmic where all values are positive", async () => {
  const ticksOf = async (values: number[]) => {
    const events = values.map((pixel, i) => ({ kind: "step", kimg: i + 1, losses: { pixel } }));
    const { document } = parseHTML((await lossCurves(events)).svg);
    const labels = document.querySelectorAll('[aria-label="y-axis tick label"] text');
    return [...labels].map(({ textContent }) => Number(textContent));
  };
  assert.deepEqual(await ticksOf([0.02, 0.3, 0.9]), [0.02, 0.05, 0.1, 0.2, 0.5]);
  assert.deepEqual(await ticksOf([1e-6, 1]), [1e-6, 1e-4, 1e-2, 1]);
  assert.deepEqual(await ticksOf([-1, 0, 1]), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(await ticksOf([3]), [3]);
});

Deno.test("lossCurves() counts images where a run is shorter than 1 kimg", async () => {
  const { svg } = await lossCurves(eventsOf(5));
  assert.ok(textsOf(svg).includes("against images; every step"));
  assert.ok(textsOf(svg).includes("500"));
});

Deno.test("lossCurves() and psnrCurve() say that nothing was measured yet", async () => {
  assert.deepEqual(textsOf((await lossCurves([])).svg), ["Losses", "No step yet"]);
  const nothing = [{ kind: "step", kimg: 1, losses: { pixel: "NaN" } }];
  assert.deepEqual(textsOf((await lossCurves(nothing)).svg), ["Losses", "No step yet"]);
  assert.deepEqual(textsOf((await psnrCurve([])).svg), [
    "Student against teacher, held-out latents",
    "No measurement yet",
  ]);
});

Deno.test("lossCurves() draws a long run in a small file", async () => {
  const { svg } = await lossCurves(eventsOf(20_000));
  assert.ok(svg.length < 100_000, `${svg.length} characters`);
});

Deno.test("psnrCurve() labels the student and the teacher's mean image", async () => {
  const texts = textsOf((await psnrCurve(eventsOf(100))).svg);
  assert.ok(texts.includes("student 19.00 dB"));
  assert.ok(texts.includes("mean image 15.25 dB"));
  const without = eventsOf(100).map((event) =>
    event.kind === "sample" ? { ...event, measures: { psnrDb: 17 } } : event
  );
  assert.ok(!textsOf((await psnrCurve(without)).svg).some((text) => text.startsWith("mean image")));
});

Deno.test("psnrCurve() keeps its labels apart", async () => {
  const measures = { psnrDb: 15.26, meanImagePsnrDb: 15.25 };
  const { svg } = await psnrCurve([{ kind: "sample", kimg: 1, measures }]);
  const { document } = parseHTML(svg);
  const labels = [...document.querySelectorAll("text")]
    .filter(({ textContent }) => textContent?.endsWith(" dB"))
    .map((label) => {
      let y = 0;
      for (let node: Element | null = label; node; node = node.parentElement) {
        y += Number(
          /translate\([^,]+,([^)]+)\)/.exec(node.getAttribute("transform") ?? "")?.[1] ?? 0,
        );
      }
      return y;
    });
  assert.equal(labels.length, 2);
  assert.ok(Math.abs(labels[0]! - labels[1]!) >= 15.9, `${labels}`);
});

Deno.test("chart() has a dark counterpart for every colour and needs no surroundings", async () => {
  for (const { svg } of [await lossCurves(eventsOf(100)), await psnrCurve(eventsOf(100))]) {
    const [style] = /<style>.*?<\/style>/.exec(svg)!;
    const drawing = svg.replace(style, "");
    const colors = new Set(drawing.match(/#[0-9a-f]{3,6}\b/g));
    assert.ok(colors.size >= 4);
    for (const color of colors) assert.ok(style.includes(`[fill="${color}"]`), color);
    assert.ok(!/currentColor|var\(|undefined|NaN|⚠/.test(drawing));
    assert.ok(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
  }
});

Deno.test("chart() draws a PNG on a background of its theme", async () => {
  const drawn = await psnrCurve(eventsOf(100));
  const light = await decodeImage(drawn.png({ scale: 1 }));
  assert.deepEqual(light.shape, [368, 920, 3]);
  const dark = await decodeImage(drawn.png({ scale: 1, theme: "dark" }));
  const middle = (x: Float32Array) => x.toSorted()[x.length / 2]!;
  assert.ok(middle(light.data) > 0.9 && middle(dark.data) < -0.7);
  assert.ok(light.data[0]! > 0.9 && dark.data[0]! < -0.7, "corners are filled");
  const large = await decodeImage(drawn.png());
  assert.deepEqual(large.shape, [736, 1840, 3]);
});

Deno.test("chart() writes text in the PNG", async () => {
  const draw = async (title: string) => (await chart({ title, panels: [] })).png({ scale: 1 });
  const dark = (await decodeImage(await draw("A"))).data.filter((value) => value < 0).length;
  assert.ok(dark > 20, `${dark} dark values`);
  assert.notDeepEqual(await draw("A"), await draw("B"));
});

Deno.test("chart() escapes what texts hold", async () => {
  const { svg } = await chart({
    title: `<script>"&\u0000`,
    panels: [{ title: "</svg>", plot: ({ dot }) => ({ marks: [dot([[1, 2]])] }) }],
  });
  assert.ok(svg.includes("&lt;script>&quot;&amp;</title>"));
  assert.ok(!svg.includes("<script") && svg.match(/<\/svg>/g)!.length === 2);
  assert.equal(chartColor("first"), "#1664c0");
});
