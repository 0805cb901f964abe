// How far something has come: a bar where there is a terminal, a line for each quarter elsewhere.
import { WriteStream } from 'node:tty';
import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  advance(by: number): void;
  end(): void;
}

/** Opens a bar of `total` things of a name. */
export function openProgress(name: string, total: number, out: NodeJS.WritableStream): Progress {
  if (out instanceof WriteStream && out.isTTY) {
    const format = `${name}  {bar} {value}/{total}`;
    const bar = new SingleBar({ format, stream: out, hideCursor: true }, Presets.shades_classic);
    bar.start(total, 0);
    return { advance: (by) => bar.increment(by), end: () => bar.stop() };
  }
  let done = 0;
  let told = 0;
  return {
    advance(by) {
      done += by;
      const quarter = Math.floor((4 * done) / Math.max(1, total));
      if (quarter > told && quarter < 4) out.write(`${name}  ${done}/${total}\n`);
      told = Math.max(told, quarter);
    },
    end: () => void out.write(`${name}  ${done}/${total}\n`),
  };
}
