// What the brand knows after the demo, in a page of a terminal.
import type { ConversionAnswer } from '../../lib/attribution/view.ts';
import { exponentOf } from '../../lib/events/currency.ts';
import type { Brand } from '../../lib/platform/brand.ts';
import { isoDay, openCalendar } from '../../lib/tags/calendar.ts';
import type { Run } from './brand-run.ts';
import type { Asker, Explained, Somebody } from './demo-ask.ts';
import { columns, money } from './demo-columns.ts';

/** How many tags are listed, of how many people's orders the explained one is taken. */
const [TAGS, PEOPLE] = [12, 40];
/** What the reports cover: each reads every conversion of its brand-days. */
const REPORT_DAYS = 30;

/** The summary's text. @param dollars what the events cost, if they were counted */
export async function summaryOf(run: Run, ask: Asker, dollars?: Dollars): Promise<string> {
  const { brand } = run;
  const [{ profiles, events }, tags, quarantine] = await Promise.all([
    ask.digest(),
    ask.tags(),
    ask.quarantine(),
  ]);
  const held = tags.filter((it) => it.profiles > 0).sort((a, b) => b.profiles - a.profiles);
  const people = await somePeople(ask, held);
  const reasons = [...new Set(quarantine.items.map(({ reason }) => reason))].sort();
  const parts = [
    `${brand.title.zh} ${brand.title.en}, ${local(brand, run.clock.now())} ${brand.timezone}\n`,
    columns(
      [
        ['profiles', profiles.toLocaleString('en-US'), ''],
        ['events', events.toLocaleString('en-US'), ''],
        ['in quarantine', `${quarantine.items.length}${quarantine.next ? '+' : ''}`, reasons.join(', ')],
      ],
      'lrl',
    ),
    tagsPart(held),
    await attributionPart(run, ask),
    await explainPart(run, ask, held),
    await orderPart(run, ask, people),
    dollars ? costPart(dollars, events) : '',
  ];
  return parts.filter((part) => part !== '').join('\n');
}

type Tags = Awaited<ReturnType<Asker['tags']>>;
type Dollars = Awaited<ReturnType<Asker['ledger']>>;

function tagsPart(held: Tags): string {
  if (held.length === 0) return '';
  const rows = held.slice(0, TAGS).map(({ tag, name, profiles, values = {} }) => {
    const shares = Object.entries(values).sort(([, a], [, b]) => b - a);
    const split = shares.map(([value, count]) => `${value} ${count}`).join(', ');
    return [tag, name?.zh ?? '', name?.en ?? '', String(profiles), split];
  });
  return `Tags\n${columns(rows, 'lllrl')}`;
}

async function attributionPart({ brand, clock }: Run, ask: Asker): Promise<string> {
  const { models } = brand.attribution;
  const today = openCalendar(brand.timezone).brandDay(clock.now());
  const reports = await Promise.all(
    models.map((model) => ask.attribution(model, isoDay(today - REPORT_DAYS + 1), isoDay(today))),
  );
  const [first] = reports;
  if (!first || first.totals.conversions === 0) return '';
  const names = [...new Set(reports.flatMap(({ rows }) => rows.map(({ name }) => name)))];
  const net = (name: string, i: number) => reports[i]?.rows.find((row) => row.name === name)?.net ?? 0;
  const most = (name: string) => Math.max(...reports.map((_, i) => net(name, i)));
  const shown = (amount: number) => money(amount, exponentOf(brand.currency));
  const rows = [
    ['channel', ...models],
    ...names
      .sort((a, b) => most(b) - most(a))
      .filter((name) => reports.some(({ rows }) => rows.some((row) => row.name === name && row.ppm > 0)))
      .map((name) => [name, ...models.map((_, i) => shown(net(name, i)))]),
    ['total', ...reports.map(({ totals }) => shown(totals.net))],
  ];
  const { conversions, refunded } = first.totals;
  return (
    `Whose is the money? ${conversions} conversions of ${REPORT_DAYS} days in ${brand.currency}, ` +
    `net of ${shown(refunded)} refunded, by channel in each model\n${columns(rows, `l${'r'.repeat(models.length)}`)}`
  );
}

/** The clearest explanation at hand: of a tag that time alone will change, with the most to say. */
async function explainPart({ brand, url, keys }: Run, ask: Asker, held: Tags): Promise<string> {
  const found: { who: Somebody; explained: Explained }[] = [];
  for (const { tag, values } of held) {
    const [who] = values ? [] : await ask.members(tag, 1);
    if (who) found.push({ who, explained: await ask.explain(who, tag) });
  }
  const weight = ({ explained: { leaves, nextChangeAt, events } }: (typeof found)[number]) =>
    (nextChangeAt ? 100 : 0) + 10 * leaves.length + Math.min(events.length, 9);
  const [best] = found.sort((a, b) => weight(b) - weight(a));
  if (!best) return '';
  const { who, explained } = best;
  const { tag, version, rule, leaves, since, nextChangeAt, events } = explained;
  return (
    `Why is ${who.name} "${tag}"?\n` +
    columns(
      [
        ['rule', `${rule}   (version ${version})`],
        ...leaves.map(({ text, value, window }) => [
          'leaf',
          `${text} = ${JSON.stringify(value)}${window ? `   ${local(brand, window.from)} to ${local(brand, window.to)}` : ''}`,
        ]),
        [
          'events',
          events
            .map(({ type, occurredAt }) => `${type} ${local(brand, occurredAt)}`)
            .slice(-3)
            .join(', '),
        ],
        ['since', since ? local(brand, since) : 'never'],
        ['changes', nextChangeAt ? `${local(brand, nextChangeAt)}, if nothing happens` : 'not by time alone'],
      ],
      'll',
    ) +
    `  curl -s -H 'authorization: Bearer ${keys.admin}' '${url}${ask.below(who, `tags/${tag}/explain`)}'\n`
  );
}

/** The conversion with the most channels on its way, and who is credited for it in two models. */
async function orderPart(
  { brand, url, keys }: Run,
  ask: Asker,
  people: readonly Somebody[],
): Promise<string> {
  const all: ConversionAnswer[] = [];
  for (const who of people) all.push(...(await ask.conversions(who)));
  const weight = ({ path, net, refunded }: ConversionAnswer) =>
    (net.amount > 0 && net.currency === brand.currency ? 200 : 0) +
    10 * new Set(path.map(({ channel }) => channel)).size +
    2 * Math.min(Math.max(...path.map(({ ageDays }) => ageDays)), 25) +
    (refunded.amount > 0 ? 10 : 0);
  const [best] = all
    .filter(({ path }) => path.length > 0 && path.length <= 12)
    .sort((a, b) => weight(b) - weight(a));
  if (!best) return '';
  const two = (['w_shaped', 'time_decay', ...brand.attribution.models] as const)
    .filter((model, i, list) => best.models[model] && list.indexOf(model) === i)
    .slice(0, 2);
  const shown = (amount: number) => money(amount, exponentOf(best.value.currency));
  const creditOf = (model: (typeof two)[number], touch: number) => {
    const credit = best.models[model]?.find((it) => it.touch === touch);
    return credit ? [`${(credit.ppm / 10_000).toFixed(1)} %`, shown(credit.net.amount)] : ['', ''];
  };
  const rows = [
    ['touch', 'channel', 'campaign', 'event', ...two.flatMap((model) => [model, ''])],
    ...best.path.map(({ occurredAt, channel, campaign = '', type }, i) => [
      local(brand, occurredAt),
      channel,
      campaign,
      type,
      ...two.flatMap((model) => creditOf(model, i)),
    ]),
  ];
  const { reference, value, refunded, occurredAt, net, id } = best;
  const back = refunded.amount > 0 ? `, ${shown(refunded.amount)} refunded, ${shown(net.amount)} left` : '';
  return (
    `Whose is ${best.goal} ${reference}? ${value.currency} ${shown(value.amount)} on ${local(brand, occurredAt)}${back}\n` +
    columns(rows, `llll${'rr'.repeat(two.length)}`) +
    `  curl -s -H 'authorization: Bearer ${keys.admin}' '${url}/conversions/${id}'\n`
  );
}

function costPart({ http, lambda, sqs, dynamodb, total }: Dollars, events: number): string {
  const each = (dollars: number) => `$${((dollars / Math.max(1, events)) * 1e6).toFixed(2)}`;
  return (
    `What it would have cost on AWS, per million events: ${each(total)}\n` +
    columns(
      [
        ['HTTP API', each(http)],
        ['Lambda', each(lambda), 'time as this machine took it'],
        ['SQS', each(sqs)],
        ['DynamoDB', each(dynamodb)],
      ],
      'lrl',
    )
  );
}

/** Some of the people who hold a tag, the same ones every time, each once. */
async function somePeople(ask: Asker, held: Tags): Promise<Somebody[]> {
  const found = new Map<string, Somebody>();
  for (const { tag } of [...held].reverse()) {
    if (found.size >= PEOPLE) break;
    for (const who of await ask.members(tag, 10)) found.set(who.profile, who);
  }
  return [...found.values()].slice(0, PEOPLE);
}

/** An instant in the brand's own time, `2026-11-11 09:30`. */
function local({ timezone }: Brand, at: string | number): string {
  const options = { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat('sv-SE', options).format(new Date(at));
}
