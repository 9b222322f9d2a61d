// What a client does whose server may be gone at any moment: it tries again, and where that could do something twice, it
// looks first whether it was done.
import { Lost, sleep } from "./client.mjs";

/** How a Story deals with lost answers. @param up gives a promise that the server is there, or is coming back. */
export function patient(up) {
  /** Waits until the server is there again, or was only slow. */
  const back = async () => {
    await sleep(100);
    await up();
  };

  /** Does what may be done again without harm until there is an answer. */
  const reread = async (read) => {
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (!isLost(error)) throw error;
      }
      await back();
    }
  };

  /** Does it, and should the answer be lost, looks whether it was done before doing it again. */
  const once = async (act, found) => {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!isLost(error)) throw error;
      }
      await back();
      const there = await reread(found);
      if (there) return there;
    }
  };
  return { once, reread };
}

/** Whether an error says no more than that nobody answered, or that the server could not: its database was away. */
function isLost(error) {
  return (
    error instanceof Lost ||
    ["HttpRequestError", "TimeoutError"].includes(error.name) ||
    ["fetch failed", "terminated"].includes(error.message) ||
    /^HTTP 5\d\d|"code":"INTERNAL"/.test(error.message)
  );
}
