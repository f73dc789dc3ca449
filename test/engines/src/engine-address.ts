/** The address of an engine that the test runner started. */
export const engineAddress = (engine: string, variable: 'RAMPART_TEST_DATABASE_URL' | 'RAMPART_TEST_CLICKHOUSE_URL'): string => {
  const url = process.env[variable];
  if (url === undefined || url === '') {
    throw new Error(`This test needs ${engine}: \`npm run test:int\` starts one, or set ${variable} to the address of yours.`);
  }
  return url;
};
