/** A part of one's own: the upsampling of super-resolution networks. @module */
import { definePlugin, defineUpscale, tf } from "haarlem";
import { z } from "zod";

const pixelShuffle = defineUpscale({
  name: "subpixel/pixel_shuffle",
  summary: "1x1 convolution to 4C, then depth to space",
  source: "Shi et al., CVPR 2016",
  options: z.object({}),
  outChannels: (channels) => channels,
  init({ channels }, random) {
    return { weight: random.normal([1, 1, channels, 4 * channels], 1 / Math.sqrt(channels)) };
  },
  apply({ weight }, { x }) { // x [N,H,W,C] -> [N,2H,2W,C]
    return tf.depthToSpace(tf.conv2d(x, weight, 1, "same"), 2);
  },
});

export default definePlugin({ name: "subpixel", version: "1.0.0", upscales: [pixelShuffle] });
