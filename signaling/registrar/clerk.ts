import { toError } from "../../src/base/errors.ts";
import type { Directory, Place } from "../../src/contract/directory.ts";
import { type DirectoryTask, encodePost } from "./mailroom.ts";

/** Carries out a registrar's task. Resolves with the answer for `Registrar.handleAnswer`, an error included. */
export async function performTask(
  directory: Directory,
  task: DirectoryTask,
): Promise<Place | undefined | boolean | Error> {
  try {
    switch (task.type) {
      case "claim":
        return await directory.claim(task.uid, task.place);
      case "release":
        await directory.release(task.uid, task.place);
        return undefined;
      case "locate":
        return await directory.locate(task.uid);
      case "deliver":
        return await directory.deliver(task.registrar, encodePost(task.post));
    }
  } catch (error) {
    return toError(error);
  }
}
