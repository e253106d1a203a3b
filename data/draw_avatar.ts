/**
 * Draws the avatars of `avatars.ts`: every part and colour is chosen by
 * `createRandom(0, "avatars", i)`. A change of the pictures raises the version there.
 *
 * @module
 */
import { openPeeps } from "@dicebear/collection";
import { createAvatar } from "@dicebear/core";
import { Resvg } from "@resvg/resvg-js";
import type { Buffer } from "node:buffer";
import { createRandom } from "../core/random.ts";

/** Open Peeps' skin tones; the darkest is lighter than theirs, so that black lines show on it. */
const skinColors = ["ffdbb4", "edb98a", "d08b5b", "ae5d29", "7d5a46"] as const;

const clothingColors = [
  "e78276",
  "ffcf77",
  "fdea6b",
  "78e185",
  "9ddadb",
  "8fa7df",
  "e279c7",
] as const;

const backgroundColors = [
  "b6e3f4",
  "c0aede",
  "d1d4f9",
  "ffd5dc",
  "ffdfbf",
  "c9f0cf",
  "fff3b8",
] as const;

/** From black over brown, red and blond to dyed; Open Peeps draws most hair in black. */
const hairColors = [
  "1d1a1f",
  "2c1b18",
  "4a312c",
  "6b3a20",
  "8a4b22",
  "a8551f",
  "c8752b",
  "b8862f",
  "8c2f24",
  "5a2748",
  "25406b",
  "1f5a55",
] as const;

const baldHeads = ["noHair1", "noHair2", "noHair3"] as const;

/** Heads on which a beard looks drawn on purpose. */
const beardedHeads = [
  ...baldHeads,
  "afro",
  "cornrows2",
  "dreads1",
  "dreads2",
  "flatTop",
  "flatTopLong",
  "grayShort",
  "hatBeanie",
  "hatHip",
  "mohawk",
  "mohawk2",
  "pomp",
  "shaved1",
  "shaved2",
  "shaved3",
  "short1",
  "short2",
  "short3",
  "short4",
  "short5",
  "turban",
  "twists",
  "twists2",
] as const;

/** All but the bear, and the afro that is larger than the picture. */
const heads = [
  ...beardedHeads,
  "bangs",
  "bangs2",
  "bantuKnots",
  "bun",
  "bun2",
  "buns",
  "cornrows",
  "grayBun",
  "grayMedium",
  "hijab",
  "long",
  "longBangs",
  "longCurly",
  "medium1",
  "medium2",
  "medium3",
  "mediumBangs",
  "mediumBangs2",
  "mediumBangs3",
  "mediumStraight",
] as const;

/** All but the monsters and the most distorted. */
const faces = [
  "awe",
  "blank",
  "calm",
  "cheeky",
  "concerned",
  "contempt",
  "cute",
  "driven",
  "eatingHappy",
  "explaining",
  "eyesClosed",
  "lovingGrin1",
  "lovingGrin2",
  "serious",
  "smile",
  "smileBig",
  "smileLOL",
  "smileTeethGap",
  "solemn",
  "suspicious",
  "tired",
] as const;

/** All but the moustache that leaves the picture and the one that reads as lips. */
const facialHairs = [
  "chin",
  "full",
  "full2",
  "full3",
  "full4",
  "goatee1",
  "goatee2",
  "moustache2",
  "moustache3",
  "moustache5",
  "moustache6",
  "moustache7",
] as const;

const accessories = [
  "glasses",
  "glasses2",
  "glasses3",
  "glasses4",
  "glasses5",
  "sunglasses",
  "sunglasses2",
] as const;

/** Where DiceBear 9.4.3 puts the drawings of head and facial hair in the SVG. */
const headGroup = '<g transform="matrix(.99789 0 0 1 156 62)">';
const facialHairGroup = '<g transform="translate(279 400)">';

/** Renders one avatar: bytes of height, width, RGB. */
export function renderAvatar(index: number, sizePx: number): Uint8Array {
  // Finer than the picture, then averaged: the renderer's own antialiasing leaves visible steps.
  const factor = sizePx <= 64 ? 4 : 2;
  const { pixels } = new Resvg(avatarSvg(index), {
    fitTo: { mode: "width", value: sizePx * factor },
    font: { loadSystemFonts: false },
  }).render();
  return averageBlocks(pixels, sizePx, factor);
}

/** The drawing of one avatar. */
export function avatarSvg(index: number): string {
  const random = createRandom(0, "avatars", index);
  const pick = <T>(choices: readonly T[]): T => choices[random.integer(choices.length)]!;

  const head = pick(heads);
  const skinColor = pick(skinColors);
  const hairColor = pick(hairColors.filter((color) => distance(color, skinColor) > 64));
  const canHaveBeard = (beardedHeads as readonly string[]).includes(head);
  const svg = createAvatar(openPeeps, {
    seed: String(index), // chooses nothing: each list below has one entry
    scale: 95, // large hair needs a margin
    translateY: 4,
    backgroundColor: [pick(backgroundColors)],
    head: [head],
    headContrastColor: [hairColor],
    skinColor: [skinColor],
    clothingColor: [pick(clothingColors)],
    face: [pick(faces)],
    facialHair: [pick(facialHairs)],
    facialHairProbability: canHaveBeard && random.next() < 0.25 ? 100 : 0,
    accessories: [pick(accessories)],
    accessoriesProbability: random.next() < 0.2 ? 100 : 0,
    maskProbability: 0,
  }).toString().replace(' mask="url(#viewboxMask)"', ""); // a no-op that costs half the time

  const isBald = (baldHeads as readonly string[]).includes(head);
  return recolor(isBald ? svg : recolor(svg, headGroup, hairColor), facialHairGroup, hairColor);
}

/** Replaces black by a colour inside one group of the drawing. */
function recolor(svg: string, group: string, color: string): string {
  const start = svg.indexOf(group);
  if (start < 0) {
    throw new Error(
      `Cannot color an avatar: expected the group '${group}' of DiceBear 9.4.3 but received ` +
        `a drawing without it`,
    );
  }
  // The next part begins with the next transformed group.
  const next = svg.indexOf("<g transform=", start + group.length);
  const end = next < 0 ? svg.length : next;
  return svg.slice(0, start) + svg.slice(start, end).replaceAll('"#000"', `"#${color}"`) +
    svg.slice(end);
}

/** Euclidean distance of two colours, in bytes. */
function distance(left: string, right: string): number {
  const channels = (color: string) =>
    [0, 2, 4].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  const other = channels(right);
  return Math.hypot(...channels(left).map((value, i) => value - other[i]!));
}

/** Means of `factor` x `factor` pixels; RGBA in, RGB out. */
function averageBlocks(rgba: Buffer, sizePx: number, factor: number): Uint8Array {
  const rgb = new Uint8Array(sizePx * sizePx * 3);
  const rowSize = sizePx * factor * 4;
  for (let y = 0; y < sizePx; y++) {
    for (let x = 0; x < sizePx; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let dy = 0; dy < factor; dy++) {
          const start = (y * factor + dy) * rowSize + x * factor * 4 + channel;
          for (let dx = 0; dx < factor; dx++) sum += rgba[start + dx * 4]!;
        }
        rgb[(y * sizePx + x) * 3 + channel] = Math.round(sum / factor ** 2);
      }
    }
  }
  return rgb;
}
