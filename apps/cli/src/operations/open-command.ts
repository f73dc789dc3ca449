/** `rampart open`: a link that opens the page, signed in, once. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder, type Environment, livingRun } from '../platform/places.js';
import { Refusal } from '../refusal.js';

export const openPage = (environment: Environment, print: (text: string) => void): void => {
  const folder = dataFolder(environment);
  const run = livingRun(folder);
  if (run === undefined)
    throw new Refusal(`No platform runs with the data folder ${folder}. Start it with npm start, or name its folder in RAMPART_DATA.`);
  const code = signInCode(folder);
  if (code === null) {
    print(`${run.address}/#/sign-in`);
    print(
      'It listens to other machines too, so there are no sign-in links: the page asks for a key. npm run rampart -- keys admin shows one.',
    );
    return;
  }
  print(`${run.address}/#/sign-in?code=${code}`);
  print('It works once, on this machine; this command prints the next one.');
};

const signInCode = (folder: string): string | null => {
  try {
    const { signInCode: code } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
    return typeof code === 'string' ? code : null;
  } catch (error) {
    throw new Refusal(`${folder}/run.json cannot be read (${error instanceof Error ? error.message : String(error)}): it is its owner's.`);
  }
};
