import { join } from "node:path";

/** Name of the lock in a folder. It holds the process's id, for people. */
export const LOCK = ".lock";

function pidIn(path: string): string {
  try {
    const pid = Deno.readTextFileSync(path).trim();
    return /^\d+$/.test(pid) ? `process ${pid}` : "another process";
  } catch {
    return "another process";
  }
}

/** Whether the name still leads to the open file: its last owner may have removed it meanwhile. */
function isCurrent(file: Deno.FsFile, path: string): boolean {
  try {
    return file.statSync().ino === Deno.statSync(path).ino;
  } catch {
    return false;
  }
}

/**
 * Claims a folder for this process until the result is disposed.
 *
 * The claim is the operating system's lock on the file, which ends with the process however it
 * ends: a file left behind by a dead process is taken over, even if its id was given to another.
 *
 * @param refuse the error if another process has the folder
 */
export function lockFolder(dir: string, refuse: (owner: string) => Error): Disposable {
  const path = join(dir, LOCK);
  for (;;) {
    const file = Deno.openSync(path, { read: true, write: true, create: true });
    if (!file.tryLockSync(true)) {
      file.close();
      throw refuse(pidIn(path));
    }
    if (!isCurrent(file, path)) {
      file.close();
      continue;
    }
    file.truncateSync();
    file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
    return {
      [Symbol.dispose]() {
        // Removed while it is still locked: nobody can claim it between the two.
        if (Deno.build.os !== "windows") Deno.removeSync(path);
        file.close();
      },
    };
  }
}
