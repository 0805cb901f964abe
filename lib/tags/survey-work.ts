import type { Cluster } from '../profile/cluster.ts';

/** A survey at work on some profiles. */
export interface SurveyWork {
  lookAt(cluster: Cluster): Promise<void>;
  /** What was found since it was last taken, as it is stored. */
  take(): unknown;
}
