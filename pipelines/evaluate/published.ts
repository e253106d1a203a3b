/**
 * What papers print, to be shown beside an evaluation, never among its numbers.
 *
 * @module
 */

/** A row of published results: FFHQ at 1024 px. */
export interface PublishedRow {
  readonly network: string;
  /** As printed. */
  readonly fid: number;
  readonly parameters: number;
  /** As printed, whatever was counted. */
  readonly multiplyAdds: number;
  readonly source: string;
}

/** Published results. */
export const publishedRows: readonly PublishedRow[] = [
  {
    network: "StyleGAN2",
    fid: 2.84,
    parameters: 28.27e6,
    multiplyAdds: 143.15e9,
    source: "Karras et al., CVPR 2020; costs as arXiv:2104.04767 prints them",
  },
  {
    network: "MobileStyleGAN, paper",
    fid: 12.38,
    parameters: 8.01e6,
    multiplyAdds: 15.09e9,
    source: "arXiv:2104.04767, version 1, table 1",
  },
  {
    network: "MobileStyleGAN, July 2021",
    fid: 7.75,
    parameters: 8.01e6,
    multiplyAdds: 15.09e9,
    source: "its author's repository",
  },
];

/** Why the published FIDs are no yardstick for the numbers above them. */
export const comparability: readonly string[] = [
  "The published rows are of FFHQ faces at 1024 px: 50,000 images, Inception features, real " +
  "photographs as the reference. Other images, sizes, counts or features give other numbers, so " +
  "they stand in columns of their own and compare with nothing above.",
  "The two MobileStyleGAN rows do not even compare with StyleGAN2's: the script that their author " +
  "published divides images by 255 twice and whitens each set by its own colors.",
  "Published multiply-adds count transposed convolutions at their output grid, or floating-point " +
  "operations; deno task cost --preset ffhq-1024 counts all by one convention and says what differs.",
];
