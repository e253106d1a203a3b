import assert from "node:assert/strict";
import { createEngine } from "../../engine/mod.ts";
import { parseConfig } from "../../pipelines/distill_config.ts";
import { openFeatureNetwork } from "../../pipelines/feature_network.ts";
import { openGenerator } from "../../pipelines/run_generator.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher } from "./tiny.ts";

const REMEDY =
  "name one: --set features.name=discriminator for a teacher file with its discriminator, or --set features.name=vgg16 --set features.path=FILE for torchvision's weights";

Deno.test("openFeatureNetwork() says what it needs, and how to give it", async () => {
  const engine = await createEngine({ threads: 1 });
  const config = parseConfig(tinyDistill, createRegistry());
  const teacher = tinyTeacher();
  const running = openGenerator(teacher, engine);
  await assert.rejects(openFeatureNetwork({ ...config, features: undefined }, running, engine), {
    name: "RangeError",
    message:
      `Cannot compute perceptual features: expected a feature network but the configuration has none; ${REMEDY}`,
  });
  const alone = { ...teacher, discriminator: undefined };
  await assert.rejects(openFeatureNetwork(config, openGenerator(alone, engine), engine), {
    name: "RangeError",
    message:
      `Cannot compute perceptual features: expected a teacher with its discriminator but its file has none; ${REMEDY}`,
  });
  const features = { name: "vgg16", path: "/nowhere/vgg16.pth" } as const;
  await assert.rejects(openFeatureNetwork({ ...config, features }, running, engine), {
    message:
      'Cannot convert "/nowhere/vgg16.pth": expected a file that can be opened but received "No such file or directory (os error 2): open \'/nowhere/vgg16.pth\'"',
  });
  await engine.dispose();
});
