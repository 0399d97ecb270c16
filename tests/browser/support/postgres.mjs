// The PostgreSQL that scripts/with_postgres started for this run: a database of its own per caller.
import { execFile } from 'node:child_process';

export const adminUrl = process.env.TELEVISIT_TEST_POSTGRES ?? '';

export function psql(url, sql) {
  return new Promise((done, failed) => {
    execFile('psql', ['-X', '-v', 'ON_ERROR_STOP=1', '-At', '-F', '|', '-d', url, '-c', sql], { timeout: 20_000 }, (error, stdout, stderr) =>
      error ? failed(new Error(`psql: ${stderr || error.message}\n${sql}`)) : done(stdout.trim()),
    );
  });
}

export async function ownDatabase(name) {
  if (!adminUrl) throw new Error('there is no PostgreSQL: run this under scripts/with_postgres');
  const database = `${name}_${process.pid}`;
  await psql(adminUrl, `CREATE DATABASE ${database}`);
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return { url: url.toString(), drop: () => psql(adminUrl, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`) };
}
