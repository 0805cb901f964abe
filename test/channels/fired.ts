import { vi } from 'vitest';
import type { Event, Fault } from '../../lib/events/event.ts';
import { aCapture, type RawRequest } from './captured.ts';
import { brandOfAll } from './seeds.ts';
import { cpuMsOf } from './yardstick.ts';

const { brand, secrets } = brandOfAll();

/** Everything that one request brought about. */
export interface Fired {
  readonly status: number;
  readonly reply: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly events: readonly Event[];
  readonly faults: readonly Fault[];
  /** Whether it was counted as something else: a notice, or a name that nothing is made of. */
  readonly isCounted: boolean;
  /** Reasons of refusals. */
  readonly refused: readonly string[];
  /** What operators see: the facts without the names of what was ignored, and each line that was written. */
  readonly log: string;
  /** The names of what was ignored, and what was noticed of the brand's own things. */
  readonly named: string;
  readonly cpuMs: number;
}

/** Sends one request to a capture that has seen nothing else, and listens to all that it says. */
export async function fire(request: RawRequest, now: number): Promise<Fired> {
  const captured = aCapture({ brand, secrets, now });
  const lines: string[] = [];
  const hear = (...said: unknown[]) => {
    lines.push(said.map(String).join(' '));
    return true;
  };
  const spies = [
    ...(['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(hear),
    ),
    vi.spyOn(process.stdout, 'write').mockImplementation(hear),
    vi.spyOn(process.stderr, 'write').mockImplementation(hear),
  ];
  try {
    let sent: Awaited<ReturnType<typeof captured.send>> = { statusCode: 0 };
    const cpuMs = await cpuMsOf(async () => {
      sent = await captured.send(request);
    });
    const { facts } = captured;
    return {
      status: sent.statusCode ?? 0,
      reply: sent.body ?? '',
      headers: sent.headers ?? {},
      events: captured.events(),
      faults: captured.faults(),
      isCounted: captured.tallies().length > 0,
      refused: facts.flatMap((fact) => (fact.what === 'refused' ? [fact.reason] : [])),
      log: [
        ...facts
          .filter(({ what }) => what === 'refused' || what === 'misconfigured')
          .map((it) => Object.values(it).join(' ')),
        ...lines,
      ].join('\n'),
      named: JSON.stringify(facts.filter(({ what }) => what === 'ignored' || what === 'notice')),
      cpuMs,
    };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const prototypes = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
const asBorn = prototypes.map((it) => Object.getOwnPropertyNames(it).join());

/** Whether something has been written to what all objects share. */
export const isPolluted = () =>
  prototypes.some((it, i) => Object.getOwnPropertyNames(it).join() !== asBorn[i]);

/** The first piece of the text, so many characters long, that stands in the log too. */
export function quoted(log: string, text: string, length: number): string | undefined {
  for (let at = 0; at + length <= log.length; at++) {
    const piece = log.slice(at, at + length);
    if (text.includes(piece)) return piece;
  }
  return undefined;
}
