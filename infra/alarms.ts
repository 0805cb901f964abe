import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

export interface AlarmsProps {
  /** The brand's name: what a person reads first when woken. */
  readonly brand: string;
  /** Who is told. Without it alarms change colour in the console and wake nobody. */
  readonly topicArn?: string;
}

export interface Watch {
  readonly metric: IMetric;
  /** Alarms at this value and above. */
  readonly threshold: number;
  /** So many of the last so many points: a failure that heals itself is worth no night's sleep. @default 1 of 1 */
  readonly points?: readonly [of: number, outOf: number];
  /** What it means for the brand, in one sentence. */
  readonly means: string;
  /** The heading of docs/deploy.md that says what to do. */
  readonly runbook: string;
}

/** Everything that may wake somebody. Silence is fine: a brand that is asleep sends no metrics. */
export class Alarms extends Construct {
  private readonly action: SnsAction | undefined;
  private readonly brand: string;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.brand = props.brand;
    if (props.topicArn) this.action = new SnsAction(Topic.fromTopicArn(this, 'Topic', props.topicArn));
  }

  on(id: string, { metric, threshold, points = [1, 1], means, runbook }: Watch): void {
    const alarm = new Alarm(this, id, {
      metric,
      threshold,
      datapointsToAlarm: points[0],
      evaluationPeriods: points[1],
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `${this.brand}: ${means} Runbook: docs/deploy.md#${runbook}`,
    });
    if (this.action) alarm.addAlarmAction(this.action);
  }
}

/** The length over which failures are summed before they are judged. */
export const FIVE_MINUTES = Duration.minutes(5);
