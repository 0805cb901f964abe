import type { AttributionSettings } from '../platform/brand.ts';
import { DAY } from '../platform/clock.ts';

/** How far back a conversion looks for touches of a channel, in milliseconds. */
export const lookBackMs = (settings: AttributionSettings, channel: string): number =>
  (Object.hasOwn(settings.lookbackDaysByChannel, channel)
    ? settings.lookbackDaysByChannel[channel]!
    : settings.lookbackDays) * DAY;

/** The longest look-back of any channel, in milliseconds: what lies further back can change no conversion. */
export const longestLookBackMs = (settings: AttributionSettings): number =>
  Math.max(settings.lookbackDays, ...Object.values(settings.lookbackDaysByChannel)) * DAY;
