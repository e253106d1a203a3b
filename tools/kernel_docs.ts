/**
 * Writes `docs/kernels.md`: which TensorFlow.js kernels the compiled engines know, and how often they
 * can be differentiated, both found out by trying the cases of the conformance suite.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { registerMissingGradients } from "../engine/gradients.ts";
import { ruleFamilies, unsupportedKernels } from "../engine/kernels/mod.ts";
import { isComposed } from "../engine/rule.ts";
import { trace } from "../engine/tracing.ts";
import {
  arraysFor,
  callCase,
  gradientsOf,
  type KernelCase,
  scalarOf,
} from "../tests/engine/cases/case.ts";
import { kernelCases } from "../tests/engine/cases/mod.ts";

/** Where the page lies. */
export const KERNEL_DOCS: URL = new URL("../docs/kernels.md", import.meta.url);

/** So far the derivatives are tried; what goes as far goes on. */
const HIGHEST = 3;

/** How often a case can be differentiated while tracing. */
function orderOf(each: KernelCase, kernel: string): number {
  const shapes = arraysFor(each, kernel).map(({ shape }) => shape);
  let reached = 0;
  try {
    trace(kernel, shapes, (xs) => {
      const floats = xs.filter((_, i) => !each.operands[i]!.dtype);
      let scalar = () => scalarOf(callCase(each, xs));
      for (let order = 1; order <= HIGHEST; order++) {
        const before = scalar;
        scalar = () => scalarOf(gradientsOf(before, floats));
        scalar();
        reached = order;
      }
      return [];
    });
  } catch {
    // No derivative beyond: that is what was asked.
  }
  return reached;
}

/** For each kernel how often its smallest case can be differentiated. */
function ordersOf(): Map<string, number> {
  return new Map(
    Object.entries(kernelCases).map(([kernel, cases]) => {
      const smallest = cases
        .filter(({ order }) => order > 0)
        .sort((a, b) => sizeOf(a) - sizeOf(b))
        .slice(0, 2);
      return [kernel, Math.max(0, ...smallest.map((each) => orderOf(each, kernel)))];
    }),
  );
}

const sizeOf = ({ operands }: KernelCase) =>
  operands.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);

/** What TensorFlow.js's own derivatives get wrong, and what of it is right here. */
const CORRECTED: readonly (readonly [kernels: string, fault: string])[] = [
  [
    "AvgPool, AvgPool3D",
    "divides by the whole window where a part of it lies outside of the image",
  ],
  ["BatchMatMul", "does not sum over batch axes that were broadcast, and stops"],
  ["Conv2D, Conv3D, DepthwiseConv2dNative", "stops at dilations; forgets how sizes were rounded"],
  ["Cumsum", "turns the axes once too often unless it is the last one"],
  [
    "Elu, Exp, LRN, Pow, Sigmoid, Softmax, Tanh",
    "second derivatives through the saved result are cut off and silently wrong",
  ],
  ["GatherV2", "takes one batch axis for any number of them"],
  ["Maximum, Minimum, SquaredDifference", "do not sum over axes that were broadcast, and stop"],
  ["MaxPool", "forgets how sizes were rounded"],
  ["MirrorPad", "forgets what was mirrored"],
  ["Prod", "stops at axes that are counted from the end"],
  [
    "ResizeBilinear",
    "has the wrong shape for images that are not square; knows no half-pixel centres",
  ],
  ["ResizeNearestNeighbor", "knows no half-pixel centres"],
  ["Tile", "stops at five axes"],
  ["UnsortedSegmentSum", "stops at numbers of no segment"],
];

const LIMITS: readonly string[] = [
  "Inputs and outputs of a compiled function are float32; inside, int32 and bool work too.",
  "Data has its channels last. `NCHW` and `NCDHW` are refused by name.",
  "`tf.logSoftmax` and `tf.losses.softmaxCrossEntropy` save their results themselves: their first derivatives are right, their second ones are not, in TensorFlow.js and here. `tf.log(tf.softmax(x))` has both.",
  "`tf.batchNorm` without offset or scale has no derivative: TensorFlow.js stops at inputs that are missing.",
  "Where several numbers of a window are the largest, the first receives the gradient in an image and the last in a volume, as in TensorFlow.js.",
  "TensorFlow.js on the CPU gives wrong results where one axis of `tf.stridedSlice` is dropped and another one strided; `tf.tensorScatterUpdate` overwrites its input; `tf.einsum` of a lone operand doubles its gradient. Compiled, all three are right.",
];

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const orderWords = (order: number) => order >= HIGHEST ? "any" : order === 0 ? "-" : String(order);

/** The page, from a TensorFlow.js whose derivatives are still its own. */
export async function kernelDocs(): Promise<string> {
  tf.enableProdMode();
  const alone = ordersOf();
  registerMissingGradients();
  const here = ordersOf();
  const corrected = new Set(CORRECTED.flatMap(([kernels]) => kernels.split(", ")));
  const count = Object.values(ruleFamilies).flat().length + 1;
  const sections = Object.entries(ruleFamilies).map(([family, rules]) => {
    const rows = rules.map((rule) => [
      `\`${rule.kernel}\``,
      isComposed(rule) ? "other kernels" : "ONNX nodes",
      orderWords(here.get(rule.kernel)!),
      orderWords(alone.get(rule.kernel)!) + (corrected.has(rule.kernel) ? " \\*" : ""),
    ]);
    return `### ${family[0]!.toUpperCase()}${family.slice(1)}\n\n${
      table(["kernel", "becomes", "derivatives", "in TensorFlow.js alone"], rows)
    }`;
  });
  return await formatted(`# Kernels

<!-- Written by \`deno run -A tools/kernel_docs.ts\`; a test compares it with the rules. -->

A compiled engine knows a TensorFlow.js kernel by its _rule_, in \`engine/kernels/\`: the shape of its
results, and the ONNX nodes (operator set 17) or the other kernels that it becomes. These ${count} have
one. \`engine/gradients/\` adds derivatives that TensorFlow.js ${tf.version_core} lacks or gets wrong, on
every engine; "any" means that ${HIGHEST} orders were tried. \`tests/engine/kernels_test.ts\` compares
results and first and second derivatives with TensorFlow.js on the CPU, in both layouts;
\`tests/engine/derivatives_test.ts\` compares the derivatives with finite differences.

A plugin's kernel needs a rule of its own: \`createEngine({ rules: [...] })\`.

## With a rule

${sections.join("\n\n")}

\`Identity\` becomes nothing: it is a new name for the same value. \\* Wrong in some cases, see below.

## Derivatives that are corrected

${
    table(
      ["kernel", "what TensorFlow.js's own does"],
      CORRECTED.map(([kernels, fault]) => [
        kernels.split(", ").map((kernel) => `\`${kernel}\``).join(", "),
        fault,
      ]),
    )
  }

## Without a rule

${
    table(
      ["kernel", "why"],
      Object.entries(unsupportedKernels).map(([kernel, why]) => [`\`${kernel}\``, why]),
    )
  }

\`LogSoftmax\` and \`LogicalXor\` are names that no function of TensorFlow.js calls: it composes them.

## Limits

${LIMITS.map((limit) => `- ${limit}`).join("\n")}
`);
}

async function formatted(markdown: string): Promise<string> {
  const fmt = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "--line-width", "100", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = fmt.stdin.getWriter();
  await writer.write(new TextEncoder().encode(markdown));
  await writer.close();
  const { stdout } = await fmt.output();
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) await Deno.writeTextFile(KERNEL_DOCS, await kernelDocs());
