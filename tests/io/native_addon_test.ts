/** Building the native addon where something is missing; `.ci/run` builds it where all is there. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { commands } from "../../cli.ts";
import { runCommandLine } from "../../cli/run_command_line.ts";
import { lockFolder } from "../../io/folder_lock.ts";
import { checkPlatform } from "../../io/native/check_platform.ts";
import { compileAddon } from "../../io/native/compile_addon.ts";
import { findPython } from "../../io/native/find_python.ts";
import { provideTensorflow } from "../../io/native/provide_tensorflow.ts";
import { smokeTest } from "../../io/native/smoke_test.ts";
import {
  buildNativeAddon,
  type NativeAddonOptions,
  removeNativeAddon,
} from "../../io/native_addon.ts";
import { FACTS, stubPython, withPrograms } from "./stub_programs.ts";

const ignore = Deno.build.os !== "linux"; // the programs are shell scripts, the remedies Debian's
const CANNOT = "Cannot build the native TensorFlow addon: expected";
const COMPILER = { "c++": "echo c++ 12" };

/** What building says where there are only these programs. */
function refused(
  programs: Readonly<Record<string, string>>,
  options: NativeAddonOptions = {},
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  return withPrograms(programs, variables, async (folder) => {
    try {
      await buildNativeAddon({ folder, ...options });
      return "built";
    } catch (error) {
      return (error as Error).message;
    }
  });
}

/** What looking for TensorFlow says with this Python as the only program. */
function withoutTensorflow(
  python: string,
  options: { readonly cuda?: boolean; readonly version?: string } = {},
): Promise<string> {
  return withPrograms({ python3: python }, {}, async (folder) => {
    const { cuda = false, version } = options;
    try {
      const found = await findPython(undefined, undefined);
      await provideTensorflow(found, { folder, cuda, version, report: () => {} });
      return "found";
    } catch (error) {
      return (error as Error).message.replaceAll(folder, "FOLDER");
    }
  });
}

Deno.test("buildNativeAddon() refuses systems without TensorFlow, with what would do", () => {
  const message = (os: string, arch: string, cuda = false) => {
    try {
      return checkPlatform({ os, arch }, cuda);
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(message("linux", "x86_64", true), undefined);
  assert.equal(message("darwin", "aarch64"), undefined);
  assert.equal(
    message("windows", "x86_64"),
    `${CANNOT} Linux or macOS but received windows; use WSL 2`,
  );
  assert.equal(
    message("freebsd", "x86_64"),
    `${CANNOT} Linux or macOS but received freebsd; use --engine onnx`,
  );
  assert.equal(
    message("linux", "riscv64"),
    `${CANNOT} x86_64 or aarch64 but received riscv64; use --engine onnx`,
  );
  assert.equal(
    message("darwin", "aarch64", true),
    `${CANNOT} Linux for --cuda but received macOS; build for the CPU without --cuda`,
  );
});

Deno.test("buildNativeAddon() says which compiler is missing or too old", { ignore }, async () => {
  assert.equal(
    await refused({}),
    `${CANNOT} a C++17 compiler but found none of c++, g++, clang++; install one with \`apt-get install g++\`, or name it in CXX`,
  );
  assert.equal(
    await refused({}, {}, { CXX: "no-such-compiler" }),
    `${CANNOT} a C++17 compiler but found none of no-such-compiler; install one with \`apt-get install g++\`, or name it in CXX`,
  );
  const old = `
case "$*" in
  --version) echo g++ 4.8 ;;
  *) echo "g++: error: unrecognized command line option '-std=c++17'" >&2; exit 1 ;;
esac`;
  assert.equal(
    await refused({ "g++": old }),
    `${CANNOT} g++ to compile C++17 with its standard library but received "g++: error: unrecognized command line option '-std=c++17'"; install another with \`apt-get install g++\`, and name it in CXX`,
  );
});

Deno.test("buildNativeAddon() says which Python is missing or unfit", { ignore }, async () => {
  assert.equal(
    await refused(COMPILER),
    `${CANNOT} Python 3 but found none; install it with \`apt-get install python3 python3-venv\``,
  );
  assert.equal(
    await refused(COMPILER, { python: "/nowhere/python" }),
    `${CANNOT} a Python at "/nowhere/python" but found none; give the program, or the folder of an environment`,
  );
  const python2 = stubPython({ version: "2.7.18", bits: 64 });
  assert.equal(
    await refused({ ...COMPILER, python: python2 }),
    `${CANNOT} Python 3.9 or newer but received 2.7.18 of "python"; name another with --python`,
  );
  const i686 = stubPython({ ...FACTS, platform: "linux-i686", bits: 32 });
  assert.equal(
    await refused({ ...COMPILER, python3: i686 }),
    `${CANNOT} a Python for ${Deno.build.arch} but "python3" is one for linux-i686 with 32 bits; name another with --python`,
  );
  const shim = "echo 'pyenv: python3: command not found' >&2; exit 127";
  assert.equal(
    await refused({ ...COMPILER, python3: shim }),
    `${CANNOT} "python3" to be a Python that works but received "pyenv: python3: command not found"; name another with --python`,
  );
});

Deno.test("findPython() goes on to the next that works", { ignore }, async () => {
  const programs = { python3: "exit 127", python: stubPython(FACTS) };
  const python = await withPrograms(programs, {}, () => findPython(undefined, undefined));
  assert.deepEqual(python, { program: "python", ...FACTS });
});

Deno.test("buildNativeAddon() wants a driver before it fetches CUDA", { ignore }, async () => {
  const machine = { ...COMPILER, python3: stubPython(FACTS) };
  assert.equal(
    await refused(machine, { cuda: true }),
    `${CANNOT} NVIDIA's driver for --cuda but found no nvidia-smi; install the driver, or build for the CPU without --cuda`,
  );
  const broken = "echo 'NVIDIA-SMI has failed'; exit 9";
  assert.equal(
    await refused({ ...machine, "nvidia-smi": broken }, { cuda: true }),
    `${CANNOT} nvidia-smi to list a GPU for --cuda but received "NVIDIA-SMI has failed"; mend the driver, or build for the CPU without --cuda`,
  );
});

Deno.test("buildNativeAddon() says that npm cannot be reached", { ignore }, async () => {
  const programs = { ...COMPILER, python3: stubPython(FACTS) };
  const cache = await Deno.makeTempDir({ prefix: "haarlem-native-" });
  const registry = "http://127.0.0.1:9/"; // nobody listens there
  const message = await refused(programs, {}, { DENO_DIR: cache, NPM_CONFIG_REGISTRY: registry });
  await Deno.remove(cache, { recursive: true });
  assert.equal(
    message,
    `${CANNOT} the sources and Node's headers from npm (@tensorflow/tfjs-node-gpu@4.22.0, node-api-headers@1.9.0) but could not load http://127.0.0.1:9/@tensorflow%2ftfjs-node-gpu; check the network and the registry that NPM_CONFIG_REGISTRY or .npmrc names`,
  );
});

Deno.test("provideTensorflow() says what making an environment lacks", { ignore }, async () => {
  assert.equal(
    await withoutTensorflow(stubPython({ ...FACTS, venv: false })),
    `${CANNOT} venv and ensurepip in Python 3.11.2 but found none of both; install them with \`apt-get install python3-venv\`, or name another Python with --python`,
  );
  const readOnly = stubPython(FACTS).replace('rm -rf "$4"', "echo Permission denied >&2; exit 1");
  assert.equal(
    await withoutTensorflow(readOnly),
    `${CANNOT} Python 3.11.2 to make an environment in FOLDER/venv-2.21.0 but received "Permission denied"; name another Python with --python, or another folder in HAARLEM_NATIVE`,
  );
});

Deno.test("provideTensorflow() tells what pip's failure means", { ignore }, async () => {
  const pip = (...lines: string[]) =>
    withoutTensorflow(
      stubPython(FACTS, `${lines.map((line) => `echo "${line}" >&2; `).join("")} exit 1`),
    );
  const none = (versions: string) => [
    `ERROR: Could not find a version that satisfies the requirement tensorflow-cpu==2.21.0 (from versions: ${versions})`,
    "ERROR: No matching distribution found for tensorflow-cpu==2.21.0",
  ];
  assert.equal(
    await pip("/usr/bin/python3: No module named pip"),
    `${CANNOT} pip in Python 3.11.2 but found none; install it with \`apt-get install python3-pip python3-venv\`, or name another Python with --python`,
  );
  const retry =
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError': /simple/tensorflow-cpu/";
  assert.equal(
    await pip(retry, ...none("none")),
    `${CANNOT} pip to reach a package index for tensorflow-cpu==2.21.0 but none answered; check the network and the index that \`pip config list\` names, or name a Python that has TensorFlow with --python`,
  );
  assert.equal(
    await pip(...none("none")),
    `${CANNOT} a package of tensorflow-cpu==2.21.0 for Python 3.11.2 on ${FACTS.platform} but pip finds none; name another version with --tensorflow or another Python with --python`,
  );
  assert.equal(
    await pip(retry, ...none("2.15.0, 2.20.0")),
    `${CANNOT} a package of tensorflow-cpu==2.21.0 for Python 3.11.2 on ${FACTS.platform} but pip finds none, of others up to 2.20.0; name another version with --tensorflow or another Python with --python`,
  );
  assert.equal(
    await pip(
      "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    ),
    `${CANNOT} room for tensorflow-cpu==2.21.0 but the disk is full; free some, or name another folder in HAARLEM_NATIVE`,
  );
  assert.equal(
    await pip("ERROR: hash mismatch"),
    `${CANNOT} pip to install tensorflow-cpu==2.21.0 but received "ERROR: hash mismatch"; mend that, or name a Python that has TensorFlow with --python`,
  );
});

Deno.test("provideTensorflow() wants headers and shared libraries", { ignore }, async () => {
  const tensorflow = { version: "2.9.0", folder: "/nowhere/tensorflow" };
  assert.equal(
    await withoutTensorflow(stubPython({ ...FACTS, tensorflow })),
    `${CANNOT} libtensorflow_cc.so.2 in TensorFlow 2.9.0 but found none in /nowhere/tensorflow; install TensorFlow 2.15 or newer there with pip, or name another Python with --python`,
  );
  const bare = stubPython({ ...FACTS, tensorflow }, "mkdir tensorflow");
  assert.equal(
    await withoutTensorflow(bare, { version: "2.14.0" }),
    `${CANNOT} libtensorflow_cc.so.2 in TensorFlow 2.21.0 but found none in FOLDER/venv-2.14.0/tensorflow; name 2.15 or newer with --tensorflow`,
  );
  assert.equal(
    await withoutTensorflow(stubPython(FACTS, "true")),
    `${CANNOT} TensorFlow 2.21.0 in FOLDER/venv-2.21.0 but found none after pip`,
  );
});

const INSTALL =
  "mkdir tensorflow tensorflow/include && touch tensorflow/libtensorflow_cc.so.2 tensorflow/libtensorflow_framework.so.2";

Deno.test("provideTensorflow() makes anew what was interrupted, and keeps what is whole", {
  ignore,
}, async () => {
  // The first time pip is killed when half is there.
  const pip =
    `if [ -e ../again ]; then ${INSTALL}; else touch ../again; mkdir tensorflow; kill -9 $$; fi`;
  await withPrograms({ python3: stubPython(FACTS, pip) }, {}, async (folder) => {
    await Deno.mkdir(folder);
    const python = await findPython(undefined, undefined);
    const provide = () =>
      provideTensorflow(python, { folder, cuda: false, version: undefined, report: () => {} });
    await assert.rejects(provide(), {
      message:
        `${CANNOT} pip to install tensorflow-cpu==2.21.0 but received "ended by SIGKILL"; mend that, or name a Python that has TensorFlow with --python`,
    });
    const environment = join(folder, "venv-2.21.0");
    const inside = join(environment, "tensorflow");
    const tensorflow = {
      version: "2.21.0",
      folder: inside,
      cuda: false,
      libraries: [
        join(inside, "libtensorflow_cc.so.2"),
        join(inside, "libtensorflow_framework.so.2"),
      ],
      environment,
    };
    assert.deepEqual(await provide(), tensorflow);
    assert.deepEqual(await provide(), tensorflow);
    assert.equal(await Deno.readTextFile(`${environment}.log`), "venv\nvenv\n");
    await Deno.remove(tensorflow.libraries[0]!); // by hand
    assert.deepEqual(await provide(), tensorflow);
    assert.equal(await Deno.readTextFile(`${environment}.log`), "venv\nvenv\nvenv\n");
  });
});

Deno.test("provideTensorflow() stops when it is told to", { ignore }, async () => {
  const abort = new AbortController();
  const pip = "touch ../started; exec sleep 60";
  await withPrograms({ python3: stubPython(FACTS, pip) }, {}, async (folder) => {
    await Deno.mkdir(folder);
    const python = await findPython(undefined, undefined);
    const { signal } = abort;
    const report = () => void setTimeout(() => abort.abort(new Error("interrupted")), 300);
    const provided = provideTensorflow(python, {
      folder,
      cuda: false,
      version: undefined,
      report,
      signal,
    });
    await assert.rejects(provided, { message: "interrupted" });
    assert.ok(Deno.statSync(join(folder, "started")));
  });
});

Deno.test("compileAddon() gives the compiler's first error", { ignore }, async () => {
  const fails = "echo 'In file included'; echo 'tf.h:1: fatal error: no such file'; exit 1";
  await withPrograms({ "c++": fails }, {}, async (folder) => {
    const compiler = { program: "c++", version: "" };
    const sources = { name: "the package 1.0", folder, headers: folder };
    const tensorflow = { version: "2.21.0", folder, cuda: false, libraries: [] };
    await assert.rejects(compileAddon(compiler, { sources, tensorflow, signal: undefined }), {
      message:
        `${CANNOT} c++ to compile the package 1.0 against TensorFlow 2.21.0 but received "tf.h:1: fatal error: no such file"; try another version with --tensorflow, or another compiler with CXX`,
    });
  });
});

Deno.test("smokeTest() says what a process threw that computed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-native-" });
  await assert.rejects(smokeTest(folder, { device: "cpu", signal: undefined }), {
    message:
      `${CANNOT} the addon to compute gradients but received "Cannot test the native addon: expected one but found none"; try another version with --tensorflow, or another compiler with CXX`,
  });
  await Deno.remove(folder);
});

/** A folder with an addon that works, what a killed run has left, and a file of the user's. */
async function fill(folder: string): Promise<void> {
  for (const name of ["build-live/package", "build-dead", "venv-2.21.0"]) {
    await Deno.mkdir(join(folder, name), { recursive: true });
  }
  const addon = { package: join(folder, "build-live/package"), tensorflow: "2.21.0", cuda: false };
  await Deno.writeTextFile(join(folder, "native.json"), JSON.stringify(addon));
  await Deno.writeTextFile(join(folder, "notes.txt"), "mine");
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("buildNativeAddon() that fails keeps the addon that works, and clears up", {
  ignore,
}, async () => {
  await withPrograms({}, {}, async (folder) => {
    await fill(folder);
    await assert.rejects(buildNativeAddon({ folder }), /a C\+\+17 compiler/);
    assert.deepEqual(namesIn(folder), ["build-live", "native.json", "notes.txt", "venv-2.21.0"]);
  });
});

Deno.test("buildNativeAddon() lets one process build at a time", { ignore }, async () => {
  await withPrograms({}, {}, async (folder) => {
    await fill(folder);
    using _lock = lockFolder(folder, () => new Error("locked"));
    const message =
      `Cannot change the native TensorFlow addon: expected no other process to do so but received process ${Deno.pid}; wait for it to end`;
    await assert.rejects(buildNativeAddon({ folder }), { message });
    await assert.rejects(removeNativeAddon(folder), { message });
  });
});

Deno.test("buildNativeAddon() says that its folder cannot be made", { ignore }, async () => {
  await assert.rejects(buildNativeAddon({ folder: "/dev/null/native" }), {
    message:
      `${CANNOT} a folder to build in but received "Not a directory (os error 20): mkdir '/dev/null/native'"; name another in HAARLEM_NATIVE`,
  });
});

Deno.test("native --remove removes what is ours, and says whether there was anything", {
  ignore,
}, async () => {
  await withPrograms({}, {}, async (folder) => {
    await fill(folder);
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    const remove = () =>
      withPrograms(
        {},
        { HAARLEM_NATIVE: folder },
        () =>
          runCommandLine(["native", "--remove"], commands, {
            terminal: { print, warn: print, now: () => 0 },
            onInterrupt: () => () => {},
            confine: () => Promise.resolve(),
            exit: () => {},
          }),
      );
    await remove();
    assert.deepEqual(namesIn(folder), ["notes.txt"]);
    await remove();
    await Deno.remove(folder, { recursive: true });
    await remove();
    assert.deepEqual(lines, [
      "Removed the native TensorFlow addon",
      "There is no native TensorFlow addon",
      "There is no native TensorFlow addon",
    ]);
  });
});
