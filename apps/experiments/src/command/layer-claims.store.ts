/** Which experiments have a share of a layer in an environment. Asked of the events themselves: a list of its own would be a moment behind. */
import { Injectable } from '@nestjs/common';
import { type ExperimentEvent, experimentDecider, fold, type LayerInSight } from '@rampart/domain';
import { EventStore, explained } from '@rampart/event-store';
import { DataSource } from 'typeorm';

export interface LayerPlace {
  readonly project: string;
  readonly environment: string;
  readonly layer: string;
  /** Whose share is asked for: it is not in its own way. */
  readonly experiment: string;
}

@Injectable()
export class LayerClaims {
  constructor(
    private readonly store: EventStore,
    private readonly dataSource: DataSource,
  ) {}

  async inSight({ project, environment, layer, experiment: own }: LayerPlace): Promise<LayerInSight> {
    const isDefined = (await this.store.readStream(`layer/${project}/${layer}`)).length > 0;
    const taken: { experiment: string; ranges: LayerInSight['taken'][number]['ranges'] }[] = [];
    for (const stream of await this.startedIn(project, environment)) {
      const facts = (await this.store.readStream(stream)).map(({ event }) => event as ExperimentEvent);
      const { versions, runs } = fold(experimentDecider, facts);
      const run = runs[environment];
      const share = versions.find(({ version }) => version === run?.version)?.definition.layer;
      const isOver = run === undefined || run.status === 'decided' || run.status === 'archived';
      const experiment = stream.split('/').at(-1) ?? '';
      if (!isOver && share?.key === layer && experiment !== own) taken.push({ experiment, ranges: share.ranges });
    }
    return { isDefined, taken };
  }

  private async startedIn(project: string, environment: string): Promise<readonly string[]> {
    try {
      const found = await this.dataSource.query<{ stream: string }[]>(
        `select distinct stream from control.event
         where type = 'ExperimentStarted' and data->>'environment' = $1 and starts_with(stream, $2) order by stream`,
        [environment, `experiment/${project}/`],
      );
      return found.map(({ stream }) => stream);
    } catch (error) {
      throw explained(error);
    }
  }
}
