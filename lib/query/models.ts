import { z } from 'zod';
import { askedAnswer, modelsAnswer, spanAsked, versionAnswer } from '../attribution/population-ask.ts';
import { spendLine } from '../attribution/spend.ts';
import { whoMay } from '../privacy/roles.ts';
import type { Route } from './route.ts';

const roles = whoMay('groups');

/** What is asked of the function that learns models, for the API's document. */
export const modelRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/models',
    summary: 'Models that are learned of everybody, and their newest versions',
    answer: modelsAnswer,
    roles,
  },
  {
    method: 'POST',
    path: '/models/{model}',
    summary:
      'Counts everybody’s paths and learns the model of them, or with `holdouts` the lift of campaigns; 202 with where the version will be. Besides the days and the goal the body has the model’s own parameters',
    body: z.looseObject(spanAsked.shape),
    answer: askedAnswer,
    roles,
  },
  {
    method: 'GET',
    path: '/models/{model}/{version}',
    summary: 'A version of a model: sample, credits, removal effects, how it settled; or how far it is',
    answer: versionAnswer,
    roles,
  },
  {
    method: 'GET',
    path: '/spend',
    summary: 'What was spent a brand-day, channel and campaign, in minor units',
    query: z.object({ from: z.iso.date(), to: z.iso.date() }),
    answer: z.object({ spend: z.array(spendLine) }),
    roles,
  },
  {
    method: 'PUT',
    path: '/spend',
    summary: 'Puts what was spent; a line that is put again is replaced, and nothing is added up',
    body: z.object({ spend: z.array(spendLine) }),
    answer: z.object({ lines: z.int() }),
    roles: whoMay('rules'),
  },
];
