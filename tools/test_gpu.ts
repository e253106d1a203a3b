/**
 * Runs the tests of the GPU engines, on a software GPU where there is no other (docs/devices.md):
 * both at once, as each waits for its own compiler of shaders. What it cannot find it names.
 * Results go to `.cov/gpu-onnx.xml` and `.cov/gpu-tfjs.xml`, in JUnit's form.
 *
 *   deno task test:gpu [onnx] [tfjs]
 *
 * @module
 */
const SWIFTSHADER = ["/usr/lib/chromium/vk_swiftshader_icd.json"]; // apt-get install chromium
const LAVAPIPE = [ // apt-get install mesa-vulkan-drivers
  "/usr/share/vulkan/icd.d/lvp_icd.json",
  "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json",
  "/usr/share/vulkan/icd.d/lvp_icd.aarch64.json",
];

/** Dawn, in ONNX Runtime, refuses Debian 12's lavapipe; Deno's wgpu takes either. */
const RUNS = {
  onnx: { test: "tests/engine/webgpu_test.ts", drivers: SWIFTSHADER, package: "chromium" },
  tfjs: {
    test: "tests/engine/tfjs_webgpu_test.ts",
    drivers: [...LAVAPIPE, ...SWIFTSHADER],
    package: "mesa-vulkan-drivers",
  },
} as const;

const FAULTS = "tests/engine/driver_faults_test.ts";

async function firstFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  return undefined;
}

/** Runs one engine's tests, prints them when they have ended, and tells whether they passed. */
async function test(engine: keyof typeof RUNS, runtime: string): Promise<boolean> {
  const { test, drivers, package: wanted } = RUNS[engine];
  const driver = Deno.env.get("VK_DRIVER_FILES") ?? await firstFile(drivers);
  if (driver === undefined) {
    console.error(
      `Cannot find a software GPU for ${engine}: \`apt-get install libvulkan1 ${wanted}\`, or name a driver in VK_DRIVER_FILES`,
    );
    return false;
  }
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", `--junit-path=.cov/gpu-${engine}.xml`, test, FAULTS],
    env: { VK_DRIVER_FILES: driver, XDG_RUNTIME_DIR: runtime, HAARLEM_TEST_GPU: engine },
  }).output();
  console.log(`${engine} on ${driver}`);
  await Deno.stdout.write(stdout);
  await Deno.stderr.write(stderr);
  return success;
}

if (import.meta.main) {
  const unknown = Deno.args.find((arg) => !(arg in RUNS));
  if (unknown !== undefined) {
    console.error(
      `Cannot test "${unknown}": expected ${Object.keys(RUNS).join(" or ")}, or nothing for both`,
    );
    Deno.exit(2);
  }
  const named = Deno.args as (keyof typeof RUNS)[];
  const chosen = named.length > 0 ? named : Object.keys(RUNS) as (keyof typeof RUNS)[];
  const runtime = await Deno.makeTempDir({ prefix: "haarlem-runtime-" });
  console.log(`${chosen.join(" and ")}: some minutes on two cores`);
  const passed = await Promise.all(chosen.map((engine) => test(engine, runtime)));
  await Deno.remove(runtime, { recursive: true });
  if (passed.includes(false)) Deno.exit(1);
}
