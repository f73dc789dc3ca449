/** From what people write to what is kept: templates become stages, stages get names. */
import type { RolloutInput } from '@rampart/contracts';
import { type RolloutDefinition, stagesOfTemplate } from '@rampart/domain';

export const definitionOfInput = ({ template, stages, ...rest }: RolloutInput): RolloutDefinition => ({
  ...rest,
  stages:
    template === undefined
      ? (stages ?? []).map(({ name, deadlineSeconds, ...stage }, index) => ({
          ...stage,
          name: name ?? `stage-${index + 1}`,
          deadlineSeconds: deadlineSeconds ?? null,
        }))
      : stagesOfTemplate(template),
});
