import type {
  AnyConv,
  AnyHead,
  Demodulate,
  MultiplyAdds,
  Params,
  PartKind,
  PartKinds,
  PartSource,
  Weights,
} from "../core/contracts.ts";
import { expectOutput } from "../core/expect_output.ts";
import { under } from "../core/params.ts";
import type { Random } from "../core/random.ts";
import { modulatedConv } from "../layers/conv/modulated.ts";
import { rgbHead } from "../layers/rgb_head.ts";
import { checkStudentConfig, sizesTo, type StudentConfig, studentLastPx } from "./config.ts";

/** A part with its validated options. */
export interface Resolved<Kind extends PartKind> {
  readonly part: PartKinds[Kind];
  readonly options: unknown;
}

/** The weights of one part at its place in the student. */
export interface Place {
  /** Prefix of the weights: `8.conv1.separable_modulated`. */
  readonly prefix: string;
  readonly buffers: readonly string[];
  init(random: Random): Weights;
  /** Side of its output in pixels. */
  readonly sizePx: number;
  /** Of one image; absent if the part does not say. Demodulation counts as none. */
  readonly multiplyAdds: MultiplyAdds | undefined;
}

/** A convolution and the prefixes of its weights. */
export interface ConvPlace {
  readonly conv: Resolved<"conv">;
  readonly prefix: string;
  readonly inChannels: number;
  /** Prefix of its demodulation's weights; absent when that is merged into the convolution. */
  readonly demodulationPrefix?: string;
}

/** The parts at one size of feature maps. */
export interface Stage {
  /** Prefix of the weights; the first stage, at 4 px, has none. */
  readonly upscale?: string;
  readonly convs: readonly ConvPlace[];
  /** Prefix of the weights; absent where no head is wanted. */
  readonly head?: string;
}

/** How a student is wired: its parts, its stages from 4 px on, and the places of all its weights. */
export interface StudentPlan {
  readonly upscale: Resolved<"upscale">;
  readonly demodulation: Resolved<"demodulation">;
  readonly head: Resolved<"head">;
  readonly stages: readonly Stage[];
  /** In the order of the forward pass. */
  readonly places: readonly Place[];
}

/** Lists places as they are made, and gives back their prefixes. */
function createPlacer(places: Place[]) {
  return <Kind extends "upscale" | "conv" | "demodulation" | "head">(
    where: string,
    { part, options }: Resolved<Kind>,
    dims: Readonly<Record<string, number>>,
  ): string => {
    const prefix = `${where}.${part.name}`;
    const sizePx = Number(where.split(".")[0]);
    // The kinds differ in what they call their dimensions; each caller below knows its own.
    const init = part.init as (dims: unknown, random: Random, options: unknown) => Weights;
    const count = part.kind === "demodulation" ? () => ({ convolution: 0 }) : part.multiplyAdds as
      | ((dims: unknown, options: unknown) => MultiplyAdds)
      | undefined;
    places.push({
      prefix,
      buffers: part.buffers ?? [],
      init: (random) => init(dims, random, options),
      sizePx,
      multiplyAdds: count?.({ ...dims, sizePx }, options),
    });
    return prefix;
  };
}

/**
 * Plans a student: MobileStyleGAN, arXiv:2104.04767, figure 3.
 *
 * A dense 4x4 start, then per size: upsampling, two convolutions, head.
 *
 * @throws {RangeError} If the configuration, a part's name or its options are not valid.
 */
export function planStudent(config: StudentConfig, source: PartSource): StudentPlan {
  checkStudentConfig(config);
  const { channels, styleDim } = config;
  const upscale = source.resolve("upscale", config.upscale);
  const conv = source.resolve("conv", config.conv);
  const demodulation = source.resolve("demodulation", config.demodulation);
  const head = headOf(config, source);
  const everyHead = config.auxiliary || head.part.usesPrevious;

  const places: Place[] = [];
  const place = createPlacer(places);
  const placeConv = (
    where: string,
    conv: Resolved<"conv">,
    inChannels: number,
    outChannels: number,
  ): ConvPlace => {
    const prefix = place(where, conv, { inChannels, outChannels, styleDim });
    const placed = { conv, prefix, inChannels };
    if (config.fused && conv.part.fuse) return placed;
    return { ...placed, demodulationPrefix: place(where, demodulation, { inChannels }) };
  };

  const stages = sizesTo(studentLastPx(config)).map((sizePx, i): Stage => {
    const outChannels = channels[i]!;
    // The teacher's pyramid begins at 8 px: features of 4 px have no image in the pixel domain.
    const hasImage = config.domain !== "pixel" || sizePx > 4;
    const placeHead = () =>
      hasImage && (everyHead || i === channels.length - 1)
        ? { head: place(`${sizePx}.head`, head, { channels: outChannels, styleDim }) }
        : {};
    if (i === 0) {
      const dense = { part: modulatedConv as AnyConv, options: {} };
      return { convs: [placeConv("4.conv1", dense, outChannels, outChannels)], ...placeHead() };
    }
    const below = channels[i - 1]!;
    const upChannels = upscale.part.outChannels(below, upscale.options);
    return {
      upscale: place(`${sizePx}.upscale`, upscale, { channels: below, styleDim }),
      convs: [
        placeConv(`${sizePx}.conv1`, conv, upChannels, outChannels),
        placeConv(`${sizePx}.conv2`, conv, outChannels, outChannels),
      ],
      ...placeHead(),
    };
  });
  return { upscale, demodulation, head, stages, places };
}

/** The head that is chosen; in the pixel domain the same one with three outputs. */
function headOf(config: StudentConfig, source: PartSource): Resolved<"head"> {
  const head = source.resolve("head", config.head);
  if (config.domain !== "pixel") return head;
  if (head.part.name === "single") return { part: rgbHead as AnyHead, options: head.options };
  throw new RangeError(
    `Cannot build the student: expected head "single" in the pixel domain but received "${head.part.name}"`,
  );
}

/** The demodulation of one convolution, bound to its weights among `params`. */
export function bindDemodulation(
  params: Params,
  { part, options }: Resolved<"demodulation">,
  prefix: string,
): Demodulate {
  return (inputs) => {
    const factors = part.apply(under(params, prefix), inputs, options);
    return expectOutput(factors, ["N", inputs.energy.shape[1]], part);
  };
}
