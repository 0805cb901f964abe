// Where a run that keeps its data finds the time at which it ended.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { toIso } from '../../lib/platform/clock.ts';

const kept = z.object({ now: z.iso.datetime() });
const fileIn = (data: string) => join(data, 'clock.json');

/** The time to start at: a run that was ahead of the real time goes on from there, any other follows the real time. */
export function keptTime(data: string, realNow: number): number | undefined {
  let text: string;
  try {
    text = readFileSync(fileIn(data), 'utf8');
  } catch {
    return undefined; // the first run in this folder
  }
  const at = Date.parse(kept.parse(JSON.parse(text)).now);
  return at > realNow ? at : undefined;
}

export function keepTime(data: string, now: number): void {
  mkdirSync(data, { recursive: true });
  writeFileSync(fileIn(data), `${JSON.stringify({ now: toIso(now) })}\n`);
}
