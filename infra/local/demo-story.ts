// Two months of a brand's life, the same for the same brand and brand-day.
import type { Brand } from '../../lib/platform/brand.ts';
import { HOUR } from '../../lib/platform/clock.ts';
import { isoDay, openCalendar } from '../../lib/tags/calendar.ts';
import type { Senders } from './demo-accounts.ts';
import { openDice } from './demo-dice.ts';
import { type Kind, PERSONS, type Trade } from './demo-life.ts';
import { openPerson } from './demo-person.ts';
import { schoolLives } from './demo-school.ts';
import type { Step } from './demo-send.ts';
import { shopLives } from './demo-shop.ts';

export interface Story {
  /** In time order, none later than now. */
  readonly steps: readonly Step[];
  readonly members: readonly string[];
}

/** Writes the story of a brand up to `now`: a school's for brands that enrol, else a shop's. */
export function storyOf(brand: Brand, senders: Senders, now: number): Story {
  const calendar = openCalendar(brand.timezone);
  const today = calendar.brandDay(now);
  const trade = brand.conversions.some(({ event }) => event === 'course_enrolled') ? schoolLives : shopLives;
  const steps: Step[] = [];
  const members: string[] = [];
  const tell = (step: Step) => {
    if (step.at <= now) steps.push(step);
  };
  for (let n = 0; n < PERSONS; n++) {
    const dice = openDice(`${brand.name} ${n}`);
    // The day is part of each name: played on another day into kept data, these are other people.
    const tag = `${isoDay(today).slice(5).replace('-', '')}${String(n).padStart(3, '0')}`;
    const person = openPerson(tag, trade.phone(n), trade.site, brand, senders, tell);
    const at = (daysAgo: number) =>
      Math.floor(calendar.startOfDay(today - daysAgo) + 9 * HOUR + dice.between(0, 12 * 3600) * 1000);
    const after = (from: number, least: number, most: number) =>
      from + dice.between(least * 60, most * 60) * 1000;
    kindOf(trade, n).live({ person, dice, at, after });
    members.push(person.names.member);
  }
  return { steps: steps.sort((a, b) => a.at - b.at), members };
}

/** Kinds in turn, so that the shares hold whatever the dice say. */
function kindOf({ kinds }: Trade, n: number): Kind {
  let place = (n * 37) % 100;
  for (const kind of kinds) {
    if (place < kind.share) return kind;
    place -= kind.share;
  }
  return kinds[0];
}
