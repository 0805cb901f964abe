import { z } from 'zod';
import { attributionRoutes } from './attribution.ts';
import { channelRoutes } from './channels.ts';
import { profileRoutes } from './profiles.ts';
import { type Answered, answered } from './route.ts';
import { tagRoutes } from './tags.ts';

const health = answered(
  {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the brand answers',
    roles: 'public',
    answer: z.object({ status: z.literal('ok'), brand: z.string() }),
  },
  (_question, { brand }) => ({ status: 'ok', brand: brand.name }),
);

/** The API's own document: it was made of the routes when the brand was staged, because schemas are not described at run time. */
export const documentRoute = (document: () => unknown): Answered =>
  answered(
    {
      method: 'GET',
      path: '/openapi.json',
      summary: 'This document',
      roles: 'public',
      answer: z.looseObject({}),
    },
    document,
  );

/** Everything that can be asked, but for the document that says so. */
export const routes: readonly Answered[] = [
  health,
  ...profileRoutes,
  ...tagRoutes,
  ...attributionRoutes,
  ...channelRoutes,
];
