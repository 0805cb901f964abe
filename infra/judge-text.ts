// What the judge found, as tables to be read.
import type { Estimate, Lift } from '../lib/attribution/holdout.ts';
import type { Compared, Judgement, ModelJudged } from '../lib/attribution/judge.ts';
import type { OrderChoice } from '../lib/attribution/markov-order.ts';
import type { Prediction } from '../lib/attribution/prediction.ts';
import type { Scenario } from '../lib/attribution/simulation.ts';
import { DAY } from '../lib/platform/clock.ts';

type Named = Judgement & { readonly scenario: string };

/** One scenario: what it is like, and each model's errors beside linear's. */
export function scenarioText(judged: Named, { title, halfLifeDays }: Scenario): string {
  const { people, conversions, touches, nobody, learned, models } = judged;
  return lines(
    `${judged.scenario}: ${title}`,
    `  ${people} people, ${touches.toFixed(1)} touches each, ${percent(conversions / people)} converted`,
    `  nobody caused ${percent(nobody.true)}, learned: ${percent(nobody.learned)}; an effect halves in ` +
      `${halfLifeDays.toFixed(1)} d, learned: ${learned.halfLifeDays.toFixed(1)} d`,
    '',
    ...table([
      ['', 'channel error', 'less linear’s', '95 %', '', 'touch error', 'less linear’s', '95 %', ''],
      ...models.map(({ model, channel, touch }) => [
        model,
        ...besideLinear(channel, model),
        ...(touch ? besideLinear(touch, model) : ['', '', '', '']),
      ]),
    ]),
    '',
  );
}

const besideLinear = (
  { error, difference, interval, verdict }: Compared,
  model: string,
  digits = 3,
): string[] =>
  model === 'linear'
    ? [error.toFixed(digits), '', '', '']
    : [error.toFixed(digits), signed(difference, digits), between(interval, digits), WORDS[verdict]];

const WORDS = { better: 'better', worse: 'WORSE', open: 'open' } as const;

/** All scenarios side by side, and what each model is good for. */
export function summaryText(judged: readonly Named[]): string {
  const models = judged[0]?.models.map(({ model }) => model) ?? [];
  const of = (it: Named, model: string): ModelJudged | undefined =>
    it.models.find((one) => one.model === model);
  return lines(
    'channel error / touch error',
    ...table([
      ['', ...judged.map(({ scenario }) => scenario)],
      ...models.map((model) => [
        model,
        ...judged.map((it) => {
          const { channel, touch } = of(it, model) ?? {};
          return `${channel?.error.toFixed(3)}${touch ? ` / ${touch.error.toFixed(3)}` : '        '}`;
        }),
      ]),
    ]),
    '',
    'channel error beside linear’s (better and WORSE only where the interval excludes 0)',
    ...models.slice(1).map((model) => {
      const told = judged.map(
        (it) => `${it.scenario} ${againstLinear(of(it, model)?.channel, of(it, 'linear')?.channel)}`,
      );
      return `  ${model.padEnd(16)}  ${told.join(' · ')}`;
    }),
    '',
  );
}

/** In percent where linear errs at all; where it hardly does, percents of next to nothing would say nothing. */
function againstLinear(it: Compared | undefined, linear: Compared | undefined): string {
  if (!it || !linear) return '';
  const by =
    linear.error < 0.01 ? signed(it.difference) : `${signed((100 * it.difference) / linear.error, 0)} %`;
  return `${by} ${WORDS[it.verdict]}`;
}

/** What a brand's own log says. */
export function predictionText(
  { people, from, cut, to, train, test, blindLogLoss, models }: Prediction,
  markov: OrderChoice,
  aheadDays: number,
): string {
  return lines(
    `Who converts within ${aheadDays} days: ${people} people`,
    `  trained on ${day(from)} to ${day(cut)}: ${train.rows} rows, ${train.converted} converted`,
    `  tested on ${day(cut)} to ${day(to)}: ${test.rows} rows, ${test.converted} converted`,
    `  log-loss of knowing only the rate: ${blindLogLoss.toFixed(5)}`,
    '',
    ...table([
      ['', 'half-life', 'log-loss', 'less linear’s', '95 %', '', '1 − AUC', 'less linear’s', '95 %', ''],
      ...models.map(({ model, halfLifeDays, logLoss, misranked }) => [
        model,
        halfLifeDays === undefined ? '' : `${halfLifeDays} d`,
        ...besideLinear(logLoss, model, 5),
        ...besideLinear(misranked, model, 4),
      ]),
    ]),
    '',
    `Markov: order ${markov.order}, by what it tells of held-out paths`,
    ...table([
      ['order', 'states', 'observations a state', 'AUC'],
      ...markov.tried.map(({ order, states, observationsPerState, auc, refused }) => [
        String(order),
        String(states),
        observationsPerState.toFixed(1),
        auc?.toFixed(4) ?? (refused === undefined ? 'nothing to tell apart' : 'refused'),
      ]),
    ]),
    '',
  );
}

const FLAGS = { exceeds_lift: 'FAR ABOVE LIFT', below_lift: 'below lift' } as const;

/** Lift beside credit, campaign by campaign. */
export function liftText(lifts: readonly Lift[]): string {
  return lines(
    ...lifts.flatMap(({ campaign, reached, heldOut, perPerson, conversions, isShown, credits }) => [
      `${campaign}: ${reached.people} people reached, ${heldOut.people} held out`,
      `  ${percent(reached.converted / reached.people)} converted, ${percent(heldOut.converted / heldOut.people)} without it: ` +
        `lift ${estimate(perPerson, 5)} a person` +
        `${isShown ? '' : ' (not shown: the interval includes 0)'}`,
      `  conversions that would not have been: ${estimate(conversions, 1)}`,
      ...credits.map(
        ({ model, credit, flag }) =>
          `  credit ${model.padEnd(16)} ${credit.toFixed(1)}${flag === undefined ? '' : `  ${FLAGS[flag]}`}`,
      ),
      '',
    ]),
  );
}

const estimate = ({ value, interval }: Estimate, digits: number): string =>
  `${signed(value, digits)} ${between(interval, digits)}`;

const lines = (...list: string[]): string => `${list.join('\n')}\n`;
const day = (days: number): string => new Date(days * DAY).toISOString().slice(0, 10);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const signed = (value: number, digits = 3): string =>
  `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
const between = ([from, to]: readonly [number, number], digits: number): string =>
  `[${signed(from, digits)}, ${signed(to, digits)}]`;

/** Names to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}
