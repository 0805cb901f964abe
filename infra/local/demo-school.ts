// The people of a school: families who look around, try a lesson, enrol, attend, enrol again, or stop.
import { DAYS, type Kind, type Life, type Trade } from './demo-life.ts';
import type { Campaign } from './demo-person.ts';

const campaigns: readonly [Campaign, ...Campaign[]] = [
  { source: 'google', medium: 'cpc', name: 'chinese_lessons' },
  { source: 'facebook', medium: 'group', name: 'families_abroad' },
  { source: 'xiaohongshu', medium: 'note', name: 'heritage_children' },
  { source: 'wechat', medium: 'article', name: 'pinyin_week' },
  { source: 'partner', medium: 'school', name: 'weekend_school' },
];
const courses: readonly [Course, ...Course[]] = [
  { id: 'PINYIN-1', price: 24_000 },
  { id: 'READING-2', price: 42_000 },
  { id: 'SPEAKING-1', price: 36_000 },
  { id: 'GCSE-CHINESE', price: 118_000 },
];
interface Course {
  readonly id: string;
  /** In minor units. */
  readonly price: number;
}

/** Comes by a campaign and reads about courses. */
function look({ person, dice, after }: Life, from: number, campaign: Campaign | undefined): number {
  person.page(from, '/', 'Willow Learning', campaign);
  let at = from;
  for (let n = dice.between(1, 3); n > 0; n--) {
    at = after(at, 1, 5);
    const { id } = dice.pick(courses);
    person.page(at, `/courses/${id}`, id, undefined, 'https://willow.example.com/');
  }
  return at;
}

function submitLead({ person, dice }: Life, at: number, campaign: Campaign): void {
  person.row(at, 'crm', 'lead.submitted', {
    form_id: 'trial-form',
    utm: { source: campaign.source, medium: campaign.medium, campaign: campaign.name },
    traits: { school_stage: dice.pick(['primary', 'primary', 'secondary', 'nursery']) },
    anonymous_id: person.names.anonymous,
  });
}

const bookTrial = ({ person, dice }: Life, at: number) =>
  person.row(at, 'crm', 'trial_booked', { trial_id: person.next('T'), course_id: dice.pick(courses).id });

function enrol({ person, dice }: Life, at: number): { readonly id: string; readonly course: Course } {
  const course = dice.pick(courses);
  const id = person.next('N');
  person.row(at, 'crm', 'course_enrolled', {
    enrolment_id: id,
    course_id: course.id,
    paid_amount: course.price,
    currency: 'GBP',
  });
  return { id, course };
}

/** A lesson every few days, from so many days ago to so many. */
function attend({ person, dice, at }: Life, from: number, to: number, course: string, every: number): void {
  for (let days = from; days >= to; days -= dice.between(1, every))
    person.row(at(days), 'crm', 'lesson_completed', { lesson_id: person.next('L'), course_id: course });
}

/** Reads, and leaves no name. */
const reader: Kind = {
  share: 30,
  live(life) {
    const { person, dice, at } = life;
    const days = dice.between(0, DAYS);
    for (let n = dice.between(1, 3); n > 0; n--)
      look(
        life,
        at(dice.between(Math.max(0, days - 6), days)),
        dice.chance(0.7) ? dice.pick(campaigns) : undefined,
      );
    if (dice.chance(0.4)) person.follow(at(dice.between(0, days)), dice.chance(0.5) ? 'open-day' : undefined);
  },
};

/** Asks for a trial lesson, takes it, and has not decided. */
const undecided: Kind = {
  share: 28,
  live(life) {
    const { person, dice, at, after } = life;
    const days = dice.between(0, DAYS);
    const campaign = dice.pick(campaigns);
    const read = look(life, at(days + dice.between(0, 3)), campaign);
    const asked = after(Math.max(read, at(days)), 1, 9);
    submitLead(life, asked, campaign);
    if (dice.chance(0.6)) person.follow(after(asked, 3, 60), 'trial');
    if (dice.chance(0.7)) bookTrial(life, after(asked, 60, 600));
    if (dice.chance(0.3)) person.write(after(asked, 90, 900), '孩子五岁可以上吗');
  },
};

/** Tries, enrols, attends; some enrol for a second course, some stop coming, a few take their money back. */
const family: Kind = {
  share: 34,
  live(life) {
    const { person, dice, at, after } = life;
    const days = dice.between(8, DAYS);
    const campaign = dice.pick(campaigns);
    look(life, at(days + dice.between(2, 6)), campaign);
    const read = look(life, at(days), dice.chance(0.5) ? dice.pick(campaigns) : undefined);
    const asked = after(read, 1, 9);
    submitLead(life, asked, campaign);
    person.follow(after(asked, 5, 90), 'trial');
    person.link(after(asked, 91, 120));
    bookTrial(life, after(asked, 121, 300));
    const begun = days - dice.between(2, 5);
    const { id, course } = enrol(life, at(begun));
    if (dice.chance(0.08)) {
      person.row(at(begun - 2), 'crm', 'enrolment_refunded', {
        refund_id: `R-${id}`,
        enrolment_id: id,
        refund_amount: course.price,
        currency: 'GBP',
      });
      return;
    }
    const stops = dice.chance(0.25) ? dice.between(15, 30) : 0;
    attend(life, begun - 1, stops, course.id, dice.pick([2, 4, 6]));
    if (begun > 20 && dice.chance(0.35)) enrol(life, at(dice.between(1, 12)));
  },
};

/** Enrolled last term, by the books of the school's CRM; due to enrol again, or gone. */
const lastTerm: Kind = {
  share: 8,
  live(life) {
    const { person, dice, at } = life;
    const days = dice.pick([130, 150, 170, 260]);
    person.row(at(days + 1), 'crm', 'member.registered', { traits: { school_stage: 'primary' } });
    const { course } = enrol(life, at(days));
    attend(life, days - 7, days - 90, course.id, 9);
    person.follow(at(dice.between(20, DAYS)), 'classroom');
    person.link(at(19));
    if (dice.chance(0.5)) look(life, at(dice.between(1, 9)), dice.pick(campaigns));
  },
};

/** A school of Chinese for families abroad. */
export const schoolLives: Trade = {
  site: 'willow.example.com',
  phone: (n) => `+447700900${String(n % 1000).padStart(3, '0')}`, // reserved for stories by Ofcom
  kinds: [reader, undecided, family, lastTerm],
};
