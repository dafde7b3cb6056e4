// Runs SQL in DuckDB, for want of its command line tool: duckdb.mjs MODULES DATABASE, with a JSON
// array of texts on standard input, each of any number of statements. Prints, a line a text, the
// rows of its last statement. Must never load an extension, which would come from a network.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';

const [modules, database] = process.argv.slice(2);
const {DuckDBInstance} = createRequire(modules + '/')('@duckdb/node-api');
const instance = await DuckDBInstance.create(database, {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
});
const connection = await instance.connect();
for (const text of JSON.parse(readFileSync(0, 'utf8'))) {
  const statements = await connection.extractStatements(text);
  let rows = [];
  for (let index = 0; index < statements.count; ++index) {
    const statement = await statements.prepare(index);
    rows = (await statement.runAndReadAll()).getRowsJson();
  }
  console.log(JSON.stringify(rows));
}
