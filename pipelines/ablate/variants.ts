/**
 * The variants of an ablation: each differs from the base in one field of its configuration.
 *
 * @module
 */
import type { PartKind, PartSource } from "../../core/contracts.ts";
import { didYouMean } from "../../core/nearest.ts";
import type { Listed } from "../../core/registry.ts";
import { quote } from "../../io/describe.ts";
import type { DistillConfig } from "../distill_config.ts";

/** A configuration that differs from the base in one field. */
export interface Variant {
  /** Names it in tables and folders. */
  readonly name: string;
  /** Path of the field: `student.head`. Empty for the base itself. */
  readonly field: string;
  /** What the field holds instead. */
  readonly value: unknown;
  /** What it answers, in a sentence. */
  readonly question?: string;
}

/** The name of the configuration that the others are compared with. */
export const BASE = "base";

/** Parts by name, and all of them; a registry is one. */
export interface ListedParts extends PartSource {
  /** What is registered, of one kind or of all. */
  list(kind?: PartKind): readonly Listed[];
}

/* Sentences of what the paper, or the question itself, claims. */
const QUESTIONS: Readonly<Record<string, string>> = {
  "base": "the configuration that the others are compared with",
  "head-skip": "do heads that add up over the scales bring something in the wavelet domain?",
  "head-single": "is one head on the last block as good as heads that add up?",
  "no-auxiliary": "do heads at every scale stabilise training?",
  "demodulation-styled": "what does demodulation that cannot be fused give?",
  "demodulation-trainable": "is quality kept when style coefficients become parameters?",
  "demodulation-frozen": "do the coefficients have to be trained?",
  "upscale-conv_transpose": "does the inverse wavelet transform replace a trained upsampling?",
  "upscale-bilinear": "is any upsampling without weights as good?",
  "upscale-idwt": "is the inverse wavelet transform enough?",
  "conv-modulated": "what does the depthwise-separable convolution cost in quality?",
  "conv-separable_modulated": "is the depthwise-separable convolution as good as the dense one?",
  "domain-pixel":
    "do smaller feature maps lose quality? Here a block at the full size predicts colours",
  "no-wavelet":
    "does the wavelet loss do more than the pixel loss? Its weight goes to the pixel loss; in L2 the two are the same function, so the difference is in L1",
  "no-perceptual": "what does the perceptual loss do?",
  "no-adversarial": "what does the adversarial loss do? R1 goes with it",
  "adversarial-bce": "is the paper's binary cross-entropy different from the non-saturating loss?",
  "adversarial-non_saturating": "is the non-saturating loss different from the paper's?",
};

function variant(name: string, field: string, value: unknown): Variant {
  const question = QUESTIONS[name];
  return { name, field, value, ...question !== undefined && { question } };
}

type ExchangedKind = "head" | "demodulation" | "upscale" | "conv";

/** A field that names another part; its options stay if that part accepts them. */
function partVariants(base: DistillConfig, kind: ExchangedKind, parts: ListedParts): Variant[] {
  const own = base.student[kind];
  return parts.list(kind).filter(({ name }) => name !== own.name).map(({ name }) => {
    const same = { ...own, name };
    let value: typeof own = same;
    try {
      parts.resolve(kind, same as Parameters<ListedParts["resolve"]>[1]);
    } catch {
      value = { name };
    }
    return variant(`${kind}-${name}`, `student.${kind}`, value);
  });
}

type LossEntry = DistillConfig["losses"][number];

function lossVariants({ losses }: DistillConfig): Variant[] {
  const find = (name: string) => losses.find((loss) => loss.name === name);
  const without = (...names: string[]) => losses.filter(({ name }) => !names.includes(name));
  const weightOf = (loss: LossEntry) => loss.weight ?? 1;
  const [pixel, wavelet, adversarial] = ["pixel", "wavelet", "adversarial"].map(find);
  const variants: Variant[] = [];
  if (pixel && wavelet) {
    const weight = weightOf(pixel) + weightOf(wavelet);
    const value = without("wavelet").map((loss) => loss === pixel ? { ...pixel, weight } : loss);
    variants.push(variant("no-wavelet", "losses", value));
  }
  if (find("perceptual")) {
    variants.push(variant("no-perceptual", "losses", without("perceptual")));
  }
  if (adversarial) {
    variants.push(variant("no-adversarial", "losses", without("adversarial", "r1")));
    const form = adversarial.options?.["form"] === "bce" ? "non_saturating" : "bce";
    const other = { ...adversarial, options: { ...adversarial.options, form } };
    const value = losses.map((loss) => loss === adversarial ? other : loss);
    variants.push(variant(`adversarial-${form}`, "losses", value));
  }
  return variants;
}

/** What can be asked of a base, by group; only what is a student, too. */
export function variantGroups(
  base: DistillConfig,
  parts: ListedParts,
): Readonly<Record<string, readonly Variant[]>> {
  const { auxiliary, domain, head, channels } = base.student;
  // Colours are predicted by the head "single" alone, and take one block more.
  const exchangesDomain = channels === undefined && (domain === "pixel" || head.name === "single");
  return {
    heads: [
      ...domain === "pixel" ? [] : partVariants(base, "head", parts),
      variant(auxiliary ? "no-auxiliary" : "auxiliary", "student.auxiliary", !auxiliary),
    ],
    demodulation: partVariants(base, "demodulation", parts),
    upscale: partVariants(base, "upscale", parts),
    conv: partVariants(base, "conv", parts),
    domain: exchangesDomain
      ? [
        domain === "wavelet"
          ? variant("domain-pixel", "student.domain", "pixel")
          : variant("domain-wavelet", "student.domain", "wavelet"),
      ]
      : [],
    losses: lossVariants(base),
  };
}

/**
 * The base and the variants of some names, each of a variant, of a group, or `all`; variants of
 * one's own stand as they are.
 *
 * @throws {RangeError} If a name is not known for this base, or given twice.
 */
export function chooseVariants(
  wanted: readonly (string | Variant)[],
  base: DistillConfig,
  parts: ListedParts,
): Variant[] {
  const groups = variantGroups(base, parts);
  const all = Object.values(groups).flat();
  const chosen = [variant(BASE, "", undefined)];
  const add = (one: Variant) => {
    const taken = chosen.find(({ name }) => name === one.name);
    if (!taken) return chosen.push(one);
    if (JSON.stringify(taken) === JSON.stringify(one)) return;
    throw new RangeError(
      `Cannot plan the ablation: expected every variant to have a name of its own but received two of ${
        quote(one.name)
      }`,
    );
  };
  for (const one of wanted) {
    if (typeof one !== "string") {
      add(one);
      continue;
    }
    const named = one === BASE
      ? []
      : one === "all"
      ? all
      : groups[one] ?? all.filter(({ name }) => name === one);
    if (named.length === 0 && one !== BASE && !groups[one]) {
      const known = ["all", ...Object.keys(groups), ...all.map(({ name }) => name)];
      throw new RangeError(
        `Cannot find the variant ${quote(one)}: known for this base are ${
          known.map((name) => quote(name)).join(", ")
        }${didYouMean(one, known)}`,
      );
    }
    for (const each of named) add(each);
  }
  return chosen;
}

/** A copy of some JSON in which the field at a path of keys, `student.head`, holds something else. */
export function withField(json: unknown, path: string, value: unknown): unknown {
  const set = (at: unknown, [key, ...rest]: readonly string[]): unknown => {
    if (key === undefined) return value;
    const record = (at ?? {}) as Readonly<Record<string, unknown>>;
    return { ...record, [key]: set(record[key], rest) };
  };
  return path === "" ? json : set(json, path.split("."));
}
