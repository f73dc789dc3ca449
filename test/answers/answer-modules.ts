/** The modules that hold what a service's routes answer. */
import { join, resolve } from 'node:path';
import { API } from 'typescript/unstable/sync';
import { type Answers, answersIn, type Schema } from './schemas.js';

const root = resolve(import.meta.dirname, '..', '..', '..');
/** The routes of `experiments` make their answers by schemas of their own. */
const services = ['analysis', 'assignment', 'ingestion'];

export interface AnswerModule {
  readonly path: string;
  readonly text: string;
}

/** One schema a line: a change shows as the change of that line. */
const lines = (schemas: Readonly<Record<string, Schema>>): string =>
  Object.entries(schemas)
    .map(([name, schema]) => `    ${name}: ${JSON.stringify(schema)},\n`)
    .join('');

const textOf = ({ operations, schemas }: Answers): string => `/** Made by \`npm run docs:answers\` from what the routes return. */
import type { AnswerSchemas } from '@rampart/service-kit';

export const answerSchemas: AnswerSchemas = {
  operations: {
${lines(operations)}  },
  schemas: {
${lines(schemas)}  },
};
`;

/** @throws TypeError where a route returns what JSON can't hold */
export const answerModules = (): readonly AnswerModule[] => {
  const compiler = new API({ cwd: root });
  try {
    return services.map((service) => {
      const folder = join(root, 'apps', service);
      const config = join(folder, 'tsconfig.json');
      const project = compiler.updateSnapshot({ openProjects: [config] }).getProject(config);
      if (project === undefined) throw new RangeError(`${config} is no project`);
      const isOurs = (path: string) => path.startsWith(root) && !path.includes('/node_modules/');
      const answers = answersIn(project.program, project.checker, join(folder, 'src/'), isOurs);
      return { path: join(folder, 'src', 'answer-schemas.ts'), text: textOf(answers) };
    });
  } finally {
    compiler.close();
  }
};
